"""The three words that a guest's device shows, and who has which devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from gateway.storage.base import table_of
from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Device, DeviceWords, Grant, Network, Visitor

TRIES = 5  # a number is taken once in a million times at most


def shown(session: Session, grant_id: str, now: datetime) -> DeviceWords | None:
    """The words that the grant's device shows, while they can be used."""
    return session.scalars(_SHOWN, {"grant": grant_id, "now": now}).one_or_none()


_SHOWN = select(DeviceWords).where(
    DeviceWords.grant_id == bindparam("grant"), DeviceWords.expires_at > bindparam("now")
)


def add(
    session: Session, owner_id: str, grant_id: str, choose: Callable[[], int], expires_at: datetime, now: datetime
) -> DeviceWords:
    """New words for the grant; its earlier ones and all that have run out go. `choose` gives a number at random.

    Raises: IntegrityError when each of several numbers is taken.
    """
    gone = (DeviceWords.expires_at <= now) | (DeviceWords.grant_id == grant_id)
    session.execute(delete(DeviceWords).where(DeviceWords.owner_id == owner_id, gone))
    for left in reversed(range(TRIES)):
        row = DeviceWords(grant_id=grant_id, owner_id=owner_id, number=choose(), expires_at=expires_at)
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            if not left:
                raise
        else:
            return row
    raise AssertionError("unreachable")


def hold(session: Session, owner_id: str, number: int, now: datetime) -> DeviceWords | None:
    """The words with this number while they can be used, held until the transaction ends: nobody else uses them."""
    return session.scalars(
        select(DeviceWords)
        .where(DeviceWords.owner_id == owner_id, DeviceWords.number == number, DeviceWords.expires_at > now)
        .with_for_update()
    ).one_or_none()


def spend(session: Session, words: DeviceWords) -> None:
    """The words are used, and gone."""
    session.delete(words)
    session.flush()


