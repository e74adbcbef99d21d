"""Courses: those that run, come and were, one with how it is used, and ending it. Hosts see those of their own unit."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console import octets
from captive_portal.console.look import N_
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.access import courses as access
from gateway.access.course_openings import choosable, is_stranded, openings, policy_in_force
from gateway.access.course_plan import OPENS_BEFORE, same_unit
from gateway.access.recognised import terms_of
from gateway.storage import courses, exemption_requests, traffic
from gateway.storage.course_models import Course
from policies.categories import CATEGORIES
from policies.host_opening import openable

OVER = Table("/courses", (Column("ends", N_("When"), "moment"),), size=25)
MAX_SHOWN = 200


def show(visit: Visit) -> Response:
    """GET /courses"""
    owner_id, session = visit.services.place.owner_id, visit.session
    own = units_of(visit)
    units = own if own is not None else courses.units(session, owner_id)
    chosen = visit.query.get("unit", "") if visit.query.get("unit") in units else ""
    of_units = [chosen] if chosen else own
    asked = OVER.read(visit.query, {"unit": chosen})
    ahead = courses.not_over(session, owner_id, of_units, visit.now, MAX_SHOWN).rows
    over = courses.page_of_courses_over(session, owner_id, of_units, visit.now, asked.cut)
    is_first = over.is_first
    return visit.page(
        "courses.html",
        running=[course for course in ahead if course.starts_at <= visit.now] if is_first else (),
        coming=sorted((each for each in ahead if each.starts_at > visit.now), key=lambda each: each.starts_at)
        if is_first
        else (),
        past=asked.shown(over, lambda course: (course.ends_at, course.id)),
        used=courses.access_now(session, [course.id for course in (*ahead, *over.rows)], visit.now),
        units=units,
        chosen=chosen,
        is_first=is_first,
        asked=exemption_requests.waiting_by_course(session, [course.id for course in (*ahead, *over.rows)]),
        notice=visit.query.get("notice", ""),
    )


def units_of(visit: Visit) -> list[str] | None:
    """The units whose courses whoever is signed in may see, as they were written; None: all."""
    if visit.member.role == "it":
        return None
    units = courses.units(visit.session, visit.services.place.owner_id)
    return [unit for unit in units if same_unit(unit, visit.member.unit)]


def one(visit: Visit) -> Response:
    """GET /courses/{course}"""
    course = theirs(visit)
    if course is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    used = courses.usage(visit.session, course.id, visit.now)
    waiting = exemption_requests.waiting(visit.session, visit.services.place.owner_id, course.id)
    policy = policy_in_force(visit.session, visit.services.place.owner_id)
    return visit.page(
        "course.html",
        course=course,
        state=state(visit, course),
        used=used,
        octets=traffic.of_course(visit.session, course.id, visit.now),
        amount=octets.amount,
        most=max((count for _, count in used.hours), default=0),
        opens_at=course.starts_at - OPENS_BEFORE,
        hours_at_a_time=hours_at_a_time(visit, course),
        stranded=policy is not None and course.over_at > visit.now and is_stranded(policy, course),
        requests=[each.request for each in waiting],
        ssid=visit.services.settings.wifi.ssid,
        opened=openings(policy, course, visit.now) if policy is not None else (),
        may_open=bool(policy is not None and choosable(policy, course, visit.now)),
        listed=bool(policy is not None and openable(policy)),
        categories=CATEGORIES,
        notice=visit.query.get("notice", ""),
    )


def ask_end(visit: Visit) -> Response:
    """GET /courses/{course}/end: ends nothing yet."""
    course = theirs(visit)
    if course is None or course.over_at <= visit.now:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="" if course is None else "course-over")
    devices = courses.devices_with_access(visit.session, course.id, visit.now)
    return visit.page("course_end.html", course=course, devices=devices)


def end(visit: Visit) -> Response:
    """POST /courses/{course}/end: its guests' access and connections end with it."""
    course = theirs(visit)
    if course is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    done = access.end(visit.session, visit.services.place, course.id, by=visit.member.username, now=visit.now)
    if isinstance(done, access.NoCourse):
        return visit.failed(HTTPStatus.NOT_FOUND, reason="course-over")
    return visit.go(f"/courses/{course.id}?notice=ended")


def theirs(visit: Visit) -> Course | None:
    """The course that the address names, if it is one that whoever is signed in may see."""
    course_id = access.known_id(visit.params["course"])
    found = courses.course(visit.session, visit.services.place.owner_id, course_id)
    return found if found is not None and is_theirs(visit, found) else None


def is_theirs(visit: Visit, course: Course) -> bool:
    """Whether the course is for the eyes of whoever is signed in."""
    member = visit.member
    return member.role == "it" or (member.role == "host" and same_unit(course.unit, member.unit))


def state(visit: Visit, course: Course) -> str:
    """`over`, `running` or `coming`."""
    if course.over_at <= visit.now:
        return "over"
    return "running" if course.starts_at <= visit.now else "coming"


def hours_at_a_time(visit: Visit, course: Course) -> float | None:
    """For how many hours the code gives access at a time; None: until the course ends, as most courses are shorter."""
    lasts = terms_of(visit.services.settings).durations.at_course(course.group_key)
    return None if course.ends_at - (course.starts_at - OPENS_BEFORE) <= lasts else lasts / timedelta(hours=1)
