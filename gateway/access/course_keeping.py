"""Forgetting courses and requests to hosts: what is over and that nothing needs any more, looked for once an hour."""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.access.retention import cutoffs
from gateway.clock import Clock
from gateway.settings import Privacy
from gateway.storage import courses, host_requests
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.places import Place

EVERY_S = 3600.0


class CourseKeeping:
    """Called again and again by a service. A course is kept for as long as acceptances are, and the grants by it."""

    def __init__(
        self,
        database: Database,
        place: Place,
        privacy: Privacy,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._place, self._privacy = database, place, privacy
        self._clock, self._monotonic = clock, monotonic
        self._next = 0.0

    def poll(self) -> None:
        """Look, when it is time; a database that does not answer is asked again at the next call."""
        if self._monotonic() < self._next:
            return
        now = self._clock()
        try:
            with self._database.write() as session:
                courses.forget(session, self._place.owner_id, cutoffs(self._privacy, now).acceptances)
                host_requests.forget(session, self._place.owner_id, now)
        except StorageUnavailableError:
            return
        self._next = self._monotonic() + EVERY_S
