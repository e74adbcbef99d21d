"""Courses: made, changed and ended by IT or a host, each as a leaf, and the seat that a guest takes by its code.

The caller commits. What a course's change means for guests who are online by it, a grant's end or group, is done in the
same transaction, and the enforcer sees it through the change feed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.access.course_codes import code_key, new_code
from gateway.access.course_openings import follow, guests_group
from gateway.access.course_plan import OPENS_BEFORE, Field, Problem, Wish, problems
from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.storage import courses, generations
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.places import Place

MAX_ID_CHARS = 64


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a course was not made or changed, by field."""

    problems: dict[Field, Problem]


@dataclass(frozen=True, slots=True)
class NoCourse:
    """There is none to change or end: unknown, or over already."""

    reason: Literal["unknown", "over"]


@dataclass(frozen=True, slots=True)
class Ended:
    """The course is over, and this many grants with it."""

    course: Course
    closed: int


@dataclass(frozen=True, slots=True)
class Sought:
    """The course that a guest says they are at: by the code they typed, or chosen from the form by its id.

    `is_shared`: they are known from an acceptance that had a seat in it, and need not say it again.
    """

    code: str = ""
    course_id: str = ""
    is_shared: bool = False


NoSeat = Literal["no_course", "course_not_yet", "course_over", "course_full"]


def add(
    session: Session, place: Place, wish: Wish, groups: Collection[str], *, by: str, now: datetime
) -> Course | Refused:
    """Make a course at this place's site, with a fresh code. `groups` are those that `by` may give it."""
    if wrong := problems(wish, groups, now):
        return Refused(wrong)
    assert wish.starts_at and wish.ends_at and wish.max_devices  # noqa: PT018 - else there were problems
    code = _free_code(session, place)
    made = Course(
        owner_id=place.owner_id,
        site_id=place.site_id,
        title=wish.title,
        unit=wish.unit,
        code=code,
        code_key=code_key(code),
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        group_key=wish.group,
        max_devices=wish.max_devices,
        offered=wish.offered,
        created_at=now,
        created_by=by,
        ended_at=None,
    )
    session.add(made)
    session.flush()
    _record(session, place, "added", made, by, now)
    return made


def change(
    session: Session,
    place: Place,
    course_id: str,
    wish: Wish,
    groups: Collection[str],
    *,
    by: str,
    duration: timedelta,
    now: datetime,
) -> Course | Refused | NoCourse:
    """Make the course what `wish` says; its code stays.

    Guests who are online by it follow: an earlier end shortens their grants; a later one lengthens those that the old
    end had cut, to `duration` at most; another group is theirs at once. A lower maximum sends nobody away. What is open
    for the course alone stays open under another group's rules, until the new end at the latest.

    Raises: UsageError when something is open for it and the policy in force can't be changed.
    """
    found = _changeable(session, place, course_id, now)
    if not isinstance(found, Course):
        return found
    if wrong := problems(wish, {*groups, found.group_key}, now):
        return Refused(wrong)
    assert wish.starts_at and wish.ends_at and wish.max_devices  # noqa: PT018
    before_end, before_group = found.ends_at, guests_group(session, place.owner_id, found)
    found.title, found.unit, found.group_key = wish.title, wish.unit, wish.group
    found.starts_at, found.ends_at = wish.starts_at, wish.ends_at
    found.max_devices, found.offered = wish.max_devices, wish.offered
    session.flush()
    follow(session, place, found, by, now)
    _follow(session, place, found, before_end, before_group, duration, now)
    _record(session, place, "changed", found, by, now)
    return found


def end(session: Session, place: Place, course_id: str, *, by: str, now: datetime) -> Ended | NoCourse:
    """End the course before its time: its grants are revoked, and with them go the connections of its guests.

    Raises: UsageError when something is open for it and the policy in force can't be changed.
    """
    found = _changeable(session, place, course_id, now)
    if not isinstance(found, Course):
        return found
    found.ended_at = now
    session.flush()
    closed = courses.close_grants(session, found.id, by, now)
    follow(session, place, found, by, now)
    _record(session, place, "ended", found, by, now)
    if closed:
        announce(session, "grants")
    return Ended(found, closed)


def seat(session: Session, place: Place, sought: Sought, devices: Collection[str], now: datetime) -> Course | NoSeat:
    """The course that the guest may join, held until the transaction ends, or why they can't.

    A device that has a place keeps it; `devices` are its id, and those of the ones that it takes the place of. Two that
    come for the last one take turns, as each holds the course.
    """
    found = find(session, place, sought, now)
    if not isinstance(found, Course):
        return found
    held = courses.lock_course(session, place.owner_id, found.id)
    if held is None or held.over_at <= now:  # it was ended between the two looks
        return "course_over"
    if courses.devices_with_access(session, held.id, now, but=devices) >= held.max_devices:
        return "course_full"
    return held


def find(session: Session, place: Place, sought: Sought, now: datetime) -> Course | NoSeat:
    """The course that is sought, if it is open to guests at this site now; it opens an hour before it begins."""
    if sought.code:
        key = code_key(sought.code)
        found = courses.by_code(session, place.owner_id, key) if key else None
    else:
        found = courses.course(session, place.owner_id, known_id(sought.course_id))
        if found is not None and found.offered != "title" and not sought.is_shared:
            return "no_course"
    if found is None or found.site_id != place.site_id:
        return "no_course"
    if found.over_at <= now:
        return "course_over"
    return found if found.starts_at - OPENS_BEFORE <= now else "course_not_yet"


def known_id(text: str) -> str:
    """The identifier that `text` may be; "" for what can't be one (PostgreSQL refuses to compare with NUL)."""
    return text if len(text) <= MAX_ID_CHARS and text.isascii() and text.isalnum() else ""


def _changeable(session: Session, place: Place, course_id: str, now: datetime) -> Course | NoCourse:
    found = courses.lock_course(session, place.owner_id, known_id(course_id))
    if found is None:
        return NoCourse("unknown")
    return found if found.over_at > now else NoCourse("over")


def _follow(
    session: Session,
    place: Place,
    course: Course,
    before_end: datetime,
    before_group: str,
    duration: timedelta,
    now: datetime,
) -> None:
    group = guests_group(session, place.owner_id, course)
    mark = generations.mark_of(session, place.owner_id, group) if group != before_group else None
    changed = False
    for grant in courses.open_grants(session, course.id, now):
        cut = grant.ends_at == before_end
        ends_at = min(course.ends_at, max(grant.ends_at, grant.starts_at + duration) if cut else grant.ends_at)
        if ends_at != grant.ends_at:
            grant.ends_at, changed = ends_at, True
        if mark is not None and grant.group_key == before_group:  # not one that staff moved elsewhere
            grant.group_key, grant.mark, changed = group, mark, True
    session.flush()
    if changed:
        announce(session, "grants")


def _free_code(session: Session, place: Place) -> str:
    while True:
        code = new_code(secrets.randbelow)
        if courses.by_code(session, place.owner_id, code_key(code)) is None:
            return code


def _record(session: Session, place: Place, changed: str, course: Course, by: str, now: datetime) -> None:
    record(
        session,
        place,
        "course_changed",
        {
            "change": changed,
            "course": course.id,
            "group": course.group_key,
            "since": format_utc(course.starts_at),
            "until": format_utc(course.over_at),
            "devices": course.max_devices,
        },
        {"by": by, "title": course.title, "unit": course.unit, "course_code": course.code},
        now,
    )
