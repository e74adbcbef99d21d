"""Ending a grant before its time: by the guest who signs off, or by staff."""

from __future__ import annotations

from datetime import datetime

from gateway.audit.record import record
from gateway.link.neighbours import Neighbour
from gateway.storage import grants, places
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import Grant
from gateway.storage.places import Place


def sign_off(session: Session, place: Place, neighbour: Neighbour, now: datetime) -> bool:
    """End the device's own grants on its network. False when there was none."""
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    device = grants.find_device(session, place.owner_id, neighbour.mac)
    if network is None or device is None:
        return False
    ended = False
    while (grant := grants.open_grant(session, device.id, network.id, now)) is not None:
        _end(session, grant, "guest", now)
        ended = True
    return ended


def revoke(session: Session, place: Place, grant_id: str, by: str, now: datetime) -> bool:
    """End a grant on behalf of staff member `by`, as a leaf of the log. False when it is not in force."""
    grant = grants.owned_grant(session, place.owner_id, grant_id)
    if grant is None or grant.revoked_at is not None or grant.ends_at <= now:
        return False
    _end(session, grant, by, now)
    record(session, place, "grant_revoked", {"grant": grant.id}, {"by": by, "mac": grant.device.mac}, now)
    return True


def _end(session: Session, grant: Grant, by: str, now: datetime) -> None:
    grant.revoked_at, grant.revoked_by = now, by
    session.flush()
    announce(session, "grants")
