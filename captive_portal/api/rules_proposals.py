"""Proposals of rules over JSON, where two people publish: looked at, approved by the second, or withdrawn."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.paging import answered, no_content
from captive_portal.api.problems import changed, conflict, quoted, unknown
from captive_portal.api.rules_drafts import PublishedRules, WrittenRules, lacking, no_group
from captive_portal.api.rules_versions import ROOM, ROOT, version_facts
from captive_portal.console.route import Call
from captive_portal.console.rules import proposals as pages
from captive_portal.console.rules.room import EVERYBODY, room_of
from captive_portal.console.visit import Visit
from gateway.storage import rules_drafts, rules_proposals
from gateway.storage.rules_wait_models import RulesProposal
from gateway.terms import drafting, proposing


class Proposal(WrittenRules):
    """Rules that one of IT proposes for a group ("-": for everybody), unchanged until they are approved or withdrawn.

    `own`: you have proposed them, so another has to approve them. `reached` is how many devices are online under
    earlier rules; `ask_again`: they are asked to accept these.
    """

    group: str
    in_force_from: datetime | None
    ask_again: Annotated[bool, Field(examples=[False])]
    proposed_by: Annotated[str, Field(examples=["kari"])]
    proposed_at: datetime
    expires_at: datetime
    own: Annotated[bool, Field(examples=[False])]
    reached: int


class Proposals(BaseModel):
    """Every proposal: at most one for everybody and one for each group."""

    proposals: list[Proposal]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    one = f"{ROOT}/proposals/{{group}}"
    return (
        Call("GET", f"{ROOT}/proposals", "it", every, "read", None, Proposals, "Proposed rules", ROOM),
        Call("GET", one, "it", show, "read", None, Proposal, "The proposal for a group; - is everybody's", ROOM),
        Call(
            "POST", f"{one}/approve", "it", approve, "write", None, PublishedRules,
            "Publish rules that somebody else has proposed", ROOM, precondition="required",
        ),
        Call(
            "DELETE", one, "it", withdraw, "write", None, None, "Withdraw a proposal; the draft stays", ROOM,
            status=HTTPStatus.NO_CONTENT, precondition="required",
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/rules/proposals"""
    rows = rules_proposals.all_of(visit.session, visit.services.place.owner_id)
    return answered(Proposals, {"proposals": [_facts(visit, row) for row in rows]})


def show(visit: Visit) -> Response:
    """GET /api/v1/rules/proposals/{group}"""
    room = room_of(visit)
    row = pages.proposal_of(visit, room) if room is not None else None
    return _gone(visit) if row is None else answered(Proposal, _facts(visit, row), ETag=quoted(row.sha256))


def approve(visit: Visit) -> Response:
    """POST /api/v1/rules/proposals/{group}/approve: what was looked at, and nothing else."""
    room = room_of(visit)
    if room is None:
        return no_group(visit)
    if (missing := lacking(visit)) is not None:
        return missing
    done = pages.approved(visit, room, visit.if_match)
    if isinstance(done, drafting.Published):
        facts = {"version": version_facts(visit, done.version), "ended": done.ended, "proposed": False}
        return answered(PublishedRules, facts)
    row = pages.proposal_of(visit, room)
    if row is None or done.reason == "gone":
        return _gone(visit)
    said = pages.SAID[done.reason]
    return changed(said, row.sha256) if done.reason == "changed" else conflict(said)


def withdraw(visit: Visit) -> Response:
    """DELETE /api/v1/rules/proposals/{group}"""
    room = room_of(visit)
    if room is None:
        return no_group(visit)
    place, by = visit.services.place, visit.member.username
    if proposing.take_back(visit.session, place, room.key, visit.if_match, by=by, now=visit.now):
        return no_content()
    row = pages.proposal_of(visit, room)
    return _gone(visit) if row is None else changed(pages.SAID["changed"], row.sha256)


def _gone(visit: Visit) -> Response:
    return unknown(visit, "nothing is proposed for this group")


def _facts(visit: Visit, row: RulesProposal) -> dict[str, Any]:
    draft, owner_id = drafting.kept(row), visit.services.place.owner_id
    of_row = ("in_force_from", "ask_again", "proposed_by", "proposed_at", "expires_at")
    return {name: getattr(draft, name) for name in WrittenRules.model_fields} | {
        **{name: getattr(row, name) for name in of_row},
        "group": row.group_key or EVERYBODY,
        "own": proposing.may_not_approve(row, pages.person(visit)),
        "reached": rules_drafts.count_reached(visit.session, owner_id, row.group_key, visit.now),
    }
