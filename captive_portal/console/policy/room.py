"""What every page of the content filter shares: the draft, what it changes in words, and changing it one at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from captive_portal.console import kept_words
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.errors import UsageError
from gateway.lists import generations as publishing
from gateway.storage import generations
from gateway.storage.policy_models import PolicyGeneration
from policies.categories import CATEGORIES, Language
from policies.compiler import never_blocked
from policies.diff import changes
from policies.diff_words import in_words
from policies.document import default_document, parse_document
from policies.model import Policy
from policies.names import PolicyError

NOTE_MAX_CHARS = 200
NOTE_PROBLEMS = {
    "too_long": N_("The note may have at most 200 characters."),
    "characters": N_("The note has characters that can't be used, such as control characters. Write it again."),
}
LINE_PROBLEMS = {
    "missing": N_("Fill in this field."),
    "too_long": N_("At most 200 characters."),
    "characters": N_("There are characters that can’t be used, such as control characters. Write it again."),
}
NO_GROUP = N_("There is no such group. The page has been loaded again: choose one, and try once more.")
UNKNOWN = N_("A category in the form is unknown. The page has been loaded again: try once more.")
MEANWHILE = N_("Somebody else has changed this since you opened the page. It now shows what stands: try again.")
NOT_TAKEN = N_("The draft can’t say that, and is as it was: {reason}")


@dataclass(frozen=True)
class Room:
    """The draft (else what is in force) and how it differs from what is in force, told in the reader's language.

    `stale`: it was begun before what is in force. `broken`: it can't be read, and what is shown is in force.
    """

    document: dict[str, Any]
    policy: Policy
    standing: PolicyGeneration | None
    changes: tuple[str, ...]
    stale: bool
    broken: bool
    changed_by: str
    changed_at: datetime | None
    base: int | None

    @property
    def generation(self) -> int:
        """The number in force; 0: none."""
        return self.standing.generation if self.standing is not None else 0

    @property
    def pending(self) -> bool:
        """Whether there is something to publish."""
        return self.standing is None or bool(self.changes) or self.broken

    @property
    def etag(self) -> str:
        """What the draft says, as a hash: a form that was made of another draft is told so."""
        return digest(self.document)


def open_room(visit: Visit) -> Room:
    """The draft as it stands in the transaction of the visit."""
    session, place = visit.session, visit.services.place
    standing = generations.in_force(session, place.owner_id)
    row = generations.draft_row(session, place.owner_id)
    document, broken = publishing.draft(session, place), False
    try:
        policy = parse_document(document)
    except PolicyError:
        broken = True
        document = dict(standing.document) if standing is not None else default_document()
        policy = parse_document(document)
    told: tuple[str, ...] = ()
    if standing is not None:
        told = words(visit, parse_document(standing.document), policy)
    return Room(
        document,
        policy,
        standing,
        told,
        publishing.is_stale(row, standing),
        broken,
        row.changed_by if row is not None else "",
        row.changed_at if row is not None else None,
        row.base_generation if row is not None else None,
    )


def words(visit: Visit, before: Policy, after: Policy) -> tuple[str, ...]:
    """What changes from one policy to another, a sentence for each change, in the reader's language."""
    translate, language = visit.look.translator(visit.language), cast(Language, visit.language)
    told = [kept_words.readable(translate, each) for each in (before, after)]
    called, earlier = names(visit, before, after), titles(visit, before)
    found = changes(*told)
    new = {each.group for each in found if each.kind == "group_added"}  # called by their titles from the first word on

    def named_until_now(key: str) -> str:
        return earlier.get(key, key)

    return tuple(
        in_words(each, language, after.zone, named_until_now if each.kind == "titles" else called, translate.moment)
        for each in found
        if not (each.kind == "titles" and (each.group in new or visit.group_names.is_own(each.group)))
    )


def names(visit: Visit, *policies: Policy) -> Callable[[str], str]:
    """What groups are called: as the first of these policies that has a title for them says. An exemption is called by
    its group: its categories and hours tell it apart.
    """
    known: dict[str, str] = {}
    for policy in reversed(policies):
        known |= {key: title for key, title in _titles(policy, visit.language).items() if title or key not in known}
    titled = visit.group_names.titles(known)
    of = {each.id: each.group for policy in policies for each in policy.exemptions if each.id not in known}

    def called(key: str) -> str:
        group = of.get(key, key)
        return visit.group_names.told_apart(group, titled.get(group, ""))

    return called


def change(visit: Visit, edit: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """Change the draft; "" when it was done, else what stands in the way, in the reader's language."""
    try:
        publishing.edit_draft(visit.session, visit.services.place, edit, visit.member.username, visit.now)
    except UsageError as error:
        return visit.look.translator(visit.language)(NOT_TAKEN, reason=str(error))
    return ""


def shared(room: Room) -> dict[str, Any]:
    """What every template of the room is given."""
    return {"room": room, "categories": CATEGORIES, "kept": kept_words, "note_max_chars": NOTE_MAX_CHARS}


def titles(visit: Visit, policy: Policy) -> dict[str, str]:
    """What each group is called: its name in the reader's language, else its key."""
    return visit.group_names.titles(_titles(policy, visit.language))


def _titles(policy: Policy, language: str) -> dict[str, str]:
    return {key: group.titles.get(cast(Language, language), "") for key, group in policy.groups.items()}


def never(visit: Visit, policy: Policy) -> Mapping[str, str]:
    """Every name that is never blocked here, and what for."""
    return never_blocked(policy, (visit.services.settings.portal.hostname,))


def digest(value: object) -> str:
    """A short hash of plain data: two that are equal say the same."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
