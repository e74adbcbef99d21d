"""Publishing a policy: the draft that IT works on becomes a numbered generation, recorded as leaves.

The jobs service compiles the generation into the snapshot that DNS reads; nothing here waits for that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.audit.record import record
from gateway.errors import GatewayError, UsageError
from gateway.lists.exemption_leaves import record_exemptions
from gateway.storage import generations, places
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.places import Place
from gateway.storage.policy_models import PolicyDraft, PolicyGeneration
from policies import matrix
from policies.categories import CATEGORIES
from policies.document import MAX_MARK, default_document, parse_document, write_document
from policies.model import Policy
from policies.names import PolicyError

COMMAND_LINE = "command line"


class NothingChangedError(GatewayError):
    """The draft says what is in force already."""


class StaleDraftError(GatewayError):
    """Something was published after the draft was begun, and the draft does not have it."""


def draft(session: Session, place: Place) -> dict[str, Any]:
    """The document being worked on, else the one in force, else that of a fresh installation; in today's form where it
    can be read.
    """
    document = generations.draft(session, place.owner_id) or default_document()
    try:
        return write_document(parse_document(document))
    except PolicyError:
        return document  # shown as it is, to be mended


def save_draft(
    session: Session, place: Place, document: Mapping[str, Any], now: datetime, by: str = COMMAND_LINE
) -> Policy:
    """Check `document` and make it the draft, in its canonical form.

    Raises: UsageError with every problem, or when it gives a group the mark that another one had.
    """
    policy = _parsed(document)
    _check_marks(session, place, document)
    generations.save_draft(session, place.owner_id, write_document(policy), now, by)
    return policy


def _parsed(document: Mapping[str, Any]) -> Policy:
    try:
        return parse_document(document)
    except PolicyError as error:
        raise UsageError(f"the policy is not saved: {error}") from error


def document_of(session: Session, place: Place, number: int) -> dict[str, Any]:
    """The document of a published generation, in today's form. Raises: UsageError when there is none."""
    row = generations.by_number(session, place.owner_id, number)
    if row is None:
        raise UsageError(f"there is no generation {number}: see gjestenett policy history")
    return write_document(parse_document(row.document))


def marks(session: Session, place: Place) -> dict[int, tuple[str, int]]:
    """Every mark that was ever published: the group that had it last, and the first generation in which it did."""
    found = generations.group_marks(session, place.owner_id)
    return {mark: (group, first) for mark, group, first, _ in found}


def free_mark(session: Session, place: Place, document: Mapping[str, Any]) -> int:
    """The highest mark that no group has or had, in `document`, published before, or being worked on: for a group that
    the product makes, as the low ones are for those that people make. Raises: UsageError.
    """
    used = set(marks(session, place))
    for groups in (document["groups"], draft(session, place)["groups"]):
        used |= {group["mark"] for group in groups.values()}
    found = next((mark for mark in range(MAX_MARK, 0, -1) if mark not in used), None)
    if found is None:
        raise UsageError("every mark is or was a group's: grant the exemption to the group")
    return found


def _check_marks(session: Session, place: Place, document: Mapping[str, Any]) -> None:
    """Devices keep the mark of a group that is gone, so it must not lead to another group's rules.

    Raises: UsageError.
    """
    given = marks(session, place)
    for key, group in document["groups"].items():
        mark = group["mark"]
        other, number = given.get(mark, (key, 0))
        if other != key:
            raise UsageError(
                f"mark {mark} of group {key!r} was the mark of group {other!r} in generation {number}, and devices may "
                f"still carry it: give {key!r} a mark that no group has had, such as {_unused(given)}"
            )


def _unused(given: Collection[int]) -> int:
    after = max(given) + 1
    return after if after <= MAX_MARK else min(set(range(1, MAX_MARK + 1)).difference(given), default=MAX_MARK)


