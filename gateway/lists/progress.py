"""How far a refresh has come, left in a small file so that other processes (the console) can show a bar too."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.lists.store import folder_of

Progress = Callable[[str, int, int | None], None]
EVERY_S = 0.5
STALE_S = 330.0
FILE = ".progress"


@dataclass(frozen=True, slots=True)
class Stage:
    """`stage` is downloading, reading or sorting; `done` and `total` count octets, then lines."""

    stage: str
    done: int
    total: int | None


def under_way(state: Path, key: str) -> Stage | None:
    """How far the refresh of a source has come that runs now, in any process; None when none runs. One that has said
    nothing for `STALE_S` was killed: a download may be silent for shorter.
    """
    path = folder_of(state, key) / FILE
    try:
        if time.time() - path.stat().st_mtime > STALE_S:
            return None
        return Stage(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def told(folder: Path, progress: Progress) -> Iterator[Progress]:
    """`progress`, which also leaves the stage and, twice a second, the count in `folder` until the end."""
    path, new = folder / FILE, folder / f"{FILE}.new"
    last: tuple[str, float] = ("", 0.0)

    def tell(stage: str, done: int, total: int | None) -> None:
        nonlocal last
        progress(stage, done, total)
        now = time.monotonic()
        if stage != last[0] or now - last[1] >= EVERY_S:
            last = (stage, now)
            new.write_text(json.dumps(asdict(Stage(stage, done, total))), encoding="utf-8")
            os.replace(new, path)

    try:
        yield tell
    finally:
        for leftover in (path, new):
            leftover.unlink(missing_ok=True)
