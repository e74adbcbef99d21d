"""Which device is behind an address, remembered for some seconds: for what is asked thousands of times a second.

What is written down or opened for a device asks the kernel itself, each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.errors import GatewayError
from gateway.link.neighbours import NO_MAC, Neighbour

KNOWN_S = 10.0
MAX_KEPT = 20_000


class Peers:
    """The devices behind the addresses asked for last. Not for use from several threads."""

    def __init__(
        self, resolve: Callable[[str], Neighbour | None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._resolve = resolve
        self._monotonic = monotonic
        self._known: dict[str, tuple[Neighbour | None, float]] = {}

    def device(self, address: str) -> Neighbour | None:
        """The device; None where the kernel knows none or can't say."""
        now = self._monotonic()
        known = self._known.get(address)
        if known is not None and known[1] > now:
            return known[0]
        try:
            neighbour = self._resolve(address)
        except (GatewayError, OSError):
            neighbour = None
        if len(self._known) >= MAX_KEPT:
            self._known.clear()
        self._known[address] = neighbour, now + KNOWN_S
        return neighbour

    def key(self, address: str) -> str:
        """The device's link-layer address; the address itself where there is none."""
        device = self.device(address)
        return address if device is None or device.mac == NO_MAC else device.mac