def set_category(
    session: Session, place: Place, group_key: str, category: str, *, closed: bool, now: datetime, report: bool = False
) -> dict[str, Any]:
    """Open or close a category for a group in the draft, or (`report`) open it and have its answers counted; hours that
    are set for it stay. Returns the draft.

    Raises: UsageError.
    """
    places.lock_owner(session, place.owner_id)
    document = json.loads(json.dumps(draft(session, place)))
    group = document["groups"].get(group_key)
    if group is None:
        raise UsageError(f"there is no group {group_key!r}; there are: {', '.join(document['groups'])}")
    if group.get("like"):
        raise UsageError(f"the group {group_key!r} has the rules of the group {group['like']!r}: change them there")
    if category not in CATEGORIES:
        raise UsageError(f"there is no category {category!r}; there are: {', '.join(CATEGORIES)}")
    matrix.set_base(group, category, "closed" if closed else "report" if report else "open")
    generations.save_draft(session, place.owner_id, document, now, COMMAND_LINE)
    return dict(document)


def publish(session: Session, place: Place, by: str, note: str, now: datetime, *, over: bool = False) -> int:
    """Put the draft in force as the next generation and return its number. `over`: also one that was begun before the
    generation in force, and takes back what that one brought.

    Raises: UsageError when the document contradicts itself (the message says where), or gives a group the mark that
        another one had; NothingChangedError when it says what is in force already; StaleDraftError.
    """
    places.lock_owner(session, place.owner_id)
    document = draft(session, place)
    standing = generations.in_force(session, place.owner_id)
    if standing is not None and _same(standing.document, document):
        raise NothingChangedError(f"nothing is changed since generation {standing.generation}: nothing was published")
    if standing is not None and not over and is_stale(generations.draft_row(session, place.owner_id), standing):
        raise StaleDraftError(
            f"generation {standing.generation} was published by {standing.published_by} after the draft was begun, and "
            "the draft would take it back: see gjestenett policy diff; publish it all the same with --over, or forget "
            "it with gjestenett policy draft --discard"
        )
    try:
        parse_document(document)
    except PolicyError as error:
        raise UsageError(f"the policy can't be published: {error}") from error
    number = _put_in_force(session, place, document, by, note, now)
    generations.drop_draft(session, place.owner_id)
    return number


def publish_change(
    session: Session, place: Place, edit: Callable[[dict[str, Any]], None], by: str, note: str, now: datetime
) -> int:
    """Put what is in force, with one change (`edit` alters the document in place), in force as the next generation.

    A draft that somebody works on is not published with it: it stays, with the same change made in it.
    Raises: UsageError when the result contradicts itself.
    """
    places.lock_owner(session, place.owner_id)
    standing = generations.in_force(session, place.owner_id)
    document = write_document(parse_document(standing.document)) if standing is not None else draft(session, place)
    edit(document)
    try:
        document = write_document(parse_document(document))
    except PolicyError as error:
        raise UsageError(f"the policy can't be published: {error}") from error
    row, worked_on = generations.draft_row(session, place.owner_id), draft(session, place)
    keep = standing is not None and has_draft(session, place)
    number = _put_in_force(session, place, document, by, note, now)
    if not keep or row is None:
        generations.drop_draft(session, place.owner_id)
        return number
    # The draft has this change too, and so begins with it; what it lacked before, it lacks still.
    base = row.base_generation if standing is not None and is_stale(row, standing) else number
    edit(worked_on)
    generations.save_draft(session, place.owner_id, worked_on, now, row.changed_by, base)
    return number


def has_draft(session: Session, place: Place) -> bool:
    """Whether somebody works on a draft that says something else than what is in force."""
    standing = generations.in_force(session, place.owner_id)
    return standing is None or not _same(standing.document, draft(session, place))


def is_stale(row: PolicyDraft | None, standing: PolicyGeneration | None) -> bool:
    """Whether a draft was begun before what is in force; of one that does not tell, nobody knows."""
    if row is None or standing is None or row.base_generation is None:
        return False
    return row.base_generation != standing.generation


