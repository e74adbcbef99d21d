"""Guests who wait for a host's answer: asked, mailed, answered, and forgotten within a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from gateway.storage.course_models import HostRequest
from gateway.storage.engine import Session

KEPT_AFTER = timedelta(days=1)
MAX_TRIES = 5


def request(session: Session, owner_id: str, request_id: str) -> HostRequest | None:
    """The owner's request with this id."""
    return session.scalars(
        select(HostRequest).where(HostRequest.id == request_id, HostRequest.owner_id == owner_id)
    ).one_or_none()


def lock_request(session: Session, owner_id: str, request_id: str) -> HostRequest | None:
    """As `request`, held until the transaction ends: two answers by one link take turns."""
    return session.scalars(
        select(HostRequest)
        .where(HostRequest.id == request_id, HostRequest.owner_id == owner_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def newest_of(session: Session, owner_id: str, mac: str, since: datetime) -> HostRequest | None:
    """The device's latest request since then."""
    return session.scalars(
        select(HostRequest)
        .where(HostRequest.owner_id == owner_id, HostRequest.mac == mac, HostRequest.asked_at >= since)
        .order_by(HostRequest.asked_at.desc(), HostRequest.id)
        .limit(1)
    ).one_or_none()


def asked_since(session: Session, owner_id: str, since: datetime, *, mac: str = "", host_email: str = "") -> int:
    """How many requests there have been since then, of a device or to a host where one is named."""
    query = (
        select(func.count())
        .select_from(HostRequest)
        .where(HostRequest.owner_id == owner_id, HostRequest.asked_at >= since)
    )
    if mac:
        query = query.where(HostRequest.mac == mac)
    if host_email:
        query = query.where(HostRequest.host_email == host_email)
    return session.scalar(query) or 0


def to_mail(session: Session, gateway_id: str, now: datetime, limit: int = 50) -> Sequence[HostRequest]:
    """Requests made at the gateway whose mail has not been taken, and that can still be answered, oldest first."""
    return session.scalars(
        select(HostRequest)
        .where(
            HostRequest.gateway_id == gateway_id,
            HostRequest.answer == "",
            HostRequest.expires_at > now,
            HostRequest.mailed_at.is_(None),
            HostRequest.mail_tries < MAX_TRIES,
        )
        .order_by(HostRequest.asked_at)
        .limit(limit)
    ).all()


def forget(session: Session, owner_id: str, now: datetime) -> int:
    """Delete the requests that ran out a day ago; returns how many."""
    gone = session.execute(
        delete(HostRequest)
        .where(HostRequest.owner_id == owner_id, HostRequest.expires_at < now - KEPT_AFTER)
        .returning(HostRequest.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def forget_devices(session: Session, owner_id: str, macs: Collection[str]) -> None:
    """Delete what these devices have asked."""
    session.execute(
        delete(HostRequest)
        .where(HostRequest.owner_id == owner_id, HostRequest.mac.in_(list(macs)))
        .execution_options(synchronize_session=False)
    )
