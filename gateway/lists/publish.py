"""Putting a compiled snapshot in force: written beside, flushed, verified, then renamed, so that a reader
never sees half of it.

`STATE/policy/<generation>.snapshot` is the same file by another name; the last ten are kept for comparing
and going back.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.lists.compile import ListsError
from gateway.lists.reader import current_path, read_snapshot
from policies.names import PolicyError
from policies.snapshot import Snapshot

KEPT = 10


def publish(state: Path, octets: bytes) -> Snapshot:
    """Put a compiled snapshot in force under the state directory and return it, opened from the file.

    Publishing the same again is harmless. What was in force stays so until the new file has verified.

    Raises: ListsError when the octets are not a sound snapshot or the disk does not take them.
    """
    current = current_path(state)
    folder = current.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_publisher(folder) as descriptor:
            new, link = folder / ".new", folder / ".link"
            try:
                _write(new, octets)
                snapshot = read_snapshot(new)
                link.unlink(missing_ok=True)
                os.link(new, link)
                os.replace(link, folder / f"{snapshot.generation}.snapshot")
                os.replace(new, current)
            finally:
                new.unlink(missing_ok=True)
            os.fsync(descriptor)
            _prune(folder, snapshot.generation)
    except PolicyError as problem:
        raise ListsError(f"the compiled policy did not verify: {problem}") from problem
    except OSError as problem:
        raise ListsError(
            f"the policy cannot be written to {folder}: {problem.strerror or problem}; the old one serves"
        ) from problem
    return snapshot


@dataclass(frozen=True, slots=True)
class Kept:
    """A generation as it was compiled last, and when that was on this machine: until then its lists may have been
    others.
    """

    snapshot: Snapshot
    compiled_at: datetime


def kept(state: Path, generation: int) -> Kept | None:
    """What is kept of a generation; None where it was not compiled on this machine, or is not kept or not sound."""
    path = current_path(state).with_name(f"{generation}.snapshot")
    try:
        return Kept(read_snapshot(path), datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except (OSError, PolicyError):
        return None


def kept_generations(state: Path) -> list[int]:
    """The generations whose files are kept, rising."""
    return _generations(current_path(state).parent)


def _write(path: Path, octets: bytes) -> None:
    path.unlink(missing_ok=True)
    # Readable by the DNS workers, who are other users; nothing in a snapshot is secret or personal.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with open(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _only_publisher(folder: Path) -> Iterator[int]:
    """An open descriptor of the folder, locked: the next publisher waits; leftovers are written over."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _generations(folder: Path) -> list[int]:
    stems = [each.stem for each in folder.glob("*.snapshot")]
    return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())


def _prune(folder: Path, just_published: int) -> None:
    for generation in _generations(folder)[:-KEPT]:
        if generation != just_published:
            (folder / f"{generation}.snapshot").unlink(missing_ok=True)
