"""Guests' requests for exemptions over JSON: those that wait, and granting or declining one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel
from starlette.responses import Response

from captive_portal.api.fields import Moment, line
from captive_portal.api.paging import Asked, Page, Paged, answered, part
from captive_portal.api.problems import conflict, refused, unknown
from captive_portal.console.policy import deciding
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access import exemption_requests as requests
from gateway.access.exemption_requests import ANSWER_MAX_CHARS
from gateway.storage import exemption_requests as stored
from gateway.storage.keyset import Cut

ROOT, ROOM = "/api/v1/exemptions", "policy"
DECIDED_SHOWN = 500


class Request(BaseModel):
    """What a guest asks for, under which access; `decision`: waiting, granted or declined."""

    id: str
    name: str
    categories: list[str]
    purpose: str
    grant: str
    holder: str
    group: str
    asked_at: datetime
    decision: str
    decided_at: datetime | None
    decided_by: str
    answer: str
    until: datetime | None


class Requests(Page):
    """Requests, the newest first."""

    requests: list[Request]


class RequestsAsked(Paged):
    """Those that wait, or those that were decided."""

    decision: Literal["waiting", "decided"] = "waiting"


class GrantAsked(Asked):
    """Until when, for the guest alone (`session`) or for the whole group, and what the guest is told."""

    until: Moment
    scope: Literal["session", "group"] = "session"
    answer: Annotated[str, line(ANSWER_MAX_CHARS)] = ""


class DeclineAsked(Asked):
    """What the guest is told: why not, or what to do instead."""

    answer: Annotated[str, line(ANSWER_MAX_CHARS, required=True)]


class RequestsApi:
    """The calls, over the compiled policy that DNS serves."""

    def __init__(self, snapshot: SnapshotReader) -> None:
        self._snapshot = snapshot

    def calls(self) -> tuple[Call, ...]:
        """The table of the calls."""
        one = f"{ROOT}/{{request}}"
        return (
            Call("GET", ROOT, "it", self.every, "read", RequestsAsked, Requests, "Requests for exemptions", ROOM),
            Call("GET", one, "it", self.one, "read", None, Request, "One request", ROOM),
            Call("POST", f"{one}/grant", "it", self.grant, "write", GrantAsked, Request, "Grant a request", ROOM),
            Call(
                "POST", f"{one}/decline", "it", self.decline, "write", DeclineAsked, Request, "Decline a request", ROOM
            ),
        )  # fmt: skip

    def every(self, visit: Visit) -> Response:
        """GET /api/v1/exemptions"""
        owner_id = visit.services.place.owner_id
        rows = (
            stored.waiting(visit.session, owner_id)
            if visit.asked.decision == "waiting"
            else stored.page_of_requests(
                visit.session, owner_id, ("granted", "declined"), Cut("decided", descending=True, limit=DECIDED_SHOWN)
            ).rows
        )
        found = part(
            rows, visit, lambda row: (row.request.asked_at.isoformat(), row.request.id), parts=2, newest_first=True
        )
        if isinstance(found, Response):
            return found
        return answered(Requests, {"requests": [_facts(row) for row in found[0]], "next": found[1]})

    def one(self, visit: Visit) -> Response:
        """GET /api/v1/exemptions/{request}"""
        found = deciding.find(visit)
        return _gone(visit) if found is None else answered(Request, _facts(found))

    def grant(self, visit: Visit) -> Response:
        """POST /api/v1/exemptions/{request}/grant"""
        found, asked = deciding.find(visit), visit.asked
        if found is None:
            return _gone(visit)
        done = deciding.granted(self._snapshot, visit, found, asked.answer, asked.scope, asked.until)
        return self._done(visit, done)

    def decline(self, visit: Visit) -> Response:
        """POST /api/v1/exemptions/{request}/decline"""
        found = deciding.find(visit)
        return _gone(visit) if found is None else self._done(visit, deciding.declined(visit, found, visit.asked.answer))

    def _done(self, visit: Visit, done: requests.Decided | requests.NotDecided) -> Response:
        if isinstance(done, requests.Decided):
            visit.session.expire_all()
            return self.one(visit)
        return not_decided(visit, done.reason, deciding.PROBLEMS)


def not_decided(visit: Visit, reason: str, words: Mapping[str, str]) -> Response:
    """Why a request was not decided: 404, 422 or 409, with the words for it."""
    if reason == "gone":
        return _gone(visit)
    return refused({"until": words[reason]}) if reason == "until" else conflict(words[reason])


def _gone(visit: Visit) -> Response:
    return unknown(visit, "there is no such request")


def _facts(row: stored.Asked) -> dict[str, Any]:
    request, grant = row.request, row.grant
    names = ("id", "name", "categories", "purpose", "asked_at", "decided_at", "decided_by", "answer", "until")
    return {name: getattr(request, name) for name in names} | {
        "decision": request.decision or "waiting",
        "grant": grant.id,
        "holder": grant.holder,
        "group": grant.group_key,
    }
