"""A proposal of rules: looked at, published by somebody else than who proposed it, or withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.rules.looking import looked_at
from captive_portal.console.rules.publishing import published
from captive_portal.console.rules.room import Room, room_of
from captive_portal.console.visit import Visit
from gateway.storage import rules_drafts, rules_proposals
from gateway.storage.rules_wait_models import RulesProposal
from gateway.terms import drafting, proposing
from gateway.terms.drafting import Choice
from gateway.terms.notice import blanks

SAID: Mapping[str, str] = {
    "changed": N_("Another proposal stands here now. Look at it before you publish it."),
    "same_person": N_("You have proposed these rules yourself, so somebody else must publish them."),
    "expired": N_("The time of this proposal is over. Withdraw it, and propose the draft once more."),
    "not_ready": N_("These rules can’t be published any more as they were proposed. Withdraw the proposal."),
    "no_group": N_("The group of these rules is no longer part of the content filter."),
    "past": N_("The time of this proposal is over. Withdraw it, and propose the draft once more."),
}


def show(visit: Visit) -> Response:
    """GET /rules/{group}/proposal"""
    room = room_of(visit)
    proposal = proposal_of(visit, room) if room is not None else None
    if room is None or proposal is None:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="" if room is None else "proposal-gone")
    return _page(visit, room, proposal)


def publish(visit: Visit) -> Response:
    """POST /rules/{group}/proposal: the second of two people publishes."""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    if blanks(visit.services.settings.privacy):
        return visit.go(f"{room.path}/proposal")
    done = approved(visit, room, visit.form.get("sha256"))
    if isinstance(done, drafting.Published):
        return visit.go(f"/rules?notice={published(Choice(done.version.in_force_from, done.version.ask_again))}")
    proposal = proposal_of(visit, room)
    if done.reason == "gone" or proposal is None:
        return visit.failed(HTTPStatus.CONFLICT, reason="proposal-gone")
    return _page(visit, room, proposal, SAID[done.reason])


def withdraw(visit: Visit) -> Response:
    """POST /rules/{group}/proposal/withdraw: the draft, if there is one, stays."""
    room = room_of(visit)
    if room is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    sha256, by = visit.form.get("sha256"), visit.member.username
    if proposing.take_back(visit.session, visit.services.place, room.key, sha256, by=by, now=visit.now):
        return visit.go("/rules?notice=taken-back")
    proposal = proposal_of(visit, room)
    if proposal is None:
        return visit.failed(HTTPStatus.CONFLICT, reason="proposal-gone")
    return _page(visit, room, proposal, SAID["changed"])


def approved(visit: Visit, room: Room, sha256: str) -> drafting.Published | proposing.NotApproved:
    """Publish the proposal with this SHA-256, on behalf of whoever is signed in."""
    place = visit.services.place
    return proposing.approve(visit.session, place, room.key, sha256, by=person(visit), now=visit.now)


def person(visit: Visit) -> proposing.Person:
    """Whoever is signed in."""
    return proposing.Person(visit.member.staff_id, visit.member.username)


def proposal_of(visit: Visit, room: Room) -> RulesProposal | None:
    """What is proposed for a group."""
    return rules_proposals.find(visit.session, visit.services.place.owner_id, room.key)


def _page(visit: Visit, room: Room, proposal: RulesProposal, alert: str = "") -> Response:
    return visit.page(
        "rules_proposal.html",
        HTTPStatus.CONFLICT if alert else HTTPStatus.OK,
        proposal=proposal,
        alert=alert,
        expired=proposal.expires_at <= visit.now,
        own=proposing.may_not_approve(proposal, person(visit)),
        online=rules_drafts.count_reached(visit.session, visit.services.place.owner_id, room.key, visit.now),
        blanks=list(blanks(visit.services.settings.privacy)),
        **looked_at(visit, room, drafting.kept(proposal)),
    )
