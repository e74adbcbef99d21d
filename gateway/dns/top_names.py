"""Refused and judged names that many ask for, in a worker's memory: of those groups only where IT has switched that
on.

A refused name is the listed one, not what stood before it in the question; a judged name is the whole one. Neither is
told to anybody before `DEVICES_MIN` devices have asked this worker for it. Which devices those were is kept only
until then, only here, and only as a keyed hash whose key is random, a day old at most and never written. With several
workers each counts for itself, so that the threshold is reached later, never sooner.

A device is its link-layer address, as the kernel's neighbour table has it: one device has several IPv6 addresses, and
would be several devices by them. One whose link-layer address is not known does not count. (On the gateway itself,
where there is none, each loopback address is a device.)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from hashlib import blake2b
from ipaddress import ip_address

from gateway.dns.counters import Cell
from gateway.link.neighbours import NO_MAC, NeighbourTable
from gateway.link.netlink import NetlinkError

DEVICES_MIN = 5
NAMES_MAX = 4096
NAME_MAX_CHARS = 253  # no host name is longer; one with escapes can be, up to four times, and nobody has use for it
KEY_LIFE_S = 86400.0
_MEMO_S = 60.0
_MEMO_MAX = 4096

Labels = tuple[str, str, str, str]
"""Group, outcome, category, name."""
Identify = Callable[[bytes], bytes | None]


@dataclass(slots=True, eq=False)
class Entry:
    """One name in one group: how often it was asked for and not yet told, and by which devices while they are too few.

    Kept answers to it have cells of its own, one for each of the group's cells that they count for.
    """

    labels: Labels
    devices: set[bytes] | None = field(default_factory=set)
    new: int = 0
    cells: dict[Cell, Cell] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether enough devices have asked for it."""
        return self.devices is None

    def fold(self) -> None:
        """Count what the hot path has given since the last time, here and in the cells of the group."""
        for counted, own in self.cells.items():
            counted.hits += own.hits
            self.new += own.hits
            own.hits = 0


class TopNames:
    """The names of one worker. `identify` turns a packed source address into what is the same for one device only."""

    def __init__(self, monotonic: Callable[[], float], identify: Identify | None = None) -> None:
        self._monotonic = monotonic
        self._identify = identify or Devices(monotonic).identify
        self._entries: dict[Labels, Entry] = {}
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.keep(())
        self._key = secrets.token_bytes(32)
        self._key_until = self._monotonic() + KEY_LIFE_S

    def saw(self, group: str, outcome: str, category: str, name: str, source: bytes, counted: Cell) -> Cell | None:
        """Note that `source` was answered about `name`, which `counted` has counted.

        Returns the cell for answers to this name that are kept, whose hits count for `counted` too when they are
        folded; None as long as no answer may be kept because its devices are still being counted. A name that is too
        long to be told is `counted` only.
        """
        if len(name) > NAME_MAX_CHARS:
            return counted
        if self._monotonic() >= self._key_until:
            self._begin_anew()
        labels = (group, outcome, category, name)
        entry = self._entries.get(labels)
        if entry is None:
            if len(self._entries) >= NAMES_MAX:  # the one that came first goes, whoever asked for it
                self._entries.pop(next(iter(self._entries))).fold()
            entry = self._entries[labels] = Entry(labels)
        entry.new += 1
        if entry.devices is not None:
            device = self._identify(source)
            if device is not None:
                entry.devices.add(blake2b(device, key=self._key, digest_size=16).digest())
            if len(entry.devices) < DEVICES_MIN:
                return None
            entry.devices = None
        own = entry.cells.get(counted)
        if own is None:
            own = entry.cells[counted] = Cell()
        return own

    def keep(self, groups: Collection[str]) -> None:
        """Forget the names of all groups but these, as when a new policy has switched it off for some."""
        self.fold()
        self._entries = {labels: entry for labels, entry in self._entries.items() if labels[0] in groups}

    def fold(self) -> None:
        """Count what the hot path has given since the last time."""
        for entry in self._entries.values():
            entry.fold()

    def grown(self) -> tuple[Entry, ...]:
        """The names that may be told and have something new. Whoever tells one sets its `new` to 0."""
        self.fold()
        return tuple(entry for entry in self._entries.values() if entry.is_open and entry.new)


class Devices:
    """Which device an address belongs to, remembered for a minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._table: NeighbourTable | None = None
        self._memo: dict[bytes, tuple[bytes | None, float]] = {}

    def identify(self, source: bytes) -> bytes | None:
        """The link-layer address behind a packed IP address; the address itself on loopback; else None."""
        now_s = self._monotonic()
        known = self._memo.get(source)
        if known is None or known[1] <= now_s:
            if len(self._memo) >= _MEMO_MAX:
                self._memo.clear()
            known = self._memo[source] = (self._look_up(source), now_s + _MEMO_S)
        return known[0]

    def close(self) -> None:
        """Close the neighbour table, if it was ever needed."""
        if self._table is not None:
            self._table.close()
            self._table = None

    def _look_up(self, source: bytes) -> bytes | None:
        address = ip_address(source)
        if address.is_loopback:
            return source
        try:
            self._table = self._table or NeighbourTable()
            neighbour = self._table.resolve(address)
        except (OSError, NetlinkError):
            self.close()
            return None
        return None if neighbour is None or neighbour.mac == NO_MAC else neighbour.mac.encode()
