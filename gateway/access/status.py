"""Where a device stands: not accepted, accepted, or online because a gateway says that it let it through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.access.course_openings import PREFIX
from gateway.link.neighbours import Neighbour
from gateway.storage import exemption_requests, grants
from gateway.storage.engine import Session
from gateway.storage.places import Place


@dataclass(frozen=True)
class Status:
    """A device's standing on the network it is on. All but `state` are None when it has not accepted.

    A device that staff admitted stands as one that has accepted, without an acceptance and its receipt.
    """

    state: Literal["not_accepted", "accepted", "online"]
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


NOT_ACCEPTED = Status("not_accepted")


def device_status(session: Session, place: Place, neighbour: Neighbour, now: datetime) -> Status:
    """The standing of the device that the kernel knows as `neighbour`."""
    found = grants.standing(session, place.owner_id, neighbour.mac, place.gateway_id, neighbour.interface, now)
    if found is None:
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
    )


def _hours_group(session: Session, place: Place, found: grants.Standing) -> str:
    """A session's group is a copy of another one, a course's own has the rules of the one that the course was given."""
    group_key = exemption_requests.origin(session, place.owner_id, found.group_key)
    return found.course_group if group_key.startswith(PREFIX) and found.course_group is not None else group_key
