"""Exemptions of the policy over JSON: those of the draft, a new one, and taking one out."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api import policy_draft
from captive_portal.api.fields import Category, Moment, line
from captive_portal.api.paging import Asked, Page, Paged, answered, no_content, part
from captive_portal.api.policy_draft import ROOM, etag, locked
from captive_portal.api.problems import quoted, refused, unknown
from captive_portal.console.policy import exemptions
from captive_portal.console.policy.room import change, open_room
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from policies.model import Exemption

ROOT = f"{policy_draft.ROOT}/exemptions"


class Exempted(BaseModel):
    """An exemption of the draft: categories that are lifted for a group for a while."""

    id: Annotated[str, Field(examples=["e1"])]
    group: str
    categories: list[str]
    starts_at: datetime
    ends_at: datetime
    approved_by: str
    reason: str


class Exemptions(Page):
    """The exemptions of the draft, by id."""

    exemptions: list[Exempted]


class ExemptionAdded(Asked):
    """Which categories for which group, until when, and who approved it for which reason; from now on by default."""

    group: Annotated[str, Field(max_length=40, examples=["default"])]
    categories: Annotated[list[Category], Field(min_length=1, max_length=50)]
    starts_at: Moment | None = None
    ends_at: Moment
    approved_by: Annotated[str, line(exemptions.LINE_MAX_CHARS, required=True)]
    reason: Annotated[str, line(exemptions.LINE_MAX_CHARS, required=True)]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    gone = HTTPStatus.NO_CONTENT
    return (
        Call(
            "GET", ROOT, "it", every, "read", Paged, Exemptions,
            "The exemptions of the draft", ROOM,
        ),
        Call(
            "POST", ROOT, "it", add, "write", ExemptionAdded, Exempted, "A new exemption",
            ROOM, status=HTTPStatus.CREATED, precondition="optional",
        ),
        Call(
            "DELETE", f"{ROOT}/{{exemption}}", "it", end, "write", None, None,
            "Take an exemption out of the draft", ROOM, status=gone, precondition="optional",
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/policy/exemptions"""
    room = open_room(visit)
    found = part(room.policy.exemptions, visit, lambda each: (each.id,))
    if isinstance(found, Response):
        return found
    facts = {"exemptions": [_facts(each) for each in found[0]], "next": found[1]}
    return answered(Exemptions, facts, ETag=quoted(etag(room)))


def add(visit: Visit) -> Response:
    """POST /api/v1/policy/exemptions"""
    room, asked = locked(visit), visit.asked
    if isinstance(room, Response):
        return room
    known = {each.id for each in room.policy.exemptions}
    lines = {"approved_by": asked.approved_by, "reason": asked.reason}
    start = asked.starts_at or visit.now
    problems = exemptions.begun(visit, asked.group, asked.categories, start, asked.ends_at, lines)
    if problems:
        names = {"category": "categories", "from": "starts_at", "until": "ends_at"}
        return refused({names.get(field, field): text for field, text in problems.items()})
    room = open_room(visit)
    [made] = [each for each in room.policy.exemptions if each.id not in known]
    return answered(Exempted, _facts(made), status=HTTPStatus.CREATED, ETag=quoted(etag(room)))


def end(visit: Visit) -> Response:
    """DELETE /api/v1/policy/exemptions/{exemption}"""
    room, identity = locked(visit), visit.params["exemption"]
    if isinstance(room, Response):
        return room
    if identity not in {each.id for each in room.policy.exemptions}:
        return unknown(visit, f"there is no exemption {identity!r} in the draft")
    told = change(visit, lambda document: draft_edits.without_exemption(document, identity))
    return refused({}, told) if told else no_content()


def _facts(each: Exemption) -> dict[str, Any]:
    return {
        "id": each.id,
        "group": each.group,
        "categories": sorted(each.categories),
        "starts_at": each.start,
        "ends_at": each.end,
        "approved_by": each.approved_by,
        "reason": each.reason,
    }
