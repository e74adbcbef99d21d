"""What uses a group that a policy lacks: guest networks, and addresses in `dns.sources`. Of courses
`gateway.access.course_openings.stranded` knows.

Publishing such a policy is not refused: the group may be given back at once, or the network be changed. But it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.storage import places
from gateway.storage.engine import Session
from gateway.storage.places import Place

User = Literal["network", "source"]
WORDS: Mapping[User, str] = {
    "network": "the guest network {name} uses the group {group}, which is missing: its guests can't get in",
    "source": "dns.sources: {name} uses the group {group}, which is missing: what is there gets no answers",
}


@dataclass(frozen=True, slots=True)
class Missed:
    """Something that uses a missing group: what it is, and what it is called (interface, or addresses)."""

    user: User
    name: str
    group: str

    @property
    def in_words(self) -> str:
        """In English, for the command line."""
        return WORDS[self.user].format(name=self.name, group=self.group)


def missed(session: Session, place: Place, sources: Mapping[str, str], groups: Collection[str]) -> list[Missed]:
    """What uses a group that is not among `groups`, by group."""
    used: list[Missed] = [Missed("network", name, group) for name, group in places.networks(session, place.owner_id)]
    used += [Missed("source", network, group) for network, group in sources.items()]
    return sorted(
        (each for each in used if each.group not in groups), key=lambda each: (each.group, each.user, each.name)
    )
