"""Which devices the gateway lets through, as of a moment ago: for the checks of hundreds that it does not.

A device that has been let in goes to the internet with its checks, not to us. So nearly all who ask are held, and one
reading of the few who are not answers for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from gateway.errors import GatewayError
from gateway.link.neighbours import Neighbour

FRESH_S = 0.25
STALE_S = 1.0

Read = Callable[[], frozenset[Neighbour]]


class LetIn:
    """Read in a worker at most every `FRESH_S` seconds, and only while somebody asks; for the loop's thread."""

    def __init__(self, read: Read, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._monotonic = monotonic
        self._known: frozenset[Neighbour] = frozenset()
        self._known_at: float | None = None
        self._reading = False

    def is_held(self, device: Neighbour | None) -> bool:
        """Whether the device was held when we looked, less than `STALE_S` ago. False: we can't say from here."""
        now = self._monotonic()
        age_s = now - self._known_at if self._known_at is not None else float("inf")
        if age_s > FRESH_S and not self._reading:
            self._reading = True
            asyncio.get_running_loop().run_in_executor(None, self._read).add_done_callback(
                lambda reading: self._have(reading, now)
            )
        return age_s < STALE_S and device is not None and device not in self._known

    def _have(self, reading: asyncio.Future[frozenset[Neighbour]], began_at: float) -> None:
        self._reading = False
        if reading.cancelled() or isinstance(reading.exception(), GatewayError):
            return  # the database can't say; soon what we know is stale
        self._known, self._known_at = reading.result(), began_at
