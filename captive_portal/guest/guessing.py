"""Look-ups of receipt codes are slowed: who has missed often, or found very many, waits, at most half a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock

from captive_portal.auth.throttle import Throttle
from captive_portal.guest.site import Visit

FREE_MISSES = 10
FREE_FINDS = 60  # whoever checks the short codes of a whole course at the door does not wait
FIRST_S, LONGEST_S = 1.0, 30.0


class Guessing:
    """Counts look-ups that found nothing, and those that found something by its short code, which many may know.

    By device; by address where the kernel knows no device, IPv6 by its /64. Others notice nothing.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._misses = Throttle(free=FREE_MISSES, first_s=FIRST_S, longest_s=LONGEST_S)
        self._finds = Throttle(free=FREE_FINDS, first_s=FIRST_S, longest_s=LONGEST_S)
        self._lock = Lock()

    def wait_s(self, who: Visit) -> int:
        """For how many seconds nothing is looked up for this visitor; 0: look."""
        with self._lock:
            key, now = _key(who), self._monotonic()
            return math.ceil(max(self._misses.ahead_s(key, now), self._finds.ahead_s(key, now)))

    def missed(self, who: Visit) -> None:
        """The visitor asked for a code that no receipt has."""
        with self._lock:
            self._misses.take(_key(who), self._monotonic())

    def found(self, who: Visit) -> None:
        """The visitor was shown what a short code tells."""
        with self._lock:
            self._finds.take(_key(who), self._monotonic())


def _key(who: Visit) -> str:
    if who.neighbour is not None:
        return who.neighbour.mac
    try:
        address = ip_address(who.address.partition("%")[0])
    except ValueError:
        return who.address
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
