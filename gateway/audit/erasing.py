"""Erasing leaves: values and salts deleted, and the `erased` leaf that says so, in one transaction.

Old proofs and receipts still verify, since the entries stay as they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from gateway.audit import merkle
from gateway.audit.erasure_list import ErasureList, Ranges, merge, parse_ranges, ranges_of, write_ranges
from gateway.audit.record import record
from gateway.storage import erasures, kept_answers, leaves, persons
from gateway.storage.engine import Session
from gateway.storage.places import Place

Ground = Literal["request", "retention", "restore"]
ASKED: tuple[Ground, ...] = ("request", "restore")
"""On these grounds leaves go before their time, which retention would not do again by itself."""
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
    kept_answers.forget_all(session, place.owner_id)
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
    owner_id = place.owner_id
    head = leaves.find_head(session, owner_id)
    size = head.size if head is not None else 0
    asked = merge(run for line in erasures.erased(session, owner_id, ASKED) for run in parse_ranges(line))
    ids = sorted(leaf_id for first, last in asked for leaf_id in persons.leaf_ids(session, owner_id, first, last + 1))
    return ErasureList(
        place.log_origin,
        size,
        erased_numbers(session, place),
        root_of(session, place, size),
        restores(session, place),
        tuple(ids),
    )


def erased_numbers(session: Session, place: Place) -> Ranges:
    """Which leaves of the place's log have been erased."""
    return merge(run for line in erasures.erased(session, place.owner_id) for run in parse_ranges(line))


def root_of(session: Session, place: Place, size: int) -> str:
    """The root of the tree's first `size` leaves, in base64; empty for none."""
    if size == 0:
        return ""
    edge = merkle.edge_of(size, lambda level, index: leaves.node(session, place.owner_id, level, index))
    return base64.b64encode(merkle.root(edge)).decode()


def restores(session: Session, place: Place) -> tuple[tuple[int, str], ...]:
    """At which size the log was continued after each restore, with the SHA-256 of the entry, in base64."""
    found = leaves.restored(session, place.owner_id)
    return tuple((size, base64.b64encode(hashlib.sha256(entry).digest()).decode()) for size, entry in found)


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
