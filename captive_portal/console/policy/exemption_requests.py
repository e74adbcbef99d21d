"""Guests' requests for exemptions: those that wait, who asks, and granting or declining them."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.visit import Visit
from gateway.access import exemption_requests as requests
from gateway.access.closed import Standing, stand
from gateway.access.exemption_requests import ANSWER_MAX_CHARS, SESSION_PREFIX, Scope
from gateway.clock import MUNICIPAL_ZONE
from gateway.dns.plan import Accepted
from gateway.errors import UsageError
from gateway.storage import courses, exemption_requests
from gateway.storage.exemption_requests import Asked
from policies.categories import CATEGORIES
from policies.model import NEVER_EXEMPT
from policies.names import PolicyError

SHOWN = 30
WRITTEN = "%Y-%m-%dT%H:%M"  # as <input type="datetime-local"> writes a moment
PROBLEMS = {
    "decided": N_("Somebody else has decided this request already."),
    "ended": N_("The guest’s access has ended, so an exemption for the guest alone would open nothing."),
    "never": N_("Sites that harm devices or trick people are never opened by an exemption."),
    "no_group": N_("The guest’s group is not in the content filter any more. Move the device to another group first."),
    "answer": N_("The answer may have at most 300 characters, in one line."),
    "no_answer": N_("Write a sentence to the guest: why not, or what to do instead."),
    "until": N_("Write a moment that lies ahead, at most 400 days."),
    "policy": N_("The content filter in force can’t be changed. Look at the page of the content filter."),
}


class ExemptionPages:
    """The pages, over the compiled policy that DNS serves."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def overview(self, visit: Visit) -> Response:
        """GET /exemptions"""
        owner_id = visit.services.place.owner_id
        return visit.page(
            "exemptions.html",
            waiting=exemption_requests.waiting(visit.session, owner_id),
            decided=exemption_requests.decided(visit.session, owner_id, SHOWN),
            categories=CATEGORIES,
            kept_days=exemption_requests.KEPT_DAYS,
            notice=visit.query.get("notice", ""),
        )

    def show(self, visit: Visit) -> Response:
        """GET /exemptions/{request}"""
        found = self._find(visit)
        return visit.failed(HTTPStatus.NOT_FOUND) if found is None else self._page(visit, found)

    def grant(self, visit: Visit) -> Response:
        """POST /exemptions/{request}/grant: publish the exemption, and tell the guest."""
        found = self._find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        answer, problem = clean_line(visit.form.get("answer"), ANSWER_MAX_CHARS)
        until = _moment(visit.form.get("until"))
        if problem is not None:
            return self._page(visit, found, {"granting": PROBLEMS["answer"]})
        if until is None:
            return self._page(visit, found, {"until": PROBLEMS["until"]})
        scope: Scope = "group" if visit.form.get("scope") == "group" else "session"
        try:
            done = granted(visit, self._snapshot, found, answer, scope, until)
        except UsageError:
            return self._page(visit, found, {"": PROBLEMS["policy"]})
        return self._done(visit, found, done, "granted")

    def decline(self, visit: Visit) -> Response:
        """POST /exemptions/{request}/decline: the guest is told why not."""
        found = self._find(visit)
        if found is None:
            return visit.failed(HTTPStatus.NOT_FOUND)
        answer, problem = clean_line(visit.form.get("answer"), ANSWER_MAX_CHARS, required=True)
        if problem is not None:
            wrong = PROBLEMS["no_answer" if problem == "missing" else "answer"]
            return self._page(visit, found, {"declining": wrong})
        done = declined(visit, found, answer)
        return self._done(visit, found, done, "declined")

    def _done(self, visit: Visit, found: Asked, done: requests.Decided | requests.NotDecided, notice: str) -> Response:
        if isinstance(done, requests.Decided):
            return visit.go(f"/exemptions?notice={notice}")
        if done.reason == "gone":
            return visit.failed(HTTPStatus.NOT_FOUND)
        return self._page(visit, found, {"until" if done.reason == "until" else "": PROBLEMS[done.reason]})

    def _find(self, visit: Visit) -> Asked | None:
        return find(visit, visit.params["request"])

    def _page(self, visit: Visit, found: Asked, problems: dict[str, str] | None = None) -> Response:
        grant, request = found.grant, found.request
        standing = stands(visit, self._snapshot, found)
        categories = standing.categories if standing is not None and standing.categories else request.categories
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
            until=visit.form.get("until")[:40] or until.astimezone(MUNICIPAL_ZONE).strftime(WRITTEN),
            answer=visit.form.get("answer")[:ANSWER_MAX_CHARS],
            scope=visit.form.get("scope") or "session",
            problems=problems or {},
            answer_max=ANSWER_MAX_CHARS,
        )


def find(visit: Visit, request_id: str) -> Asked | None:
    """The request with this id."""
    usable = len(request_id) <= 32 and request_id.isascii() and request_id.isalnum()  # PostgreSQL refuses NUL
    return exemption_requests.find(visit.session, visit.services.place.owner_id, request_id) if usable else None


def granted(
    visit: Visit, snapshot: SnapshotReader, found: Asked, answer: str, scope: Scope, until: datetime
) -> requests.Decided | requests.NotDecided:
    """Publish the exemption that a guest asked for, for what closes the name now. Raises: UsageError."""
    standing = stands(visit, snapshot, found)
    return requests.grant(
        visit.session,
        visit.services.place,
        found.request.id,
        visit.member.username,
        answer,
        scope=scope,
        categories=standing.categories if standing is not None and standing.categories else None,
        until=until,
        now=visit.now,
    )


def declined(visit: Visit, found: Asked, answer: str) -> requests.Decided | requests.NotDecided:
    """Tell the guest why not."""
    return requests.decline(
        visit.session, visit.services.place, found.request.id, visit.member.username, answer, visit.now
    )


def stands(visit: Visit, snapshot: SnapshotReader, found: Asked) -> Standing | None:
    """How the name stands for the guest's group now, by the policy that DNS serves."""
    compiled = snapshot.read()
    if compiled is None:
        return None
    group = compiled.snapshot.group(found.grant.group_key)
    hostname = visit.services.settings.portal.hostname.lower().rstrip(".")
    try:
        return stand(found.request.name, Accepted(compiled.snapshot, group), visit.now, portal_name=hostname)
    except PolicyError:
        return None


def _moment(text: str) -> datetime | None:
    """A moment by the municipality's clock."""
    try:
        return datetime.strptime(text[:16], WRITTEN).replace(tzinfo=MUNICIPAL_ZONE)
    except ValueError:
        return None
