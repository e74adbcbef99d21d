"""Processes of a run: pinned to a core, ended with it, and what they used of processor and memory."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STOP_WITHIN_S = 2.0


class Process:
    """A command on one core, as a context manager; it dies with the bench, even when that is killed."""

    def __init__(self, command: Sequence[str], core: int, log: Path) -> None:
        self.command = command
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        started = tree(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in started[1:]:  # its children, all of one session of its own
            if _session(pid) == self._process.pid:
                os.kill(pid, signal.SIGKILL)

    @property
    def ended(self) -> bool:
        """Whether it stopped by itself."""
        return self._process.poll() is not None

    def last_words(self) -> str:
        """The last line that it wrote."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with {self._process.poll()}"

    def cpu_s(self) -> float:
        """Processor time of it and its children so far, user and system."""
        ticks = 0
        for pid in tree(self._process.pid):
            ticks += sum(int(field) for field in _stat(pid)[11:13])
        return ticks / _TICKS_PER_S

    def memory_mb(self) -> tuple[float, float]:
        """Resident and proportional set size of it and its children."""
        rss_kib = pss_kib = 0
        for pid in tree(self._process.pid):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    rss_kib += int(line.split()[1])
                elif line.startswith("Pss:"):
                    pss_kib += int(line.split()[1])
        return rss_kib / 1024, pss_kib / 1024


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def busy_with_others() -> float:
    """The load average of the last minute, which says how busy the machine was before the run."""
    return os.getloadavg()[0]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on (state)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
