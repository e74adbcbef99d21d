"""Publishing the rules by two people: one proposes a text that is frozen from then on, another publishes it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from gateway.audit import canonical
from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.storage import places, rules_drafts, rules_proposals
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.rules_wait_models import RulesProposal
from gateway.terms.draft import Draft
from gateway.terms.drafting import (
    Choice,
    NotPublished,
    Overtaken,
    Published,
    columns,
    hindered,
    kept,
    publish_now,
    ready,
)

LASTS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Person:
    """An account of IT."""

    id: str
    username: str


@dataclass(frozen=True, slots=True)
class NotApproved:
    """Why nothing was published: there is no proposal any more, another stands in its place, who proposed it can't
    publish it, its time is over, or what hinders any publication.
    """

    reason: Literal["gone", "changed", "same_person", "expired", "not_ready", "no_group", "past"]


def propose(
    session: Session,
    place: Place,
    group_key: str,
    edition: str,
    *,
    languages: Collection[str],
    choice: Choice,
    by: Person,
    now: datetime,
) -> RulesProposal | NotPublished | Overtaken:
    """Propose this edition of the draft, in place of an earlier proposal for the group.

    The draft stays, and changes to it don't reach the proposal. It is for `LASTS`, and never beyond the moment when the
    rules were to come into force.
    """
    draft = ready(session, place, group_key, edition, languages, choice, now)
    if not isinstance(draft, Draft):
        return draft
    begins = choice.in_force_from
    proposal = RulesProposal(
        owner_id=place.owner_id,
        group_key=group_key,
        edition=edition,
        **columns(draft),
        in_force_from=begins,
        ask_again=choice.ask_again,
        sha256=_digest(group_key, draft, choice),
        proposed_by=by.username,
        proposed_by_id=by.id,
        proposed_at=now,
        expires_at=min(now + LASTS, begins) if begins is not None else now + LASTS,
    )
    rules_proposals.save(session, proposal)
    _record(session, place, proposal, "proposed", by.username, now)
    return proposal


def approve(
    session: Session, place: Place, group_key: str, sha256: str, *, by: Person, now: datetime
) -> Published | NotApproved:
    """Publish the proposal with this SHA-256 on behalf of somebody else than who proposed it; both names are in the
    leaf. The draft that it was made of goes with it, unless it has been changed since.
    """
    places.lock_owner(session, place.owner_id)
    proposal = rules_proposals.find(session, place.owner_id, group_key)
    if proposal is None:
        return NotApproved("gone")
    draft, choice = kept(proposal), chosen(proposal)
    if not proposal.sha256 == sha256 == _digest(group_key, draft, choice):
        return NotApproved("changed")
    if may_not_approve(proposal, by):
        return NotApproved("same_person")
    if proposal.expires_at <= now:
        return NotApproved("expired")
    if (hindrance := hindered(session, place, group_key, draft, choice, now)) is not None:
        return NotApproved(hindrance.reason)
    edition, proposed_by = proposal.edition, proposal.proposed_by
    done = publish_now(session, place, group_key, draft, choice, by=proposed_by, approved_by=by.username, now=now)
    rules_proposals.drop(session, place.owner_id, group_key)
    row = rules_drafts.find(session, place.owner_id, group_key)
    if row is not None and row.edition == edition:
        rules_drafts.drop(session, place.owner_id, group_key)
    return done


def take_back(session: Session, place: Place, group_key: str, sha256: str, *, by: str, now: datetime) -> bool:
    """Withdraw the proposal with this SHA-256, which anybody of IT may; False when it is not there any more."""
    places.lock_owner(session, place.owner_id)
    proposal = rules_proposals.find(session, place.owner_id, group_key)
    if proposal is None or proposal.sha256 != sha256:
        return False
    _record(session, place, proposal, "withdrawn", by, now)
    rules_proposals.drop(session, place.owner_id, group_key)
    return True


def may_not_approve(proposal: RulesProposal, by: Person) -> bool:
    """Whether this is who proposed it, by account or by name."""
    return proposal.proposed_by_id == by.id or proposal.proposed_by.casefold() == by.username.casefold()


def chosen(proposal: RulesProposal) -> Choice:
    """When the proposed rules are to be in force, and whether those who are online are asked then."""
    return Choice(proposal.in_force_from, proposal.ask_again)


def _record(session: Session, place: Place, proposal: RulesProposal, change: str, by: str, now: datetime) -> None:
    fields = {"change": change, "version": proposal.label, "sha256": proposal.sha256}
    group = {"group": proposal.group_key} if proposal.group_key else {}
    record(session, place, "rules_proposed", fields | group, {"by": by}, now)


def _digest(group_key: str, draft: Draft, choice: Choice) -> str:
    """SHA-256 of all that is proposed, as canonical JSON."""
    begins = choice.in_force_from
    return hashlib.sha256(
        canonical.encode(
            {
                "group": group_key,
                **columns(draft),
                "adopted_on": _day(draft.adopted_on),
                "next_review_on": _day(draft.next_review_on),
                "in_force_from": format_utc(begins) if begins is not None else "",
                "ask_again": choice.ask_again,
            }
        )
    ).hexdigest()


def _day(day: date | None) -> str:
    return day.isoformat() if day is not None else ""
