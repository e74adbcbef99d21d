"""Devices, acceptances and grants, and what each gateway has applied of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import joinedload

from gateway.storage.accepting import hold_device
from gateway.storage.base import table_of
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, AppliedGrant, Device, Grant, Network

BATCH_IDS = 500
SHOWN = (
    joinedload(Grant.device),
    joinedload(Grant.network),
    joinedload(Grant.acceptance).joinedload(Acceptance.visitor),
    joinedload(Grant.unit),
    joinedload(Grant.course),
)
"""What lists of grants show: the device, its network, who has it, and by which course."""


def lock_device(session: Session, owner_id: str, mac: str, now: datetime) -> Device:
    """The device with this address, made if it is new, and held until the transaction ends.

    Holding it makes two submissions of one device take turns.
    """
    device_id = hold_device(session, owner_id, mac, now)
    return session.get_one(Device, device_id, populate_existing=True)  # what this session read before may be stale


def find_device(session: Session, owner_id: str, mac: str) -> Device | None:
    """The device with this address."""
    return session.scalars(select(Device).where(Device.owner_id == owner_id, Device.mac == mac)).one_or_none()


def open_grant(session: Session, device_id: str, network_id: str, now: datetime) -> Grant | None:
    """The grant under which the device is, or soon will be, online on the network; the one that lasts longest."""
    return session.scalars(_OPEN, {"device": device_id, "network": network_id, "now": now}).one_or_none()


def accepted_grant(session: Session, device_id: str, network_id: str, now: datetime) -> Grant | None:
    """As `open_grant`, of those that stand on an acceptance: what the guest may renew and end."""
    return session.scalars(_ACCEPTED, {"device": device_id, "network": network_id, "now": now}).one_or_none()


def admitted_grant(session: Session, device_id: str, network_id: str, now: datetime) -> Grant | None:
    """As `open_grant`, of those that stand on an admission."""
    return session.scalars(_ADMITTED, {"device": device_id, "network": network_id, "now": now}).one_or_none()


def open_on(session: Session, device_id: str, now: datetime) -> Sequence[str]:
    """The grants (ids) of the device that are not over, on whichever network."""
    return session.scalars(
        select(Grant.id).where(Grant.device_id == device_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
    ).all()


_OPEN = (
    select(Grant)
    .options(joinedload(Grant.acceptance))
    .where(
        Grant.device_id == bindparam("device"),
        Grant.network_id == bindparam("network"),
        Grant.revoked_at.is_(None),
        Grant.ends_at > bindparam("now"),
    )
    .order_by(Grant.ends_at.desc())
    .limit(1)
)
_ACCEPTED = _OPEN.where(Grant.acceptance_id.is_not(None))
_ADMITTED = _OPEN.where(Grant.admission_leaf_id.is_not(None))


def owned_grant(session: Session, owner_id: str, grant_id: str) -> Grant | None:
    """The grant with this id, with its device, if it is the owner's."""
    return session.scalars(
        select(Grant)
        .join(Device, Device.id == Grant.device_id)
        .options(joinedload(Grant.device))
        .where(Grant.id == grant_id, Device.owner_id == owner_id)
    ).one_or_none()


def grant_by_code(session: Session, owner_id: str, code: str) -> Grant | None:
    """The owner's grant with this id, or behind this receipt code, with its device; held until the transaction ends."""
    return session.scalars(
        select(Grant)
        .join(Device, Device.id == Grant.device_id)
        .outerjoin(Acceptance, Acceptance.id == Grant.acceptance_id)
        .options(joinedload(Grant.device, innerjoin=True))
        .where(Device.owner_id == owner_id, or_(Grant.id == code, Acceptance.receipt_code == code))
        .with_for_update(of=Grant)
    ).one_or_none()


class Standing(NamedTuple):
    """A device's open grant on a network, with what a guest is told of it; `acceptance_id`, `receipt_code` and
    `version_id` are None for one that staff admitted.
    """

    grant_id: str
    acceptance_id: str | None
    receipt_code: str | None
    starts_at: datetime
    ends_at: datetime
    applied: bool
    group_key: str
    version_id: str | None
    course_ends_at: datetime | None
    course_group: str | None


def standing(
    session: Session, owner_id: str, mac: str, gateway_id: str, interface: str, now: datetime
) -> Standing | None:
    """What `open_grant` and `is_applied` say of the device with this address on this gateway's network, in one query.

    Every request of a guest asks it.
    """
    values = {"owner": owner_id, "mac": mac, "gateway": gateway_id, "interface": interface, "now": now}
    row = session.execute(_STANDING, values).one_or_none()
    return Standing(*row) if row is not None else None


