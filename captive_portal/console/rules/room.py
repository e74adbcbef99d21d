"""Whose rules they are: everybody's, or those of one group, and how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from captive_portal.console.visit import Visit
from gateway.access.exemption_requests import SESSION_PREFIX
from gateway.lists.draft_edits import ruled_groups
from gateway.storage import generations, rules, rules_drafts, rules_proposals
from gateway.storage.models import RulesVersion
from gateway.storage.rules_draft_models import RulesDraft
from gateway.storage.rules_wait_models import RulesProposal

EVERYBODY = "-"
"""What stands in addresses for the rules of everybody; no group can be called so."""


@dataclass(frozen=True)
class Room:
    """The rules of one group, or of everybody (`key` ""): what they are in addresses, and what the group is called."""

    key: str
    title: str

    @property
    def path(self) -> str:
        """Where its pages begin."""
        return f"/rules/{self.key or EVERYBODY}"


@dataclass(frozen=True)
class Standing:
    """How the rules of a group stand: the version that its guests are asked for, those that come into force later, the
    draft, and what is proposed.
    """

    room: Room
    version: RulesVersion | None
    coming: Sequence[RulesVersion]
    draft: RulesDraft | None
    proposal: RulesProposal | None


def standings(visit: Visit) -> Sequence[Standing]:
    """Everybody's rules and those of each group."""
    session, owner_id = visit.session, visit.services.place.owner_id
    drafts = {draft.group_key: draft for draft in rules_drafts.all_of(session, owner_id)}
    proposals = {proposal.group_key: proposal for proposal in rules_proposals.all_of(session, owner_id)}
    return [
        Standing(
            room,
            rules.version_in_force(session, owner_id, room.key, now=visit.now),
            rules.coming(session, owner_id, room.key, now=visit.now),
            drafts.get(room.key),
            proposals.get(room.key),
        )
        for room in _rooms(visit).values()
    ]


def room_of(visit: Visit) -> Room | None:
    """The one that the address names."""
    return _rooms(visit).get(visit.params["group"])


def draft_of(visit: Visit, room: Room) -> RulesDraft | None:
    """Its draft."""
    return rules_drafts.find(visit.session, visit.services.place.owner_id, room.key)


def in_force_in(visit: Visit, room: Room) -> RulesVersion | None:
    """The version that its guests are asked for now."""
    return rules.version_in_force(visit.session, visit.services.place.owner_id, room.key, now=visit.now)


def languages(visit: Visit) -> Sequence[str]:
    """Those that guests can choose."""
    return visit.services.settings.portal.languages


def _rooms(visit: Visit) -> dict[str, Room]:
    """By what stands in addresses. Groups made for the exemption of one guest or course have no rules of their own."""
    published = generations.in_force(visit.session, visit.services.place.owner_id)
    document = published.document if published is not None else {}
    keys = [key for key in ruled_groups(document) if not key.startswith(SESSION_PREFIX)]
    return {EVERYBODY: Room("", "")} | {key: Room(key, visit.group_names(key)) for key in keys}
