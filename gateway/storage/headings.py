"""Headings of leaves: the type, time and site by which entries are found in a log of millions. They prove nothing.

Newest first means by the time that stands in the entry, then by number.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from gateway.storage.bulk import insert_many
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, aside, in_order, part, within
from gateway.storage.log_models import Leaf, LeafHeading

WORTH_WALKING = 2  # a heading read on a walk by number costs about twice one that the index by time holds


@dataclass(frozen=True, slots=True)
class FoundLeaf:
    """An ordered leaf: its number, its id and the exact bytes of its entry."""

    index: int
    leaf_id: str
    entry: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class LeafQuery:
    """Which leaves: of `types` (empty: all), with `since` ≤ at < `until`.

    `sites`, where given, bounds those of `local_types` only: what concerns the whole owner is found at whichever site
    it was done.
    """

    types: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    sites: Collection[str] | None = None
    local_types: Collection[str] = ()


def add_headings(session: Session, owner_id: str, first: int, entries: Sequence[bytes]) -> None:
    """Write the headings of `entries`, which become the leaves from `first` on; what is no entry gets none."""
    rows = []
    for offset, entry in enumerate(entries):
        try:
            document = json.loads(entry)
            heading = (document["type"], datetime.fromisoformat(document["at"]), document["site"])
        except (ValueError, TypeError, KeyError):
            continue
        rows.append((owner_id, first + offset, *heading))
    insert_many(session, "leaf_heading", ("owner_id", "leaf_index", "type", "at", "site"), rows)


def find_leaves(
    session: Session, owner_id: str, query: LeafQuery, *, before: tuple[datetime, int] | None, limit: int
) -> Sequence[FoundLeaf]:
    """The newest leaves that `query` means, a page at a time: `before` is the (at, index) of the last one seen."""
    return _found(session, owner_id, query, before, limit, descending=True)


def page_of_leaves(session: Session, owner_id: str, query: LeafQuery, cut: Cut) -> Part[FoundLeaf]:
    """A part of the leaves that `query` means. `cut.by` is `number`, and then a place is (index, index); or `at`, the
    time that stands in the entry, and then a place is (at, index).
    """
    find = _found if cut.by == "at" else _numbered

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[FoundLeaf]:
        return find(session, owner_id, query, place, limit, descending=descending)

    return part(cut, fetch)


def _found(
    session: Session, owner_id: str, query: LeafQuery, place: Place | None, limit: int, *, descending: bool
) -> Sequence[FoundLeaf]:
    by = LeafHeading.at, LeafHeading.leaf_index
    conditions = [LeafHeading.owner_id == owner_id, *_sites(query)]
    conditions += within(*by, query.since, query.until, place, descending=descending)
    found: list[FoundLeaf] = []
    # One walk a type, each along its own index, rather than one along all leaves for a rare type among many.
    for type_ in query.types or (None,):
        own = [*conditions, LeafHeading.type == type_] if type_ is not None else conditions
        ordered = _HEADING.where(*own).order_by(*in_order(*by, descending=descending))
        found += _with_entries(session, ordered.limit(limit))
    return sorted(found, key=lambda leaf: (leaf.at, leaf.index), reverse=descending)[:limit]


def _numbered(
    session: Session, owner_id: str, query: LeafQuery, place: Place | None, limit: int, *, descending: bool
) -> Sequence[FoundLeaf]:
    number, found = LeafHeading.leaf_index, list[FoundLeaf]()
    for type_ in query.types or (None,):
        own = [LeafHeading.owner_id == owner_id, *([LeafHeading.type == type_] if type_ is not None else [])]
        narrowed = [*own, *_sites(query), *_times(query, aside(LeafHeading.at))]
        if query.since is not None or query.until is not None:
            bounds = _bounds(session, own, query)
            if bounds is None:
                continue
            narrowed += bounds
        if place is not None:
            narrowed.append(number < place[1] if descending else number > place[1])
        ordered = _HEADING.where(*narrowed).order_by(number.desc() if descending else number)
        found += _with_entries(session, ordered.limit(limit))
    return sorted(found, key=lambda leaf: leaf.index, reverse=descending)[:limit]


def _bounds(
    session: Session, own: Sequence[ColumnElement[bool]], query: LeafQuery
) -> Sequence[ColumnElement[bool]] | None:
    """Conditions by which a walk by number comes to a period without reading all that lies before it; None where the
    period is empty. Of two ways the shorter is taken: nearly all of the log is walked from its end, and of less the
    first and the last number are asked of the index by time.
    """
    number, at, times = LeafHeading.leaf_index, LeafHeading.at, _times(query)

    def end(*order: Any, within: Sequence[ColumnElement[bool]]) -> int | None:
        return session.scalar(select(number).where(*own, *within).order_by(*order).limit(1))

    first, last = end(at, number, within=times), end(at.desc(), number.desc(), within=times)
    least, greatest = end(number, within=()), end(number.desc(), within=())
    if first is None or last is None or least is None or greatest is None:
        return None
    inside = abs(last - first)  # about how many, as times nearly follow numbers
    if inside > WORTH_WALKING * (greatest - least - inside):
        return []
    # As PostgreSQL finds the least of a column, it would walk the log by number until it is met.
    found = session.execute(select(func.min(number + 0), func.max(number + 0)).where(*own, *times)).one()
    return [number >= found[0], number <= found[1]]


def _with_entries(session: Session, headings: Select[str, int, datetime]) -> Iterator[FoundLeaf]:
    """These headings are found first: joined at once, PostgreSQL would read all entries up to them."""
    few = headings.cte("few").prefix_with("MATERIALIZED").c
    whole = select(few.leaf_index, Leaf.leaf_id, Leaf.entry, few.at)
    whole = whole.join(Leaf, and_(Leaf.owner_id == few.owner_id, Leaf.leaf_index == few.leaf_index))
    yield from (FoundLeaf(*row) for row in session.execute(whole))


_HEADING = select(LeafHeading.owner_id, LeafHeading.leaf_index, LeafHeading.at)
_LEAF = select(LeafHeading.leaf_index, Leaf.leaf_id, Leaf.entry, LeafHeading.at).join(
    Leaf, and_(Leaf.owner_id == LeafHeading.owner_id, Leaf.leaf_index == LeafHeading.leaf_index)
)


def count_leaves(session: Session, owner_id: str, query: LeafQuery) -> int:
    """How many leaves `query` means."""
    conditions = [LeafHeading.owner_id == owner_id, *_conditions(query)]
    if query.types:
        conditions.append(LeafHeading.type.in_(query.types))
    return session.scalars(select(func.count()).select_from(LeafHeading).where(*conditions)).one()


def leaf_at(session: Session, owner_id: str, index: int) -> FoundLeaf | None:
    """The leaf with this number, if it has a heading."""
    row = session.execute(_LEAF.where(LeafHeading.owner_id == owner_id, LeafHeading.leaf_index == index)).one_or_none()
    return None if row is None else FoundLeaf(*row)


def _conditions(query: LeafQuery) -> list[ColumnElement[bool]]:
    return [*_times(query), *_sites(query)]


def _sites(query: LeafQuery) -> list[ColumnElement[bool]]:
    if query.sites is None:
        return []
    return [or_(LeafHeading.site.in_(query.sites), LeafHeading.type.not_in(query.local_types))]


def _times(query: LeafQuery, at: Any = LeafHeading.at) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.since is not None:
        found.append(at >= query.since)
    if query.until is not None:
        found.append(at < query.until)
    return found
