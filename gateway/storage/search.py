"""Searching acceptances: newest first, page by page, each question along an index of its own.

Without a name, a page is the beginning of one index (by time, by site, by version, by both), or the few rows of a
device, a course or a receipt. A fragment of a name is first looked for among the newest `PROBE` acceptances: common
ones fill the page there. What does not is rare, and its visitors are taken from the trigram index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, text
from sqlalchemy.orm import joinedload

from gateway.storage.engine import Session
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, Device, RulesVersion, Site, Visitor, fold, mac_tail

PROBE = 5_000
MIN_NAME_CHARS = 3  # a trigram
MIN_MAC_DIGITS = 4
_BATCH_IDS = 500
_HEX = "0123456789abcdef"

Key = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class AcceptanceQuery:
    """What is asked for; every part narrows, and "" or None asks for nothing.

    `since` ≤ accepted < `until`. `name` is a fragment, at least `MIN_NAME_CHARS` long, without regard to case; `mac` a
    link-layer address or its last digits, at least `MIN_MAC_DIGITS`; `course` a course code; `receipt` a whole code in
    its normal form. `site_ids` and `version_id` are identifiers; an empty tuple of sites finds nothing.
    """

    since: datetime | None = None
    until: datetime | None = None
    name: str = ""
    mac: str = ""
    course: str = ""
    receipt: str = ""
    version_id: str = ""
    site_ids: tuple[str, ...] | None = None


def search_acceptances(
    session: Session, owner_id: str, query: AcceptanceQuery, *, before: Key | None = None, limit: int
) -> Sequence[Acceptance]:
    """The newest acceptances that `query` means, with visitor, device and rules version.

    `before` is the (accepted_at, id) of the last one seen. Raises: ValueError for too short a name or address.
    """
    keys = sorted(_keys(session, owner_id, query, before, limit), reverse=True)[:limit]
    found = {
        row.id: row
        for row in session.scalars(
            select(Acceptance)
            .options(
                joinedload(Acceptance.visitor), joinedload(Acceptance.device), joinedload(Acceptance.rules_version)
            )
            .where(Acceptance.id.in_([key for _, key in keys]))
        )
    }
    return [found[key] for _, key in keys]


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


def _keys(session: Session, owner_id: str, query: AcceptanceQuery, before: Key | None, limit: int) -> Iterator[Key]:
    conditions = _bounds(query, before, Acceptance)
    narrow = _narrow(session, owner_id, query)
    if narrow is not None:
        yield from _newest_of_few(session, owner_id, query, before, narrow, limit)
    elif not query.name:
        for place in _each_place(session, owner_id, query):
            yield from _newest(session, [*conditions, *place], limit)
    else:
        yield from _named(session, owner_id, query, before, conditions, limit)


def _narrow(session: Session, owner_id: str, query: AcceptanceQuery) -> list[ColumnElement[bool]] | None:
    """Conditions that leave few rows by themselves; None when nothing of the kind is asked for."""
    found: list[ColumnElement[bool]] = []
    if query.receipt:
        found.append(Acceptance.receipt_code == query.receipt)
    if query.mac:
        devices = device_ids(session, owner_id, query.mac)
        found.append(Acceptance.device_id.in_(devices))
    if query.course:
        spelt = {query.course, query.course.lower(), query.course.upper(), query.course.title()}
        leaves = select(Disclosure.leaf_id).where(Disclosure.name == text("'course_code'"), Disclosure.value.in_(spelt))
        found.append(Acceptance.leaf_id.in_(leaves))
    return found or None


def device_ids(session: Session, owner_id: str, mac: str) -> Sequence[str]:
    """The owner's devices with this link-layer address or these last digits of it. Raises: ValueError for too few."""
    tail = mac_tail(mac)
    if not MIN_MAC_DIGITS <= len(tail) <= 12 or not set(tail) <= set(_HEX):
        raise ValueError("a device is searched by at least four of its last hexadecimal digits")
    after = tail[:-1] + "123456789abcdefg"[_HEX.index(tail[-1])]
    return session.scalars(
        select(Device.id).where(Device.owner_id == owner_id, Device.mac_tail >= tail, Device.mac_tail < after)
    ).all()


def _named(
    session: Session,
    owner_id: str,
    query: AcceptanceQuery,
    before: Key | None,
    conditions: list[ColumnElement[bool]],
    limit: int,
) -> Iterator[Key]:
    if len(fold(query.name)) < MIN_NAME_CHARS:
        raise ValueError("a name is searched by at least three characters")
    probed, reached, complete = [], [], True
    for place in _each_place(session, owner_id, query):
        window = (
            select(Acceptance.accepted_at, Acceptance.id, Acceptance.visitor_id)
            .where(*conditions, *place)
            .order_by(Acceptance.accepted_at.desc(), Acceptance.id.desc())
            .limit(PROBE)
        ).subquery()
        rows = session.execute(
            select(window.c.accepted_at, window.c.id)
            .join(Visitor, Visitor.id == window.c.visitor_id)
            .where(_has_name(query.name))
        ).all()
        probed += [(at, key) for at, key in rows]
        end = session.execute(
            select(window.c.accepted_at, window.c.id).order_by(window.c.accepted_at, window.c.id).limit(1)
        ).one_or_none()
        seen = session.scalar(select(text("count(*)")).select_from(window)) or 0
        if seen == PROBE and end is not None:
            complete = False
            reached.append((end[0], end[1]))
    # What lies after the end of every window that was cut off is known in full.
    known_from = max(reached, default=None)
    certain = [key for key in probed if known_from is None or key >= known_from]
    if complete or len(certain) >= limit:
        yield from certain
        return
    visitors = _visitors_named(session, owner_id, query.name)
    for start in range(0, len(visitors), _BATCH_IDS):
        named = [Acceptance.visitor_id.in_(visitors[start : start + _BATCH_IDS])]
        yield from _newest_of_few(session, owner_id, query, before, named, limit)


