"""The last way in: the account of IT without which nobody of IT could sign in when the OpenID provider is away.

One that is to end is none beside one that is not: else two who gave each other a last day would both be out after it.
"""

from __future__ import annotations

from datetime import datetime

from captive_portal.auth.accounts import has_ended
from captive_portal.auth.passkeys import rp_id
from gateway.settings import Console
from gateway.storage import passkeys, staff
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.staff_models import Staff


def is_last_way_in(session: Session, place: Place, account: Staff, console: Console, now: datetime) -> bool:
    """Whether IT gets in by this account alone, with a password of our own and what is asked for after it; of accounts
    that have no end, where there are any.
    """
    ways = [row for row in staff.accounts(session, place.owner_id) if _is_way_in(session, row, console, now)]
    lasting = [row for row in ways if row.ends_at is None]
    return [row.id for row in lasting or ways] == [account.id]


def _is_way_in(session: Session, account: Staff, console: Console, now: datetime) -> bool:
    if account.role != "it" or not account.password_hash or account.disabled_at is not None or has_ended(account, now):
        return False
    if account.totp_secret is not None:
        return True
    keys = passkeys.of_staff(session, account.id)
    if keys or console.needs_second_factor(account.role):  # a key that was made at another name opens nothing
        return any(key.rp_id == rp_id(console) for key in keys)
    return True
