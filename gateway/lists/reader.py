"""A published snapshot as readers see it: mapped, verified, and swapped when the file is replaced.

Imported by the DNS workers, so it needs nothing but `policies` and the standard library.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from policies.names import PolicyError
from policies.snapshot import Snapshot, open_snapshot

CURRENT = "current.snapshot"


def current_path(state: Path) -> Path:
    """Where the snapshot in force lies under the state directory."""
    return state / "policy" / CURRENT


def read_snapshot(path: Path) -> Snapshot:
    """Map and verify one snapshot file; the mapping lives as long as the snapshot.

    Raises: PolicyError (not a sound snapshot), OSError (cannot be read).
    """
    with path.open("rb") as file:
        return _map(file.fileno())


class SnapshotFile:
    """Follows one path. `current` is the newest sound snapshot seen (None before the first), `problem` says
    in one line why the file that lies there now is not in use (None when it is).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current: Snapshot | None = None
        self.problem: str | None = f"no policy is published yet ({path.name} is missing)"
        self._seen: tuple[int, int, int] | None = None

    def poll(self) -> Snapshot | None:
        """The new snapshot when the file was replaced since the last call by a sound one, else None; one
        `stat` when nothing changed.

        A missing, unreadable or corrupt file leaves `current` as it was and sets `problem`. Never raises for
        what the file holds.
        """
        try:
            if self._signature(os.stat(self.path)) == self._seen:
                return None
            with self.path.open("rb") as file:
                # Of the open file, not of the path: another rename may have come between.
                seen = self._signature(os.fstat(file.fileno()))
                try:
                    snapshot = _map(file.fileno())
                except PolicyError as problem:
                    self._seen = seen  # verified once, not at every poll
                    self.problem = str(problem)
                    return None
        except OSError as problem:
            self._seen = None
            self.problem = f"{self.path.name} cannot be read: {problem.strerror or problem}"
            return None
        self._seen, self.problem, self.current = seen, None, snapshot
        return snapshot

    @staticmethod
    def _signature(status: os.stat_result) -> tuple[int, int, int]:
        return status.st_ino, status.st_size, status.st_mtime_ns


def _map(descriptor: int) -> Snapshot:
    size = os.fstat(descriptor).st_size
    if size == 0:
        raise PolicyError("the policy snapshot is empty: publish the policy again")
    return open_snapshot(memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)))
