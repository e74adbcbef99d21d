"""Signed-in browsers: who a cookie belongs to, how long (`console.idle_minutes`, `console.session_hours`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from captive_portal.auth.accounts import is_usable
from captive_portal.auth.tokens import TOKEN_MAX_CHARS, new_token, token_sha256
from gateway.audit.record import record
from gateway.audit.scope import Scope, scope_of
from gateway.storage import staff
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.staff_models import Staff, StaffSession

IDLE_LIMIT = timedelta(minutes=30)
ABSOLUTE_LIMIT = timedelta(hours=12)
SEEN_STEP = timedelta(minutes=1)  # how exact `seen_at` is kept; each finer step would be a write a page


@dataclass(frozen=True)
class SignedIn:
    """The account behind a browser. `touch` says that its last sign of life should be written down."""

    staff_id: str
    username: str
    role: str
    touch: bool
    scope: Scope
    ends_at: datetime | None
    unit: str = ""
    """Of a host: the unit whose courses are theirs."""
    session_id: str = ""
    token_scopes: frozenset[str] | None = None
    """What a token lets its program do; None in a browser, which does whatever the role may."""


def sign_in(
    session: Session,
    place: Place,
    account: Staff,
    *,
    method: str = "password",
    address: str,
    previous: str,
    now: datetime,
    browser: str = "",
    lasts: timedelta = ABSOLUTE_LIMIT,
) -> str:
    """Start a session, with its leaf, and return its fresh cookie. `previous`, which the browser held before, ends.

    `browser` is what a list of sessions calls it.
    """
    staff.end_expired_sessions(session, now)
    if previous:
        staff.end_session(session, token_sha256(previous))
    token = new_token()
    account.last_sign_in_at = now
    session.add(
        StaffSession(
            token_sha256=token_sha256(token),
            staff_id=account.id,
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
            method=method,
            address=address,
            browser=browser,
        )
    )
    session.flush()
    record_sign_in(session, place, account, method=method, result="ok", address=address, now=now)
    return token


def record_sign_in(
    session: Session, place: Place, account: Staff, *, method: str, result: str, address: str, now: datetime
) -> None:
    """The leaf of a sign-in whose password was right: `result` is ok, wrong_code or ended."""
    fields = {"method": method, "result": result}
    record(session, place, "staff_login", fields, {"staff": account.username, "address": address}, now)


def who(session: Session, place: Place, token: str, now: datetime, idle: timedelta = IDLE_LIMIT) -> SignedIn | None:
    """Whose browser it is, while its session is within both limits and the account neither disabled nor ended."""
    if not token or len(token) > TOKEN_MAX_CHARS:
        return None
    row = staff.session_by_token(session, token_sha256(token))
    if row is None or row.expires_at <= now or row.seen_at + idle <= now:
        return None
    account = row.staff
    if not is_usable(account, place, now):
        return None
    touch = now - row.seen_at >= SEEN_STEP
    return SignedIn(
        account.id,
        account.username,
        account.role,
        touch,
        scope_of(account),
        account.ends_at,
        account.unit,
        row.id,
    )


def touch(session: Session, token: str, now: datetime) -> None:
    """Write down that the browser is still in use."""
    row = staff.session_by_token(session, token_sha256(token))
    if row is not None:
        row.seen_at = now


def sign_out(session: Session, token: str) -> None:
    """End the browser's session."""
    staff.end_session(session, token_sha256(token))
