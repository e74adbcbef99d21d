"""The training process: reads `category<TAB>name` lines (no category: a well-visited name), writes a model, ends.

It dies with the process that started it. What it reads it takes away, and the model appears whole or not at all.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from gateway.lists.judge import NO_NUMPY, SEED, TIME_LIMIT_S

PR_SET_PDEATHSIG = 1
ORPHANED = 4
"""Exit code where the process that asked for the training is gone."""


@dataclass(frozen=True, slots=True)
class _Names:
    category: str
    entries: list[str]


def main(source: Path, target: Path, inputs: str, parent: int | None = None) -> int:
    """0 when `target` holds a model that says it was trained on `inputs`; `parent` is the pid that asked for it."""
    asked_by = os.getppid() if parent is None else parent
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != asked_by:  # it died before it could be told
        return ORPHANED
    try:
        from gateway.lists.judge_training import train  # noqa: PLC0415 - numpy is an extra
    except ImportError:
        return NO_NUMPY
    os.nice(10)  # answering comes first
    signal.alarm(int(TIME_LIMIT_S))
    by_category: dict[str, list[str]] = {}
    _sweep(target)
    with source.open(encoding="ascii") as file:
        source.unlink(missing_ok=True)  # so that nothing is left of it, however this ends
        for line in file:
            category, _, name = line.rstrip("\n").partition("\t")
            by_category.setdefault(category, []).append(name)
    ranking = by_category.pop("", [])
    lists = [_Names(category, names) for category, names in sorted(by_category.items())]
    model = train(lists, ranking, seed=SEED, facts={"inputs": inputs})
    new = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        new.write_bytes(model)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return 0


def _sweep(target: Path) -> None:
    """Remove the unfinished models of processes that are gone."""
    for each in target.parent.glob(f"{target.name}.*"):
        pid = each.name.removeprefix(f"{target.name}.")
        if pid.isdecimal() and not Path("/proc", pid).exists():
            each.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:])))
