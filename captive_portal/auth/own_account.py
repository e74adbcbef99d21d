"""What one changes about one's own account while signed in: the password, the authenticator, the recovery codes.

Each change asks for the password again, which the caller has checked; `known_hash` is what it was checked against, so
that of two changes at once the later one is refused. Each is a leaf, and a new password or authenticator signs the
account's other browsers out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from captive_portal.auth.accounts import Second, record_change
from gateway.storage import console_queries, staff
from gateway.storage.engine import Session
from gateway.storage.models import Staff
from gateway.storage.places import Place


def change_password(
    session: Session, place: Place, staff_id: str, known_hash: str, new_hash: str, kept_session: str, now: datetime
) -> bool:
    """Give the account another password. False: it was changed by somebody else meanwhile, and nothing was done."""
    account = _unchanged(session, staff_id, known_hash)
    if account is None:
        return False
    account.password_hash = new_hash
    for link in console_queries.links_of(session, account.id):
        session.delete(link)
    staff.end_other_sessions(session, account.id, kept_session)
    record_change(session, place, "password_changed", account, account.username, now)
    return True


def set_authenticator(
    session: Session, place: Place, staff_id: str, known_hash: str, second: Second, kept_session: str, now: datetime
) -> bool:
    """Give the account another authenticator with its recovery codes; the former ones are void. False: as above."""
    account = _unchanged(session, staff_id, known_hash)
    if account is None:
        return False
    account.totp_secret, account.totp_step = second.secret, second.step
    staff.set_recovery_codes(session, account.id, second.recovery_sha256s)
    staff.end_other_sessions(session, account.id, kept_session)
    record_change(session, place, "authenticator_set", account, account.username, now)
    return True


def renew_recovery_codes(
    session: Session, place: Place, staff_id: str, known_hash: str, sha256s: Sequence[str], now: datetime
) -> bool:
    """Give the account, which has an authenticator, new recovery codes; the former ones are void. False: as above."""
    account = _unchanged(session, staff_id, known_hash)
    if account is None or account.totp_secret is None:
        return False
    staff.set_recovery_codes(session, account.id, sha256s)
    record_change(session, place, "recovery_codes", account, account.username, now)
    return True


def _unchanged(session: Session, staff_id: str, known_hash: str) -> Staff | None:
    account = staff.lock_account(session, staff_id)
    return account if account is not None and account.password_hash == known_hash else None
