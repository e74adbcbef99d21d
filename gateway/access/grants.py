"""Changing a grant before its time: extended or ended by its guest, ended by staff, or moved to another group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.access.extension import Durations, extension
from gateway.access.status import device_status
from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.link.neighbours import Neighbour
from gateway.storage import generations, grants, places, rules
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import Grant
from gateway.storage.places import Place

MAX_CODE_CHARS = 64
EndCause = Literal["signed_off", "replaced", "other_device"]


def sign_off(session: Session, place: Place, neighbour: Neighbour, now: datetime) -> bool:
    """End the grants on the device's network that its guest has by accepting, each as a leaf of the log. False when
    there was none.

    What staff admitted a device to is theirs to end.
    """
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    device = grants.find_device(session, place.owner_id, neighbour.mac)
    if network is None or device is None:
        return False
    ended = False
    while (grant := grants.accepted_grant(session, device.id, network.id, now)) is not None:
        end_by_guest(session, place, grant, neighbour.mac, "signed_off", now)
        ended = True
    return ended


def end_by_guest(session: Session, place: Place, grant: Grant, mac: str, cause: EndCause, now: datetime) -> None:
    """End a grant in force on behalf of whom it was given to, as a leaf of the log."""
    _end(session, grant, "guest", now)
    record(session, place, "grant_ended", {"grant": grant.id, "cause": cause}, {"mac": mac}, now)


def extend(
    session: Session, place: Place, neighbour: Neighbour, grant_id: str, durations: Durations, now: datetime
) -> datetime | None:
    """Let the device be online for longer, as a leaf of the log; until when. None when it may not, as `extension` says,
    or when its grant is another one by now.
    """
    if device_status(session, place, neighbour, now).grant_id != grant_id:
        return None
    grants.lock_device(session, place.owner_id, neighbour.mac, now)
    status = device_status(session, place, neighbour, now)
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    group_key = network.group_key if network is not None else ""
    version = rules.version_in_force(session, place.owner_id, group_key, now=now)
    until = extension(status, version.id if version is not None else None, durations, now)
    grant = grants.owned_grant(session, place.owner_id, grant_id)
    if until is None or grant is None or status.grant_id != grant.id:
        return None
    grant.ends_at = until
    session.flush()
    fields = {"grant": grant.id, "until": format_utc(until)}
    record(session, place, "grant_extended", fields, {"mac": neighbour.mac}, now)
    announce(session, "grants")
    return until


def revoke(session: Session, place: Place, grant_id: str, by: str, now: datetime, *, reason: str = "") -> bool:
    """End a grant on behalf of staff member `by`, as a leaf of the log. False when it is not in force."""
    grant = grants.owned_grant(session, place.owner_id, grant_id)
    if grant is None or grant.revoked_at is not None or grant.ends_at <= now:
        return False
    _end(session, grant, by, now)
    personal = {"by": by, "mac": grant.device.mac, "reason": reason}
    record(session, place, "grant_revoked", {"grant": grant.id}, personal, now)
    return True


@dataclass(frozen=True, slots=True)
class Moved:
    """A grant that is under another policy group now: its id, and both groups."""

    grant_id: str
    from_group: str
    to_group: str


@dataclass(frozen=True, slots=True)
class NotMoved:
    """Why nothing was moved: no grant in force has the code, no such group in the policy in force, or it is there."""

    reason: Literal["no_grant", "no_group", "same_group"]


def move(session: Session, place: Place, code: str, group_key: str, by: str, now: datetime) -> Moved | NotMoved:
    """Put the session with this receipt code (or grant id) under the group's policy, as a leaf of the log.

    The grant takes the group's mark; the enforcer writes it to the kernel, and the next DNS answer follows it. A later
    acceptance begins in the network's own group again.
    """
    is_code = 0 < len(code) <= MAX_CODE_CHARS and code.isascii() and code.isalnum()
    grant = grants.grant_by_code(session, place.owner_id, code) if is_code else None
    if grant is None or grant.revoked_at is not None or not grant.starts_at <= now < grant.ends_at:
        return NotMoved("no_grant")
    mark = generations.mark_of(session, place.owner_id, group_key)
    if mark is None:
        return NotMoved("no_group")
    if (grant.group_key, grant.mark) == (group_key, mark):
        return NotMoved("same_group")
    before = grant.group_key
    grant.group_key, grant.mark = group_key, mark
    session.flush()
    record(
        session,
        place,
        "grant_moved",
        {"grant": grant.id, "from_group": before, "to_group": group_key},
        {"by": by, "mac": grant.device.mac},
        now,
    )
    announce(session, "grants")
    return Moved(grant.id, before, group_key)


def _end(session: Session, grant: Grant, by: str, now: datetime) -> None:
    grant.revoked_at, grant.revoked_by = now, by
    session.flush()
    announce(session, "grants")
