"""Repeated attempts are spaced, never locked out: whoever guesses waits, and IT can't be shut out of its console."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

FORGET_S = 900.0
MAX_KEYS = 10_000


@dataclass
class _Attempts:
    count: int
    next_at_s: float
    seen_at_s: float


def network_of(address: str) -> str:
    """Whose address it is: in IPv6 a whole /64 is one subscriber's (RFC 6177), who could else take another at will."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found) if mapped or found.version == 4 else str(ip_network((found.packed, 64), strict=False))


class Throttle:
    """Spaces attempts under a key: `free` at once, then `first_s` apart, doubling up to `longest_s`.

    Moments are seconds of a monotonic clock, given by the caller. Not for use from several threads.
    """

    def __init__(self, *, free: int, first_s: float, longest_s: float) -> None:
        self._free = free
        self._first_s = first_s
        self._longest_s = longest_s
        self._known: OrderedDict[str, _Attempts] = OrderedDict()

    def ahead_s(self, key: str, at_s: float) -> float:
        """How far off the next turn for `key` is. Asking takes no turn, so who is sent away does not push it back."""
        self._forget(at_s)
        known = self._known.get(key)
        return max(0.0, known.next_at_s - at_s) if known is not None else 0.0

    def take(self, key: str, at_s: float) -> float:
        """Take the next turn for `key`: how long to wait for it.

        Each turn counts as a failure until `succeeded`, so that attempts made side by side don't all go free.
        """
        self._forget(at_s)
        known = self._known.setdefault(key, _Attempts(0, at_s, at_s))
        self._known.move_to_end(key)
        known.seen_at_s = at_s
        turn_s = max(at_s, known.next_at_s)
        known.count += 1
        beyond = known.count - self._free
        if beyond >= 0:
            known.next_at_s = turn_s + min(self._longest_s, self._first_s * 2.0 ** min(beyond, 30))
        return turn_s - at_s

    def succeeded(self, key: str) -> None:
        """Forget what was counted against `key`."""
        self._known.pop(key, None)

    def _forget(self, at_s: float) -> None:
        while self._known:
            oldest = next(iter(self._known.values()))
            if len(self._known) <= MAX_KEYS and at_s - oldest.seen_at_s < FORGET_S:
                break
            self._known.popitem(last=False)
