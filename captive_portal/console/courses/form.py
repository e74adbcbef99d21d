"""The form of a course: new, or one that stands. A host's unit is their own, and their groups those that IT allows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.courses.rooms import theirs
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.access import courses as access
from gateway.access.course_plan import (
    DEVICES_FOR_PARTICIPANTS,
    MAX_CHARS,
    MAX_DEVICES,
    OFFERS,
    PARTICIPANTS,
    Field,
    Problem,
    Wish,
    local_moment,
    local_text,
)
from gateway.access.recognised import terms_of
from gateway.clock import MUNICIPAL_ZONE
from gateway.lists.draft_edits import ruled_groups
from gateway.storage import generations
from gateway.storage.course_models import Course

FIELDS = ("title", "unit", "starts_at", "ends_at", "group", "max_devices", "offered")
_SAID: Mapping[tuple[Field, Problem], str] = {
    ("title", "missing"): N_("Write what the course is called"),
    ("unit", "missing"): N_("Write which unit has invited the course"),
    ("starts_at", "missing"): N_("Give the day and time when the course begins"),
    ("ends_at", "missing"): N_("Give the day and time when the course ends"),
    ("starts_at", "too_far"): N_("The course may begin at most 400 days from now"),
    ("ends_at", "too_far"): N_("The course may last at most 400 days"),
    ("ends_at", "past"): N_("The end has passed already"),
    ("ends_at", "order"): N_("The course must end after it begins"),
    ("group", "no_group"): N_("Choose a group"),
    ("max_devices", "count"): N_("Write a number of devices from 1 to 1000"),
    ("offered", "no_offer"): N_("Choose how guests get in"),
}
_TOO_LONG = N_("At most 120 characters")
_CHARACTERS = N_("There are characters here that can’t be used")


def new(visit: Visit) -> Response:
    """GET /courses/new"""
    return _page(visit, None, _fresh(visit))


def add(visit: Visit) -> Response:
    """POST /courses/new"""
    made = added(visit, _wish(visit))
    if isinstance(made, access.Refused):
        return _page(visit, None, _typed(visit), made.problems)
    return visit.go(f"/courses/{made.id}?notice=added")


def edit(visit: Visit) -> Response:
    """GET /courses/{course}/edit"""
    course = theirs(visit)
    if course is None or course.over_at <= visit.now:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="" if course is None else "course-over")
    return _page(visit, course, _of(course))


def change(visit: Visit) -> Response:
    """POST /courses/{course}/edit"""
    course = theirs(visit)
    if course is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    done = changed(visit, course, _wish(visit))
    if isinstance(done, access.NoCourse):
        return visit.failed(HTTPStatus.NOT_FOUND, reason="course-over")
    if isinstance(done, access.Refused):
        return _page(visit, course, _typed(visit), done.problems)
    return visit.go(f"/courses/{course.id}?notice=changed")


def added(visit: Visit, wish: Wish) -> Course | access.Refused:
    """Make the course that is wished for."""
    place, by = visit.services.place, visit.member.username
    return access.add(visit.session, place, wish, groups(visit), by=by, now=visit.now)


def changed(visit: Visit, course: Course, wish: Wish) -> Course | access.Refused | access.NoCourse:
    """Make the course what is wished for."""
    return access.change(
        visit.session,
        visit.services.place,
        course.id,
        wish,
        groups(visit),
        by=visit.member.username,
        duration=terms_of(visit.services.settings).durations.at_course(wish.group),
        now=visit.now,
    )


def unit_of(visit: Visit, written: str) -> str:
    """Whose course it is: a host's are their own unit's."""
    return visit.member.unit if visit.member.role == "host" else written


def groups(visit: Visit) -> list[str]:
    """The groups that whoever is signed in may give a course: of the policy in force, a host only those IT allows."""
    published = generations.in_force(visit.session, visit.services.place.owner_id)
    found = ruled_groups(published.document) if published is not None else []
    if visit.member.role == "it":
        return found
    allowed = visit.services.settings.courses.host_groups
    return [group for group in found if group in allowed]


def _wish(visit: Visit) -> Wish:
    form = visit.form
    devices = form.get("max_devices").strip()
    return Wish(
        title=" ".join(form.get("title").split(" ")).strip(),
        unit=unit_of(visit, form.get("unit").strip()),
        starts_at=local_moment(form.get("starts_at").strip()),
        ends_at=local_moment(form.get("ends_at").strip()),
        group=form.get("group"),
        max_devices=int(devices) if devices.isascii() and devices.isdecimal() and len(devices) < 6 else None,
        offered=form.get("offered"),
    )


def _fresh(visit: Visit) -> dict[str, str]:
    """Tomorrow from nine to three, for 25 participants with a phone and a laptop each."""
    tomorrow = (visit.now.astimezone(MUNICIPAL_ZONE) + timedelta(days=1)).date()
    possible = groups(visit)
    return {
        "title": "",
        "unit": visit.member.unit,
        "starts_at": f"{tomorrow}T09:00",
        "ends_at": f"{tomorrow}T15:00",
        "group": "default" if "default" in possible else (possible or [""])[0],
        "max_devices": str(DEVICES_FOR_PARTICIPANTS),
        "offered": "code",
    }


def _of(course: Course) -> dict[str, str]:
    return {
        "title": course.title,
        "unit": course.unit,
        "starts_at": local_text(course.starts_at),
        "ends_at": local_text(course.ends_at),
        "group": course.group_key,
        "max_devices": str(course.max_devices),
        "offered": course.offered,
    }


def _typed(visit: Visit) -> dict[str, str]:
    shown = {name: visit.form.get(name)[: 2 * MAX_CHARS] for name in FIELDS}
    return {name: "".join(each for each in text if each.isprintable()) for name, text in shown.items()}


def _page(
    visit: Visit, course: Course | None, typed: dict[str, str], problems: Mapping[Field, Problem] | None = None
) -> Response:
    possible = groups(visit)
    if course is not None and course.group_key not in possible:
        possible = [*possible, course.group_key]
    said = {field: words(field, problem) for field, problem in (problems or {}).items()}
    return visit.page(
        "course_form.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if said else HTTPStatus.OK,
        course=course,
        typed=typed,
        problems=said,
        groups=possible,
        offers=OFFERS,
        participants=PARTICIPANTS,
        preset=DEVICES_FOR_PARTICIPANTS,
        most=MAX_DEVICES,
        today=_day(visit.now),
    )


def words(field: Field, problem: Problem) -> str:
    return {"too_long": _TOO_LONG, "characters": _CHARACTERS}.get(problem) or _SAID[field, problem]


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(MUNICIPAL_ZONE):%Y-%m-%d}"
