"""What is asked of acceptances, and the conditions that every search of them is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, TextualSelect, select, text

from gateway.storage.engine import Session
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, Device, RulesVersion, Site, Visitor, fold, mac_tail

MIN_NAME_CHARS = 3  # a trigram
MIN_MAC_DIGITS = 4
BATCH_IDS = 500
_HEX = "0123456789abcdef"


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


def narrow(session: Session, owner_id: str, query: AcceptanceQuery) -> list[ColumnElement[bool]] | None:
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
    return session.scalars(devices_ending(owner_id, mac)).all()


def devices_ending(owner_id: str, mac: str) -> Select[str]:
    """The same, as a statement."""
    tail = mac_tail(mac)
    if not MIN_MAC_DIGITS <= len(tail) <= 12 or not set(tail) <= set(_HEX):
        raise ValueError("a device is searched by at least four of its last hexadecimal digits")
    after = tail[:-1] + "123456789abcdefg"[_HEX.index(tail[-1])]
    return select(Device.id).where(Device.owner_id == owner_id, Device.mac_tail >= tail, Device.mac_tail < after)


def also(of: Any, owner_id: str, query: AcceptanceQuery) -> list[ColumnElement[bool]]:
    """What else has to be so of the few, or of those met in the order of names."""
    found = [of.owner_id == owner_id]
    if query.site_ids is not None:
        found.append(of.site_id.in_(query.site_ids))
    if query.version_id:
        found.append(of.rules_version_id == query.version_id)
    return found


def period(query: AcceptanceQuery, of: Any) -> list[ColumnElement[bool]]:
    """The conditions of time."""
    found: list[ColumnElement[bool]] = []
    if query.since is not None:
        found.append(of.accepted_at >= query.since)
    if query.until is not None:
        found.append(of.accepted_at < query.until)
    return found


def each_place(session: Session, owner_id: str, query: AcceptanceQuery) -> Iterator[list[ColumnElement[bool]]]:
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


def few(narrow: Sequence[ColumnElement[bool]]) -> Any:
    """The few that `narrow` leaves are taken first: SQLite, which keeps no statistics, would rather walk the index by
    time until it has met them all.
    """
    columns = (Acceptance.accepted_at, Acceptance.id, Acceptance.owner_id, Acceptance.visitor_id, Acceptance.site_id)
    few = select(*columns, Acceptance.rules_version_id).where(*narrow).cte("few").prefix_with("MATERIALIZED")
    return few.c


def check_name(name: str) -> None:
    """Raises: ValueError where a fragment of a name is too short to search by."""
    if len(fold(name)) < MIN_NAME_CHARS:
        raise ValueError("a name is searched by at least three characters")


def has_name(name: str) -> ColumnElement[bool]:
    """That a visitor's name has this fragment."""
    return Visitor.name_key.contains(fold(name), autoescape=True)


def belongs_to(owner_id: str) -> ColumnElement[bool]:
    """That a visitor is the owner's, said so that SQLite does not walk all of the owner's to find a few."""
    return Visitor.owner_id.concat("") == owner_id


def visitors_named(session: Session, owner_id: str, name: str) -> Sequence[str]:
    """The owner's visitors whose names have this fragment."""
    if not is_sqlite(session):
        return session.scalars(select(Visitor.id).where(Visitor.owner_id == owner_id, has_name(name))).all()
    found = session.scalars(candidates(name)).all()
    kept: list[str] = []
    for start in range(0, len(found), BATCH_IDS):  # all trigrams of a name need not stand in a row
        kept += session.scalars(
            select(Visitor.id).where(
                Visitor.id.in_(found[start : start + BATCH_IDS]), belongs_to(owner_id), has_name(name)
            )
        )
    return kept


def is_sqlite(session: Session) -> bool:
    """Whether the database is SQLite, which has trigrams of its own."""
    return session.get_bind().dialect.name == "sqlite"


def candidates(name: str) -> TextualSelect:
    """The visitors in whose names every three characters of `name` stand, in whichever order: SQLite's own index."""
    key = fold(name)
    grams = dict.fromkeys(key[start : start + 3] for start in range(len(key) - 2))
    match = " ".join('"' + gram.replace('"', '""') + '"' for gram in grams)
    statement = text(
        "SELECT visitor_id FROM visitor_trigram JOIN visitor_trigram_number ON number = visitor_trigram.rowid"
        " WHERE visitor_trigram MATCH :match"
    )
    return statement.bindparams(match=match).columns(visitor_id=Visitor.id.type)


def _own(table: type[RulesVersion | Site], id_: str, owner_id: str) -> Select[str]:
    return select(table.id).where(table.id == id_, table.owner_id == owner_id)
