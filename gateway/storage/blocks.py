"""Devices that are kept out: which, until when, and letting a block go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.orm import joinedload

from gateway.storage.base import table_of
from gateway.storage.control_models import DeviceBlock
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.keyset import aside
from gateway.storage.models import Acceptance, Device, Gateway, Grant, Site

BATCH = 500


class Told(NamedTuple):
    """What stands against a device, as far as its guest may know: IT's own text, or ""."""

    told: str


def put(session: Session, block: DeviceBlock) -> None:
    """Keep the device out, in place of what kept it out before."""
    session.merge(block)
    session.flush()
    announce(session, "grants")


def of_device(session: Session, device_id: str, now: datetime) -> DeviceBlock | None:
    """What keeps the device out now, with the device."""
    return session.scalars(
        select(DeviceBlock)
        .options(joinedload(DeviceBlock.device, innerjoin=True))
        .where(DeviceBlock.device_id == device_id, DeviceBlock.ends_at > now)
    ).one_or_none()


def stands(session: Session, device_id: str, now: datetime) -> bool:
    """Whether the device is kept out."""
    return session.execute(_STANDS, {"device": device_id, "now": now}).first() is not None


def told(session: Session, owner_id: str, mac: str, now: datetime) -> Told | None:
    """What the guest with this device may know of what keeps it out; None when nothing does."""
    row = session.execute(_TOLD, {"owner": owner_id, "mac": mac, "now": now}).one_or_none()
    return Told(*row) if row is not None else None


_BLOCK, _DEVICE = table_of(DeviceBlock).c, table_of(Device).c
_STANDS = select(_BLOCK.device_id).where(_BLOCK.device_id == bindparam("device"), _BLOCK.ends_at > bindparam("now"))
_TOLD = (
    select(_BLOCK.told)
    .join_from(table_of(DeviceBlock), table_of(Device), _DEVICE.id == _BLOCK.device_id)
    .where(_DEVICE.owner_id == bindparam("owner"), _DEVICE.mac == bindparam("mac"), _BLOCK.ends_at > bindparam("now"))
)


def in_force(session: Session, owner_id: str, now: datetime) -> Sequence[DeviceBlock]:
    """What keeps the owner's devices out now, with the devices, newest first."""
    return session.scalars(
        select(DeviceBlock)
        .join(Device, Device.id == DeviceBlock.device_id)
        .options(joinedload(DeviceBlock.device, innerjoin=True))
        .where(aside(Device.owner_id) == owner_id, DeviceBlock.ends_at > now)
        .order_by(DeviceBlock.blocked_at.desc(), DeviceBlock.device_id)
    ).all()


def among(session: Session, owner_id: str, macs: Collection[str], now: datetime) -> frozenset[str]:
    """Those of these link-layer addresses that are kept out."""
    wanted, found = list(macs), set[str]()
    for start in range(0, len(wanted), BATCH):
        kept_out = select(Device.mac).join(DeviceBlock, DeviceBlock.device_id == Device.id)
        some = Device.mac.in_(wanted[start : start + BATCH])
        found.update(session.scalars(kept_out.where(Device.owner_id == owner_id, some, DeviceBlock.ends_at > now)))
    return frozenset(found)


def of_gateway(session: Session, gateway_id: str, now: datetime) -> Sequence[tuple[str, datetime]]:
    """(link-layer address, until when) of what the gateway must keep out."""
    rows = session.execute(
        select(Device.mac, DeviceBlock.ends_at)
        .join(DeviceBlock, DeviceBlock.device_id == Device.id)
        .join(Site, Site.owner_id == aside(Device.owner_id))
        .join(Gateway, Gateway.site_id == Site.id)
        .where(Gateway.id == gateway_id, DeviceBlock.ends_at > now)
    )
    return [(row[0], row[1]) for row in rows]


def lift(session: Session, device_ids: Collection[str]) -> None:
    """Let blocks go, and the devices that nothing else needs."""
    ids = list(device_ids)
    session.execute(delete(DeviceBlock).where(DeviceBlock.device_id.in_(ids)))
    _forget_unneeded(session, ids)


def _forget_unneeded(session: Session, ids: Sequence[str]) -> None:
    accepted, granted = exists().where(Acceptance.device_id == Device.id), exists().where(Grant.device_id == Device.id)
    blocked = exists().where(DeviceBlock.device_id == Device.id)
    session.execute(delete(Device).where(Device.id.in_(ids), ~accepted, ~granted, ~blocked))
    session.expire_all()
    announce(session, "grants")


def forget_ended(session: Session, owner_id: str, now: datetime) -> int:
    """Delete the blocks that are over; returns how many there were."""
    of_owner = exists().where(Device.id == DeviceBlock.device_id, aside(Device.owner_id) == owner_id)
    ended = session.scalars(  # in one statement: a device may be blocked anew just now
        delete(DeviceBlock).where(of_owner, DeviceBlock.ends_at <= now).returning(DeviceBlock.device_id)
    ).all()
    if ended:
        _forget_unneeded(session, ended)
    return len(ended)
