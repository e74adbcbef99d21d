"""The training process: reads `category<TAB>name` lines (no category: a well-visited name), writes a model, ends."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from gateway.lists.judge import NO_NUMPY, SEED, TIME_LIMIT_S


@dataclass(frozen=True, slots=True)
class _Names:
    category: str
    entries: list[str]


def main(source: Path, target: Path, inputs: str) -> int:
    """0 when `target` holds a model that says it was trained on `inputs`."""
    try:
        from gateway.lists.judge_training import train  # noqa: PLC0415 - numpy is an extra
    except ImportError:
        return NO_NUMPY
    os.nice(10)  # answering comes first
    signal.alarm(int(TIME_LIMIT_S))
    by_category: dict[str, list[str]] = {}
    with source.open(encoding="ascii") as file:
        for line in file:
            category, _, name = line.rstrip("\n").partition("\t")
            by_category.setdefault(category, []).append(name)
    ranking = by_category.pop("", [])
    lists = [_Names(category, names) for category, names in sorted(by_category.items())]
    target.write_bytes(train(lists, ranking, seed=SEED, facts={"inputs": inputs}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
