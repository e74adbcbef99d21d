"""Passkeys as they are kept: finding, counting and forgetting them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, select

from gateway.storage.engine import Session
from gateway.storage.passkey_models import Passkey
from gateway.storage.staff_models import Staff


def of_staff(session: Session, staff_id: str) -> Sequence[Passkey]:
    """The passkeys of an account, the oldest first."""
    return session.scalars(
        select(Passkey).where(Passkey.staff_id == staff_id).order_by(Passkey.created_at, Passkey.id)
    ).all()


def counts(session: Session, owner_id: str) -> Mapping[str, int]:
    """How many passkeys each account of an owner has; those without one are not named."""
    query = (
        select(Passkey.staff_id, func.count())
        .join(Staff, Staff.id == Passkey.staff_id)
        .where(Staff.owner_id == owner_id)
        .group_by(Passkey.staff_id)
    )
    return dict(iter(session.execute(query)))


def count_elsewhere(session: Session, owner_id: str, rp_id: str) -> int:
    """How many passkeys of an owner's accounts were made at another name."""
    query = select(func.count()).select_from(Passkey).join(Staff, Staff.id == Passkey.staff_id)
    return session.scalars(query.where(Staff.owner_id == owner_id, Passkey.rp_id != rp_id)).one()


def bearer_of(session: Session, owner_id: str, credential_id: bytes) -> str | None:
    """The account that a credential is registered with."""
    return session.scalars(
        select(Passkey.staff_id)
        .join(Staff, Staff.id == Passkey.staff_id)
        .where(Passkey.credential_id == credential_id, Staff.owner_id == owner_id)
    ).one_or_none()


def by_credential(session: Session, staff_id: str, credential_id: bytes) -> Passkey | None:
    """The passkey of an account, whose bearer holds the account, with this credential."""
    return session.scalars(
        select(Passkey)
        .where(Passkey.staff_id == staff_id, Passkey.credential_id == credential_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def is_registered(session: Session, credential_id: bytes) -> bool:
    """Whether any account has this credential."""
    return session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)) is not None


def forget_all(session: Session, staff_id: str) -> int:
    """Forget every passkey of an account: how many there were."""
    keys = of_staff(session, staff_id)
    session.execute(delete(Passkey).where(Passkey.staff_id == staff_id))
    return len(keys)
