"""The made-up names and the files of questions: the same for every server, the same in every run, written once.

Names of all kinds come from one numbering, in ranges that never meet: the blocked ones from 0, the permitted ones
below `www.` from far above.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.index import names

REPEATED = 2_000
"""How many different names `blocked` and `hot` ask for."""
TIMED = 1_500_000
"""Most questions of a file whose names are not asked twice."""
WATCHED = 250_000
"""The same for the shorter run that looks at each latency."""
SINGLE = 3_000
"""Questions asked one at a time."""
WORKLOADS = ("blocked", "distinct", "hot", "cold", "mixed")
REPEATING = frozenset(("blocked", "hot"))
"""Workloads whose file is asked again and again."""

_HOT, _COLD = 100_000_000, 200_000_000
_MIX = ("blocked",) * 2 + ("hot",) * 7 + ("cold",)


@dataclass(frozen=True, slots=True)
class Questions:
    """Files of one workload: to warm up with (None: nothing to warm), to time, and to watch latencies with."""

    warm: Path | None
    timed: Path
    watched: Path


def permitted(first: int, count: int) -> Iterator[str]:
    """Names that no list knows."""
    return (f"www.{name}" for name in names(first, first + count))


def blocked_sample(size: int, count: int) -> list[str]:
    """Some names of a list of `size` names, spread over it."""
    return [next(names(number, number + 1)) for number in random.Random(1).sample(range(size), min(count, size))]


def once(path: Path, make: Callable[[Path], object]) -> Path:
    """`path`, made if it is not there yet; half a file never stands under its name."""
    if not path.exists():
        part = path.with_name(path.name + ".part")
        make(part)
        part.rename(path)
    return path


def write(folder: Path, size: int) -> dict[str, Questions]:
    """The files of every workload, for a list of `size` names."""
    hot = list(permitted(_HOT, REPEATED))
    some = blocked_sample(size, REPEATED)
    shuffled = list(range(size))
    random.Random(2).shuffle(shuffled)
    cut = size - min(WATCHED, size // 5)

    def listed(numbers: list[int]) -> Iterator[str]:
        return (next(names(number, number + 1)) for number in numbers)

    def file(key: str, content: Callable[[], Iterable[str]]) -> Path:
        return once(folder / f"{key}.questions", lambda path: _write_lines(path, content()))

    warm_blocked, warm_hot = file("blocked", lambda: some), file("hot", lambda: hot)
    both = file("warm", lambda: [*some, *hot])
    return {
        "blocked": Questions(warm_blocked, warm_blocked, warm_blocked),
        "hot": Questions(warm_hot, warm_hot, warm_hot),
        "distinct": Questions(
            None, file("distinct", lambda: listed(shuffled[:cut])), file("distinct2", lambda: listed(shuffled[cut:]))
        ),
        "cold": Questions(
            None,
            file("cold", lambda: permitted(_COLD, TIMED)),
            file("cold2", lambda: permitted(_COLD + TIMED, WATCHED)),
        ),
        "mixed": Questions(
            both,
            file("mixed", lambda: _mix(some, hot, permitted(2 * _COLD, TIMED), TIMED)),
            file("mixed2", lambda: _mix(some, hot, permitted(2 * _COLD + TIMED, WATCHED), WATCHED)),
        ),
    }


def single(kind: str) -> bytes:
    """Packets for `ask.c`: the same permitted name again and again (`hit`), or names not asked before (`miss`)."""
    if kind == "hit":
        asked: Iterable[str] = [next(permitted(_HOT, 1))] * SINGLE
    else:
        asked = permitted(3 * _COLD, SINGLE)
    packets = (packet(name, number) for number, name in enumerate(asked))
    return b"".join(struct.pack("!H", len(each)) + each for each in packets)


def packet(name: str, identity: int) -> bytes:
    """A question for the A record of `name`, recursion desired."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return struct.pack("!6H", identity & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def _mix(blocked: list[str], hot: list[str], cold: Iterator[str], count: int) -> Iterator[str]:
    chance = random.Random(3)
    for _ in range(count):
        kind = chance.choice(_MIX)
        yield next(cold) if kind == "cold" else chance.choice(blocked if kind == "blocked" else hot)


def _write_lines(path: Path, asked: Iterable[str]) -> None:
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{name} A\n" for name in asked)
