"""A host opens a category for a course: which, how long and why, confirmed once; and closes it again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from captive_portal.console.courses.rooms import theirs
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.access import course_openings as access
from gateway.errors import UsageError
from gateway.storage import courses
from gateway.storage.course_models import Course
from policies.categories import CATEGORIES
from policies.host_opening import MAX_HOURS, end_of

REASON_MAX_CHARS = 200
REASON = {
    "missing": N_("Write why it is opened. It is recorded in the log."),
    "too_long": N_("At most 200 characters."),
    "characters": N_("There are characters that can’t be used, such as control characters. Write it again."),
}
NO_CATEGORY = N_("Choose a category. It may have been opened, or taken from the list for hosts, meanwhile.")
NO_HOURS = N_("Choose for how long.")
NOT_TAKEN = N_("The content filter in force can’t be changed. Call IT.")


def ask(visit: Visit) -> Response:
    """GET /courses/{course}/open: the form; opens nothing yet."""
    course = theirs(visit)
    return _no_course(visit, course) or _form(visit, course)


def open_(visit: Visit) -> Response:
    """POST /courses/{course}/open: what was chosen, to be confirmed; and when it is (`confirmed`), opened."""
    course = theirs(visit)
    if (gone := _no_course(visit, course)) is not None:
        return gone
    assert course is not None
    category, hours = visit.form.get("category"), _hours(visit.form.get("hours"))
    reason, wrong = clean_line(visit.form.get("reason"), REASON_MAX_CHARS, required=True)
    problems: dict[str, str] = {}
    if category not in _choices(visit, course):
        problems["category"] = NO_CATEGORY
    until = end_of(visit.now, hours, course.over_at)
    if until is None:
        problems["hours"] = NO_HOURS
    if wrong is not None:
        problems["reason"] = REASON[wrong]
    if problems:
        return _form(visit, course, problems, reason)
    if visit.form.get("confirmed") != "yes":
        devices = courses.devices_with_access(visit.session, course.id, visit.now)
        chosen = {"category": CATEGORIES[category], "hours": hours, "until": until, "reason": reason}
        return visit.page("course_open_confirm.html", course=course, devices=devices, **chosen)
    try:
        done = access.open_category(
            visit.session, visit.services.place, course.id, category, hours,
            reason=reason, by=visit.member.username, now=visit.now,
        )  # fmt: skip
    except UsageError:
        return _form(visit, course, {"": NOT_TAKEN}, reason)
    if isinstance(done, access.NotOpened):  # somebody was quicker
        return _form(visit, course, {"category": NO_CATEGORY}, reason)
    return visit.go(f"/courses/{course.id}?notice=opened")


def close(visit: Visit) -> Response:
    """POST /courses/{course}/openings/{opening}/close: before its time."""
    course = theirs(visit)
    if (gone := _no_course(visit, course)) is not None:
        return gone
    assert course is not None
    opening, by = visit.params["opening"], visit.member.username
    try:
        done = access.close_category(visit.session, visit.services.place, course, opening, by=by, now=visit.now)
    except UsageError:
        return _form(visit, course, {"": NOT_TAKEN})
    return visit.go(f"/courses/{course.id}?notice={'closed' if done else 'closed-already'}")


def _no_course(visit: Visit, course: Course | None) -> Response | None:
    if course is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    return visit.failed(HTTPStatus.NOT_FOUND, reason="course-over") if course.over_at <= visit.now else None


def _hours(text: str) -> int:
    return int(text) if len(text) == 1 and text in "12345678" else 0


def _choices(visit: Visit, course: Course) -> tuple[str, ...]:
    policy = access.policy_in_force(visit.session, visit.services.place.owner_id)
    return () if policy is None else access.choosable(policy, course, visit.now)


def lengths(course: Course, now: datetime) -> list[tuple[int, datetime, bool]]:
    """How long something may be open: hours, until when, and whether that is the end of the course."""
    found = []
    for hours in range(1, MAX_HOURS + 1):
        last = now + timedelta(hours=hours) >= course.over_at
        found.append((hours, min(now + timedelta(hours=hours), course.over_at), last))
        if last:
            break
    return found


def _form(visit: Visit, course: Course | None, problems: Mapping[str, str] | None = None, reason: str = "") -> Response:
    assert course is not None
    choices = _choices(visit, course)
    shown: dict[str, Any] = {
        "course": course,
        "choices": [CATEGORIES[key] for key in choices],
        "lengths": lengths(course, visit.now),
        "typed": {"category": visit.form.get("category"), "hours": visit.form.get("hours"), "reason": reason},
        "reason_max": REASON_MAX_CHARS,
        "problems": problems or {},
    }
    return visit.page("course_open.html", HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK, **shown)
