"""A published snapshot as readers see it: mapped, verified, and swapped when the file is replaced.

Imported by the DNS workers, so it needs nothing but `policies` and the standard library.
"""

from __future__ import annotations

import mmap
import os
import threading
from pathlib import Path

from policies.names import PolicyError
from policies.snapshot import Snapshot, open_snapshot

CURRENT = "current.snapshot"
NOT_COMPILED = "no policy compiled yet; waiting for jobs"
SMALL_BYTES = 4 << 20  # verified within 5 ms


def current_path(state: Path) -> Path:
    """Where the snapshot in force lies under the state directory."""
    return state / "policy" / CURRENT


def read_snapshot(path: Path) -> Snapshot:
    """Map one snapshot file and verify every octet; the mapping lives as long as the snapshot.

    Raises: PolicyError (not a sound snapshot), OSError (cannot be read).
    """
    with path.open("rb") as file:
        snapshot = _map(file.fileno())
    snapshot.verify()
    return snapshot


class SnapshotFile:
    """Follows one path. `current` is the newest sound snapshot seen (None before the first), `problem` says
    in one line why the file that lies there now is not in use (None when it is).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current: Snapshot | None = None
        self.problem: str | None = NOT_COMPILED
        self._seen: tuple[int, int, int] | None = None
        self._verifying: _Verification | None = None

    def poll(self, *, wait: bool = True) -> Snapshot | None:
        """The new snapshot when the file was replaced since the last call by a sound one, else None; one
        `stat` when nothing changed.

        Every octet is verified before the snapshot is given. Without `wait`, a large file is verified in a
        thread and given by a later call, so that a loop is never held up for longer than 5 ms.

        A missing, unreadable or corrupt file leaves `current` as it was and sets `problem`. Never raises for
        what the file holds.
        """
        try:
            if self._signature(os.stat(self.path)) == self._seen:
                return None if self._verifying is None else self._finish(wait)
            with self.path.open("rb") as file:
                # Of the open file, not of the path: another rename may have come between.
                status = os.fstat(file.fileno())
                self._seen = self._signature(status)  # verified once, not at every poll
                self._verifying = None
                try:
                    snapshot = _map(file.fileno())
                except PolicyError as problem:
                    self.problem = str(problem)
                    return None
        except OSError as problem:
            self._seen = self._verifying = None
            self.problem = f"{self.path.name} cannot be read: {problem.strerror or problem}"
            if self.current is None and isinstance(problem, FileNotFoundError):
                self.problem = NOT_COMPILED
            return None
        self._verifying = _Verification(snapshot, in_thread=not wait and status.st_size > SMALL_BYTES)
        return self._finish(wait)

    def _finish(self, wait: bool) -> Snapshot | None:
        verifying = self._verifying
        if verifying is None or not verifying.done(wait):
            return None
        self._verifying = None
        if verifying.problem is not None:
            self.problem = verifying.problem
            return None
        self.problem, self.current = None, verifying.snapshot
        return self.current

    @staticmethod
    def _signature(status: os.stat_result) -> tuple[int, int, int]:
        return status.st_ino, status.st_size, status.st_mtime_ns


class _Verification:
    """Every octet of one snapshot verified, here or in a thread."""

    def __init__(self, snapshot: Snapshot, *, in_thread: bool) -> None:
        self.snapshot = snapshot
        self.problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="verify snapshot", daemon=True)
        if in_thread:
            self._thread.start()
        else:
            self._run()

    def done(self, wait: bool) -> bool:
        if wait and self._thread.ident is not None:
            self._thread.join()
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.snapshot.verify()
        except PolicyError as problem:
            self.problem = str(problem)


def _map(descriptor: int) -> Snapshot:
    size = os.fstat(descriptor).st_size
    if size == 0:
        raise PolicyError("the policy snapshot is empty: publish the policy again")
    return open_snapshot(memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)))
