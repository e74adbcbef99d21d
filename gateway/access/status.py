"""Where a device stands: not accepted, accepted, or online because a gateway says that it let it through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.link.neighbours import Neighbour
from gateway.storage import grants, places
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


NOT_ACCEPTED = Status("not_accepted")


def device_status(session: Session, place: Place, neighbour: Neighbour, now: datetime) -> Status:
    """The standing of the device that the kernel knows as `neighbour`."""
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    device = grants.find_device(session, place.owner_id, neighbour.mac)
    if network is None or device is None:
        return NOT_ACCEPTED
    grant = grants.open_grant(session, device.id, network.id, now)
    if grant is None:
        return NOT_ACCEPTED
    return Status(
        "online" if grants.is_applied(session, grant.id) else "accepted",
        grant.id,
        grant.acceptance.id if grant.acceptance is not None else None,
        grant.acceptance.receipt_code if grant.acceptance is not None else None,
        grant.starts_at,
        grant.ends_at,
    )
