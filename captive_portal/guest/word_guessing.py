"""Guessing of the three words is slowed for each device, and for all together: a device can change its address.

Words are 30 bits and last ten minutes. At one guess in `ALL_APART_S` seconds from all devices together, somebody who
tries for a whole year against twenty devices that show words all the time succeeds with a probability of one in seven.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

from captive_portal.auth.throttle import Throttle
from captive_portal.guest.guessing import Guessing
from captive_portal.guest.site import Visit

ALL_FREE = 100
ALL_APART_S = 4.0
_ALL = "all"


class WordGuessing:
    """Counts words and receipts that nobody has, by device as `Guessing` does, and of everybody."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._each = Guessing(monotonic)
        self._all = Throttle(free=ALL_FREE, first_s=ALL_APART_S, longest_s=ALL_APART_S)
        self._lock = Lock()

    def wait_s(self, who: Visit) -> int:
        """For how many seconds nothing is looked up for this visitor; 0: look."""
        with self._lock:
            everybody_s = self._all.ahead_s(_ALL, self._monotonic())
        return max(self._each.wait_s(who), math.ceil(everybody_s))

    def missed(self, who: Visit) -> None:
        """The visitor tried what nobody has."""
        self._each.missed(who)
        with self._lock:
            self._all.take(_ALL, self._monotonic())
