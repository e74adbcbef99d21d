"""Which generation of the policy is compiled and in front of DNS, read from the snapshot file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.lists.reader import current_path, read_snapshot
from policies.names import PolicyError
from policies.snapshot import Snapshot


@dataclass(frozen=True)
class Compiled:
    """What the snapshot says of itself: `names` listed in all."""

    generation: int
    names: int
    snapshot: Snapshot


class SnapshotReader:
    """Reads `STATE/policy/current.snapshot` anew only when the file has been replaced."""

    def __init__(self, state: Path) -> None:
        self._path = current_path(state)
        self._seen: tuple[tuple[int, int, int], Compiled] | None = None

    def read(self) -> Compiled | None:
        """What is compiled; None before anything is, or when the file can't be used."""
        try:
            status = self._path.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            seen = self._seen
            if seen is None or seen[0] != stamp:
                snapshot = read_snapshot(self._path)
                seen = (stamp, Compiled(snapshot.generation, snapshot.names, snapshot))
                self._seen = seen
            return seen[1]
        except (OSError, PolicyError):
            return None
