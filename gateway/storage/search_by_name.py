"""Acceptances in the order of their guests' names.

The few that a device, a course, a receipt, a period, a site or a version leaves are taken first and sorted. Where
those leave many, guests are walked by name, a piece at a time, until a page is full: among many, the next is never far.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select, text

from gateway.storage.acceptance_query import (
    BATCH_IDS,
    AcceptanceQuery,
    also,
    belongs_to,
    candidates,
    check_name,
    each_place,
    few,
    has_name,
    is_sqlite,
    narrow,
    period,
)
from gateway.storage.engine import Session
from gateway.storage.keyset import as_written, beyond, in_order
from gateway.storage.models import Acceptance, Visitor

FEW = 8_000
NAMES_MAX = 20_000
NAME_ORDER = as_written(func.replace(Visitor.name_key, text("'å'"), text("'þ'")))
"""Names with å after z, æ and ø, as in Norwegian; æ and ø stand so by the numbers of their characters."""


class TooManyNamesError(ValueError):
    """More than `NAMES_MAX` guests have the fragment in their names: these are not sorted."""


class Named(NamedTuple):
    """Where an acceptance stands: by its guest's name, by the guest, and by itself."""

    name: str
    visitor_id: str
    id: str


def by_name(
    session: Session, owner_id: str, query: AcceptanceQuery, place: Named | None, limit: int, *, descending: bool
) -> Sequence[str]:
    """The ids of at most `limit` acceptances beyond a place. Raises: ValueError as the search by time,
    TooManyNamesError.
    """
    if query.name:
        check_name(query.name)
    leaves = _which_are_few(session, owner_id, query)
    if leaves is None:
        found = list(_walk(session, owner_id, query, place, limit, descending=descending))
    else:
        found = [
            each
            for conditions in leaves
            for each in _of_few(session, owner_id, query, conditions)
            if place is None or (each < place if descending else each > place)
        ]
    return [each.id for each in sorted(found, reverse=descending)[:limit]]


def place_of_name(session: Session, owner_id: str, acceptance_id: str) -> Named | None:
    """Where an acceptance stands; None where it has gone."""
    found = select(NAME_ORDER, Visitor.id, Acceptance.id).join(Visitor, Visitor.id == Acceptance.visitor_id)
    row = session.execute(found.where(Acceptance.id == acceptance_id, Acceptance.owner_id == owner_id)).one_or_none()
    return None if row is None else Named(*row)


def _which_are_few(
    session: Session, owner_id: str, query: AcceptanceQuery
) -> Sequence[Sequence[ColumnElement[bool]]] | None:
    """Conditions that leave few acceptances, each along an index of its own; None where they leave many."""
    narrowed = narrow(session, owner_id, query)
    if narrowed is not None:
        return [narrowed]
    if query.since is None and query.until is None and not query.version_id and query.site_ids is None:
        return None
    left, found = FEW, []
    for place in each_place(session, owner_id, query):
        found.append([*period(query, Acceptance), *place])
        some = select(Acceptance.id).where(*found[-1]).limit(left + 1).subquery()
        left -= session.scalar(select(func.count()).select_from(some)) or 0
        if left < 0:
            return None
    return found


def _of_few(
    session: Session, owner_id: str, query: AcceptanceQuery, conditions: Sequence[ColumnElement[bool]]
) -> Iterator[Named]:
    rows = few(conditions)
    found = select(NAME_ORDER, Visitor.id, rows.id).select_from(rows.id.table)
    found = found.join(Visitor, Visitor.id == rows.visitor_id)
    found = found.where(*also(rows, owner_id, query), *period(query, rows))
    if query.name:
        found = found.where(has_name(query.name))
    yield from (Named(*row) for row in session.execute(found))


def _walk(
    session: Session, owner_id: str, query: AcceptanceQuery, place: Named | None, limit: int, *, descending: bool
) -> Iterator[Named]:
    reached: tuple[str, str] | None = None
    if place is not None:
        reached = place.name, place.visitor_id
        for found in _accepted(session, owner_id, query, [reached]):
            if found < place if descending else found > place:
                limit -= 1
                yield found
    if limit <= 0:
        return
    for met in _pieces(session, _guests(session, owner_id, query), reached, limit, query, descending=descending):
        for found in _accepted(session, owner_id, query, met):
            limit -= 1
            yield found
        if limit <= 0:
            return


def _pieces(
    session: Session,
    guests: Select[str, str],
    reached: tuple[str, str] | None,
    size: int,
    query: AcceptanceQuery,
    *,
    descending: bool,
) -> Iterator[Sequence[tuple[str, str]]]:
    """Guests beyond a place, in their order, some at a time. Those with a name are found together."""
    ordered = guests.order_by(*in_order(NAME_ORDER, Visitor.id, descending=descending))
    if query.name:
        beyond_it = ordered.where(*beyond(NAME_ORDER, Visitor.id, reached, descending=descending))
        found = session.execute(beyond_it.execution_options(yield_per=BATCH_IDS))
        for piece in found.partitions():
            yield [(row[0], row[1]) for row in piece]
        return
    while True:
        beyond_it = ordered.where(*beyond(NAME_ORDER, Visitor.id, reached, descending=descending))
        met = [(row[0], row[1]) for row in session.execute(beyond_it.limit(size))]
        yield from (met[start : start + BATCH_IDS] for start in range(0, len(met), BATCH_IDS))
        if len(met) < size:
            return
        reached, size = met[-1], min(size * 4, BATCH_IDS * 2)


def _guests(session: Session, owner_id: str, query: AcceptanceQuery) -> Select[str, str]:
    guests = select(NAME_ORDER, Visitor.id).where(Visitor.owner_id == owner_id)
    if not query.name:
        return guests
    some = (candidates(query.name) if is_sqlite(session) else guests.where(has_name(query.name))).subquery()
    counted = select(some.c[0]).limit(NAMES_MAX + 1).subquery()
    if (session.scalar(select(func.count()).select_from(counted)) or 0) > NAMES_MAX:
        raise TooManyNamesError(f"more than {NAMES_MAX} guests have this in their names")
    if is_sqlite(session):  # whose planner would walk all of the owner's
        named = candidates(query.name).cte("named").prefix_with("MATERIALIZED")
        guests = select(NAME_ORDER, Visitor.id).join(named, named.c.visitor_id == Visitor.id)
        guests = guests.where(belongs_to(owner_id))
    return guests.where(has_name(query.name))


def _accepted(
    session: Session, owner_id: str, query: AcceptanceQuery, guests: Sequence[tuple[str, str]]
) -> Iterator[Named]:
    """What these guests have accepted of what is asked for."""
    names: dict[str, Any] = {visitor_id: name for name, visitor_id in guests}
    rows = few([Acceptance.visitor_id.in_(list(names))])
    accepted = select(rows.visitor_id, rows.id).where(*also(rows, owner_id, query), *period(query, rows))
    yield from (Named(names[row.visitor_id], row.visitor_id, row.id) for row in session.execute(accepted))
