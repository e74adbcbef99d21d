"""The three words that a guest's device shows, and who has which devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Device, DeviceWords, Grant, Visitor

TRIES = 5  # a number is taken once in a million times at most


def shown(session: Session, grant_id: str, now: datetime) -> DeviceWords | None:
    """The words that the grant's device shows, while they can be used."""
    return session.scalars(
        select(DeviceWords).where(DeviceWords.grant_id == grant_id, DeviceWords.expires_at > now)
    ).one_or_none()


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
    return session.scalars(
        _acceptances()
        .where(Device.owner_id == owner_id, Device.mac == mac, Acceptance.accepted_at > since)
        .order_by(Acceptance.accepted_at.desc(), Acceptance.id.desc())
        .limit(1)
    ).one_or_none()


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
