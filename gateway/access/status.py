"""Where a device stands: not accepted, accepted, or online because a gateway says that it let it through.

Two things come before that: a network that is switched to closed or to letting everybody through, and a device that
staff keep out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.access.course_openings import PREFIX
from gateway.access.going_along import has_own_exemption
from gateway.link.neighbours import Neighbour
from gateway.storage import blocks, exemption_requests, grants, outages
from gateway.storage.engine import Session
from gateway.storage.places import Place


@dataclass(frozen=True)
class Status:
    """A device's standing on the network it is on. All but `state` are None when it has not accepted.

    A device that staff admitted stands as one that has accepted, without an acceptance and its receipt. `closed`: the
    network lets nobody through now. `open`, `opening`: it lets everybody through without accepting, or is about to;
    only `ends_at` and `group_key` say more. `blocked`: staff keep the device out.
    """

    state: Literal["not_accepted", "accepted", "online", "closed", "open", "opening", "blocked"]
    grant_id: str | None = None
    acceptance_id: str | None = None
    receipt_code: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    group_key: str | None = None
    version_id: str | None = None
    """The version of the rules that was accepted; None also where staff admitted the device."""
    course_ends_at: datetime | None = None
    """When the course ends that the device has a seat in; None without one."""
    hours_group: str | None = None
    """The group whose hours the device has: of a group made for one guest or course, the one it was made of."""
    has_own_exemption: bool = False
    """Whether its guest has an exemption for themselves alone now."""

    @property
    def is_through(self) -> bool:
        """Whether a gateway lets the device through."""
        return self.state in ("online", "open")

    @property
    def has_access(self) -> bool:
        """Whether the device has access of its own that is not withheld, be it in force yet or not."""
        return self.state in ("accepted", "online")


NOT_ACCEPTED = Status("not_accepted")


def device_status(session: Session, place: Place, neighbour: Neighbour, now: datetime) -> Status:
    """The standing of the device that the kernel knows as `neighbour`."""
    outage = outages.on(session, place.gateway_id, neighbour.interface, now)
    if outage is not None and outage.mode == "closed":
        return Status("closed", ends_at=outage.ends_at)
    found = grants.standing(session, place.owner_id, neighbour.mac, place.gateway_id, neighbour.interface, now)
    if found is None:
        if blocks.told(session, place.owner_id, neighbour.mac, now) is not None:
            return Status("blocked")
        if outage is not None:
            return Status("open" if outage.applied else "opening", ends_at=outage.ends_at, group_key=outage.group_key)
        return NOT_ACCEPTED
    return Status(
        "online" if found.applied else "accepted",
        found.grant_id,
        found.acceptance_id,
        found.receipt_code,
        found.starts_at,
        found.ends_at,
        found.group_key,
        found.version_id,
        found.course_ends_at,
        _hours_group(session, place, found),
        has_own_exemption(session, place.owner_id, found.group_key, now),
    )


def _hours_group(session: Session, place: Place, found: grants.Standing) -> str:
    """A session's group is like another one, a course's own has the rules of the one that the course was given."""
    group_key = exemption_requests.origin(session, place.owner_id, found.group_key)
    return found.course_group if group_key.startswith(PREFIX) and found.course_group is not None else group_key
