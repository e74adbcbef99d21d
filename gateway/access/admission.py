"""Admission: staff let a device in that has no browser to accept with, such as a projector, until a day they name.

One transaction writes the grant and its leaf. Ending it is revoking the grant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.storage import blocks, generations, grants, places
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import Grant
from gateway.storage.places import Place

LONGEST = timedelta(days=400)  # a school year and its holidays; then somebody looks at it again
_SEPARATORS = re.compile(r"[:.\-\s]")
_TWELVE_DIGITS = re.compile(r"[0-9a-f]{12}")
_FOR_MANY = 0x01  # of the first octet: not an address of one device


@dataclass(frozen=True, slots=True)
class Device:
    """What is let in: its link-layer address, the unit that answers for it, and why it needs the network."""

    mac: str
    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The device may be online under the group until `ends_at`."""

    grant_id: str
    group: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """Why nothing was written. `grant_id` is the standing admission of a device that is in already."""

    reason: Literal["no_network", "no_group", "past", "too_long", "admitted", "blocked"]
    grant_id: str = ""


def parse_mac(text: str) -> str | None:
    """A link-layer address in the kernel's form, `aa:bb:cc:dd:ee:ff`, however vendors write it on their labels.

    None for anything else, and for addresses that are no single device's (multicast, all zero).
    """
    digits = _SEPARATORS.sub("", text.strip().lower())
    if not _TWELVE_DIGITS.fullmatch(digits) or int(digits[:2], 16) & _FOR_MANY or int(digits, 16) == 0:
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def admit(  # noqa: PLR0911 - each return is one outcome
    session: Session,
    place: Place,
    device: Device,
    *,
    interface: str,
    group_key: str | None,
    until: datetime,
    by: str,
    now: datetime,
) -> Admitted | NotAdmitted:
    """Let a device in on the network at `interface` until `until`, under a group (None: the network's own), by `by`.

    `device.mac` is as from `parse_mac`. A guest who accepts on the device later neither shortens nor ends this.
    """
    network = places.network_on(session, place.gateway_id, interface)
    if network is None:
        return NotAdmitted("no_network")
    group = group_key or network.group_key
    mark = generations.mark_of(session, place.owner_id, group)
    if mark is None:
        return NotAdmitted("no_group")
    if until <= now:
        return NotAdmitted("past")
    if until - now > LONGEST:
        return NotAdmitted("too_long")
    row = grants.lock_device(session, place.owner_id, device.mac, now)
    if blocks.stands(session, row.id, now):
        return NotAdmitted("blocked")
    standing = grants.admitted_grant(session, row.id, network.id, now)
    if standing is not None:
        return NotAdmitted("admitted", standing.id)
    leaf_id = record(
        session,
        place,
        "device_admitted",
        {"device": row.id, "group": group, "until": format_utc(until)},
        {"by": by, "mac": device.mac, "unit": device.unit, "reason": device.reason},
        now,
    )
    grant = Grant(
        network_id=network.id,
        device_id=row.id,
        acceptance_id=None,
        admission_leaf_id=leaf_id,
        group_key=group,
        mark=mark,
        starts_at=now,
        ends_at=until,
        revoked_at=None,
        revoked_by=None,
    )
    session.add(grant)
    session.flush()
    announce(session, "grants")
    return Admitted(grant.id, group, until)
