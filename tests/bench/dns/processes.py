"""Processes of a run: pinned to a core, ended with it, and what they used of processor and memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STOP_WITHIN_S = 2.0


_PREFERRED = ("sh", "-c", 'echo -20 >/proc/self/autogroup; exec nice -n -20 "$@"', "sh")


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the measured server has, and which one dnsperf and the upstream share.

    `preferred`: before all else on this machine, by their nice value and that of their autogroup (needs root).
    """

    server: int
    load: int
    preferred: bool = False

    def on(self, core: int, command: Sequence[str]) -> list[str]:
        """The command pinned to a core, which dies with the bench. Start it in a session of its own."""
        pinned = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core)]
        return [*pinned, *(_PREFERRED if self.preferred else ()), *command]


class Process:
    """A pinned command as a context manager."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
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
        return lines[-1] if lines else f"no words, exit code {self._process.poll()}"

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


def machine_cpu_s() -> float:
    """Processor time that all cores together were busy so far, or held by the hypervisor."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq + steal) / _TICKS_PER_S


def finished_cpu_s() -> float:
    """Processor time of the commands that were run to their end so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on (state)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
