"""Who is online, as a list of thousands is sorted, filtered and paged: light rows of the grants in force, and the whole
of a page.

Networks bound the search: their index of grants by end holds what is over apart from what is not, so that history costs
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, exists, func, select, text

from gateway.storage.base import table_of
from gateway.storage.control_models import GrantTraffic
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.grants import SHOWN
from gateway.storage.keyset import Cut, Part, Place, as_written, beyond, in_order, part
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, AppliedGrant, Device, Gateway, Grant, Network, Site, Visitor

Kind = Literal["", "accepted", "admitted"]
By = Literal["since", "until", "device", "name", "traffic"]
BATCH_IDS = 500


class Online(NamedTuple):
    """A grant in force, as words find it and it is sorted then. `name` is of the visitor, or of the unit that it was
    admitted for; `octets` sent and received together.
    """

    id: str
    mac: str
    name: str
    organisation: str
    course_title: str
    course_code: str
    course_unit: str
    octets: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OnlineQuery:
    """What is asked for; "" and None ask for nothing. `network`: an interface. `through`: whether a gateway has let the
    device through.
    """

    group_key: str = ""
    network: str = ""
    course_id: str = ""
    kind: Kind = ""
    through: bool | None = None


ALL = OnlineQuery()


def count(session: Session, owner_id: str, now: datetime, query: OnlineQuery = ALL) -> int:
    """How many grants of the owner are in force, of those that `query` means."""
    conditions = [*_in_force(session, owner_id, now), *_conditions(query)]
    return session.scalar(select(func.count()).select_from(_GRANT).where(*conditions)) or 0


def find(session: Session, owner_id: str, query: OnlineQuery, now: datetime) -> Sequence[Online]:
    """The grants in force that `query` means, in no order."""
    conditions = [*_in_force(session, owner_id, now), *_conditions(query)]
    return [Online._make(row) for row in session.execute(_LIGHT.where(*conditions)).all()]


def sorted_page(
    session: Session,
    owner_id: str,
    query: OnlineQuery,
    now: datetime,
    *,
    by: By,
    greatest_first: bool,
    start: int,
    limit: int,
) -> list[str]:
    """The identifiers of a page of what `query` means, in an order; equal ones stand by their identifiers."""
    conditions = [*_in_force(session, owner_id, now), *_conditions(query)]
    source, key = _ORDERS[by]
    order = [column.desc() if greatest_first else column.asc() for column in (key, _GRANT.c.id)]
    statement = select(_GRANT.c.id).select_from(source).where(*conditions).order_by(*order)
    return list(session.scalars(statement.offset(start).limit(limit)))


def page_of_ids(
    session: Session, owner_id: str, query: OnlineQuery, now: datetime, cut: Cut
) -> Part[tuple[str, datetime]]:
    """A part of the grants in force that `query` means, as (identifier, since), by when they began; a place is (since,
    identifier).
    """
    conditions = [*_in_force(session, owner_id, now), *_conditions(query)]
    by = _GRANT.c.starts_at, _GRANT.c.id

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[tuple[str, datetime]]:
        rest = select(_GRANT.c.id, _GRANT.c.starts_at).where(*conditions)
        rest = rest.where(*beyond(*by, place, descending=descending))
        rows = session.execute(rest.order_by(*in_order(*by, descending=descending)).limit(limit))
        return [(grant_id, since) for grant_id, since in rows]

    return part(cut, fetch)


def whole(session: Session, grant_ids: Sequence[str]) -> list[Grant]:
    """These grants with all that is shown of them, in this order; those that are gone are left out."""
    found = {
        grant.id: grant
        for start in range(0, len(grant_ids), BATCH_IDS)
        for grant in session.scalars(
            select(Grant).options(*SHOWN).where(Grant.id.in_(grant_ids[start : start + BATCH_IDS]))
        )
    }
    return [found[grant_id] for grant_id in grant_ids if grant_id in found]


_GRANT, _DEVICE, _ACCEPTANCE = table_of(Grant), table_of(Device), table_of(Acceptance)
_VISITOR, _COURSE, _TRAFFIC = table_of(Visitor), table_of(Course), table_of(GrantTraffic)
_UNIT, _NETWORK, _APPLIED = table_of(Disclosure), table_of(Network), table_of(AppliedGrant)
_ON_DEVICE = _GRANT.join(_DEVICE, _DEVICE.c.id == _GRANT.c.device_id)
_HELD = (
    _ON_DEVICE.outerjoin(_ACCEPTANCE, _ACCEPTANCE.c.id == _GRANT.c.acceptance_id)
    .outerjoin(_VISITOR, _VISITOR.c.id == _ACCEPTANCE.c.visitor_id)
    .outerjoin(_UNIT, and_(_UNIT.c.leaf_id == _GRANT.c.admission_leaf_id, _UNIT.c.name == "unit"))
)
_LIGHT = select(
    _GRANT.c.id,
    _DEVICE.c.mac,
    func.coalesce(_VISITOR.c.name, _UNIT.c.value, ""),
    func.coalesce(_VISITOR.c.organisation, ""),
    func.coalesce(_COURSE.c.title, ""),
    func.coalesce(_COURSE.c.code, ""),
    func.coalesce(_COURSE.c.unit, ""),
    func.coalesce(_TRAFFIC.c.sent + _TRAFFIC.c.received, 0),
    _GRANT.c.starts_at,
    _GRANT.c.ends_at,
).select_from(
    _HELD.outerjoin(_COURSE, _COURSE.c.id == _GRANT.c.course_id).outerjoin(_TRAFFIC, _TRAFFIC.c.grant_id == _GRANT.c.id)
)
_NAME = func.coalesce(func.nullif(_VISITOR.c.name_key, ""), func.lower(_UNIT.c.value), _DEVICE.c.mac)
_ORDERS: Mapping[By, tuple[FromClause, ColumnElement[Any]]] = {
    "since": (_GRANT, _GRANT.c.starts_at),
    "until": (_GRANT, _GRANT.c.ends_at),
    "device": (_ON_DEVICE, _DEVICE.c.mac),
    "name": (_HELD, as_written(func.replace(_NAME, text("'å'"), text("'þ'")))),  # å after z, æ and ø
    "traffic": (
        _GRANT.outerjoin(_TRAFFIC, _TRAFFIC.c.grant_id == _GRANT.c.id),
        func.coalesce(_TRAFFIC.c.sent + _TRAFFIC.c.received, 0),
    ),
}


def _in_force(session: Session, owner_id: str, now: datetime) -> list[ColumnElement[bool]]:
    networks = session.scalars(
        select(Network.id).join(Gateway, Gateway.id == Network.gateway_id).join(Site).where(Site.owner_id == owner_id)
    ).all()
    return [
        _GRANT.c.network_id.in_(networks),
        _GRANT.c.ends_at > now,
        _GRANT.c.revoked_at.is_(None),
        _GRANT.c.starts_at <= now,
    ]


def _conditions(query: OnlineQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.group_key:
        found.append(_GRANT.c.group_key == query.group_key)
    if query.network:
        on = select(_NETWORK.c.id).where(_NETWORK.c.interface == query.network)
        found.append(_GRANT.c.network_id.in_(on))
    if query.course_id:
        found.append(_GRANT.c.course_id == query.course_id)
    if query.kind:
        found.append(
            _GRANT.c.acceptance_id.is_(None) if query.kind == "admitted" else _GRANT.c.acceptance_id.is_not(None)
        )
    if query.through is not None:
        applied = exists().where(_APPLIED.c.grant_id == _GRANT.c.id, _APPLIED.c.removed_at.is_(None))
        found.append(applied if query.through else ~applied)
    return found


def courses(session: Session, owner_id: str, now: datetime) -> Sequence[tuple[str, str]]:
    """(id, title) of the courses that anybody online has a seat in, by title."""
    rows = session.execute(
        select(_COURSE.c.id, _COURSE.c.title)
        .where(_COURSE.c.id.in_(select(_GRANT.c.course_id).where(*_in_force(session, owner_id, now))))
        .order_by(_COURSE.c.title, _COURSE.c.id)
    )
    return [(row[0], row[1]) for row in rows]
