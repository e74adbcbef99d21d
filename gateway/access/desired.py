"""Intent for the enforcer: the grants of this gateway, read from the database and written back as applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.firewall.errors import DesiredUnavailableError
from gateway.firewall.plan import Admission
from gateway.storage import grants
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.feed import open_feed


class StoredIntent:
    """The enforcer's `Desired`, over the database. `each_wait` is called before each wait, about once a second."""

    def __init__(
        self,
        database: Database,
        gateway_id: str,
        clock: Clock,
        stopping: Callable[[], bool],
        each_wait: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._gateway_id = gateway_id
        self._clock = clock
        self._each_wait = each_wait
        self._feed = open_feed(database, ("grants",), stopping)

    def load(self) -> Sequence[Admission]:
        """Grants in force now. Raises: DesiredUnavailableError."""
        try:
            with self._database.read() as session:
                rows = grants.grants_of_gateway(session, self._gateway_id, self._clock())
        except StorageUnavailableError as error:
            raise DesiredUnavailableError(str(error)) from error
        return [Admission(*row) for row in rows]

    def record(self, applied: Sequence[str], removed: Sequence[str]) -> None:
        """Write back what the kernel holds. Raises: DesiredUnavailableError."""
        now = self._clock()
        try:
            with self._database.write() as session:
                grants.record_applied(session, self._gateway_id, applied, removed, now)
                grants.touch_gateway(session, self._gateway_id, now)
        except StorageUnavailableError as error:
            raise DesiredUnavailableError(str(error)) from error

    def wait(self, timeout_s: float) -> bool:
        """Whether intent changed within `timeout_s`."""
        self._each_wait()
        return self._feed.wait(timeout_s)

    def close(self) -> None:
        """Let go of the feed."""
        self._feed.close()
