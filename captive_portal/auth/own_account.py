"""What one changes about one's own account while signed in: password, authenticator, recovery codes, passkeys.

Each change asks for the password again, which the caller has checked; `known_hash` is what it was checked against, so
that of two changes at once the later one is refused. Each is a leaf, and a new password or authenticator, or a passkey
that is removed, signs the account's other browsers out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from captive_portal.auth.accounts import Second, record_change
from captive_portal.auth.passkeys import NewKey
from gateway.audit import canonical
from gateway.storage import console_queries, passkeys, staff
from gateway.storage.engine import Session
from gateway.storage.passkey_models import Passkey
from gateway.storage.places import Place
from gateway.storage.staff_models import Staff

MOST_PASSKEYS = 10
PASSKEY_NAME_MAX_CHARS = 80


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


def add_passkey(
    session: Session, place: Place, staff_id: str, known_hash: str, rp_id: str, key: NewKey, name: str, now: datetime
) -> Literal["done", "changed", "known", "full"]:
    """Give the account another passkey, called `name`. "changed": as above; "known": some account has this key."""
    account = _unchanged(session, staff_id, known_hash)
    if account is None:
        return "changed"
    if passkeys.is_registered(session, key.credential_id):
        return "known"
    if len(passkeys.of_staff(session, account.id)) >= MOST_PASSKEYS:
        return "full"
    session.add(
        Passkey(
            staff_id=account.id,
            name=name,
            rp_id=rp_id,
            credential_id=key.credential_id,
            public_key=key.public_key,
            sign_count=key.sign_count,
            backup_eligible=key.backup_eligible,
            transports=key.transports,
            created_at=now,
            last_used_at=None,
        )
    )
    session.flush()
    record_change(session, place, "passkey_added", account, account.username, now, scope=key_words(name))
    return "done"


def remove_passkey(
    session: Session,
    place: Place,
    staff_id: str,
    known_hash: str,
    key_id: str,
    rp_id: str,
    kept_session: str,
    now: datetime,
    *,
    needed: bool,
) -> Literal["done", "changed", "unknown", "last", "shut"]:
    """Take a passkey from the account. "changed": as above; "last": it is the last second factor that works at `rp_id`,
    and one is `needed`; "shut": it is the last one that works there, and those that are left would let nobody in.
    """
    account = _unchanged(session, staff_id, known_hash)
    if account is None:
        return "changed"
    keys = passkeys.of_staff(session, account.id)
    gone = next((key for key in keys if key.id == key_id), None)
    if gone is None:
        return "unknown"
    left = [key for key in keys if key is not gone]
    if account.totp_secret is None and not any(key.rp_id == rp_id for key in left):
        if needed:
            return "last"
        if left and gone.rp_id == rp_id:
            return "shut"
    session.delete(gone)
    session.flush()
    staff.end_other_sessions(session, account.id, kept_session)
    record_change(session, place, "passkey_removed", account, account.username, now, scope=key_words(gone.name))
    return "done"


def key_words(name: str) -> str:
    """What the leaf of a change says of the passkey, as canonical JSON."""
    return canonical.encode({"passkey": name}).decode()


def _unchanged(session: Session, staff_id: str, known_hash: str) -> Staff | None:
    account = staff.lock_account(session, staff_id)
    return account if account is not None and account.password_hash == known_hash else None
