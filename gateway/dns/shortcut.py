"""What was answered to one name holds for every name that the same lists list in the same way.

A decision follows from the listings of the name and its parents, the hour, and the few names that are spoken of by
themselves: IT's own, the never-blocked, this resolver's. So for all other names an answer of our own, or the permission
to ask upstream, is kept by *how the name is listed* instead of by the name, and a name never heard before costs one
look into the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from typing import NamedTuple

from gateway.dns.counters import Cell
from gateway.dns.plan import Forward
from gateway.dns.wire import ONE_QUESTION, RD, Query
from policies.names import to_wire

Listed = tuple[int, ...] | None
"""How the name and its parents are listed: value in the index of the longest, whether that is the name itself, values
of the others; None: not at all.
"""
Manner = tuple[int, bool, bool]
"""Flags, EDNS, DO."""
Likeness = tuple[Listed, bytes, Manner]
"""How listed, type and class, manner: queries that are alike in these are answered alike."""

_PLAIN: Manner = (RD, False, False)
_SAID_MAX = 4096
_HEADER_BYTES = 12


class Own(NamedTuple):
    """An answer of our own without ID and question, what counts it, and the monotonic moment (s) until which it is
    given.
    """

    head: bytes
    tail: bytes
    cell: Cell
    until_s: float

    def to(self, query: Query) -> bytes:
        """The whole answer to a query that is alike."""
        return query.id.to_bytes(2, "big") + self.head + query.question + self.tail

    def to_plain(self, packet: bytes) -> bytes:
        """The whole answer to a packet that holds nothing but a query that is alike."""
        return packet[:2] + self.head + packet[_HEADER_BYTES:] + self.tail


class Shortcut:
    """The answers of one view of one snapshot. `apart` are the names (normal form) that, with everything below them,
    are spoken of by themselves; `is_apart` tells of names that no list of suffixes can hold.
    """

    __slots__ = ("_apart", "_is_apart", "_latest", "_match", "_plain", "_said")

    def __init__(
        self,
        match: Callable[[bytes, Set[bytes]], list[tuple[int, int]] | None],
        apart: Iterable[str],
        is_apart: Callable[[str], bool] | None,
    ) -> None:
        self._match = match
        self._apart = frozenset(map(to_wire, apart))
        self._is_apart = is_apart
        self._said: dict[Likeness, Own | tuple[Forward, float]] = {}
        self._plain: dict[tuple[Listed, bytes], Own] = {}
        self._latest: tuple[bytes, list[tuple[int, int]] | None] = (b"", None)

    def own(self, packet: bytes, now_s: float) -> Own | None:
        """The answer of our own that is known to be given to what is like this packet: nothing but a question, for a
        listed name. None for whatever has to go the long way.

        Raises: PolicyError when the snapshot was damaged after it was put in force.
        """
        if packet[2:12] != ONE_QUESTION or self._is_apart is not None:
            return None
        owner = packet[12:-4].lower()
        try:
            listings = self._match(owner, self._apart)
        except IndexError:  # no name
            return None
        self._latest = owner, listings
        if not listings:
            return None
        said = self._plain.get((_listed(listings), packet[-4:]))
        return said if said is not None and said.until_s > now_s else None

    def likeness(self, query: Query) -> Likeness | None:
        """What `query` is like; None where its name is spoken of by itself.

        Raises: PolicyError when the snapshot was damaged after it was put in force.
        """
        owner, listings = self._latest
        if owner != query.owner:
            listings = self._match(query.owner, self._apart)
        if listings is None or (self._is_apart is not None and self._is_apart(query.name)):
            return None
        return _listed(listings), query.question[-4:], (query.flags, query.edns, query.do)

    def find(self, likeness: Likeness, now_s: float) -> Own | Forward | None:
        """What is known to be said of all that is like this."""
        said = self._said.get(likeness)
        if said is None or said[-1] <= now_s:
            return None
        return said if isinstance(said, Own) else said[0]

    def learn(self, likeness: Likeness, said: Forward, until_s: float) -> None:
        """Keep the permission to ask upstream until a monotonic moment."""
        self._make_room()
        self._said[likeness] = (said, until_s)

    def learn_own(self, likeness: Likeness, query: Query, answer: bytes, cell: Cell, until_s: float) -> None:
        """Keep the whole answer that was made for `query`, and is counted by `cell`, until a monotonic moment."""
        self._make_room()
        after = _HEADER_BYTES + len(query.question)
        self._said[likeness] = own = Own(answer[2:_HEADER_BYTES], answer[after:], cell, until_s)
        listed, kind, manner = likeness
        if manner == _PLAIN:
            self._plain[listed, kind] = own

    def _make_room(self) -> None:
        if len(self._said) >= _SAID_MAX:
            self._said.clear()
            self._plain.clear()


def _listed(listings: list[tuple[int, int]]) -> Listed:
    if not listings:
        return None
    offset, value = listings[0]  # only the first can be the name itself
    if len(listings) == 1:
        return value, not offset
    return (value, not offset, *[each for _, each in listings[1:]])
