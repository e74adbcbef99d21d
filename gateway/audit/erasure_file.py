"""The erasure list in the state directory: written after each erasure, and replayed where the database has forgotten.

A database that was restored, by whatever means, holds people again who have been erased. Hence every start compares it
with `STATE/erasure-list.txt` before anything is served. Leaf numbers mean the same only up to where a restored log was
continued, so `erasure-list.restores` beside it says how many restores the log had seen when the list was written.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from gateway.audit.erasing import current_list, erase_leaves, forget_rows
from gateway.audit.erasure_list import ErasureList, ErasureListError, count, parse_erasure_list, without
from gateway.storage import leaves, persons
from gateway.storage.engine import Database, Session
from gateway.storage.places import Place

NAME = "erasure-list.txt"
RESTORES = "erasure-list.restores"
ALL_RESTORES = 1_000_000  # for a list that is of the very history that was just put back
BATCH_LEAVES = 500
REASON = "gjenoppretting: slettingen er gjort på nytt"


def keep(database: Database, place: Place, state: Path) -> None:
    """Write the list as the database has it, where it says something else. Raises: StorageUnavailableError, OSError."""
    with database.read() as session:
        listed = current_list(session, place)
        standing = read(state)
        if standing == listed or (not listed.leaves and standing is None):
            return
        restores = len(leaves.restored_sizes(session, place.owner_id))
    put(state, listed, restores)


def put(state: Path, listed: ErasureList, restores: int) -> None:
    """Replace the file, whole or not at all. Raises: OSError."""
    _replace(state / RESTORES, f"{restores}\n".encode())
    _replace(state / NAME, listed.encode())


def read(state: Path) -> ErasureList | None:
    """The list in the state directory; None when there is none. Raises: ErasureListError, OSError."""
    try:
        return parse_erasure_list((state / NAME).read_bytes())
    except FileNotFoundError:
        return None
    except ErasureListError as error:
        raise ErasureListError(f"{state / NAME} is damaged ({error}); put back a copy, such as a pushed one") from error


def replay_pending(database: Database, place: Place, state: Path, now: datetime) -> int:
    """Erase again what the file names and the database holds. Returns how many leaves.

    Raises: ErasureListError when the file is damaged or another log's; StorageUnavailableError.
    """
    listed = read(state)
    if listed is None:
        return 0
    with database.read() as session:
        if not _missing(session, place, listed):
            return 0
        sizes = leaves.restored_sizes(session, place.owner_id)
    known = _restores(state)
    continued = min(sizes[known:], default=listed.size)
    return replay(database, place, listed.below(continued), now)


def replay(database: Database, place: Place, listed: ErasureList, now: datetime) -> int:
    """Erase again, in batches, every leaf of the list that the database's log has and has not erased.

    Raises: ErasureListError when it is another log's; StorageUnavailableError.
    """
    with database.read() as session:
        missing = _missing(session, place, listed)
    for first, last in missing:
        for start in range(first, last + 1, BATCH_LEAVES):
            with database.write() as session:
                found = persons.by_index(session, place.owner_id, start, min(last + 1, start + BATCH_LEAVES))
                forget_rows(session, place, found)
                erase_leaves(session, place, found, "restore", now, by="gjestenett", reason=REASON)
    return count(missing)


def _missing(session: Session, place: Place, listed: ErasureList) -> tuple[tuple[int, int], ...]:
    if listed.origin != place.log_origin:
        raise ErasureListError(f"the erasure list is of the log {listed.origin}, this one is {place.log_origin}")
    erased = current_list(session, place)
    return without(listed.below(erased.size).leaves, erased.leaves)


def _restores(state: Path) -> int:
    try:
        return int((state / RESTORES).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0  # every continuation counts: rather too little than another person's leaves


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with open(fresh, "wb", opener=lambda name, flags: os.open(name, flags, 0o640)) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
