"""Sorting more lines than memory holds: sorted runs on disk, merged, each line once."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

RUN_LINES = 200_000


class SortedLines:
    """Takes lines of octets in any order, gives them ascending and unique. Use as a context manager."""

    def __init__(self, folder: Path, run_lines: int = RUN_LINES) -> None:
        self._folder = folder
        self._run_lines = run_lines
        self._pending: list[bytes] = []
        self._runs: list[IO[bytes]] = []
        self._files = ExitStack()
        self.taken = 0

    def __enter__(self) -> SortedLines:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def add(self, line: bytes) -> None:
        """Take one line, which ends in a newline."""
        self._pending.append(line)
        self.taken += 1
        if len(self._pending) >= self._run_lines:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        previous = b""
        self._pending.sort()
        for run in self._runs:
            run.seek(0)
        for line in heapq.merge(*self._runs, self._pending):
            if line != previous:
                yield line
                previous = line

    def _spill(self) -> None:
        run: IO[bytes] = self._files.enter_context(TemporaryFile(dir=self._folder))  # noqa: SIM115 - closed by the stack
        self._pending.sort()
        run.writelines(self._pending)
        self._pending.clear()
        self._runs.append(run)
