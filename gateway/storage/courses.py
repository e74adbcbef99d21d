"""Courses and their guests: finding, holding and counting them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, case, delete, func, or_, select, update
from sqlalchemy.orm import joinedload

from gateway.storage.base import table_of
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, beyond, in_order, part
from gateway.storage.models import Grant

UNITS_MAX = 500


@dataclass(frozen=True)
class Usage:
    """How a course is used: devices with access now, devices and acceptances in all, and acceptances an hour.

    What has been erased is no longer counted.
    """

    devices_now: int
    devices: int
    acceptances: int
    hours: Sequence[tuple[datetime, int]]


def course(session: Session, owner_id: str, course_id: str) -> Course | None:
    """The owner's course with this id."""
    return session.scalars(select(Course).where(Course.id == course_id, Course.owner_id == owner_id)).one_or_none()


def beginning(session: Session, owner_id: str, part: str) -> Course | None:
    """The owner's course whose id begins so, as the key of its own group says: `part` is of hexadecimal digits.

    A range, which the primary key serves, as it does not `LIKE`; asked for the owner too, SQLite would read all theirs.
    """
    found = session.scalars(select(Course).where(Course.id >= part, Course.id < f"{part}g"))
    return next((course for course in found if course.owner_id == owner_id), None)


def lock_course(session: Session, owner_id: str, course_id: str) -> Course | None:
    """As `course`, held until the transaction ends: whoever takes its last place, or ends it, takes turns."""
    return session.scalars(
        select(Course)
        .where(Course.id == course_id, Course.owner_id == owner_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def by_code(session: Session, owner_id: str, code_key: str) -> Course | None:
    """The owner's course with this code, at whichever site."""
    return session.scalars(select(Course).where(Course.owner_id == owner_id, Course.code_key == code_key)).one_or_none()


def of_grant(session: Session, grant_id: str) -> Course | None:
    """The course that the grant is a seat in; None for one of no course."""
    return session.scalars(select(Course).join(Grant, Grant.course_id == Course.id).where(Grant.id == grant_id)).first()


class Open(NamedTuple):
    """A course that is open to guests, as their form names it."""

    id: str
    title: str
    ends_at: datetime
    offered: str


def open_at_site(session: Session, site_id: str, opens_until: datetime, now: datetime) -> Sequence[Open]:
    """Up to two courses at the site that are not over at `now` and begin by `opens_until`. Every guest's form asks."""
    rows = session.execute(_OPEN, {"site": site_id, "until": opens_until, "now": now}).all()
    return [Open(*row) for row in rows]


_COURSE = table_of(Course).c
_OPEN = (
    select(_COURSE.id, _COURSE.title, _COURSE.ends_at, _COURSE.offered)
    .where(
        _COURSE.site_id == bindparam("site"),
        _COURSE.ends_at > bindparam("now"),
        _COURSE.ended_at.is_(None),
        _COURSE.starts_at <= bindparam("until"),
    )
    .order_by(_COURSE.ends_at, _COURSE.id)
    .limit(2)
)


def of_owner(session: Session, owner_id: str, *, over_since: datetime, limit: int) -> Sequence[Course]:
    """The owner's courses that were not over at `over_since`, the latest to end first."""
    over = case(
        (Course.ended_at.is_not(None) & (Course.ended_at < Course.ends_at), Course.ended_at), else_=Course.ends_at
    )
    return session.scalars(
        select(Course)
        .where(Course.owner_id == owner_id, over > over_since)
        .order_by(Course.ends_at.desc(), Course.id)
        .limit(limit)
    ).all()


def units(session: Session, owner_id: str) -> Sequence[str]:
    """The units that have had courses, as they were written: each is one look into the index."""
    found: list[str] = []
    while len(found) < UNITS_MAX:
        after = [Course.unit > found[-1]] if found else []
        unit = session.scalar(select(func.min(Course.unit)).where(Course.owner_id == owner_id, *after))
        if unit is None:
            break
        found.append(unit)
    return found


def not_over(
    session: Session, owner_id: str, of_units: Collection[str] | None, now: datetime, limit: int
) -> Part[Course]:
    """The courses that run or are to come, of these units or of all, the first to end first."""
    return page_of_courses(session, owner_id, of_units, now, Cut("ends", descending=False, limit=limit))


def page_of_courses(
    session: Session, owner_id: str, of_units: Collection[str] | None, over_since: datetime, cut: Cut
) -> Part[Course]:
    """A part of the courses that were not over at `over_since`, of these units or of all, by their planned ends; a
    place is (ends, id).
    """
    return _ending(session, owner_id, of_units, _not_over(over_since), cut)


def page_of_courses_over(
    session: Session, owner_id: str, of_units: Collection[str] | None, now: datetime, cut: Cut
) -> Part[Course]:
    """A part of the courses that are over, of these units or of all, by their planned ends; a place is (ends, id)."""
    over = (or_(Course.ends_at <= now, Course.ended_at <= now),)
    return _ending(session, owner_id, of_units, over, cut)


def _not_over(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return Course.ends_at > at, or_(Course.ended_at.is_(None), Course.ended_at > at)


def _ending(
    session: Session, owner_id: str, of_units: Collection[str] | None, which: Collection[ColumnElement[bool]], cut: Cut
) -> Part[Course]:
    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[Course]:
        found: list[Course] = []
        for unit in (None,) if of_units is None else of_units:  # one walk each, along the index
            rest = select(Course).where(Course.owner_id == owner_id, *which)
            if unit is not None:
                rest = rest.where(Course.unit == unit)
            rest = rest.where(*beyond(Course.ends_at, Course.id, place, descending=descending))
            ordered = rest.order_by(*in_order(Course.ends_at, Course.id, descending=descending)).limit(limit)
            found += session.scalars(ordered)
        return sorted(found, key=lambda each: (each.ends_at, each.id), reverse=descending)[:limit]

    return part(cut, fetch)


def devices_with_access(session: Session, course_id: str, now: datetime, *, but: Collection[str] = ()) -> int:
    """How many devices have access by the course at `now`, the devices `but` not counted."""
    return (
        session.scalar(
            select(func.count(func.distinct(Grant.device_id))).where(
                Grant.course_id == course_id,
                Grant.revoked_at.is_(None),
                Grant.ends_at > now,
                Grant.device_id.not_in(list(but)),
            )
        )
        or 0
    )


def access_now(session: Session, course_ids: Sequence[str], now: datetime) -> dict[str, int]:
    """`devices_with_access` of many courses at once; a course without any is left out."""
    rows = session.execute(
        select(Grant.course_id, func.count(func.distinct(Grant.device_id)))
        .where(Grant.course_id.in_(course_ids), Grant.revoked_at.is_(None), Grant.ends_at > now)
        .group_by(Grant.course_id)
    ).all()
    return {str(row[0]): int(row[1]) for row in rows}


def open_grants(session: Session, course_id: str, now: datetime, *, hold: bool = False) -> Sequence[Grant]:
    """The course's grants that are in force, or soon will be, with their devices; with `hold` nobody changes them until
    the transaction ends.
    """
    query = (
        select(Grant)
        .options(joinedload(Grant.device, innerjoin=True))
        .where(Grant.course_id == course_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
        .order_by(Grant.id)
    )
    if hold:
        query = query.with_for_update(of=Grant, key_share=True).execution_options(populate_existing=True)
    return session.scalars(query).all()


def close_grants(session: Session, course_id: str, by: str, now: datetime) -> int:
    """Revoke what `open_grants` finds; returns how many there were."""
    closed = session.execute(
        update(Grant)
        .where(Grant.course_id == course_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
        .values(revoked_at=now, revoked_by=by)
        .returning(Grant.id)
        .execution_options(synchronize_session=False)
    )
    return len(closed.all())


def usage(session: Session, course_id: str, now: datetime) -> Usage:
    """How the course is used."""
    starts = session.scalars(
        select(Grant.starts_at).where(Grant.course_id == course_id).order_by(Grant.starts_at)
    ).all()
    hours: dict[datetime, int] = {}
    for moment in starts:
        hour = moment.replace(minute=0, second=0, microsecond=0)
        hours[hour] = hours.get(hour, 0) + 1
    devices = (
        session.scalar(select(func.count(func.distinct(Grant.device_id))).where(Grant.course_id == course_id)) or 0
    )
    return Usage(devices_with_access(session, course_id, now), devices, len(starts), tuple(hours.items()))


def forget(session: Session, owner_id: str, over_before: datetime) -> int:
    """Delete courses that were over before then and that no grant names any more; returns how many."""
    named = select(Grant.id).where(Grant.course_id == Course.id).exists()
    gone = session.execute(
        delete(Course)
        .where(Course.owner_id == owner_id, Course.ends_at < over_before, ~named)
        .returning(Course.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
