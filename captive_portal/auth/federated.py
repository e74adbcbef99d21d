"""Accounts of people who sign in at the OpenID provider: made by its claims, or linked to a `sub` by hand.

An account is keyed on (issuer, subject) and never on a name or an address, which a provider may give to another. It has
no password here, and an account with a password is never taken over by somebody of the same name.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

from captive_portal.auth import accounts
from captive_portal.auth.accounts import has_ended, new_account, normal_username, record_change
from captive_portal.auth.last_way_in import is_last_way_in
from captive_portal.auth.oidc_claims import SUBJECT_MAX_CHARS, Person
from gateway.errors import UsageError
from gateway.settings import Console
from gateway.storage import api_tokens, console_queries, passkeys, staff
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.staff_models import Staff

Refusal = Literal["no_role", "disabled", "ended"]


def admit(session: Session, place: Place, person: Person, now: datetime) -> Staff | Refusal:
    """The account of somebody who has just signed in at the provider, as its claims want it; or why there is none.

    Where the claims give the role, they give it anew each time: whoever has lost it is signed out everywhere. An
    account that IT has disabled, or that has ended, stays so whatever the claims say.
    """
    account = staff.by_subject(session, place.owner_id, person.issuer, person.subject)
    if account is None:
        return "no_role" if person.role is None else _made(session, place, person, person.role, now)
    if account.disabled_at is not None:
        return "disabled"
    if has_ended(account, now):
        return "ended"
    if account.role_by_claim and person.role is None:
        _put_out(session, account, now)
        return "no_role"
    if account.role_by_claim and person.role is not None and (account.role, account.unit) != (person.role, person.unit):
        account.role, account.unit, account.scope = person.role, person.unit, None
        _put_out(session, account, now)
        session.flush()
        record_change(session, place, "changed", account, account.username, now)
    return account


def link(
    session: Session,
    place: Place,
    username: str,
    issuer: str,
    subject: str,
    role: str,
    now: datetime,
    *,
    by: str,
    console: Console,
    unit: str = "",
) -> None:
    """From now on the account is signed in to at the provider, by whoever it knows as `subject`, and no longer by a
    password; a disabled account opens again. Where there is none, it is made with `role` and, for a host, `unit`. `by`
    is who asked for it.

    Raises: UsageError, also when the account is the last of IT that can be signed in to here: the way in when the
        provider is away.
    """
    name = normal_username(username)
    if name is None:
        raise UsageError(f"{username!r} is no user name; use 2 to 64 of a-z, æøå, digits and . _ @ -")
    if not subject or len(subject) > SUBJECT_MAX_CHARS or not subject.isprintable():
        raise UsageError("a subject is what the provider puts into `sub`; the console shows it when it turns one away")
    holder = staff.by_subject(session, place.owner_id, issuer, subject)
    if holder is not None and holder.username != name:
        raise UsageError(f"that person is {holder.username!r} already")
    account = staff.by_username(session, place.owner_id, name)
    if account is None:
        if role not in accounts.ROLES:
            raise UsageError(f"there is no account {name!r}; say which role it gets: --role")
        if (role == "host") != bool(unit):
            raise UsageError("a host has a unit, whose courses are theirs: --unit; others have none")
        account = new_account(session, place, name, role, now)
        account.unit = unit
    elif role and role != account.role:
        raise UsageError(f"{name!r} is {account.role}; make another account for another role")
    elif is_last_way_in(session, place, account, console, now):
        raise UsageError(
            f"{name!r} is the last account of IT that can be signed in to here, the way in when the provider is away;"
            " keep it"
        )
    account.oidc_issuer, account.oidc_subject, account.role_by_claim = issuer, subject, False
    account.password_hash, account.totp_secret, account.totp_step, account.disabled_at = None, None, 0, None
    staff.set_recovery_codes(session, account.id, ())
    passkeys.forget_all(session, account.id)
    _put_out(session, account, now)
    for pending in console_queries.links_of(session, account.id):
        session.delete(pending)
    session.flush()
    record_change(session, place, "linked", account, by, now)


def _put_out(session: Session, account: Staff, now: datetime) -> None:
    """End what was let in under another role or by another person: browsers and programs."""
    console_queries.end_sessions_of(session, account.id)
    api_tokens.revoke_all(session, account.id, now)


def _made(session: Session, place: Place, person: Person, role: str, now: datetime) -> Staff:
    account = new_account(session, place, _free_name(session, place, person), role, now)
    account.oidc_issuer, account.oidc_subject, account.role_by_claim = person.issuer, person.subject, True
    account.unit = person.unit
    session.flush()
    record_change(session, place, "added", account, account.username, now)
    return account


def _free_name(session: Session, place: Place, person: Person) -> str:
    """The name that the provider gives, if it can be one and is free; else with six digits of who it is."""
    mark = hashlib.sha256(f"{person.issuer} {person.subject}".encode()).hexdigest()
    wanted = normal_username(person.username) or f"oidc-{mark[6:14]}"
    tries = (wanted, f"{wanted[:50]}-{mark[:6]}", f"oidc-{mark[:32]}")
    return next(name for name in tries if staff.by_username(session, place.owner_id, name) is None)
