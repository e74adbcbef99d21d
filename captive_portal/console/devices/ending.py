"""Ending the access of all devices that a search means, such as a course's: asked with whom it concerns, then done."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.devices import question
from captive_portal.console.evidence.search import CHARACTERS_PROBLEM, MAX_CHARS
from captive_portal.console.forms import clean_line
from captive_portal.console.visit import Visit
from gateway.access import grants as access
from gateway.storage import online
from gateway.storage.keyset import Cut

MOST = 500
"""At a time: each is a leaf of the log, and nobody else can write meanwhile."""
NAMED = 10
OLDEST_FIRST = Cut("since", descending=False, limit=MOST)


def ask(visit: Visit) -> Response:
    """GET /devices/end: ends nothing yet."""
    asked, problems = question.read(visit.query)
    if problems or not asked.is_narrowed:
        return visit.go("/devices")
    return _page(visit, asked, {})


def end(visit: Visit) -> Response:
    """POST /devices/end: the access of those that the filter means now, at most `MOST` of them."""
    asked, problems = question.read({name: visit.form.get(name) for name in visit.form.fields})
    if problems or not asked.is_narrowed:
        return visit.go("/devices")
    reason, problem = clean_line(visit.form.get("reason"), MAX_CHARS)
    if problem is not None:
        return _page(visit, asked, {"reason": CHARACTERS_PROBLEM})
    return visit.go(f"/devices?notice=all-ended&ended={ended(visit, asked, reason)}")


def ended(visit: Visit, asked: question.Question, reason: str) -> int:
    """End the access of those that are meant, the oldest first and at most `MOST`; how many these were."""
    place, by = visit.services.place, visit.member.username
    found = question.found(visit, asked, OLDEST_FIRST).rows
    return sum(access.revoke(visit.session, place, each, by, visit.now, reason=reason) for each in found)


def _page(visit: Visit, asked: question.Question, problems: dict[str, str]) -> Response:
    found = question.found(visit, asked, OLDEST_FIRST)
    named = online.whole(visit.session, found.rows[:NAMED])
    return visit.page(
        "end_all.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        asked=asked,
        count=len(found.rows),
        is_more=not found.is_last,
        named=named,
        course=next((grant.course.title for grant in named if grant.course), "") if asked.course else "",
        problems=problems,
    )