def edit_draft(
    session: Session, place: Place, edit: Callable[[dict[str, Any]], dict[str, Any]], by: str, now: datetime
) -> Policy:
    """Make the draft what `edit` makes of it, one editor at a time. One that says what is in force is none.

    Raises: UsageError, also what `edit` raises; nothing is saved then.
    """
    places.lock_owner(session, place.owner_id)
    before = draft(session, place)
    after = edit(draft(session, place))
    if after == before:
        return _parsed(after)
    policy = save_draft(session, place, after, now, by)
    if not has_draft(session, place):
        generations.drop_draft(session, place.owner_id)
    return policy


def discard_draft(session: Session, place: Place) -> None:
    """Forget the draft: the next one begins with what is in force."""
    generations.drop_draft(session, place.owner_id)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two documents say the same."""
    try:
        return parse_document(one) == parse_document(other)
    except PolicyError:
        return False


@dataclass(frozen=True)
class RolledBack:
    """What going back to a generation would put in force; `ended` are the ids of its exemptions that stay ended."""

    document: dict[str, Any]
    ended: tuple[str, ...]


def rolled_back(session: Session, place: Place, number: int) -> RolledBack:
    """The document of generation `number` without the exemptions that were ended after it: who withdrew one has not
    approved it again. One that was only shortened since ends at the earlier moment.

    Raises: UsageError when there is no such generation.
    """
    document = document_of(session, place, number)
    kept = {each["id"]: each for each in document["exemptions"]}
    for _, later in generations.documents(session, place.owner_id, number):
        standing = {each.id: each for each in parse_document(later).exemptions}
        was = {each.id: each for each in parse_document(document | {"exemptions": [*kept.values()]}).exemptions}
        for identity, exemption in was.items():
            found = standing.get(identity)
            if found is None or replace(found, end=exemption.end) != exemption:
                del kept[identity]
            elif found.end < exemption.end:
                kept[identity] = kept[identity] | {"until": found.end.isoformat()}
    ended = sorted(each["id"] for each in document["exemptions"] if each["id"] not in kept)
    document = document | {"exemptions": [*kept.values()]}
    return RolledBack(write_document(parse_document(document)), tuple(ended))


def rollback(session: Session, place: Place, number: int, by: str, note: str, now: datetime) -> int:
    """Put the document of generation `number` in force again, as a new generation, and return its number.

    Exemptions that were ended since stay ended (`rolled_back`), and the draft stays as it is.
    Raises: UsageError when there is no such generation, it says what is in force, or it gives a group the mark that
        another one has had since.
    """
    places.lock_owner(session, place.owner_id)
    planned = rolled_back(session, place, number)
    before = generations.in_force(session, place.owner_id)
    if before is not None and _same(before.document, planned.document):
        told = f", apart from exemptions that have ended since: {', '.join(planned.ended)}" if planned.ended else ""
        raise UsageError(f"generation {number} says the same as the one in force, {before.generation}{told}")
    if before is not None and not has_draft(session, place):
        generations.drop_draft(session, place.owner_id)  # one that says what was in force would undo this
    return _put_in_force(session, place, planned.document, by, note or f"rollback to generation {number}", now)


def _put_in_force(session: Session, place: Place, document: dict[str, Any], by: str, note: str, now: datetime) -> int:
    _check_marks(session, place, document)
    before = generations.in_force(session, place.owner_id)
    sha256 = document_sha256(document)
    number = before.generation + 1 if before else 1
    session.add(
        PolicyGeneration(
            owner_id=place.owner_id,
            generation=number,
            document=document,
            sha256=sha256,
            published_by=by,
            note=note,
            published_at=now,
        )
    )
    session.flush()
    record(
        session,
        place,
        "policy_published",
        {"generation": number, "before_sha256": before.sha256 if before else "", "after_sha256": sha256},
        {"by": by, "note": note},
        now,
    )
    record_exemptions(session, place, before.document if before else None, document, by, now)
    announce(session, "policy")
    return number


def document_sha256(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document in canonical form: keys sorted, no white space, UTF-8."""
    return hashlib.sha256(
        json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()
