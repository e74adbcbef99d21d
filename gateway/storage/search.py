"""Searching acceptances: by time or by name, page by page, each question along an index of its own.

Without a name, a page is the beginning of one index (by time, by site, by version, by both), or the few rows of a
device, a course or a receipt. A fragment of a name is first looked for among the first `PROBE` acceptances: common
ones fill the page there. What does not is rare, and its visitors are taken from the trigram index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import joinedload

from gateway.storage.acceptance_query import (
    BATCH_IDS,
    MIN_MAC_DIGITS,
    MIN_NAME_CHARS,
    AcceptanceQuery,
    also,
    check_name,
    device_ids,
    each_place,
    few,
    has_name,
    narrow,
    visitors_named,
)
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, in_order, part, within
from gateway.storage.models import Acceptance, Site, Visitor
from gateway.storage.search_by_name import TooManyNamesError, by_name, place_of_name

__all__ = ["MIN_MAC_DIGITS", "MIN_NAME_CHARS", "AcceptanceQuery", "TooManyNamesError", "device_ids"]
PROBE = 5_000

Key = tuple[datetime, str]


def search_acceptances(
    session: Session, owner_id: str, query: AcceptanceQuery, *, before: Key | None = None, limit: int
) -> Sequence[Acceptance]:
    """The newest acceptances that `query` means, with visitor, device and rules version.

    `before` is the (accepted_at, id) of the last one seen. Raises: ValueError for too short a name or address.
    """
    return _whole(session, _by_time(session, owner_id, query, before, limit, descending=True))


def page_of_acceptances(session: Session, owner_id: str, query: AcceptanceQuery, cut: Cut) -> Part[Acceptance]:
    """A part of the acceptances that `query` means, with visitor, device and rules version.

    `cut.by` is `at`, and then the place (accepted_at, id); or `name`, and then the place (anything, id), since a
    name has no place in an address; where that one has been erased meanwhile, the list begins anew. Raises: ValueError
    as `search_acceptances`; TooManyNamesError.
    """
    if cut.by == "at":

        def by_time(place: Place | None, descending: bool, limit: int) -> Sequence[str]:
            return _by_time(session, owner_id, query, place, limit, descending=descending)

        found = part(cut, by_time)
    else:
        beside = None if cut.place is None else place_of_name(session, owner_id, str(cut.place[1]))
        if beside is None:
            cut = replace(cut, place=None, backwards=False)

        def named(place: Place | None, descending: bool, limit: int) -> Sequence[str]:
            start = None if place is None else beside
            return by_name(session, owner_id, query, start, limit, descending=descending)

        found = part(cut, named)
    return Part(_whole(session, found.rows), found.is_first, found.is_last)


def _by_time(
    session: Session, owner_id: str, query: AcceptanceQuery, place: Any, limit: int, *, descending: bool
) -> Sequence[str]:
    walk = _Walk(session, owner_id, query, place, limit, descending)
    return [key for _, key in sorted(walk.keys(), reverse=descending)[:limit]]


def _whole(session: Session, ids: Sequence[str]) -> Sequence[Acceptance]:
    found = {
        row.id: row
        for row in session.scalars(
            select(Acceptance)
            .options(
                joinedload(Acceptance.visitor), joinedload(Acceptance.device), joinedload(Acceptance.rules_version)
            )
            .where(Acceptance.id.in_(ids))
        )
    }
    return [found[key] for key in ids]


def acceptance_by_id(session: Session, owner_id: str, acceptance_id: str) -> Acceptance | None:
    """One acceptance, with visitor, device and rules version."""
    return session.scalars(
        select(Acceptance)
        .options(joinedload(Acceptance.visitor), joinedload(Acceptance.device), joinedload(Acceptance.rules_version))
        .where(Acceptance.owner_id == owner_id, Acceptance.id == acceptance_id)
    ).one_or_none()


def site_of(session: Session, acceptance: Acceptance) -> str:
    """The key of the site where it was made."""
    return session.scalars(select(Site.key).where(Site.id == acceptance.site_id)).one()


def acceptances_of_leaves(session: Session, leaf_ids: Sequence[str]) -> dict[str, str]:
    """The identifiers of the acceptances behind these leaves, by leaf."""
    rows = session.execute(select(Acceptance.leaf_id, Acceptance.id).where(Acceptance.leaf_id.in_(leaf_ids))).all()
    return {row.leaf_id: row.id for row in rows}


@dataclass(frozen=True, slots=True)
class _Walk:
    """One page in the order of time."""

    session: Session
    owner_id: str
    query: AcceptanceQuery
    place: Any
    limit: int
    descending: bool

    def keys(self) -> Iterator[Key]:
        """What may be on the page: all of it, and perhaps more."""
        conditions = self._bounds(Acceptance)
        leaves = narrow(self.session, self.owner_id, self.query)
        if leaves is not None:
            yield from self._of_few(leaves)
        elif not self.query.name:
            for place in each_place(self.session, self.owner_id, self.query):
                yield from self._along([*conditions, *place])
        else:
            yield from self._named(conditions)

    def _named(self, conditions: list[ColumnElement[bool]]) -> Iterator[Key]:
        check_name(self.query.name)
        probed, reached, complete = [], [], True
        for place in each_place(self.session, self.owner_id, self.query):
            window = (
                select(Acceptance.accepted_at, Acceptance.id, Acceptance.visitor_id)
                .where(*conditions, *place)
                .order_by(*self._order(Acceptance))
                .limit(PROBE)
            ).subquery()
            rows = self.session.execute(
                select(window.c.accepted_at, window.c.id)
                .join(Visitor, Visitor.id == window.c.visitor_id)
                .where(has_name(self.query.name))
            ).all()
            probed += [(at, key) for at, key in rows]
            end = self.session.execute(
                select(window.c.accepted_at, window.c.id)
                .order_by(*in_order(window.c.accepted_at, window.c.id, descending=not self.descending))
                .limit(1)
            ).one_or_none()
            seen = self.session.scalar(select(text("count(*)")).select_from(window)) or 0
            if seen == PROBE and end is not None:
                complete = False
                reached.append((end[0], end[1]))
        # What lies before the end of every window that was cut off is known in full.
        nearest = max if self.descending else min
        certain = [key for key in probed if not reached or nearest(key, nearest(reached)) == key]
        if complete or len(certain) >= self.limit:
            yield from certain
            return
        visitors = visitors_named(self.session, self.owner_id, self.query.name)
        for start in range(0, len(visitors), BATCH_IDS):
            yield from self._of_few([Acceptance.visitor_id.in_(visitors[start : start + BATCH_IDS])])

    def _along(self, conditions: Sequence[ColumnElement[bool]]) -> Iterator[Key]:
        found = select(Acceptance.accepted_at, Acceptance.id).where(*conditions)
        ordered = found.order_by(*self._order(Acceptance)).limit(self.limit)
        yield from ((row.accepted_at, row.id) for row in self.session.execute(ordered))

    def _of_few(self, leaves: Sequence[ColumnElement[bool]]) -> Iterator[Key]:
        rows = few(leaves)
        found = select(rows.accepted_at, rows.id).where(*also(rows, self.owner_id, self.query), *self._bounds(rows))
        if self.query.name:
            found = found.join(Visitor, Visitor.id == rows.visitor_id).where(has_name(self.query.name))
        ordered = found.order_by(*self._order(rows)).limit(self.limit)
        yield from ((row.accepted_at, row.id) for row in self.session.execute(ordered))

    def _bounds(self, of: Any) -> list[ColumnElement[bool]]:
        times = self.query.since, self.query.until
        return within(of.accepted_at, of.id, *times, self.place, descending=self.descending)

    def _order(self, of: Any) -> Any:
        return in_order(of.accepted_at, of.id, descending=self.descending)
