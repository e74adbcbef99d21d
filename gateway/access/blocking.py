"""Keeping a device out: its access ends at once, and it can't accept until the block is over or lifted.

A device is known by its link-layer address, which many phones make up and may change: a block stops a device that
keeps its address, not a person. One transaction writes the block, the ends of grants, and their leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.access.grants import revoke
from gateway.audit.periods import Period
from gateway.audit.record import record
from gateway.clock import MUNICIPAL_ZONE, format_utc
from gateway.storage import accepting, blocks, grants
from gateway.storage.control_models import DeviceBlock
from gateway.storage.engine import Session
from gateway.storage.places import Place


@dataclass(frozen=True, slots=True)
class Wish:
    """Which device, why, what its guest is told of it ("": nothing but whom to ask), and until when at most."""

    mac: str
    reason: str
    told: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """The device is kept out until `ends_at`; so many grants ended with that."""

    ends_at: datetime
    ended: int


@dataclass(frozen=True, slots=True)
class NotBlocked:
    """Why nothing was written: the end is past, or later than what is known of it may be kept."""

    reason: Literal["past", "too_long"]


def latest(keep: Period, now: datetime) -> datetime:
    """Until when a block may last at most: as long as the acceptances of today are kept (`privacy.acceptances`)."""
    return keep.end(now, MUNICIPAL_ZONE)


def block(session: Session, place: Place, wish: Wish, *, keep: Period, by: str, now: datetime) -> Blocked | NotBlocked:
    """Keep a device out of all guest networks of the owner, on behalf of staff member `by`.

    `wish.mac` is as from `admission.parse_mac`. A block that stands is replaced. Without an end it lasts until
    `latest`.
    """
    most = latest(keep, now)
    until = wish.until or most
    if until <= now:
        return NotBlocked("past")
    if until > most:
        return NotBlocked("too_long")
    device_id = accepting.hold_device(session, place.owner_id, wish.mac, now)  # an acceptance on it waits, or is ended
    blocks.put(
        session,
        DeviceBlock(
            device_id=device_id, reason=wish.reason, told=wish.told, blocked_at=now, ends_at=until, blocked_by=by
        ),
    )
    record(
        session,
        place,
        "device_blocked",
        {"change": "blocked", "until": format_utc(until)},
        {"by": by, "mac": wish.mac, "reason": wish.reason, "note": wish.told},
        now,
    )
    standing = grants.open_on(session, device_id, now)
    return Blocked(until, sum(revoke(session, place, grant_id, by, now) for grant_id in standing))


def unblock(session: Session, place: Place, mac: str, by: str, now: datetime) -> bool:
    """Lift what keeps the device out, as a leaf of the log; it may accept again. False when nothing does."""
    device = grants.find_device(session, place.owner_id, mac)
    if device is None or not blocks.stands(session, device.id, now):
        return False
    record(
        session, place, "device_blocked", {"change": "lifted", "until": format_utc(now)}, {"by": by, "mac": mac}, now
    )
    blocks.lift(session, [device.id])
    return True
