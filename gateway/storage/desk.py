"""What the help desk asks about many devices at once: access now, access before, and whether they wait for a host."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select

from gateway.storage.course_models import HostRequest
from gateway.storage.engine import Session
from gateway.storage.models import AppliedGrant, Device, Grant, Network
from gateway.storage.search import device_ids

BATCH = 500

Where = tuple[str, str]
"""The interface of a guest network, and a link-layer address on it."""


class Access(NamedTuple):
    """A grant in force, and whether a gateway has let its device through."""

    grant_id: str
    ends_at: datetime
    applied: bool


def macs_ending(session: Session, owner_id: str, digits: str, limit: int) -> Sequence[str]:
    """Link-layer addresses of the owner's devices that end in `digits`, the last seen first.

    Raises: ValueError for fewer than four digits.
    """
    ids = device_ids(session, owner_id, digits)
    return [
        mac
        for batch in _batches(ids[:limit])
        for mac in session.scalars(
            select(Device.mac).where(Device.id.in_(batch)).order_by(Device.last_seen_at.desc(), Device.mac)
        )
    ]


def access(session: Session, owner_id: str, macs: Collection[str], now: datetime) -> dict[Where, Access]:
    """The grant in force of each device on each network; of several the one that lasts longest."""
    found: dict[Where, Access] = {}
    for batch in _batches(macs):
        applied = (
            select(AppliedGrant.grant_id)
            .where(AppliedGrant.grant_id == Grant.id, AppliedGrant.removed_at.is_(None))
            .exists()
        )
        rows = session.execute(
            select(Network.interface, Device.mac, Grant.id, Grant.ends_at, applied)
            .join_from(Grant, Device, Device.id == Grant.device_id)
            .join(Network, Network.id == Grant.network_id)
            .where(
                Device.owner_id == owner_id,
                Device.mac.in_(batch),
                Grant.revoked_at.is_(None),
                Grant.starts_at <= now,
                Grant.ends_at > now,
            )
            .order_by(Grant.ends_at)
        ).all()
        found.update({(row[0], row[1]): Access(row[2], row[3], bool(row[4])) for row in rows})
    return found


def ended(session: Session, owner_id: str, macs: Collection[str], now: datetime) -> dict[str, datetime]:
    """When the last access ended of each device that has had one and whose grants are over."""
    over = case((Grant.revoked_at.is_not(None), Grant.revoked_at), else_=Grant.ends_at)
    found: dict[str, datetime] = {}
    for batch in _batches(macs):
        rows = session.execute(
            select(Device.mac, func.max(over))
            .join(Grant, Grant.device_id == Device.id)
            .where(Device.owner_id == owner_id, Device.mac.in_(batch))
            .group_by(Device.mac)
        ).all()
        found.update({row[0]: row[1] for row in rows if row[1] <= now})
    return found


def asking(session: Session, owner_id: str, macs: Collection[str], now: datetime) -> set[Where]:
    """The devices that wait for a host's answer."""
    found: set[Where] = set()
    for batch in _batches(macs):
        rows = session.execute(
            select(HostRequest.interface, HostRequest.mac).where(
                HostRequest.owner_id == owner_id,
                HostRequest.mac.in_(batch),
                HostRequest.answer == "",
                HostRequest.expires_at > now,
            )
        ).all()
        found.update((row[0], row[1]) for row in rows)
    return found


def _batches(names: Collection[str]) -> Iterator[list[str]]:
    wanted = list(names)
    return (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))
