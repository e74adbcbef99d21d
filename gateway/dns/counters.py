"""What a worker counts: cheap where it is fast, by group and category, and never by person or name.

Every answer belongs to a cell, found when the answer is made; an answer that is kept for the hot path holds its cell,
and giving it again is one addition to that cell's `hits`. A cell knows group, outcome, category and rcode, so that one
addition counts them all. Totals only ever grow; `gateway.dns.reporting` sends what they grew by.

# INVARIANT: no label of a counter is, or is made of, a name that somebody asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

Key = tuple[str, ...]
"""A counter's name, then the values of its labels."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "answers": ("group", "outcome", "category"),
    "responses": ("rcode",),
    "truncated": (),
    "unusable": (),
    "skipped_sends": (),
    "cache": ("event",),
    "latency": ("bucket",),
    "latency_us": (),
    "connections": ("transport", "event"),
    "judged_names": ("category",),
    "upstream": ("upstream", "event"),
}
"""Every counter, with the names of its labels."""

GAUGES: Mapping[str, tuple[str, ...]] = {
    "connections_open": ("transport",),
    "upstream_up": ("upstream",),
    "upstream_outstanding": ("upstream",),
    "upstream_rtt_seconds": ("upstream",),
}
"""Every figure that also falls, with the names of its labels."""

OUTCOMES = ("answered", "own", "refused", "judged_refused", "judged", "reported", "rebinding", "failed")
"""`answered`: what upstream said. `own`: what we know ourselves. `refused`: a list's category, or IT's own rule
(category `it`). `judged_refused`: refused because the judge held it for the category. `judged`: answered, though the
judge holds it for the category. `reported`: answered, and listed in an open category that IT wants reported for the
group. `rebinding`: a private address kept back. `failed`: SERVFAIL of our own."""

NOT_ACCEPTED, NO_POLICY, FAULT = "_not_accepted", "_no_policy", "_fault"
"""Groups of answers to those who are in none, and of those lost by a fault of ours; a real group's key begins with a
letter."""

BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the latency histogram, in seconds; one more bucket holds what took longer."""

_TC = 2


class Cell:
    """Answers that count alike: `hits` given by the hot path, `slow` made one by one."""

    __slots__ = ("hits", "slow")

    def __init__(self) -> None:
        self.hits = 0
        self.slow = 0


class Tally:
    """The cells of one group."""

    __slots__ = ("_cells", "group")

    def __init__(self, group: str) -> None:
        self.group = group
        self._cells: dict[tuple[str, str, int, int], Cell] = {}

    def count(self, outcome: str, category: str, answer: bytes) -> Cell:
        """Count one answer made (whole, with its ID); the cell is for the hot path, should the answer be kept."""
        key = (outcome, category, answer[3] & 15, answer[2] & _TC)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Cell()
        cell.slow += 1
        return cell

    def add_to(self, totals: Counter[Key]) -> None:
        """Add this group's counters to `totals`."""
        for (outcome, category, rcode, truncated), cell in self._cells.items():
            count = cell.hits + cell.slow
            totals["answers", self.group, outcome, category] += count
            totals["responses", str(rcode)] += count
            totals["cache", "finished_hit"] += cell.hits
            if truncated:
                totals["truncated",] += count


class Counters:
    """All counters of one worker; they outlive policies."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}
        self._plain: Counter[Key] = Counter()
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._took_s = 0.0
        self._sources: list[Callable[[], Iterable[tuple[Key, int]]]] = []
        self._gauges: list[Callable[[], Iterable[tuple[Key, float]]]] = []

    def tally(self, group: str) -> Tally:
        """The cells of a group, by its key."""
        found = self._tallies.get(group)
        if found is None:
            found = self._tallies[group] = Tally(group)
        return found

    def add(self, *key: str) -> None:
        """Count one event. Not for the hot path."""
        self._plain[key] += 1

    def took(self, seconds: float) -> None:
        """Note how long an answer took that was not given at once."""
        self._buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self._took_s += seconds

    def read_also(self, source: Callable[[], Iterable[tuple[Key, int]]]) -> None:
        """Have totals that another part keeps read whenever all are read; they may only grow."""
        self._sources.append(source)

    def read_gauges(self, source: Callable[[], Iterable[tuple[Key, float]]]) -> None:
        """Have figures that another part knows read whenever all are read."""
        self._gauges.append(source)

    def totals(self) -> Counter[Key]:
        """Everything counted since the worker began."""
        totals = Counter(self._plain)
        for tally in self._tallies.values():
            tally.add_to(totals)
        for number, count in enumerate(self._buckets):
            totals["latency", str(number)] = count
        totals["latency_us",] = int(self._took_s * 1e6)
        for source in self._sources:
            totals.update(dict(source()))
        return totals

    def gauges(self) -> dict[Key, float]:
        """The figures of this moment."""
        return {key: value for source in self._gauges for key, value in source()}
