"""What somebody who watches over the machine should see of attempts on the console: a line an event, without names.

Who signed in stands in the log of the product, as leaves. These lines are of what was *refused*, which strangers can
repeat at will; so they go to the service's own log, name nobody, and are bounded.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

from captive_portal.auth.throttle import network_of

Event = Literal["attempt_failed", "attempt_held_back", "forbidden"]
LOGGER = "gjestenett.security"
PER_MINUTE = 60
_MINUTE_S = 60.0


class SecurityEvents:
    """Writes at most `PER_MINUTE` lines a minute, and then how many were left out. For use from several threads."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._log = logging.getLogger(LOGGER)
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._began_s, self._written, self._left_out = clock_s(), 0, 0

    def note(self, event: Event, route: str, address: str) -> None:
        """One event: at which route (as declared, so that no token of an address stands in it), from which network."""
        with self._lock:
            now_s = self._clock_s()
            left_out = self._left_out if now_s - self._began_s >= _MINUTE_S else 0
            if now_s - self._began_s >= _MINUTE_S:
                self._began_s, self._written, self._left_out = now_s, 0, 0
            self._written += 1
            quiet = self._written > PER_MINUTE
            self._left_out += quiet
        if left_out:
            self._log.warning("event=left_out count=%d", left_out)
        if not quiet:
            self._log.warning("event=%s route=%s from=%s", event, route, network_of(address) or "-")
