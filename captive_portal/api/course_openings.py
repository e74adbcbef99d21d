"""What hosts open for a course over JSON: what is open and may be opened, opening a category, and closing it again."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Category, line
from captive_portal.api.paging import Asked, answered, no_content
from captive_portal.api.problems import conflict, refused, unknown
from captive_portal.console.courses import openings as pages
from captive_portal.console.courses.rooms import theirs
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access import course_openings as access
from gateway.errors import UsageError
from policies.host_opening import MAX_HOURS

ROOT, ROOM = "/api/v1/courses/{course}/openings", "courses"
NO_COURSE, OVER, ENDED = "there is no such course", "the course is over", "it is not open any more"


class Opening(BaseModel):
    """A category that is open for the course alone until `ends_at`."""

    id: Annotated[str, Field(examples=["course-019ab0c1d2e3-7"])]
    categories: list[str]
    starts_at: datetime
    ends_at: datetime
    reason: str
    opened_by: Annotated[str, Field(examples=["vert"])]


class Openings(BaseModel):
    """What is open for the course, the first to end first; `choices` are the categories that may be opened now."""

    openings: list[Opening]
    choices: Annotated[list[str], Field(examples=[["gaming"]])]


class OpeningAsked(Asked):
    """Which category, for how many hours, and why, which the log keeps."""

    category: Category
    hours: Annotated[int, Field(ge=1, le=MAX_HOURS)]
    reason: Annotated[str, line(pages.REASON_MAX_CHARS, required=True)]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    return (
        Call("GET", ROOT, "host", every, "read", None, Openings, "What is open for a course", ROOM),
        Call(
            "POST", ROOT, "host", add, "write", OpeningAsked, Openings, "Open a category for a course", ROOM,
            status=HTTPStatus.CREATED,
        ),
        Call(
            "DELETE", f"{ROOT}/{{opening}}", "host", close, "write", None, None, "Close it before its time", ROOM,
            status=HTTPStatus.NO_CONTENT,
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/courses/{course}/openings"""
    return _shown(visit, HTTPStatus.OK)


def add(visit: Visit) -> Response:
    """POST /api/v1/courses/{course}/openings"""
    course, asked, by = theirs(visit), visit.asked, visit.member.username
    if course is None:
        return unknown(visit, NO_COURSE)
    place = visit.services.place
    try:
        done = access.open_category(
            visit.session, place, course.id, asked.category, asked.hours, reason=asked.reason, by=by, now=visit.now
        )
    except UsageError:
        return conflict(pages.NOT_TAKEN)
    if isinstance(done, access.NotOpened):
        return conflict(OVER) if done.reason == "over" else refused({"category": pages.NO_CATEGORY})
    return _shown(visit, HTTPStatus.CREATED)


def close(visit: Visit) -> Response:
    """DELETE /api/v1/courses/{course}/openings/{opening}"""
    course, by = theirs(visit), visit.member.username
    if course is None:
        return unknown(visit, NO_COURSE)
    if course.over_at <= visit.now:
        return conflict(OVER)
    try:
        done = access.close_category(
            visit.session, visit.services.place, course, visit.params["opening"], by=by, now=visit.now
        )
    except UsageError:
        return conflict(pages.NOT_TAKEN)
    return no_content() if done else unknown(visit, ENDED)


def _shown(visit: Visit, status: HTTPStatus) -> Response:
    course = theirs(visit)
    if course is None:
        return unknown(visit, NO_COURSE)
    policy = access.policy_in_force(visit.session, visit.services.place.owner_id)
    found = [
        {
            "id": each.id,
            "categories": sorted(each.categories),
            "starts_at": each.start,
            "ends_at": each.end,
            "reason": each.reason,
            "opened_by": each.approved_by,
        }
        for each in (access.openings(policy, course, visit.now) if policy is not None else ())
    ]
    choices = access.choosable(policy, course, visit.now) if policy is not None else ()
    return answered(Openings, {"openings": found, "choices": list(choices)}, status=status)
