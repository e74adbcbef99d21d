"""Requests for exemptions of a course's guests over JSON, as its host decides them: who asks is not told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.exemption_requests import DeclineAsked, not_decided
from captive_portal.api.fields import Moment, line
from captive_portal.api.paging import Asked, Page, Paged, answered, part
from captive_portal.api.problems import unknown
from captive_portal.console.courses import requests as pages
from captive_portal.console.courses.rooms import theirs
from captive_portal.console.policy import deciding
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access import exemption_requests as requests
from gateway.access.exemption_requests import ANSWER_MAX_CHARS
from gateway.storage import exemption_requests as stored
from gateway.storage.exemption_models import ExemptionRequest
from policies.host_opening import MAX_HOURS, end_of

ROOT, ROOM = "/api/v1/courses/{course}/requests", "courses"


class CourseRequest(BaseModel):
    """What a guest of a course asks for. `decision`: waiting, passed_on (it waits for IT), granted or declined."""

    id: str
    name: str
    categories: list[str]
    purpose: Annotated[str, Field(examples=["a course about games"])]
    asked_at: datetime
    decision: Annotated[str, Field(examples=["waiting"])]
    decided_at: datetime | None
    decided_by: str
    answer: str
    until: datetime | None


class CourseRequests(Page):
    """The requests of a course that nobody has granted or declined, the newest first."""

    requests: list[CourseRequest]


class CourseRequestNow(CourseRequest):
    """A request, with what would have to be opened now (`closing`), whether hosts may open that, and until when at most
    (null: not any more). `open_now`: the site is not closed for this guest.
    """

    closing: Annotated[list[str], Field(examples=[["gaming"]])]
    open_now: Annotated[bool, Field(examples=[False])]
    may_open: bool
    latest: datetime | None


class HostGrantAsked(Asked):
    """Until when, at most 8 hours ahead and not beyond the course, and what the guest is told."""

    until: Moment
    answer: Annotated[str, line(ANSWER_MAX_CHARS)] = ""


class CourseRequestsApi:
    """The calls, over the compiled policy that DNS serves."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def calls(self) -> tuple[Call, ...]:
        """The table of the calls."""
        one, now = f"{ROOT}/{{request}}", CourseRequestNow
        return (
            Call("GET", ROOT, "host", self.every, "read", Paged, CourseRequests, "Requests of a course's guests", ROOM),
            Call("GET", one, "host", self.one, "read", None, now, "One request of a course's guest", ROOM),
            Call(
                "POST", f"{one}/grant", "host", self.grant, "write", HostGrantAsked, now,
                "Grant a request, for this guest alone", ROOM,
            ),
            Call("POST", f"{one}/decline", "host", self.decline, "write", DeclineAsked, now, "Decline it", ROOM),
            Call("POST", f"{one}/pass-on", "host", self.pass_on, "write", None, now, "Leave it to IT", ROOM),
        )  # fmt: skip

    def every(self, visit: Visit) -> Response:
        """GET /api/v1/courses/{course}/requests"""
        course = theirs(visit)
        if course is None:
            return unknown(visit, "there is no such course")
        rows = [each.request for each in stored.waiting(visit.session, visit.services.place.owner_id, course.id)]
        found = part(rows, visit, lambda row: (row.asked_at.isoformat(), row.id), parts=2, newest_first=True)
        if isinstance(found, Response):
            return found
        return answered(CourseRequests, {"requests": [_facts(row) for row in found[0]], "next": found[1]})

    def one(self, visit: Visit) -> Response:
        """GET /api/v1/courses/{course}/requests/{request}"""
        found = pages.find(visit)
        if found is None:
            return _gone(visit)
        course, asked = found
        standing = deciding.standing_of(self._snapshot, visit, asked)
        closing = deciding.to_open(standing, asked)
        facts = _facts(asked.request) | {
            "closing": list(closing),
            "open_now": standing is not None and standing.permitted,
            "may_open": pages.may_open(visit, standing, closing),
            "latest": end_of(visit.now, MAX_HOURS, course.over_at),
        }
        return answered(CourseRequestNow, facts)

    def grant(self, visit: Visit) -> Response:
        """POST /api/v1/courses/{course}/requests/{request}/grant"""
        found, asked = pages.find(visit), visit.asked
        if found is None:
            return _gone(visit)
        return self._done(visit, pages.granted(self._snapshot, visit, *found, asked.answer, asked.until))

    def decline(self, visit: Visit) -> Response:
        """POST /api/v1/courses/{course}/requests/{request}/decline"""
        found = pages.find(visit)
        if found is None:
            return _gone(visit)
        return self._done(visit, deciding.declined(visit, found[1], visit.asked.answer))

    def pass_on(self, visit: Visit) -> Response:
        """POST /api/v1/courses/{course}/requests/{request}/pass-on"""
        found = pages.find(visit)
        return _gone(visit) if found is None else self._done(visit, pages.passed_on(visit, found[1]))

    def _done(self, visit: Visit, done: requests.Decided | requests.NotDecided | pages.NotByHost) -> Response:
        if isinstance(done, requests.Decided):
            visit.session.expire_all()
            return self.one(visit)
        return not_decided(visit, done.reason, pages.WORDS)


def _gone(visit: Visit) -> Response:
    return unknown(visit, "there is no such request of this course")


def _facts(row: ExemptionRequest) -> dict[str, Any]:
    names = ("id", "name", "categories", "purpose", "asked_at", "decided_at", "decided_by", "answer", "until")
    waiting = "waiting" if row.decided_at is None else "passed_on"
    return {name: getattr(row, name) for name in names} | {"decision": row.decision or waiting}
