"""The erasure list in the state directory: written after each erasure, and replayed where the database has forgotten.

A database that was restored, by whatever means, holds people again who have been erased. Hence every start compares it
with `STATE/erasure-list.txt` before anything is served. Leaf numbers mean the same only up to where a restored log was
continued; ids mean the same leaf always.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from gateway import durable
from gateway.audit.erasing import current_list, erase_leaves, erased_numbers, forget_rows, restores, root_of
from gateway.audit.erasure_list import (
    ErasureList,
    ErasureListError,
    Ranges,
    count,
    merge,
    parse_erasure_list,
    ranges_of,
    without,
    write_ranges,
)
from gateway.storage import leaves, persons
from gateway.storage.engine import Database, Session
from gateway.storage.places import Place

log = logging.getLogger(__name__)

NAME = "erasure-list.txt"
STAFF = frozenset(persons.STAFF_FIELDS)
BATCH_LEAVES = 500
REASON = "gjenoppretting: slettingen er gjort på nytt"


def keep(database: Database, place: Place, state: Path) -> None:
    """Write the list as the database has it, where it names other leaves. Ids are never dropped: they mean the same
    leaf for ever, also in a backup. Raises: StorageUnavailableError, ErasureListError, OSError.
    """
    standing = read(state)
    with database.read() as session:
        if erased_numbers(session, place) == (standing.leaves if standing is not None else ()):
            return
        listed = current_list(session, place)
    if standing is not None:
        listed = replace(listed, ids=tuple(sorted({*listed.ids, *standing.ids})))
    put(state, listed)


def put(state: Path, listed: ErasureList) -> None:
    """Replace the file, whole or not at all. Raises: OSError."""
    durable.replace(state / NAME, listed.encode(), 0o640)


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
    return replay(database, place, listed, now)


def replay(database: Database, place: Place, listed: ErasureList, now: datetime) -> int:
    """Erase again, in batches, every leaf of the list that the database's log has and has not erased. What waits to be
    sealed loses its values and rows at once, and gets its `erased` leaf when this is called after it has been sealed.

    Numbers count only as far as list and tree have the same history; ids always. Returns how many leaves.
    Raises: ErasureListError when the list is another log's, or of a history that this tree contradicts;
        StorageUnavailableError.
    """
    with database.read() as session:
        missing = _missing(session, place, listed)
        waiting = [leaf for leaf in persons.about(session, place.owner_id, listed.ids) if leaf.index is None]
        waiting = [leaf for leaf in waiting if not STAFF.issuperset(leaf.values)]
    for first, last in missing:
        for start in range(first, last + 1, BATCH_LEAVES):
            with database.write() as session:
                found = persons.by_index(session, place.owner_id, start, min(last + 1, start + BATCH_LEAVES))
                forget_rows(session, place, found)
                erase_leaves(session, place, found, "restore", now, by="gjestenett", reason=REASON)
    if waiting:
        with database.write() as session:
            forget_rows(session, place, waiting)
            persons.delete_values(session, [leaf.leaf_id for leaf in waiting])
    return count(missing) + len(waiting)


def _missing(session: Session, place: Place, listed: ErasureList) -> Ranges:
    if listed.origin != place.log_origin:
        raise ErasureListError(f"the erasure list is of the log {listed.origin}, this one is {place.log_origin}")
    head = leaves.find_head(session, place.owner_id)
    size = head.size if head is not None else 0
    erased = erased_numbers(session, place)
    found = persons.about(session, place.owner_id, listed.ids)
    by_id = without(ranges_of(leaf.index for leaf in found if leaf.index is not None), erased)
    named = without(listed.below(size).leaves, merge((*erased, *by_id)))
    if not named:
        return by_id
    agreed = listed.agreed(restores(session, place))
    if agreed is None and listed.root and listed.size <= size and root_of(session, place, listed.size) != listed.root:
        raise ErasureListError(
            "the erasure list is of another history of this log, and its numbers may be other people's here:"
            f" {write_ranges(named)}. Nothing was erased by it. Look at those entries, erase whom it means with"
            f" `gjestenett audit erase`, and move the list away ({NAME} in the state directory)"
        )
    meant = (
        tuple((first, min(last, agreed - 1)) for first, last in named if first < agreed)
        if agreed is not None
        else named
    )
    if strange := without(named, meant):
        log.warning(
            "the erasure list was made on another side of a restore: its entries %s are other people's here, and were"
            " left alone",
            write_ranges(strange),
        )
    return merge((*meant, *by_id))
