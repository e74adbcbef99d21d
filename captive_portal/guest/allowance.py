"""How often one device may ask: so that a device gone mad costs the others nothing.

Windows and Android ask again and again while they are held back, and must go on getting answers: what is bounded is how
often, never how many (a token bucket, kept as the moment at which it would be full again).
"""

from __future__ import annotations

import time
from collections.abc import Callable

PER_S = 30.0
BURST = 300
MAX_KEPT = 20_000


class Allowance:
    """At most `burst` requests at once and `per_s` in the long run, by device. Not for use from several threads."""

    def __init__(
        self, *, per_s: float = PER_S, burst: int = BURST, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval_s = 1 / per_s
        self._longest_s = (burst + 0.5) / per_s  # half a request for what sums of floats lose
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}

    def take(self, device: str) -> bool:
        """Whether the device may ask now; if so, it has."""
        now = self._monotonic()
        full_at = max(self._full_at.get(device, 0.0), now) + self._interval_s
        if full_at - now > self._longest_s:
            return False
        self._full_at[device] = full_at
        if len(self._full_at) > MAX_KEPT:
            self._full_at = {each: at for each, at in self._full_at.items() if at > now}
            if len(self._full_at) > MAX_KEPT:
                self._full_at.clear()
        return True