def _visitors_named(session: Session, owner_id: str, name: str) -> Sequence[str]:
    if session.get_bind().dialect.name != "sqlite":
        return session.scalars(select(Visitor.id).where(Visitor.owner_id == owner_id, _has_name(name))).all()
    key = fold(name)
    grams = dict.fromkeys(key[start : start + 3] for start in range(len(key) - 2))
    match = " ".join('"' + gram.replace('"', '""') + '"' for gram in grams)
    candidates = text(
        "SELECT visitor_id FROM visitor_trigram JOIN visitor_trigram_number ON number = visitor_trigram.rowid"
        " WHERE visitor_trigram MATCH :match"
    ).columns(visitor_id=Visitor.id.type)
    found = session.scalars(candidates, {"match": match}).all()
    kept: list[str] = []
    for start in range(0, len(found), _BATCH_IDS):  # all trigrams of a name need not stand in a row
        kept += session.scalars(
            select(Visitor.id).where(
                Visitor.id.in_(found[start : start + _BATCH_IDS]), Visitor.owner_id == owner_id, _has_name(name)
            )
        )
    return kept


def _has_name(name: str) -> ColumnElement[bool]:
    return Visitor.name_key.contains(fold(name), autoescape=True)


def _newest(session: Session, conditions: Sequence[ColumnElement[bool]], limit: int) -> Iterator[Key]:
    found = select(Acceptance.accepted_at, Acceptance.id).where(*conditions)
    ordered = found.order_by(Acceptance.accepted_at.desc(), Acceptance.id.desc()).limit(limit)
    yield from ((row.accepted_at, row.id) for row in session.execute(ordered))


def _newest_of_few(
    session: Session,
    owner_id: str,
    query: AcceptanceQuery,
    before: Key | None,
    narrow: Sequence[ColumnElement[bool]],
    limit: int,
) -> Iterator[Key]:
    """The few that `narrow` leaves are taken first: SQLite, which keeps no statistics, would rather walk the index by
    time until it has met them all.
    """
    columns = (Acceptance.accepted_at, Acceptance.id, Acceptance.owner_id, Acceptance.visitor_id, Acceptance.site_id)
    few = select(*columns, Acceptance.rules_version_id).where(*narrow).cte("few").prefix_with("MATERIALIZED").c
    found = select(few.accepted_at, few.id).where(few.owner_id == owner_id, *_bounds(query, before, few))
    if query.site_ids is not None:
        found = found.where(few.site_id.in_(query.site_ids))
    if query.version_id:
        found = found.where(few.rules_version_id == query.version_id)
    if query.name:
        found = found.join(Visitor, Visitor.id == few.visitor_id).where(_has_name(query.name))
    ordered = found.order_by(few.accepted_at.desc(), few.id.desc()).limit(limit)
    yield from ((row.accepted_at, row.id) for row in session.execute(ordered))


def _bounds(query: AcceptanceQuery, before: Key | None, of: Any) -> list[ColumnElement[bool]]:
    """The conditions of time; `of` has the columns accepted_at and id."""
    found: list[ColumnElement[bool]] = []
    if query.since is not None:
        found.append(of.accepted_at >= query.since)
    if query.until is not None:
        found.append(of.accepted_at < query.until)
    if before is not None:
        at, key = before
        found.append(of.accepted_at <= at)  # for the index: the exact place follows
        found.append(or_(of.accepted_at < at, and_(of.accepted_at == at, of.id < key)))
    return found


def _each_place(session: Session, owner_id: str, query: AcceptanceQuery) -> Iterator[list[ColumnElement[bool]]]:
    """Walks along one index each: of the owner, or of the owner's sites and version that are asked for.

    A version's or site's walk does not name the owner as well: PostgreSQL, which takes a version for spread evenly
    over time, would walk all of the owner's.
    """
    version = []
    if query.version_id:
        if session.scalar(_own(RulesVersion, query.version_id, owner_id)) is None:
            return
        version = [Acceptance.rules_version_id == query.version_id]
    if query.site_ids is None:
        yield version or [Acceptance.owner_id == owner_id]
        return
    for site_id in query.site_ids:
        if session.scalar(_own(Site, site_id, owner_id)) is not None:
            yield [Acceptance.site_id == site_id, *version]


def _own(table: type[RulesVersion | Site], id_: str, owner_id: str) -> Select[str]:
    return select(table.id).where(table.id == id_, table.owner_id == owner_id)
