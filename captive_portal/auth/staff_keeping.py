"""What IT changes about the accounts of others: role, unit and end, suspended or not, a new link, the second factors.

IT can't lock itself out: nobody does any of this to their own account, and the last account of IT that can be signed in
to here, the way in when the provider is away, keeps its role, its password and its second factor, and gets no end;
those that have one don't count beside it.
Two who change at once take turns, so neither sees the other's account as the one that remains. Each change is a leaf.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from captive_portal.auth import accounts
from captive_portal.auth.accounts import ROLES, Link, has_ended, record_change
from captive_portal.auth.last_way_in import is_last_way_in
from captive_portal.auth.own_account import key_words
from gateway.settings import Console
from gateway.storage import api_tokens, console_queries, passkeys, places, staff
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.staff_models import Staff

Refusal = Literal[
    "unknown",  # there is no such account
    "own",  # it is the account of whoever asks
    "last",  # it is the last way in
    "provider",  # what is to be changed is the OpenID provider's to say
    "ended",  # its last day is over
    "needed",  # accounts of this role have to have a second factor
    "nothing",  # it stands so already
    "role",  # there is no such role
    "unit",  # a host has a unit, and others have none
    "past",  # the moment has passed; an account is suspended to end at once
]


def hold(session: Session, place: Place, staff_id: str, member_id: str) -> Staff | Refusal:
    """The account that somebody signed in as `member_id` may change, until the transaction ends."""
    places.lock_owner(session, place.owner_id)
    account = staff.lock_account(session, staff_id)
    if account is None or account.owner_id != place.owner_id or account.username == accounts.UNNAMED:
        return "unknown"
    return "own" if account.id == member_id else account


def suspend(
    session: Session, place: Place, account: Staff, console: Console, now: datetime, *, by: str
) -> Refusal | None:
    """Sign the account out everywhere and let nobody in until it is opened again; its password stays."""
    if account.disabled_at is not None:
        return "nothing"
    if is_last_way_in(session, place, account, console, now):
        return "last"
    accounts.disable_account(session, place, account.username, now, by=by)
    return None


def reopen(session: Session, place: Place, account: Staff, now: datetime, *, by: str) -> Refusal | None:
    """Let it be signed in to again, as before."""
    if account.disabled_at is None:
        return "nothing"
    if has_ended(account, now):
        return "ended"
    account.disabled_at = None
    session.flush()
    record_change(session, place, "reopened", account, by, now)
    return None


def change_end(
    session: Session,
    place: Place,
    account: Staff,
    ends_at: datetime | None,
    console: Console,
    now: datetime,
    *,
    by: str,
) -> Refusal | None:
    """Let nobody sign in with it from `ends_at` on (None: it has no end); one that has ended is open until then."""
    if account.ends_at == ends_at:
        return "nothing"
    if ends_at is not None and ends_at <= now:
        return "past"
    if ends_at is not None and is_last_way_in(session, place, account, console, now):
        return "last"
    accounts.change_account(session, place, account.username, now, by=by, ends_at=ends_at)
    return None


def renew_link(
    session: Session, place: Place, account: Staff, console: Console, now: datetime, *, by: str
) -> Link | Refusal:
    """Take password and second factors, end the sessions, and give a link by which both are chosen anew."""
    if account.oidc_subject:
        return "provider"
    if has_ended(account, now):
        return "ended"
    if is_last_way_in(session, place, account, console, now):
        return "last"
    return accounts.reset_account(session, place, account.username, now, by=by)


def remove_second_factor(
    session: Session, place: Place, account: Staff, console: Console, now: datetime, *, by: str
) -> Refusal | None:
    """Take authenticator, recovery codes and passkeys, and end the sessions; the password stays."""
    keys = passkeys.of_staff(session, account.id)
    if account.totp_secret is None and not keys:
        return "nothing"
    if console.needs_second_factor(account.role):
        return "needed"
    if is_last_way_in(session, place, account, console, now):
        return "last"
    had_authenticator = account.totp_secret is not None
    account.totp_secret, account.totp_step = None, 0
    staff.set_recovery_codes(session, account.id, ())
    passkeys.forget_all(session, account.id)
    console_queries.end_sessions_of(session, account.id)
    if had_authenticator:
        record_change(session, place, "authenticator_removed", account, by, now)
    for key in keys:
        record_change(session, place, "passkey_removed", account, by, now, scope=key_words(key.name))
    return None


def change_role(
    session: Session, place: Place, account: Staff, role: str, unit: str, console: Console, now: datetime, *, by: str
) -> Refusal | None:
    """Give the account another role or, to a host, another unit; it is signed out everywhere, its tokens end.

    An auditor's limits go with the role.
    """
    if role not in ROLES:
        return "role"
    if (role == "host") != bool(unit):
        return "unit"
    if (account.role, account.unit) == (role, unit):
        return "nothing"
    if account.role_by_claim:
        return "provider"
    if role != "it" and is_last_way_in(session, place, account, console, now):
        return "last"
    if role != account.role:
        account.scope = None
    account.role, account.unit = role, unit
    session.flush()
    console_queries.end_sessions_of(session, account.id)
    api_tokens.revoke_all(session, account.id, now)
    record_change(session, place, "changed", account, by, now)
    return None
