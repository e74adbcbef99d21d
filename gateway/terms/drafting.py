"""Keeping a draft of the rules, so that nobody saves over what they have not seen, and putting it in force."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from gateway.access import grants
from gateway.clock import MUNICIPAL_ZONE
from gateway.storage import generations, places, rules, rules_drafts
from gateway.storage.engine import Session
from gateway.storage.models import RulesVersion
from gateway.storage.places import Place
from gateway.storage.rules_draft_models import RulesDraft
from gateway.storage.types import new_id
from gateway.terms.draft import Draft, hindrances
from gateway.terms.publish import publish

ASKED_AGAIN = "a new version of the rules was published"
"""The reason on the leaf of an access that ended because everybody is asked again."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Somebody else has saved since (`draft`), or published or thrown the draft away (None)."""

    draft: RulesDraft | None


@dataclass(frozen=True, slots=True)
class Published:
    """The version that is in force now, and how many devices have to accept it to go on."""

    version: RulesVersion
    ended: int


@dataclass(frozen=True, slots=True)
class NotPublished:
    """Why nothing was published: the draft is not ready, or its group has been removed from the policy."""

    reason: Literal["not_ready", "no_group"]


def keep(
    session: Session, place: Place, group_key: str, draft: Draft, edition: str, by: str, now: datetime
) -> RulesDraft | Overtaken:
    """Save the draft over `edition` of it ("": over none, as its first edition); it gets a new edition."""
    places.lock_owner(session, place.owner_id)
    before = rules_drafts.find(session, place.owner_id, group_key)
    if (before.edition if before is not None else "") != edition:
        return Overtaken(before)
    begun_from = before.begun_from if before is not None else _in_force(session, place, group_key)
    after = RulesDraft(
        owner_id=place.owner_id,
        group_key=group_key,
        edition=new_id(),
        texts=draft.written,
        label=draft.label,
        adopting_body=draft.adopting_body,
        adopted_on=draft.adopted_on,
        case_number=draft.case_number,
        binding_language=draft.binding_language,
        next_review_on=draft.next_review_on,
        begun_from=begun_from,
        changed_by=by,
        changed_at=now,
    )
    rules_drafts.save(session, after)
    return after


def kept(row: RulesDraft) -> Draft:
    """What a kept draft says."""
    return Draft(
        dict(row.texts),
        row.label,
        row.binding_language,
        row.adopting_body,
        row.adopted_on,
        row.case_number,
        row.next_review_on,
    )


def drop(session: Session, place: Place, group_key: str, edition: str) -> Overtaken | None:
    """Throw this edition of the draft away; None when it is done."""
    places.lock_owner(session, place.owner_id)
    row = rules_drafts.find(session, place.owner_id, group_key)
    if row is None or row.edition != edition:
        return Overtaken(row)
    rules_drafts.drop(session, place.owner_id, group_key)
    return None


def put_in_force(
    session: Session,
    place: Place,
    group_key: str,
    edition: str,
    *,
    languages: Collection[str],
    ask_again: bool,
    by: str,
    now: datetime,
) -> Published | NotPublished | Overtaken:
    """Publish this edition of the draft, in those of its languages that guests can choose, and forget it.

    With `ask_again` every access under earlier rules ends, each as a leaf of the log: those devices are asked to accept
    the new version before they go on. Without, whoever is online stays until their access ends by itself. What staff
    admitted stands on no acceptance and goes on either way.
    """
    places.lock_owner(session, place.owner_id)
    row = rules_drafts.find(session, place.owner_id, group_key)
    if row is None or row.edition != edition:
        return Overtaken(row)
    if group_key and generations.mark_of(session, place.owner_id, group_key) is None:
        return NotPublished("no_group")
    draft = in_languages(kept(row), languages)
    if hindrances(draft, rules_drafts.labels(session, place.owner_id), norwegian_day(now)):
        return NotPublished("not_ready")
    earlier = rules_drafts.grants_reached(session, place.owner_id, group_key, now) if ask_again else ()
    version = publish(
        session,
        place,
        draft.written,
        label=draft.label,
        adopting_body=draft.adopting_body,
        adopted_on=draft.adopted_on,
        case_number=draft.case_number,
        binding_language=draft.binding_language,
        next_review_on=draft.next_review_on,
        published_by=by,
        now=now,
        group_key=group_key,
    )
    ended = sum(grants.revoke(session, place, grant, by, now, reason=ASKED_AGAIN) for grant in earlier)
    rules_drafts.drop(session, place.owner_id, group_key)
    return Published(version, ended)


def in_languages(draft: Draft, languages: Collection[str]) -> Draft:
    """The draft without texts in languages that guests can't choose any more."""
    return replace(draft, texts={each: text for each, text in draft.texts.items() if each in languages})


def norwegian_day(now: datetime) -> date:
    """The day that it is in Norway."""
    return now.astimezone(MUNICIPAL_ZONE).date()


def _in_force(session: Session, place: Place, group_key: str) -> str | None:
    version = rules.version_in_force(session, place.owner_id, group_key)
    return version.id if version is not None else None
