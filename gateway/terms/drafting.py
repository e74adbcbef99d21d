"""Keeping a draft of the rules, so that nobody saves over what they have not seen, and publishing it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from gateway.access import grants
from gateway.clock import MUNICIPAL_ZONE
from gateway.storage import generations, places, rules, rules_drafts
from gateway.storage.engine import Session
from gateway.storage.models import RulesVersion
from gateway.storage.places import Place
from gateway.storage.rules_draft_models import RulesDraft, WrittenRules
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
    """The version, which is in force now or will be, and how many devices have to accept it to go on."""

    version: RulesVersion
    ended: int


@dataclass(frozen=True, slots=True)
class NotPublished:
    """Why nothing was published: the draft is not ready, its group has been removed from the policy, or its moment does
    not lie ahead.
    """

    reason: Literal["not_ready", "no_group", "past"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen when rules are published: when they are in force (None: at once), and whether those who are online
    then are asked to accept them before they go on, or when their access ends.
    """

    in_force_from: datetime | None = None
    ask_again: bool = False


def keep(
    session: Session, place: Place, group_key: str, draft: Draft, edition: str, by: str, now: datetime
) -> RulesDraft | Overtaken:
    """Save the draft over `edition` of it ("": over none, as its first edition); it gets a new edition."""
    places.lock_owner(session, place.owner_id)
    before = rules_drafts.find(session, place.owner_id, group_key)
    if (before.edition if before is not None else "") != edition:
        return Overtaken(before)
    if before is not None:
        begun_from = before.begun_from
    else:
        begun_from = rules.id_in_force(session, place.owner_id, group_key, now=now)
    after = RulesDraft(
        owner_id=place.owner_id,
        group_key=group_key,
        edition=new_id(),
        **columns(draft),
        begun_from=begun_from,
        changed_by=by,
        changed_at=now,
    )
    rules_drafts.save(session, after)
    return after


def columns(draft: Draft) -> dict[str, Any]:
    """What the draft says, as the columns of `WrittenRules`."""
    return {**asdict(draft), "texts": draft.written}


def kept(row: WrittenRules) -> Draft:
    """What a kept draft or a proposal says."""
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
    choice: Choice,
    by: str,
    now: datetime,
) -> Published | NotPublished | Overtaken:
    """Publish this edition of the draft, in those of its languages that guests can choose, and forget it.

    When everybody is asked again, every access under earlier rules ends as they come into force, each as a leaf of the
    log: those devices are asked to accept the new version before they go on. Else whoever is online stays until their
    access ends by itself. What staff admitted stands on no acceptance and goes on either way.
    """
    draft = ready(session, place, group_key, edition, languages, choice, now)
    if not isinstance(draft, Draft):
        return draft
    done = publish_now(session, place, group_key, draft, choice, by=by, now=now)
    rules_drafts.drop(session, place.owner_id, group_key)
    return done


def ready(
    session: Session,
    place: Place,
    group_key: str,
    edition: str,
    languages: Collection[str],
    choice: Choice,
    now: datetime,
) -> Draft | NotPublished | Overtaken:
    """This edition of the draft, when nothing hinders that it is published; the owner is locked from here on."""
    places.lock_owner(session, place.owner_id)
    row = rules_drafts.find(session, place.owner_id, group_key)
    if row is None or row.edition != edition:
        return Overtaken(row)
    draft = in_languages(kept(row), languages)
    return hindered(session, place, group_key, draft, choice, now) or draft


def hindered(
    session: Session, place: Place, group_key: str, draft: Draft, choice: Choice, now: datetime
) -> NotPublished | None:
    """What hinders that a draft is published as was chosen."""
    if group_key and generations.mark_of(session, place.owner_id, group_key) is None:
        return NotPublished("no_group")
    begins = choice.in_force_from
    if begins is not None and begins <= now:
        return NotPublished("past")
    taken = rules_drafts.labels(session, place.owner_id)
    if hindrances(draft, taken, norwegian_day(now), None if begins is None else norwegian_day(begins)):
        return NotPublished("not_ready")
    return None


def publish_now(
    session: Session,
    place: Place,
    group_key: str,
    draft: Draft,
    choice: Choice,
    *,
    by: str,
    approved_by: str = "",
    now: datetime,
) -> Published:
    """Publish a draft that nothing hinders; whoever is asked again at once loses their access in the same step."""
    at_once = choice.in_force_from is None
    earlier: Sequence[str] = ()
    if choice.ask_again and at_once:
        earlier = rules_drafts.grants_reached(session, place.owner_id, group_key, now)
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
        in_force_from=choice.in_force_from,
        ask_again=choice.ask_again,
        approved_by=approved_by,
    )
    return Published(version, end_access(session, place, earlier, approved_by or by, now))


def end_access(session: Session, place: Place, grant_ids: Sequence[str], by: str, now: datetime) -> int:
    """End these accesses, as everybody is asked again; how many were in force still."""
    return sum(grants.revoke(session, place, grant, by, now, reason=ASKED_AGAIN) for grant in grant_ids)


def in_languages(draft: Draft, languages: Collection[str]) -> Draft:
    """The draft without texts in languages that guests can't choose any more."""
    return replace(draft, texts={each: text for each, text in draft.texts.items() if each in languages})


def norwegian_day(now: datetime) -> date:
    """The day that it is in Norway."""
    return now.astimezone(MUNICIPAL_ZONE).date()
