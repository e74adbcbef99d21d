"""Courses over JSON: those that run, come and were, with how they are used. Hosts see and make their own unit's."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment
from captive_portal.api.paging import Asked, Page, Paged, answered, following, moment_place, read_cursor
from captive_portal.api.problems import conflict, refused, unknown
from captive_portal.console.courses import form
from captive_portal.console.courses import rooms as pages
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access import courses as access
from gateway.access.course_plan import DEVICES_FOR_PARTICIPANTS, Wish
from gateway.storage import courses as stored
from gateway.storage import traffic
from gateway.storage.course_models import Course as Row
from gateway.storage.keyset import Cut

ROOT, ROOM = "/api/v1/courses", "courses"
SHOWN_AFTER = timedelta(days=30)
OVER = "the course is over"


class Course(BaseModel):
    """A course; `state` is coming, running or over, `devices_now` how many devices have access by it."""

    id: str
    title: str
    unit: str
    code: str
    starts_at: datetime
    ends_at: datetime
    over_at: datetime
    group: str
    max_devices: int
    offered: str
    state: Annotated[str, Field(examples=["running"])]
    devices_now: int
    created_by: str


class Courses(Page):
    """Courses that are not over for more than 30 days, the latest to end first."""

    courses: list[Course]


class CourseAsked(Asked):
    """All of a course. A host's unit is their own; `offered`: the login page asks for the code (`code`), names the
    course (`title`), or neither (`hidden`).
    """

    title: Annotated[str, Field(max_length=200)]
    unit: Annotated[str, Field(max_length=200)] = ""
    starts_at: Moment
    ends_at: Moment
    group: Annotated[str, Field(max_length=40)] = "default"
    max_devices: Annotated[int, Field(ge=1, le=1000, examples=[60])] = DEVICES_FOR_PARTICIPANTS
    offered: Annotated[str, Field(max_length=10)] = "code"


class Hour(BaseModel):
    """Acceptances in an hour."""

    hour: datetime
    acceptances: int


class Usage(BaseModel):
    """How a course is used; what has been erased is no longer counted. `sent` and `received` are octets of the devices
    that have access now, null where nothing was counted.
    """

    devices_now: int
    sent: Annotated[int | None, Field(examples=[181_000])]
    received: Annotated[int | None, Field(examples=[24_100_000])]
    devices: int
    acceptances: int
    hours: list[Hour]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    one = f"{ROOT}/{{course}}"
    return (
        Call("GET", ROOT, "host", every, "read", Paged, Courses, "Courses", ROOM),
        Call(
            "POST", ROOT, "host", add, "write", CourseAsked, Course, "Make a course", ROOM, status=HTTPStatus.CREATED
        ),
        Call("GET", one, "host", show, "read", None, Course, "One course", ROOM),
        Call("PUT", one, "host", change, "write", CourseAsked, Course, "Change a course", ROOM),
        Call("POST", f"{one}/end", "host", end, "write", None, Course, "End a course before its time", ROOM),
        Call("GET", f"{one}/usage", "host", usage, "read", None, Usage, "How a course is used", ROOM),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/courses"""
    place = moment_place(read_cursor(visit, 2))
    if isinstance(place, Response):
        return place
    owner_id, since = visit.services.place.owner_id, visit.now - SHOWN_AFTER
    cut = Cut("ends", descending=True, limit=visit.asked.limit, place=place, rewinds=False)
    page = stored.page_of_courses(visit.session, owner_id, pages.units_of(visit), since, cut)
    used = stored.access_now(visit.session, [row.id for row in page.rows], visit.now)
    facts = [_facts(visit, row, used.get(row.id, 0)) for row in page.rows]
    return answered(Courses, {"courses": facts, "next": following(visit, page, lambda row: (row.ends_at, row.id))})


def add(visit: Visit) -> Response:
    """POST /api/v1/courses"""
    made = form.added(visit, _wish(visit))
    if isinstance(made, access.Refused):
        return _refused(made)
    answer = _course(visit, made, HTTPStatus.CREATED)
    answer.headers["Location"] = f"{ROOT}/{made.id}"
    return answer


def show(visit: Visit) -> Response:
    """GET /api/v1/courses/{course}"""
    row = pages.theirs(visit)
    return _gone(visit) if row is None else _course(visit, row)


def change(visit: Visit) -> Response:
    """PUT /api/v1/courses/{course}"""
    row = pages.theirs(visit)
    if row is None:
        return _gone(visit)
    done = form.changed(visit, row, _wish(visit))
    if isinstance(done, access.NoCourse):
        return conflict(OVER)
    return _refused(done) if isinstance(done, access.Refused) else _course(visit, done)


def end(visit: Visit) -> Response:
    """POST /api/v1/courses/{course}/end"""
    row = pages.theirs(visit)
    if row is None:
        return _gone(visit)
    done = access.end(visit.session, visit.services.place, row.id, by=visit.member.username, now=visit.now)
    return conflict(OVER) if isinstance(done, access.NoCourse) else _course(visit, done.course)


def usage(visit: Visit) -> Response:
    """GET /api/v1/courses/{course}/usage"""
    row = pages.theirs(visit)
    if row is None:
        return _gone(visit)
    used = stored.usage(visit.session, row.id, visit.now)
    hours = [{"hour": hour, "acceptances": count} for hour, count in used.hours]
    names, octets = ("devices_now", "devices", "acceptances"), traffic.of_course(visit.session, row.id, visit.now)
    counted = {"sent": octets.sent if octets else None, "received": octets.received if octets else None}
    return answered(Usage, {name: getattr(used, name) for name in names} | counted | {"hours": hours})


def _wish(visit: Visit) -> Wish:
    asked = visit.asked
    return Wish(
        title=asked.title.strip(),
        unit=form.unit_of(visit, asked.unit.strip()),
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
        group=asked.group,
        max_devices=asked.max_devices,
        offered=asked.offered,
    )


def _refused(done: access.Refused) -> Response:
    return refused({field: form.words(field, problem) for field, problem in done.problems.items()})


def _gone(visit: Visit) -> Response:
    return unknown(visit, "there is no such course")


def _course(visit: Visit, row: Row, status: HTTPStatus = HTTPStatus.OK) -> Response:
    used = stored.devices_with_access(visit.session, row.id, visit.now)
    return answered(Course, _facts(visit, row, used), status=status)


def _facts(visit: Visit, row: Row, used: int) -> dict[str, Any]:
    names = (
        "id", "title", "unit", "code", "starts_at", "ends_at", "over_at", "max_devices", "offered", "created_by",
    )  # fmt: skip
    facts = {name: getattr(row, name) for name in names}
    return facts | {"group": row.group_key, "state": pages.state(visit, row), "devices_now": used}
