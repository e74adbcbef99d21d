"""How many names of a list other lists have too, as the compiled content filter knows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from captive_portal.console.policy.compiled import Compiled


@dataclass(frozen=True)
class Other:
    """Another list, how many names both have, and what part of each that is (0–1)."""

    source: str
    both: int
    of_this: float
    of_other: float


@dataclass(frozen=True)
class Overlap:
    """A list of `total` names, `alone` of which no other list has, and those it shares some with, the most first."""

    total: int
    alone: int
    others: tuple[Other, ...]


class Overlaps:
    """Counts once for each compiled content filter."""

    def __init__(self) -> None:
        self._kept: tuple[str, dict[tuple[int, int], int]] | None = None

    def of(self, compiled: Compiled | None, key: str) -> Overlap | None:
        """The overlaps of the source `key`, with its important entries; None when it is not in what is compiled.

        Raises: PolicyError when the snapshot is damaged.
        """
        if compiled is None:
            return None
        snapshot = compiled.snapshot
        own = {each.id for each in snapshot.sources if each.name.partition("!")[0] == key}
        if not own:
            return None
        if self._kept is None or self._kept[0] != snapshot.sha256:
            self._kept = snapshot.sha256, snapshot.shared_names()
        sources = {each.id: each for each in snapshot.sources}
        both: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        for each in snapshot.sources:
            sizes[each.name] += each.entries
        alone = 0
        for (one, other), count in self._kept[1].items():
            if one in own and other in own:
                alone += count if one == other else 0
            elif one in own or other in own:
                both[sources[other if one in own else one].name] += count
        total = sum(sources[each].entries for each in own)
        others = tuple(
            Other(name, count, min(1.0, count / max(total, 1)), min(1.0, count / max(sizes[name], 1)))
            for name, count in both.most_common()
        )
        return Overlap(total, alone, others)
