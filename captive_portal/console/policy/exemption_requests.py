"""Guests' requests for exemptions: those that wait, who asks, and granting or declining them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.policy import deciding
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.policy.deciding import PROBLEMS
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.access import exemption_requests as requests
from gateway.access.exemption_requests import ANSWER_MAX_CHARS, SESSION_PREFIX, Scope
from gateway.errors import UsageError
from gateway.storage import courses, exemption_requests
from gateway.storage.exemption_requests import Asked
from gateway.storage.keyset import Place
from policies.categories import CATEGORIES
from policies.model import NEVER_EXEMPT

WAITING = Table("/exemptions", (Column("asked", N_("Asked"), "moment"),), descending=False, size=25, prefix="w-")
DECIDED = Table("/exemptions", (Column("decided", N_("Decided"), "moment"),), size=25)
DECISIONS = ("granted", "declined")


class ExemptionPages:
    """The pages, over the compiled policy that DNS serves."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def overview(self, visit: Visit) -> Response:
        """GET /exemptions"""
        owner_id, session = visit.services.place.owner_id, visit.session
        decision = visit.query.get("decision", "") if visit.query.get("decision") in DECISIONS else ""
        asked = WAITING.read(visit.query, {"decision": decision})
        settled = DECIDED.read(visit.query, {"decision": decision})
        waiting = exemption_requests.page_of_requests(session, owner_id, ("",), asked.cut)
        decided = exemption_requests.page_of_requests(
            session, owner_id, (decision,) if decision else DECISIONS, settled.cut
        )
        return visit.page(
            "exemptions.html",
            waiting=asked.shown(waiting, _place("asked"), total=visit.requests_waiting),
            decided=settled.shown(decided, _place("decided")),
            decision=decision,
            categories=CATEGORIES,
            kept_days=exemption_requests.KEPT_DAYS,
            notice=visit.query.get("notice", ""),
        )

    def show(self, visit: Visit) -> Response:
        """GET /exemptions/{request}"""
        found = deciding.find(visit)
        return visit.failed(HTTPStatus.NOT_FOUND) if found is None else self._page(visit, found)

    def grant(self, visit: Visit) -> Response:
        """POST /exemptions/{request}/grant: publish the exemption, and tell the guest."""
        found = deciding.find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        answer, problem = deciding.answer_to_grant(visit)
        until = deciding.typed_moment(visit)
        if problem:
            return self._page(visit, found, {"granting": problem})
        if until is None:
            return self._page(visit, found, {"until": PROBLEMS["until"]})
        try:
            scope: Scope = "group" if visit.form.get("scope") == "group" else "session"
            done = deciding.granted(self._snapshot, visit, found, answer, scope, until)
        except UsageError:
            return self._page(visit, found, {"": PROBLEMS["policy"]})
        return self._done(visit, found, done, "granted")

    def decline(self, visit: Visit) -> Response:
        """POST /exemptions/{request}/decline: the guest is told why not."""
        found = deciding.find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        answer, problem = deciding.answer_to_decline(visit)
        if problem:
            return self._page(visit, found, {"declining": problem})
        done = deciding.declined(visit, found, answer)
        return self._done(visit, found, done, "declined")

    def _done(self, visit: Visit, found: Asked, done: requests.Decided | requests.NotDecided, notice: str) -> Response:
        if isinstance(done, requests.Decided):
            return visit.go(f"/exemptions?notice={notice}")
        if done.reason == "gone":
            return visit.failed(HTTPStatus.NOT_FOUND)
        return self._page(visit, found, {"until" if done.reason == "until" else "": PROBLEMS[done.reason]})

    def _page(self, visit: Visit, found: Asked, problems: dict[str, str] | None = None) -> Response:
        grant, request = found.grant, found.request
        standing = deciding.standing_of(self._snapshot, visit, found)
        categories = deciding.to_open(standing, found)
        until = max(grant.ends_at, visit.now + timedelta(minutes=15)) if grant.ends_at > visit.now else visit.now
        owner_id, course_id = visit.services.place.owner_id, request.course_id
        return visit.page(
            "exemption.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
            request=request,
            course=courses.course(visit.session, owner_id, course_id) if course_id is not None else None,
            grant=grant,
            standing=standing,
            closing=[CATEGORIES[key] for key in categories if key in CATEGORIES],
            never=bool(NEVER_EXEMPT.intersection(categories)),
            is_open=grant.revoked_at is None and grant.ends_at > visit.now,
            alone=grant.group_key.startswith(SESSION_PREFIX),
            until=visit.form.get("until")[:40] or deciding.shown_moment(until),
            answer=visit.form.get("answer")[:ANSWER_MAX_CHARS],
            scope=visit.form.get("scope") or "session",
            problems=problems or {},
            answer_max=ANSWER_MAX_CHARS,
        )


def _place(by: str) -> Callable[[Asked], Place]:
    return lambda each: exemption_requests.place_of(each, by)
