"""Refused names of single devices, noted for at most two minutes on their guests' own request: "find what is closed".

A worker notes nothing until it is asked to, over a Unix socket of its own (`gateway.dns.refused_channel`), for the
addresses of one device. What it notes is held here, in memory, and is let go of when the time is over. While nobody has
asked, `addresses` is empty and the hot path is the same code as without this.

# INVARIANT: nothing here is logged, counted or written anywhere, and nothing outlives its two minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LONGEST_S = 120.0
WATCHES_MAX = 64
ADDRESSES_MAX = 32
NAMES_MAX = 200
REFUSALS = frozenset(("refused", "judged_refused"))


@dataclass(frozen=True, slots=True)
class Noted:
    """A name that the device asked for and was refused: the name, the listed name at fault, its category (or `it`)."""

    name: str
    listed: str
    category: str


@dataclass(slots=True)
class Watch:
    """What is noted for one device: until when (monotonic, s), at which packed addresses, and what so far."""

    until_s: float
    addresses: frozenset[bytes] = frozenset()
    names: dict[str, Noted] = field(default_factory=dict)


class RefusedNames:
    """The notes of one worker. `addresses` is read by the hot path's guard; `changed` is called when it begins or ends
    to hold any.
    """

    def __init__(self, monotonic: Callable[[], float], changed: Callable[[], None] = lambda: None) -> None:
        self._monotonic = monotonic
        self.changed = changed
        self._watches: dict[str, Watch] = {}
        self.addresses: dict[bytes, Watch] = {}

    def watch(self, key: str, addresses: Sequence[bytes], for_s: float) -> tuple[Noted, ...]:
        """Note refusals of `addresses` under `key`, a random one that its asker has made up, for `for_s` seconds more.

        The first call under a key begins; `LONGEST_S` after that it is over, whatever is asked later. Addresses may
        change from call to call, as a device's do. Returns what was noted, in the order of first asking.
        """
        now_s = self._monotonic()
        self._forget(now_s)
        watch = self._watches.get(key)
        if watch is None:
            if for_s <= 0 or len(self._watches) >= WATCHES_MAX:
                self._gather()
                return ()
            watch = self._watches[key] = Watch(now_s + min(for_s, LONGEST_S))
        watch.addresses = frozenset(addresses[:ADDRESSES_MAX])
        watch.until_s = min(watch.until_s, now_s + max(0.0, for_s))
        if watch.until_s <= now_s:
            del self._watches[key]
        self._gather()
        return tuple(watch.names.values())

    def saw(self, source: bytes, outcome: str, name: str, listed: str, category: str) -> None:
        """Note an answer to `source`, if that is watched and the answer is a refusal."""
        watch = self.addresses.get(source)
        if watch is None or outcome not in REFUSALS or watch.until_s <= self._monotonic():
            return
        if name not in watch.names and len(watch.names) < NAMES_MAX:
            watch.names[name] = Noted(name, listed, category)

    def next_end_s(self) -> float | None:
        """When (monotonic) the first watch is over; None where there is none."""
        return min((watch.until_s for watch in self._watches.values()), default=None)

    def forget_ended(self) -> None:
        """Let go of everything whose time is over."""
        self._forget(self._monotonic())
        self._gather()

    def clear(self) -> None:
        """Let go of everything."""
        self._watches.clear()
        self._gather()

    def _forget(self, now_s: float) -> None:
        for key in [key for key, watch in self._watches.items() if watch.until_s <= now_s]:
            del self._watches[key]

    def _gather(self) -> None:
        was_watching = bool(self.addresses)
        self.addresses.clear()
        for watch in self._watches.values():
            self.addresses.update(dict.fromkeys(watch.addresses, watch))
        if bool(self.addresses) != was_watching:
            self.changed()
