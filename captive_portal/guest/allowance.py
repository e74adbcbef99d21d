"""How often one device may ask: so that a device gone mad costs the others nothing.

Windows and Android ask again and again while they are held back, and must go on getting answers: what is bounded is how
often, never how many (a token bucket, kept as the moment at which it would be full again).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.errors import GatewayError
from gateway.link.neighbours import NO_MAC, Neighbour

PER_S = 30.0
BURST = 300
KNOWN_S = 10.0  # for how long an address is taken to be the same device's
MAX_KEPT = 20_000


class Allowance:
    """At most `burst` requests at once and `per_s` in the long run, by device, whatever addresses it uses.

    By address where the kernel knows no device. Not for use from several threads.
    """

    def __init__(
        self,
        resolve: Callable[[str], Neighbour | None],
        *,
        per_s: float = PER_S,
        burst: int = BURST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolve = resolve
        self._interval_s = 1 / per_s
        self._longest_s = (burst + 0.5) / per_s  # half a request for what sums of floats lose
        self._monotonic = monotonic
        self._devices: dict[str, tuple[str, float]] = {}
        self._full_at: dict[str, float] = {}

    def take(self, address: str) -> bool:
        """Whether the device behind `address` may ask now; if so, it has."""
        now = self._monotonic()
        device = self._device(address, now)
        full_at = max(self._full_at.get(device, 0.0), now) + self._interval_s
        if full_at - now > self._longest_s:
            return False
        self._full_at[device] = full_at
        if len(self._full_at) > MAX_KEPT:
            self._full_at = {each: at for each, at in self._full_at.items() if at > now}
            if len(self._full_at) > MAX_KEPT:
                self._full_at.clear()
        return True

    def _device(self, address: str, now: float) -> str:
        known = self._devices.get(address)
        if known is not None and known[1] > now:
            return known[0]
        try:
            neighbour = self._resolve(address)
        except (GatewayError, OSError):  # the kernel can't say
            neighbour = None
        device = address if neighbour is None or neighbour.mac == NO_MAC else neighbour.mac
        if len(self._devices) >= MAX_KEPT:
            self._devices.clear()
        self._devices[address] = device, now + KNOWN_S
        return device
