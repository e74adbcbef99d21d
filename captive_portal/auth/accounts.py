"""Accounts: they are made without a password, and a one-time link lets its bearer choose one.

The account that the very first link belongs to has no name either: its bearer chooses that too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from captive_portal.auth.tokens import new_token, token_sha256
from gateway.audit.record import record
from gateway.errors import UsageError
from gateway.settings import Console
from gateway.storage import console_queries, staff
from gateway.storage.engine import Session
from gateway.storage.models import SetupLink, Staff
from gateway.storage.places import Place

Role = Literal["it", "auditor"]

LINK_LIFE = timedelta(hours=24)
UNNAMED = "?"  # no bearer can choose it: it is no user name
USERNAME_MAX_CHARS = 64
_USERNAME = re.compile(r"[a-z0-9æøå][a-z0-9æøå._@-]{1,63}")


@dataclass(frozen=True)
class Link:
    """A one-time link: the token is here and with its bearer, and nowhere else."""

    token: str
    expires_at: datetime

    def url(self, console: Console) -> str:
        """What the bearer opens."""
        return f"{console_url(console)}/setup/{self.token}"


@dataclass(frozen=True)
class Account:
    """An account as IT sees it."""

    username: str
    role: str
    state: Literal["ready", "waiting", "disabled"]
    created_at: datetime


@dataclass(frozen=True)
class OpenLink:
    """A link that may be used now. `username` is "" where the bearer chooses it."""

    staff_id: str
    username: str
    role: str
    expires_at: datetime


def console_url(console: Console) -> str:
    """Where staff reach the console, without a trailing slash."""
    host = f"[{console.hostname}]" if ":" in console.hostname else console.hostname
    return f"https://{host}" if console.port == 443 else f"https://{host}:{console.port}"


def normal_username(text: str) -> str | None:
    """The user name that `text` means: 2–64 of a–z æøå 0–9 . _ @ -, in lower case. None when it is none."""
    name = unicodedata.normalize("NFC", text).strip(" ").lower()
    return name if _USERNAME.fullmatch(name) else None


def add_account(session: Session, place: Place, username: str, role: str, now: datetime, *, by: str = "") -> Link:
    """Make an account and the link with which its bearer chooses the password. `by` is who asked for it.

    Raises: UsageError for a user name that is none or is taken, and for an unknown role.
    """
    name = normal_username(username)
    if name is None:
        raise UsageError(f"{username!r} is no user name; use 2 to 64 of a-z, æøå, digits and . _ @ -")
    if role not in ("it", "auditor"):
        raise UsageError(f"there is no role {role!r}; choose it or auditor")
    if staff.by_username(session, place.owner_id, name) is not None:
        raise UsageError(f"the account {name!r} exists; `staff reset {name}` gives it a new link")
    account = _new_account(session, place, name, role, now)
    _record(session, place, "added", account, by, now)
    return _new_link(session, account, now)


def reset_account(session: Session, place: Place, username: str, now: datetime, *, by: str = "") -> Link:
    """Take an account's password, end its sessions, and make a new link for it. Raises: UsageError."""
    account = staff.by_username(session, place.owner_id, normal_username(username) or "")
    if account is None:
        raise UsageError(f"there is no account {username!r}; `staff list` names them")
    account.password_hash, account.disabled_at = None, None
    console_queries.end_sessions_of(session, account.id)
    _record(session, place, "reset", account, by, now)
    return _new_link(session, account, now)


def list_accounts(session: Session, place: Place) -> Sequence[Account]:
    """Every account that has a name, by name."""
    return [
        Account(
            row.username,
            row.role,
            "disabled" if row.disabled_at else "ready" if row.password_hash else "waiting",
            row.created_at,
        )
        for row in staff.accounts(session, place.owner_id)
        if row.username != UNNAMED
    ]


def first_link(session: Session, place: Place, now: datetime) -> Link | None:
    """The link of the first IT account, while no IT account can sign in; links made before it stop working."""
    rows = staff.accounts(session, place.owner_id)
    if any(row.role == "it" and row.password_hash and row.disabled_at is None for row in rows):
        return None
    unnamed = next((row for row in rows if row.username == UNNAMED), None)
    return _new_link(session, unnamed or _new_account(session, place, UNNAMED, "it", now), now)


def open_link(session: Session, place: Place, token: str, now: datetime) -> OpenLink | None:
    """What a link is for, if it is ours, unused and in time."""
    found = _usable(session, place, token, now)
    if found is None:
        return None
    link, account = found
    return OpenLink(account.id, "" if account.username == UNNAMED else account.username, account.role, link.expires_at)


def redeem(
    session: Session, place: Place, token: str, username: str, password_hash: str, now: datetime
) -> Literal["done", "link", "taken"]:
    """Use a link: give its account the password and, where it has none, the name. Once.

    `username` is normal. "link" when the link can't be used (any more), "taken" when another account has that name.
    """
    found = _usable(session, place, token, now)
    if found is None:
        return "link"
    link, account = found
    if account.username == UNNAMED:
        if staff.by_username(session, place.owner_id, username) is not None:
            return "taken"
        account.username = username
    account.password_hash = password_hash
    link.used_at = now
    session.flush()
    console_queries.end_sessions_of(session, account.id)
    _record(session, place, "password_set", account, account.username, now)
    return "done"


def _usable(session: Session, place: Place, token: str, now: datetime) -> tuple[SetupLink, Staff] | None:
    found = staff.setup_link(session, token_sha256(token))
    if found is None:
        return None
    link, account = found
    ours = account.owner_id == place.owner_id and account.disabled_at is None
    return found if ours and link.used_at is None and link.expires_at > now else None


def _new_account(session: Session, place: Place, username: str, role: str, now: datetime) -> Staff:
    account = Staff(
        owner_id=place.owner_id, username=username, role=role, password_hash=None, created_at=now, disabled_at=None
    )
    session.add(account)
    session.flush()
    return account


def _new_link(session: Session, account: Staff, now: datetime) -> Link:
    for old in console_queries.links_of(session, account.id):
        session.delete(old)
    link = Link(new_token(), now + LINK_LIFE)
    session.add(
        SetupLink(token_sha256=token_sha256(link.token), staff_id=account.id, expires_at=link.expires_at, used_at=None)
    )
    session.flush()
    return link


def _record(session: Session, place: Place, change: str, account: Staff, by: str, now: datetime) -> None:
    record(
        session,
        place,
        "staff_change",
        {"change": change, "role": account.role},
        {"staff": by, "subject": account.username},
        now,
    )
