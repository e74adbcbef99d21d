"""Which devices the gateway lets through, as of a moment ago: for the checks of hundreds that it does not.

A device that has been let in goes to the internet with its checks, not to us. So nearly all who ask are held, and one
reading of the few who are not answers for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.link.neighbours import Neighbour

FRESH_S = 0.25
STALE_S = 1.0
ABOUT_TO_S = 10.0
MAX_ABOUT_TO = 10_000


@dataclass(frozen=True)
class Through:
    """Whom the gateway lets through: devices, and everybody on the `networks` (interfaces) that are open to all."""

    devices: frozenset[Neighbour] = frozenset()
    networks: frozenset[str] = frozenset()

    def __contains__(self, device: Neighbour) -> bool:
        return device in self.devices or device.interface in self.networks


Read = Callable[[], Through]


class LetIn:
    """Read in a worker at most every `FRESH_S` seconds, and only while somebody asks; for the loop's thread."""

    def __init__(self, read: Read, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._monotonic = monotonic
        self._known = Through()
        self._known_at: float | None = None
        self._reading = False
        self._about_to: dict[Neighbour, float] = {}

    def sees_pages(self, device: Neighbour | None) -> None:
        """The device asks for a page of ours: it may be let in any moment, and its next check is to say so at once."""
        if device is not None:
            if len(self._about_to) >= MAX_ABOUT_TO:
                self._about_to.clear()
            self._about_to[device] = self._monotonic() + ABOUT_TO_S

    def is_held(self, device: Neighbour | None) -> bool:
        """Whether the device was held when we looked, less than `STALE_S` ago. False: we can't say from here."""
        now = self._monotonic()
        age_s = now - self._known_at if self._known_at is not None else float("inf")
        if age_s > FRESH_S and not self._reading:
            self._reading = True
            asyncio.get_running_loop().run_in_executor(None, self._read).add_done_callback(
                lambda reading: self._have(reading, now)
            )
        if device is None or device in self._known or age_s >= STALE_S:
            return False
        return self._about_to.get(device, now) <= now

    def _have(self, reading: asyncio.Future[Through], began_at: float) -> None:
        self._reading = False
        if reading.cancelled() or isinstance(reading.exception(), GatewayError):
            return  # the database can't say; soon what we know is stale
        self._known, self._known_at = reading.result(), began_at
