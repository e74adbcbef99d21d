"""Erasing leaves: values and salts deleted, and the `erased` leaf that says so, in one transaction.

Old proofs and receipts still verify, since the entries stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from gateway.audit.erasure_list import ErasureList, Ranges, merge, parse_ranges, ranges_of, write_ranges
from gateway.audit.record import record
from gateway.storage import erasures, leaves, persons
from gateway.storage.engine import Session
from gateway.storage.places import Place

Ground = Literal["request", "retention", "restore"]
MAX_RANGES_CHARS = 60_000  # an entry has 65,535 bytes; the rest of an `erased` leaf needs less than 2,000


def erase_leaves(
    session: Session,
    place: Place,
    found: Sequence[persons.About],
    ground: Ground,
    now: datetime,
    *,
    by: str = "",
    reason: str = "",
) -> tuple[str, ...]:
    """Delete what sealed leaves disclose, but who of staff acted, and stage as many `erased` leaves as their numbers
    need; returns their ids.

    Raises: ValueError for a leaf that is not sealed: it has no number yet.
    """
    if any(leaf.index is None for leaf in found):
        raise ValueError("only sealed leaves are erased")
    persons.delete_values(session, [leaf.leaf_id for leaf in found])
    return note_erased(session, place, found, ground, now, by=by, reason=reason)


def note_erased(
    session: Session,
    place: Place,
    found: Sequence[persons.About],
    ground: Ground,
    now: datetime,
    *,
    by: str = "",
    reason: str = "",
) -> tuple[str, ...]:
    """Stage the `erased` leaves that name these sealed leaves, and put them on the erasure list; returns their ids."""
    staged = []
    for ranges in _portions(ranges_of(leaf.index for leaf in found if leaf.index is not None)):
        leaf_id = record(
            session, place, "erased", {"leaves": ranges, "ground": ground}, {"by": by, "reason": reason}, now
        )
        erasures.note(session, place.owner_id, leaf_id, ranges, ground, now)
        staged.append(leaf_id)
    return tuple(staged)


def forget_rows(session: Session, place: Place, found: Sequence[persons.About]) -> None:
    """Delete what the live tables hold of the same people as these leaves: acceptances, admissions, devices, notes of
    policies.
    """
    leaf_ids = [leaf.leaf_id for leaf in found]
    rows = persons.by_leaves(session, place.owner_id, leaf_ids)
    admissions = persons.admissions_by_leaves(session, leaf_ids)
    devices = sorted({row.device_id for row in rows} | {grant.device_id for grant in admissions})
    persons.on_devices(session, devices, lock=True)
    admitted = [grant.admission_leaf_id for grant in admissions if grant.admission_leaf_id is not None]
    persons.delete_acceptances(session, [row.id for row in rows], devices, admitted)
    published = (json.loads(leaf.entry) for leaf in found if b'"type":"policy_published"' in leaf.entry)
    persons.empty_notes(session, place.owner_id, [int(document["generation"]) for document in published])


def current_list(session: Session, place: Place) -> ErasureList:
    """The erasure list of the place's log as of now."""
    head = leaves.find_head(session, place.owner_id)
    ranges = merge(run for line in erasures.erased(session, place.owner_id) for run in parse_ranges(line))
    return ErasureList(place.log_origin, head.size if head is not None else 0, ranges)


def _portions(numbers: Ranges) -> Iterator[str]:
    portion: list[tuple[int, int]] = []
    size = 0
    for run in numbers:
        text = len(write_ranges((run,))) + 1
        if size + text > MAX_RANGES_CHARS:
            yield write_ranges(tuple(portion))
            portion, size = [], 0
        portion.append(run)
        size += text
    if portion:
        yield write_ranges(tuple(portion))