# Made once, and of tables: putting a statement of this size together takes longer than asking it, and so do objects.
_GRANT, _ACCEPTANCE, _DEVICE = table_of(Grant), table_of(Acceptance), table_of(Device)
_NETWORK, _APPLIED, _COURSE = table_of(Network), table_of(AppliedGrant), table_of(Course)
_STANDING = (
    select(
        _GRANT.c.id,
        _ACCEPTANCE.c.id.label("acceptance_id"),
        _ACCEPTANCE.c.receipt_code,
        _GRANT.c.starts_at,
        _GRANT.c.ends_at,
        select(_APPLIED.c.grant_id)
        .where(_APPLIED.c.grant_id == _GRANT.c.id, _APPLIED.c.removed_at.is_(None))
        .exists()
        .label("applied"),
        _GRANT.c.group_key,
        _ACCEPTANCE.c.rules_version_id,
        _COURSE.c.ends_at.label("course_ends_at"),
        _COURSE.c.group_key.label("course_group"),
    )
    .join_from(_GRANT, _DEVICE, _DEVICE.c.id == _GRANT.c.device_id)
    .join(_NETWORK, _NETWORK.c.id == _GRANT.c.network_id)
    .outerjoin(_ACCEPTANCE, _ACCEPTANCE.c.id == _GRANT.c.acceptance_id)
    .outerjoin(_COURSE, _COURSE.c.id == _GRANT.c.course_id)
    .where(
        _DEVICE.c.owner_id == bindparam("owner"),
        _DEVICE.c.mac == bindparam("mac"),
        _NETWORK.c.gateway_id == bindparam("gateway"),
        _NETWORK.c.interface == bindparam("interface"),
        _GRANT.c.revoked_at.is_(None),
        _GRANT.c.ends_at > bindparam("now"),
    )
    .order_by(_GRANT.c.ends_at.desc())
    .limit(1)
)


def let_in(session: Session, gateway_id: str, now: datetime) -> Sequence[tuple[str, str]]:
    """(interface, link-layer address) of the devices that this gateway says it lets through."""
    return [(row[0], row[1]) for row in session.execute(_LET_IN, {"gateway": gateway_id, "now": now})]


_LET_IN = (
    select(_NETWORK.c.interface, _DEVICE.c.mac)
    .join_from(_GRANT, _DEVICE, _DEVICE.c.id == _GRANT.c.device_id)
    .join(_NETWORK, _NETWORK.c.id == _GRANT.c.network_id)
    .join(_APPLIED, _APPLIED.c.grant_id == _GRANT.c.id)
    .where(
        _NETWORK.c.gateway_id == bindparam("gateway"),
        _GRANT.c.revoked_at.is_(None),
        _GRANT.c.ends_at > bindparam("now"),
        _APPLIED.c.removed_at.is_(None),
    )
)


def is_applied(session: Session, grant_id: str) -> bool:
    """Whether a gateway has let this grant's device through and has not closed it since."""
    return (
        session.scalars(
            select(AppliedGrant.grant_id).where(AppliedGrant.grant_id == grant_id, AppliedGrant.removed_at.is_(None))
        ).first()
        is not None
    )


def in_force(now: datetime) -> ColumnElement[bool]:
    """That a grant is in force at `now`."""
    return and_(Grant.revoked_at.is_(None), Grant.starts_at <= now, Grant.ends_at > now)


def open_grants(session: Session, owner_id: str, now: datetime) -> Sequence[Grant]:
    """Every grant in force at `now`, with all that is shown of it, newest first."""
    return session.scalars(
        select(Grant)
        .join(Device, Device.id == Grant.device_id)
        .options(*SHOWN)
        .where(Device.owner_id == owner_id, in_force(now))
        .order_by(Grant.starts_at.desc())
    ).all()


def open_admissions(session: Session, owner_id: str, now: datetime) -> Sequence[Grant]:
    """The grants of `open_grants` that stand on an admission."""
    return [grant for grant in open_grants(session, owner_id, now) if grant.admission_leaf_id is not None]


def grants_of_gateway(
    session: Session, gateway_id: str, now: datetime
) -> Sequence[tuple[str, str, str, int, datetime]]:
    """(grant id, interface, mac, mark, ends_at) of what the gateway should let through at `now`."""
    return session.execute(
        select(Grant.id, Network.interface, Device.mac, Grant.mark, Grant.ends_at)
        .join(Network, Network.id == Grant.network_id)
        .join(Device, Device.id == Grant.device_id)
        .where(Network.gateway_id == gateway_id, in_force(now))
        .order_by(Grant.starts_at)
    ).all()


def record_applied(
    session: Session, gateway_id: str, applied: Collection[str], removed: Collection[str], now: datetime
) -> None:
    """Write down what the kernel of `gateway_id` now holds, and what it no longer does. Twice is harmless, and so is a
    grant that has been erased meanwhile.
    """
    named = [*applied, *removed]
    rows = {
        row.grant_id: row
        for start in range(0, len(named), BATCH_IDS)
        for row in session.scalars(
            select(AppliedGrant).where(
                AppliedGrant.gateway_id == gateway_id, AppliedGrant.grant_id.in_(named[start : start + BATCH_IDS])
            )
        )
    }
    new = [grant_id for grant_id in applied if grant_id not in rows]
    standing = {
        grant_id
        for start in range(0, len(new), BATCH_IDS)
        for grant_id in session.scalars(
            select(Grant.id)
            .where(Grant.id.in_(new[start : start + BATCH_IDS]))
            .with_for_update(read=True, key_share=True)  # nobody erases it before this transaction has ended
        )
    }
    for grant_id in applied:
        row = rows.get(grant_id)
        if row is None and grant_id in standing:
            session.add(AppliedGrant(gateway_id=gateway_id, grant_id=grant_id, applied_at=now, removed_at=None))
        elif row is not None and row.removed_at is not None:
            row.applied_at, row.removed_at = now, None
    for grant_id in removed:
        row = rows.get(grant_id)
        if row is not None and row.removed_at is None:
            row.removed_at = now
    session.flush()
