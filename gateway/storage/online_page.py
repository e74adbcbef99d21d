"""A page of who is online, in one of five orders.

Where the question leaves few, the database sorts them. Where it leaves many, they are walked in the order that is asked
for, along an index of it: among many, the next is never far. A word is looked for in all that is known of few; among
many in names, ends of addresses and courses, which are taken first where they are few by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    exists,
    func,
    literal_column,
    select,
    text,
    union,
)

from gateway.storage.base import table_of
from gateway.storage.control_models import GrantTraffic
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, as_written, aside, beyond, in_order, part
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, AppliedGrant, Device, Visitor
from gateway.storage.online import GRANT, Along, OnlineQuery, in_force, networks_of
from gateway.storage.online_words import candidates, fits

By = Literal["since", "until", "device", "name", "traffic"]
FEW, SOME = 8_000, 25_000
"""What can be sorted by what stands in three tables, and by what stands in one or two."""


def page(session: Session, owner_id: str, query: OnlineQuery, now: datetime, cut: Cut) -> Part[str]:
    """A part of what `query` means, as identifiers. `cut.by` is a `By`; a place is (moment or octets, id), and by
    device or name (anything, id), since neither stands in an address; who has been erased is none, and the list begins
    anew.
    """
    networks = networks_of(session, owner_id, query.network)
    asked = _Asked(session, owner_id, networks, query, now, cast(By, cut.by))
    beside = None if cut.place is None else asked.place(cut.place)
    if beside is None:
        cut = replace(cut, place=None, backwards=False)
    plan = asked.plan()

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[str]:
        return asked.ids(plan, None if place is None else beside, limit, descending=descending)

    return part(cut, fetch)


def count(session: Session, owner_id: str, query: OnlineQuery, now: datetime) -> int:
    """How many `query` means."""
    asked = _Asked(session, owner_id, networks_of(session, owner_id, query.network), query, now, "until")
    return asked.count()


class _Walk(NamedTuple):
    """Rows to read in the order of `key`; `of` has a grant's columns, `source` has them and the tables `has`."""

    source: FromClause
    of: Any
    key: ColumnElement[Any]
    conditions: Sequence[ColumnElement[bool]]
    has: frozenset[str] = frozenset()


