"""Accounts of staff, their one-time set-up links and signed-in browsers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from gateway.storage.engine import Session, is_writing
from gateway.storage.models import RecoveryCode, SetupLink, Staff, StaffSession


def by_username(session: Session, owner_id: str, username: str) -> Staff | None:
    """The account with this name."""
    return session.scalars(select(Staff).where(Staff.owner_id == owner_id, Staff.username == username)).one_or_none()


def accounts(session: Session, owner_id: str) -> Sequence[Staff]:
    """Every account of an owner, by name."""
    return session.scalars(select(Staff).where(Staff.owner_id == owner_id).order_by(Staff.username)).all()


def setup_link(session: Session, token_sha256: str) -> tuple[SetupLink, Staff] | None:
    """The set-up link behind a token and its account; a writing transaction holds the link until it ends."""
    query = (
        select(SetupLink, Staff)
        .join(Staff, Staff.id == SetupLink.staff_id)
        .where(SetupLink.token_sha256 == token_sha256)
    )
    if is_writing(session):
        query = query.with_for_update(of=SetupLink).execution_options(populate_existing=True)
    row = session.execute(query).one_or_none()
    return (row[0], row[1]) if row is not None else None


def session_by_token(session: Session, token_sha256: str) -> StaffSession | None:
    """The signed-in browser behind a cookie, with its account."""
    return session.scalars(
        select(StaffSession).options(joinedload(StaffSession.staff)).where(StaffSession.token_sha256 == token_sha256)
    ).one_or_none()


def end_session(session: Session, token_sha256: str) -> None:
    """Sign that browser out."""
    session.execute(delete(StaffSession).where(StaffSession.token_sha256 == token_sha256))


def end_expired_sessions(session: Session, now: datetime) -> None:
    """Forget every browser whose session has run out."""
    session.execute(delete(StaffSession).where(StaffSession.expires_at <= now))


def lock_account(session: Session, staff_id: str) -> Staff | None:
    """The account, held until the transaction ends: two sign-ins with one code take turns."""
    return session.scalars(
        select(Staff).where(Staff.id == staff_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()


def set_recovery_codes(session: Session, staff_id: str, sha256s: Iterable[str]) -> None:
    """The account's recovery codes are these from now on."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    session.add_all(RecoveryCode(staff_id=staff_id, code_sha256=sha256) for sha256 in sha256s)
    session.flush()


def use_recovery_code(session: Session, staff_id: str, sha256: str) -> bool:
    """Use up a recovery code; False when the account has no such code (any more)."""
    row = session.get(RecoveryCode, (staff_id, sha256))
    if row is None:
        return False
    session.delete(row)
    session.flush()
    return True