def accepted_grant(session: Session, grant_id: str, now: datetime) -> Grant | None:
    """The grant while it is open, with its device and its acceptance's visitor; None for one that staff admitted."""
    return session.scalars(
        _OPEN_OF_GUESTS.where(Grant.id == grant_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
    ).one_or_none()


def grants_of_visitor(session: Session, visitor_id: str, now: datetime) -> Sequence[Grant]:
    """The open grants that stand on this person's acceptances, with their devices, oldest first."""
    return session.scalars(
        _OPEN_OF_GUESTS.where(
            Acceptance.visitor_id == visitor_id, Grant.revoked_at.is_(None), Grant.ends_at > now
        ).order_by(Grant.starts_at, Grant.id)
    ).all()


class Company(NamedTuple):
    """An open grant of a person, and the device that has it."""

    grant_id: str
    device_id: str
    mac: str
    starts_at: datetime


def company(session: Session, grant_id: str, now: datetime) -> Sequence[Company]:
    """The open grants of the person who has this one, with this one, oldest first; none where it is not open, or was
    admitted by staff. Every status page asks it.
    """
    return [Company(*row) for row in session.execute(_COMPANY, {"grant": grant_id, "now": now})]


_OPEN_OF_GUESTS = (
    select(Grant)
    .join(Acceptance, Acceptance.id == Grant.acceptance_id)
    .options(
        joinedload(Grant.device, innerjoin=True),
        joinedload(Grant.network, innerjoin=True),
        joinedload(Grant.acceptance, innerjoin=True).joinedload(Acceptance.visitor, innerjoin=True),
    )
)


def lock_visitor(session: Session, visitor_id: str) -> Visitor | None:
    """The person, held until the transaction ends, so that two of their devices take turns; None once erased."""
    return session.scalars(
        select(Visitor).where(Visitor.id == visitor_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()


def newest_acceptance(session: Session, owner_id: str, mac: str, since: datetime) -> Acceptance | None:
    """The newest acceptance on the device with this address, made after `since`, with its visitor and rules."""
    newest = session.execute(_NEWEST, {"owner": owner_id, "mac": mac, "since": since}).scalar_one_or_none()
    if newest is None:  # nearly every guest's: objects are made for the others only
        return None
    return session.scalars(_acceptances().where(Acceptance.id == newest)).one_or_none()


def open_acceptance(
    session: Session, owner_id: str, mac: str, now: datetime, gateway_id: str = "", interface: str = ""
) -> Acceptance | None:
    """The newest acceptance by which the device with this address has access, as `newest_acceptance` has it; with
    `interface` on that network of the gateway alone.
    """
    wanted = (
        _acceptances()
        .join(Grant, Grant.acceptance_id == Acceptance.id)
        .where(Device.owner_id == owner_id, Device.mac == mac, Grant.revoked_at.is_(None), Grant.ends_at > now)
        .order_by(Acceptance.accepted_at.desc(), Acceptance.id.desc())
        .limit(1)
    )
    if interface:
        here = (Network.gateway_id == gateway_id, Network.interface == interface)
        wanted = wanted.join(Network, Network.id == Grant.network_id).where(*here)
    return session.scalars(wanted).one_or_none()


# Made once, and of tables, as every guest's first page asks it: most are new here.
_ACCEPTANCE, _DEVICE, _GRANT = table_of(Acceptance), table_of(Device), table_of(Grant)
_NEWEST = (
    select(_ACCEPTANCE.c.id)
    .join_from(_ACCEPTANCE, _DEVICE, _DEVICE.c.id == _ACCEPTANCE.c.device_id)
    .where(
        _DEVICE.c.owner_id == bindparam("owner"),
        _DEVICE.c.mac == bindparam("mac"),
        _ACCEPTANCE.c.accepted_at > bindparam("since"),
    )
    .order_by(_ACCEPTANCE.c.accepted_at.desc(), _ACCEPTANCE.c.id.desc())
    .limit(1)
)


def course_of(session: Session, acceptance_id: str) -> str | None:
    """The identifier of the course that the acceptance has, or had, a seat in."""
    return session.scalars(
        select(Grant.course_id)
        .where(Grant.acceptance_id == acceptance_id, Grant.course_id.is_not(None))
        .order_by(Grant.starts_at.desc())
        .limit(1)
    ).one_or_none()


def acceptance_by_code(session: Session, owner_id: str, code: str) -> Acceptance | None:
    """The acceptance with this receipt code, with its visitor, device and rules."""
    return session.scalars(
        _acceptances().where(Acceptance.owner_id == owner_id, Acceptance.receipt_code == code)
    ).one_or_none()


def _acceptances() -> Select[Acceptance]:
    return (
        select(Acceptance)
        .join(Device, Device.id == Acceptance.device_id)
        .options(
            joinedload(Acceptance.visitor, innerjoin=True),
            joinedload(Acceptance.device, innerjoin=True),
            joinedload(Acceptance.rules_version, innerjoin=True),
        )
    )


_OWN, _OWN_ACCEPTANCE = _GRANT.alias("own"), _ACCEPTANCE.alias("own_acceptance")
_COMPANY = (
    select(_GRANT.c.id, _GRANT.c.device_id, _DEVICE.c.mac, _GRANT.c.starts_at)
    .join_from(_OWN, _OWN_ACCEPTANCE, _OWN_ACCEPTANCE.c.id == _OWN.c.acceptance_id)
    .join(_ACCEPTANCE, _ACCEPTANCE.c.visitor_id == _OWN_ACCEPTANCE.c.visitor_id)
    .join(_GRANT, _GRANT.c.acceptance_id == _ACCEPTANCE.c.id)
    .join(_DEVICE, _DEVICE.c.id == _GRANT.c.device_id)
    .where(
        _OWN.c.id == bindparam("grant"),
        _OWN.c.revoked_at.is_(None),
        _OWN.c.ends_at > bindparam("now"),
        _GRANT.c.revoked_at.is_(None),
        _GRANT.c.ends_at > bindparam("now"),
    )
    .order_by(_GRANT.c.starts_at, _GRANT.c.id)
)
