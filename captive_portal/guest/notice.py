"""What a guest is told about what is recorded of the websites they visit, before they accept (GDPR article 13)."""

from __future__ import annotations

import threading

from gateway.collection import top_name_groups
from gateway.storage import generations
from gateway.storage.engine import Database


class NamesKept:
    """Whether the policy in force has names of websites kept for any group; read anew when a policy is published.

    Any group counts, also where this guest's own is another: a course code can put them into it afterwards.
    """

    def __init__(self, database: Database, owner_id: str) -> None:
        self._database = database
        self._owner_id = owner_id
        self._lock = threading.Lock()
        self._known: tuple[int, bool] = (-1, False)

    def __bool__(self) -> bool:
        """Raises: StorageUnavailableError."""
        with self._database.read() as session:
            number = generations.newest(session, self._owner_id)
            with self._lock:
                known, kept = self._known
            if known != number:
                kept = bool(top_name_groups(session, self._owner_id))
                with self._lock:
                    self._known = (number, kept)
        return kept