class _Plan(NamedTuple):
    """What to read; together it is all that is asked for. `of_few`: a word is looked for in all that is known."""

    walks: Sequence[_Walk]
    of_few: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    session: Session
    owner_id: str
    networks: Sequence[str]
    query: OnlineQuery
    now: datetime
    by: By

    def place(self, place: Place) -> Place | None:
        """Where a grant stands whose place in an address is this."""
        if self.by not in ("device", "name"):
            return place
        found = select(_key(GRANT.c, self.by)).select_from(_joined(GRANT, GRANT.c, {"device", *_NEEDS[self.by]}))
        value = self.session.scalar(found.where(GRANT.c.id == place[1], _DEVICE.c.owner_id == self.owner_id))
        return None if value is None else (value, place[1])

    def plan(self) -> _Plan:
        """How to read them, by how many they are."""
        along: Along = "" if self.query.kind == "admitted" or self.query.course_id else "ends"
        alone = [*in_force(GRANT.c, self.networks, self.now, along=along), *self._filters(GRANT.c, lambda each: each)]
        count = _count(self.session, select(GRANT.c.network_id).where(*alone), SOME)
        everyone = _Walk(GRANT, GRANT.c, _key(GRANT.c, self.by), alone)
        if self.by == "since":
            everyone = everyone._replace(key=aside(GRANT.c.starts_at))
        elif self.by == "device":  # looked up for each: joined, PostgreSQL would read all devices
            mac = select(_DEVICE.c.mac).where(_DEVICE.c.id == GRANT.c.device_id).scalar_subquery()
            everyone = everyone._replace(key=mac, has=frozenset({"device"}))
        if count <= FEW:
            return _Plan([everyone], of_few=True)
        meant = candidates(self.session, self.owner_id, self.query, self.now, FEW) if self.query.word else ()
        if meant:
            few = union(*(_GRANTS.where(each) for each in meant)).cte("few").prefix_with("MATERIALIZED").c
            return _Plan([_Walk(few.id.table, few, _key(few, self.by), self._in_force(few))])
        is_near = self.by in ("since", "until") if self.query.word else self.by in ("name", "device")
        return _Plan(list(self._walks()) if count > SOME or is_near else [everyone])

    def ids(self, plan: _Plan, place: Place | None, limit: int, *, descending: bool) -> Sequence[str]:
        """At most so many beyond a place."""
        found: list[tuple[Any, str]] = []
        for walk in plan.walks:
            key, own = walk.key, walk.of.id
            rows = self._of(walk, (key, own), of_few=plan.of_few)
            rows = rows.where(*beyond(key, own, place, descending=descending))
            order = in_order(key, own, descending=descending)[walk.key is _NOUGHT :]
            found += [(row[0], row[1]) for row in self.session.execute(rows.order_by(*order).limit(limit))]
        return [each[1] for each in sorted(found, reverse=descending)[:limit]]

    def count(self) -> int:
        """How many there are; no two walks have the same."""
        plan = self.plan()
        counted = (self._of(walk, (func.count(),), of_few=plan.of_few) for walk in plan.walks)
        return sum(self.session.scalar(each) or 0 for each in counted)

    def _of(self, walk: _Walk, columns: Sequence[Any], *, of_few: bool) -> Select[Any]:
        word, needs = self.query.word, {*_NEEDS[self.by]}
        needs |= {"guest", *(("unit",) if of_few else ())} if word else set()
        rows = select(*columns).select_from(_joined(walk.source, walk.of, needs - walk.has)).where(*walk.conditions)
        return rows.where(fits(walk.of, self.owner_id, self.query, self.now, of_few=of_few)) if word else rows

    def _in_force(self, of: Any) -> list[ColumnElement[bool]]:
        return [*in_force(of, self.networks, self.now, along=""), *self._filters(of, aside)]

    def _filters(self, of: Any, read: Callable[[Any], Any]) -> list[ColumnElement[bool]]:
        """What else is asked but the word; `read` may put columns aside."""
        query, found = self.query, list[ColumnElement[bool]]()
        if query.group_key:
            found.append(read(of.group_key) == query.group_key)
        if query.course_id:
            found.append(read(of.course_id) == query.course_id)
        if query.kind == "admitted":
            found.append(read(of.admission_leaf_id) > text("''"))  # a range of its index, which "is not null" is not
        elif query.kind:
            found.append(of.acceptance_id.is_not(None))
        if query.through is not None:
            applied = select(_APPLIED.c.grant_id).where(_APPLIED.c.grant_id == of.id, _APPLIED.c.removed_at.is_(None))
            is_applied: ColumnElement[bool] = applied.exists()
            if read is aside:  # on a walk: "exists" PostgreSQL would join to all that there are
                is_applied = applied.limit(1).scalar_subquery().is_not(None)
            found.append(is_applied if query.through else ~is_applied)
        return found

    def _walks(self) -> Iterator[_Walk]:
        """All that there is to read in this order, each along an index of its own."""
        of, conditions = GRANT.c, self._in_force(GRANT.c)
        if self.by in ("since", "until"):
            along: Along = "starts" if self.by == "since" else "ends"
            for network in self.networks:
                bounds = in_force(of, [network], self.now, along=along)
                yield _Walk(GRANT, of, _key(of, self.by), [*bounds, *self._filters(of, aside)])
        elif self.by == "device":
            devices = _DEVICE.join(GRANT, of.device_id == _DEVICE.c.id)
            conditions.append(_DEVICE.c.owner_id == self.owner_id)
            yield _Walk(devices, of, _DEVICE.c.mac, conditions, frozenset({"device"}))
        elif self.by == "name":
            guests = _VISITOR.join(_ACCEPTANCE, _ACCEPTANCE.c.visitor_id == _VISITOR.c.id)
            guests = guests.join(GRANT, of.acceptance_id == _ACCEPTANCE.c.id)
            name = _in_norwegian(_VISITOR.c.name_key)
            yield _Walk(guests, of, name, [_VISITOR.c.owner_id == self.owner_id, *conditions], frozenset({"guest"}))
            yield _Walk(GRANT, of, _key(of, "name"), [of.admission_leaf_id > "", *conditions])
        else:
            counted = _TRAFFIC.join(GRANT, of.id == _TRAFFIC.c.grant_id)
            yield _Walk(counted, of, _TRAFFIC.c.sent + _TRAFFIC.c.received, conditions, frozenset({"traffic"}))
            none = ~exists().where(_TRAFFIC.c.grant_id == of.id)
            yield _Walk(GRANT, of, _NOUGHT, [none, *conditions], frozenset({"traffic"}))


