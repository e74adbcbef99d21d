"""Requests for exemptions of guests of a course, as its host decides them: within what IT has listed for hosts.

A host sees what is asked and what for, not who asks. What they may not open they decline or pass on to IT, who sees
every request anyhow. What they have passed on IT decides, and they see that it waits, or what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Literal

from starlette.responses import Response

from captive_portal.console.courses.rooms import theirs
from captive_portal.console.look import N_
from captive_portal.console.policy import deciding
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.policy.deciding import PROBLEMS
from captive_portal.console.visit import Visit
from gateway.access import exemption_requests as requests
from gateway.access.closed import Standing
from gateway.access.course_openings import policy_in_force
from gateway.access.exemption_requests import ANSWER_MAX_CHARS
from gateway.errors import UsageError
from gateway.storage.course_models import Course
from gateway.storage.exemption_requests import Asked
from policies.categories import CATEGORIES
from policies.host_opening import MAX_HOURS, end_of, openable

WORDS: Mapping[str, str] = PROBLEMS | {
    "until": N_("Write a moment that lies ahead, at most 8 hours, and not after the course ends."),
    "not_listed": N_("IT has not listed this for hosts to open. Pass the request on to IT."),
    "policy": N_("The content filter can’t be changed now. Pass the request on to IT."),
    "no_group": N_("The guest’s group is not in the content filter any more. Pass the request on to IT."),
}


@dataclass(frozen=True, slots=True)
class NotByHost:
    """Why a host can't grant it: IT has not listed it for hosts, or the policy in force can't be changed."""

    reason: Literal["not_listed", "policy"]


class RequestPages:
    """The pages, over the compiled policy that DNS serves."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def show(self, visit: Visit) -> Response:
        """GET /courses/{course}/requests/{request}"""
        found = find(visit)
        return visit.failed(HTTPStatus.NOT_FOUND) if found is None else self._page(visit, *found)

    def grant(self, visit: Visit) -> Response:
        """POST /courses/{course}/requests/{request}/grant: publish the exemption, for this guest alone."""
        found = find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        answer, problem = deciding.answer_to_grant(visit)
        if problem:
            return self._page(visit, *found, {"granting": problem})
        done = granted(self._snapshot, visit, *found, answer, deciding.typed_moment(visit))
        return self._done(visit, *found, done, "granted")

    def decline(self, visit: Visit) -> Response:
        """POST /courses/{course}/requests/{request}/decline: the guest is told why not."""
        found = find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        answer, problem = deciding.answer_to_decline(visit)
        if problem:
            return self._page(visit, *found, {"declining": problem})
        return self._done(visit, *found, deciding.declined(visit, found[1], answer), "declined")

    def pass_on(self, visit: Visit) -> Response:
        """POST /courses/{course}/requests/{request}/pass-on: IT is told that the host leaves it to them."""
        found = find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        return self._done(visit, *found, passed_on(visit, found[1]), "passed-on")

    def _done(
        self,
        visit: Visit,
        course: Course,
        asked: Asked,
        done: requests.Decided | requests.NotDecided | NotByHost,
        notice: str,
    ) -> Response:
        if isinstance(done, requests.Decided):
            return visit.go(f"/courses/{course.id}?notice={notice}")
        if done.reason == "gone":
            return visit.failed(HTTPStatus.NOT_FOUND)
        return self._page(visit, course, asked, {"until" if done.reason == "until" else "": WORDS[done.reason]})

    def _page(self, visit: Visit, course: Course, asked: Asked, problems: dict[str, str] | None = None) -> Response:
        standing = deciding.standing_of(self._snapshot, visit, asked)
        categories = deciding.to_open(standing, asked)
        grant, most = asked.grant, end_of(visit.now, MAX_HOURS, course.over_at)
        return visit.page(
            "course_request.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
            course=course,
            request=asked.request,
            is_left=asked.request.decided_at is not None and deciding.is_host(visit),
            is_open_now=standing is not None and standing.permitted,
            closing=[CATEGORIES[key] for key in categories if key in CATEGORIES],
            may_open=may_open(visit, standing, categories),
            has_access=most is not None and grant.revoked_at is None and grant.ends_at > visit.now,
            until=visit.form.get("until")[:40] or deciding.shown_moment(most or visit.now),
            answer=visit.form.get("answer")[:ANSWER_MAX_CHARS],
            problems=problems or {},
            answer_max=ANSWER_MAX_CHARS,
            most_hours=MAX_HOURS,
        )


def granted(
    snapshot: SnapshotReader, visit: Visit, course: Course, asked: Asked, answer: str, until: datetime | None
) -> requests.Decided | requests.NotDecided | NotByHost:
    """Publish the exemption that a guest of a course asked for, for that guest alone, if a host may open it so long."""
    most = end_of(visit.now, MAX_HOURS, course.over_at)
    if until is None or most is None or until > most:
        return requests.NotDecided("until")
    standing = deciding.standing_of(snapshot, visit, asked)
    if not may_open(visit, standing, deciding.to_open(standing, asked)):
        return NotByHost("not_listed")
    try:
        return deciding.granted(snapshot, visit, asked, answer, "session", until)
    except UsageError:
        return NotByHost("policy")


def passed_on(visit: Visit, asked: Asked) -> requests.Decided | requests.NotDecided:
    """Leave a request to IT."""
    return requests.pass_on(visit.session, visit.services.place, asked.request.id, visit.member.username, visit.now)


def may_open(visit: Visit, standing: Standing | None, categories: tuple[str, ...]) -> bool:
    """Whether hosts may open the site: by category, as an exemption does not open what IT has closed by name."""
    policy = policy_in_force(visit.session, visit.services.place.owner_id)
    by_category = standing is None or standing.permitted or standing.can_be_exempted
    return policy is not None and by_category and openable(policy).issuperset(categories)


def find(visit: Visit) -> tuple[Course, Asked] | None:
    """The course and the request that the address names, if they belong to each other and to whoever is signed in."""
    course, asked = theirs(visit), deciding.find(visit)
    if course is None or asked is None or asked.request.course_id != course.id:
        return None
    return course, asked
