"""The policy that DNS serves, as the portal reads it: the same snapshot file, and the same table of who is in which
group.
"""

from __future__ import annotations

from threading import Lock

from gateway.dns.cache import FinishedAnswers
from gateway.dns.plan import Accepted
from gateway.dns.refused_channel import packed
from gateway.dns.views import Views
from gateway.lists.reader import SnapshotFile, current_path
from gateway.settings import Settings
from policies.snapshot import Snapshot


class PolicyReader:
    """Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._file = SnapshotFile(current_path(settings.state))
        self._views = Views(tuple(settings.dns.sources.items()), FinishedAnswers())
        self._lock = Lock()

    def asker(self, mark: int, address: str) -> Accepted | None:
        """How DNS sees a device by the kernel's mark (0: none) and its address; None where it is in no group."""
        try:
            source = packed(address)
        except ValueError:
            source = b""
        with self._lock:
            self._poll()
            asker = self._views.find(mark, source).asker
        return asker if isinstance(asker, Accepted) else None

    @property
    def in_force(self) -> Snapshot | None:
        """The policy with its lists; None as long as none is compiled."""
        with self._lock:
            self._poll(wait=self._views.snapshot is None)
            return self._views.snapshot

    @property
    def leads_here(self) -> bool:
        """Whether closed names are answered with the portal's own address."""
        with self._lock:
            self._poll(wait=False)  # asked from the event loop
            snapshot = self._views.snapshot
            return snapshot is not None and snapshot.block_answer == "portal"

    def _poll(self, *, wait: bool = True) -> None:
        snapshot = self._file.poll(wait=wait)
        if snapshot is not None:
            self._views.adopt(snapshot)