_DEVICE, _ACCEPTANCE, _VISITOR, _UNIT = table_of(Device), table_of(Acceptance), table_of(Visitor), table_of(Disclosure)
_TRAFFIC, _APPLIED = table_of(GrantTraffic), table_of(AppliedGrant)
_GRANTS = select(
    GRANT.c.id,
    GRANT.c.network_id,
    GRANT.c.device_id,
    GRANT.c.acceptance_id,
    GRANT.c.admission_leaf_id,
    GRANT.c.course_id,
    GRANT.c.group_key,
    GRANT.c.starts_at,
    GRANT.c.ends_at,
    GRANT.c.revoked_at,
)
_NOUGHT: ColumnElement[int] = literal_column(
    "0", Integer
)  # which databases take for the number of a column to order by
_NEEDS: Mapping[By, Sequence[str]] = {
    "since": (), "until": (), "device": ("device",), "name": ("guest", "unit"), "traffic": ("traffic",),
}  # fmt: skip
"""What an order is made of, beside grants."""


def _joined(source: FromClause, of: Any, needs: Collection[str]) -> FromClause:
    if "device" in needs:
        source = source.join(_DEVICE, _DEVICE.c.id == of.device_id)
    if "guest" in needs:
        source = source.outerjoin(_ACCEPTANCE, _ACCEPTANCE.c.id == of.acceptance_id)
        source = source.outerjoin(_VISITOR, _VISITOR.c.id == _ACCEPTANCE.c.visitor_id)
    if "unit" in needs:
        source = source.outerjoin(_UNIT, and_(_UNIT.c.leaf_id == of.admission_leaf_id, _UNIT.c.name == text("'unit'")))
    if "traffic" in needs:
        source = source.outerjoin(_TRAFFIC, _TRAFFIC.c.grant_id == of.id)
    return source


def _key(of: Any, by: By) -> ColumnElement[Any]:
    """What grants are sorted by. Who has no name comes first."""
    if by == "name":
        return _in_norwegian(func.coalesce(_VISITOR.c.name_key, _folded(_UNIT.c.value), text("''")))
    if by == "traffic":
        return func.coalesce(_TRAFFIC.c.sent + _TRAFFIC.c.received, 0)
    found: ColumnElement[Any] = {"since": of.starts_at, "until": of.ends_at, "device": _DEVICE.c.mac}[by]
    return found


def _folded(name: Any) -> Any:
    """In small letters, which databases know of Latin ones alike."""
    found = func.lower(name)
    for great, small in ("Ææ", "Øø", "Åå"):
        found = func.replace(found, text(f"'{great}'"), text(f"'{small}'"))
    return found


def _in_norwegian(name: Any) -> ColumnElement[str]:
    """å after z, æ and ø, as `visitor_name_order` has it."""
    return as_written(func.replace(name, text("'å'"), text("'þ'")))


def _count(session: Session, found: Select[Any], most: int) -> int:
    """How many these are; counted no further than one more than `most`."""
    return session.scalar(select(func.count()).select_from(found.limit(most + 1).subquery())) or 0
