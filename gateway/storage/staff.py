"""Accounts of staff, their one-time set-up links and signed-in browsers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import contains_eager, joinedload

from gateway.storage.engine import Session, is_writing
from gateway.storage.keyset import Cut, Part, Place, as_written, beyond, in_order, part
from gateway.storage.staff_models import RecoveryCode, SetupLink, Staff, StaffSession

SESSIONS_SHOWN = 500


def by_username(session: Session, owner_id: str, username: str) -> Staff | None:
    """The account with this name."""
    return session.scalars(select(Staff).where(Staff.owner_id == owner_id, Staff.username == username)).one_or_none()


def accounts(session: Session, owner_id: str) -> Sequence[Staff]:
    """Every account of an owner, by name."""
    return session.scalars(select(Staff).where(Staff.owner_id == owner_id).order_by(Staff.username)).all()


def page_of_accounts(session: Session, owner_id: str, nameless: str, cut: Cut) -> Part[Staff]:
    """A part of the accounts of an owner, without the `nameless` one, by name; a place is (name, id)."""
    query = select(Staff).where(Staff.owner_id == owner_id, Staff.username != nameless)
    name = as_written(Staff.username)

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[Staff]:
        rest = query.where(*beyond(name, Staff.id, place, descending=descending))
        return session.scalars(rest.order_by(*in_order(name, Staff.id, descending=descending)).limit(limit)).all()

    return part(cut, fetch)


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


def by_subject(session: Session, owner_id: str, issuer: str, subject: str) -> Staff | None:
    """The account that an OpenID provider knows as `subject`; a writing transaction holds it until it ends."""
    query = select(Staff).where(Staff.owner_id == owner_id, Staff.oidc_issuer == issuer, Staff.oidc_subject == subject)
    if is_writing(session):
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def sessions_of(session: Session, staff_id: str, now: datetime, idle: timedelta) -> Sequence[StaffSession]:
    """The browsers in which an account is signed in, the last seen first."""
    return session.scalars(_alive(now, idle).where(StaffSession.staff_id == staff_id)).all()


def page_of_sessions(
    session: Session, owner_id: str, now: datetime, idle: timedelta, username: str, cut: Cut
) -> Part[StaffSession]:
    """A part of the browsers that are signed in to an owner's accounts, with these; `username` is in their names.

    The order is that in which they were last seen; a place is (that moment, id).
    """
    return _page_of_browsers(session, owner_id, now, idle, username, "", StaffSession.seen_at, cut)


def page_of_sign_ins(
    session: Session, owner_id: str, now: datetime, idle: timedelta, cut: Cut, staff_id: str = ""
) -> Part[StaffSession]:
    """A part of the same browsers, or of those of one account, in the order in which they were signed in; a place is
    (that moment, id).
    """
    return _page_of_browsers(session, owner_id, now, idle, "", staff_id, StaffSession.created_at, cut)


def _page_of_browsers(
    session: Session,
    owner_id: str,
    now: datetime,
    idle: timedelta,
    username: str,
    staff_id: str,
    column: Any,
    cut: Cut,
) -> Part[StaffSession]:
    whose: Any = StaffSession.staff_id
    if not username:  # SQLite would begin with the accounts, and sort all that they have
        whose = func.coalesce(whose, "")
    query = (
        select(StaffSession)
        .join(Staff, Staff.id == whose)
        .options(contains_eager(StaffSession.staff))
        .where(Staff.owner_id == owner_id, StaffSession.expires_at > now, StaffSession.seen_at > now - idle)
    )
    if staff_id:
        query = query.where(StaffSession.staff_id == staff_id)
    if username:
        query = query.where(func.lower(Staff.username).contains(username.lower(), autoescape=True))

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[StaffSession]:
        rest = query.where(*beyond(column, StaffSession.id, place, descending=descending))
        return session.scalars(
            rest.order_by(*in_order(column, StaffSession.id, descending=descending)).limit(limit)
        ).all()

    return part(cut, fetch)


def session_by_id(session: Session, owner_id: str, session_id: str) -> StaffSession | None:
    """The signed-in browser that pages name so, with its account."""
    return session.scalars(
        select(StaffSession)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .options(joinedload(StaffSession.staff))
        .where(StaffSession.id == session_id, Staff.owner_id == owner_id)
    ).one_or_none()


def end_other_sessions(session: Session, staff_id: str, kept_id: str) -> None:
    """Sign an account out of every browser but one."""
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.id != kept_id))


def _alive(now: datetime, idle: timedelta) -> Select[StaffSession]:
    return (
        select(StaffSession)
        .where(StaffSession.expires_at > now, StaffSession.seen_at > now - idle)
        .order_by(StaffSession.seen_at.desc(), StaffSession.id)
        .limit(SESSIONS_SHOWN)
    )


def recovery_codes_left(session: Session, staff_id: str) -> int:
    """How many recovery codes an account has not used."""
    query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.staff_id == staff_id)
    return session.scalar(query) or 0


def end_expired_sessions(session: Session, now: datetime) -> None:
    """Forget every browser whose session has run out."""
    session.execute(delete(StaffSession).where(StaffSession.expires_at <= now))


def account(session: Session, staff_id: str) -> Staff | None:
    """The account with this identity."""
    return session.get(Staff, staff_id)


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
