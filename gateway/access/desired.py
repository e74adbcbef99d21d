"""Intent for the enforcer: the grants of this gateway, read from the database and written back as applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.clock import Clock
from gateway.firewall.errors import DesiredUnavailableError
from gateway.firewall.meter import Octets
from gateway.firewall.plan import Admission
from gateway.firewall.posture import Intent, Outage
from gateway.storage import blocks, generations, grants, outages, traffic
from gateway.storage.engine import Database, Session, StorageUnavailableError
from gateway.storage.feed import open_feed
from gateway.storage.places import Place


class StoredIntent:
    """The enforcer's `Desired`, over the database. `each_wait` is called before each wait, about once a second."""

    def __init__(
        self,
        database: Database,
        place: Place,
        clock: Clock,
        stopping: Callable[[], bool],
        each_wait: Callable[[], object] = lambda: None,
    ) -> None:
        """`each_wait` is called whenever it waits."""
        self._database = database
        self._owner_id, self._gateway_id = place.owner_id, place.gateway_id
        self._clock = clock
        self._each_wait = each_wait
        self._feed = open_feed(database, ("grants",), stopping)

    def load(self) -> Intent:
        """What is in force now. Raises: DesiredUnavailableError."""
        now = self._clock()
        try:
            with self._database.read() as session:
                rows = grants.grants_of_gateway(session, self._gateway_id, now)
                switched = [
                    Outage(network_id, interface, mode, self._mark(session, group_key), ends_at)
                    for network_id, interface, mode, group_key, ends_at in outages.of_gateway(
                        session, self._gateway_id, now
                    )
                ]
                blocked = dict(blocks.of_gateway(session, self._gateway_id, now))
        except StorageUnavailableError as error:
            raise DesiredUnavailableError(str(error)) from error
        return Intent(tuple(Admission(*row) for row in rows), tuple(switched), blocked)

    def record(self, applied: Sequence[str], removed: Sequence[str]) -> None:
        """Write back what the kernel holds. Raises: DesiredUnavailableError."""
        now = self._clock()
        try:
            with self._database.write() as session:
                grants.record_applied(session, self._gateway_id, applied, removed, now)
        except StorageUnavailableError as error:
            raise DesiredUnavailableError(str(error)) from error

    def record_switched(self, network_ids: Sequence[str]) -> None:
        """Write back which networks are as they are switched. Raises: DesiredUnavailableError."""
        try:
            with self._database.write() as session:
                outages.record_applied(session, network_ids, self._clock())
        except StorageUnavailableError as error:
            raise DesiredUnavailableError(str(error)) from error

    def record_octets(self, counted: Mapping[str, Octets]) -> None:
        """Add up what devices have sent and received; `jobs` forgets it when their grants are over.

        Raises: DesiredUnavailableError.
        """
        now = self._clock()
        try:
            with self._database.write() as session:
                traffic.add(session, {grant_id: traffic.Octets(*each) for grant_id, each in counted.items()}, now)
        except StorageUnavailableError as error:
            raise DesiredUnavailableError(str(error)) from error

    def _mark(self, session: Session, group_key: str) -> int:
        """0, with which nobody is let through, for a group that the policy in force has not."""
        return generations.mark_of(session, self._owner_id, group_key) or 0

    def wait(self, timeout_s: float) -> bool:
        """Whether intent changed within `timeout_s`."""
        self._each_wait()
        return self._feed.wait(timeout_s)

    def close(self) -> None:
        """Let go of the feed."""
        self._feed.close()
