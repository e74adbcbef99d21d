"""A service that works says so in the database, twice a minute, so that the console can tell when it no longer does.

It is called from the service's own loop (of a web server: by a thread that answers, which its loop asks to): what hangs
is as silent as a process that has ended.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from gateway.clock import Clock
from gateway.storage import beats
from gateway.storage.engine import Database, IntegrityError, StorageUnavailableError

EVERY_S = 30.0
SILENT = timedelta(seconds=120)
"""Older than this, a heartbeat says that the service does not work: three were missed, and no busy disk is as slow."""

Service = Literal["enforcer", "jobs", "portal", "sealer"]


class Heartbeat:
    """The heartbeat of one service of one gateway."""

    def __init__(
        self,
        database: Database,
        gateway_id: str,
        service: Service,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._gateway_id, self._service = database, gateway_id, service
        self._clock, self._monotonic = clock, monotonic
        self._due = 0.0

    def poll(self) -> None:
        """Write it down if it is time. A database that does not answer is not waited for: the next one says it too."""
        if self._monotonic() < self._due:
            return
        self._due = self._monotonic() + EVERY_S
        with contextlib.suppress(StorageUnavailableError, IntegrityError), self._database.write() as session:
            beats.beat(session, self._gateway_id, self._service, self._clock())
