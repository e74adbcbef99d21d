"""Requests for exemptions of guests of a course, as its host decides them: within what IT has listed for hosts.

A host sees what is asked and what for, not who asks. What they may not open they decline or pass on to IT, who sees
every request anyhow. What they have passed on IT decides, and they see that it waits, or what became of it.
"""

from __future__ import annotations

from http import HTTPStatus

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

_OWN = {
    "until": N_("Write a moment that lies ahead, at most 8 hours, and not after the course ends."),
    "not_listed": N_("IT has not listed this for hosts to open. Pass the request on to IT."),
    "policy": N_("The content filter can’t be changed now. Pass the request on to IT."),
    "no_group": N_("The guest’s group is not in the content filter any more. Pass the request on to IT."),
}


class RequestPages:
    """The pages, over the compiled policy that DNS serves."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def show(self, visit: Visit) -> Response:
        """GET /courses/{course}/requests/{request}"""
        found = _find(visit)
        return visit.failed(HTTPStatus.NOT_FOUND) if found is None else self._page(visit, *found)

    def grant(self, visit: Visit) -> Response:
        """POST /courses/{course}/requests/{request}/grant: publish the exemption, for this guest alone."""
        found = _find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        course, asked = found
        answer, problem = deciding.answer_to_grant(visit)
        if problem:
            return self._page(visit, course, asked, {"granting": problem})
        until, most = deciding.typed_moment(visit), end_of(visit.now, MAX_HOURS, course.over_at)
        if until is None or most is None or until > most:
            return self._page(visit, course, asked, {"until": _OWN["until"]})
        standing = deciding.standing_of(self._snapshot, visit, asked)
        categories = deciding.to_open(standing, asked)
        if not _may_open(visit, standing, categories):
            return self._page(visit, course, asked, {"": _OWN["not_listed"]})
        try:
            done = requests.grant(
                visit.session,
                visit.services.place,
                asked.request.id,
                visit.member.username,
                answer,
                scope="session",
                categories=categories,
                until=until,
                now=visit.now,
                by_host=_is_host(visit),
            )
        except UsageError:
            return self._page(visit, course, asked, {"": _OWN["policy"]})
        return self._done(visit, course, asked, done, "granted")

    def decline(self, visit: Visit) -> Response:
        """POST /courses/{course}/requests/{request}/decline: the guest is told why not."""
        found = _find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        course, asked = found
        answer, problem = deciding.answer_to_decline(visit)
        if problem:
            return self._page(visit, course, asked, {"declining": problem})
        place, by = visit.services.place, visit.member.username
        done = requests.decline(visit.session, place, asked.request.id, by, answer, visit.now, by_host=_is_host(visit))
        return self._done(visit, course, asked, done, "declined")

    def pass_on(self, visit: Visit) -> Response:
        """POST /courses/{course}/requests/{request}/pass-on: IT is told that the host leaves it to them."""
        found = _find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        course, asked = found
        done = requests.pass_on(visit.session, visit.services.place, asked.request.id, visit.member.username, visit.now)
        return self._done(visit, course, asked, done, "passed-on")

    def _done(
        self,
        visit: Visit,
        course: Course,
        asked: Asked,
        done: requests.Decided | requests.NotDecided,
        notice: str,
    ) -> Response:
        if isinstance(done, requests.Decided):
            return visit.go(f"/courses/{course.id}?notice={notice}")
        if done.reason == "gone":
            return visit.failed(HTTPStatus.NOT_FOUND)
        told = _OWN.get(done.reason) or PROBLEMS[done.reason]
        return self._page(visit, course, asked, {"until" if done.reason == "until" else "": told})

    def _page(self, visit: Visit, course: Course, asked: Asked, problems: dict[str, str] | None = None) -> Response:
        standing = deciding.standing_of(self._snapshot, visit, asked)
        categories = deciding.to_open(standing, asked)
        grant, most = asked.grant, end_of(visit.now, MAX_HOURS, course.over_at)
        return visit.page(
            "course_request.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
            course=course,
            request=asked.request,
            is_left=asked.request.decided_at is not None and _is_host(visit),
            is_open_now=standing is not None and standing.permitted,
            closing=[CATEGORIES[key] for key in categories if key in CATEGORIES],
            may_open=_may_open(visit, standing, categories),
            has_access=most is not None and grant.revoked_at is None and grant.ends_at > visit.now,
            until=visit.form.get("until")[:40] or deciding.shown_moment(most or visit.now),
            answer=visit.form.get("answer")[:ANSWER_MAX_CHARS],
            problems=problems or {},
            answer_max=ANSWER_MAX_CHARS,
            most_hours=MAX_HOURS,
        )


def _is_host(visit: Visit) -> bool:
    return visit.member.role == "host"


def _may_open(visit: Visit, standing: Standing | None, categories: tuple[str, ...]) -> bool:
    """Whether hosts may open the site: by category, as an exemption does not open what IT has closed by name."""
    policy = policy_in_force(visit.session, visit.services.place.owner_id)
    by_category = standing is None or standing.permitted or standing.can_be_exempted
    return policy is not None and by_category and openable(policy).issuperset(categories)


def _find(visit: Visit) -> tuple[Course, Asked] | None:
    """The course and the request that the address names, if they belong to each other and to whoever is signed in."""
    course, asked = theirs(visit), deciding.find(visit)
    if course is None or asked is None or asked.request.course_id != course.id:
        return None
    return course, asked
