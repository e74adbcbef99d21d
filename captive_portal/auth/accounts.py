"""Accounts: they are made without a password, and a one-time link lets its bearer choose one.

The account that the very first link belongs to has no name either: its bearer chooses that too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from captive_portal.auth.tokens import new_token, token_sha256
from gateway.audit import canonical
from gateway.audit.record import record
from gateway.audit.scope import EVERYTHING, Scope, scope_of
from gateway.clock import format_utc
from gateway.errors import UsageError
from gateway.settings import Console
from gateway.storage import api_tokens, console_queries, passkeys, staff
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.staff_models import SetupLink, Staff

Role = Literal["it", "auditor", "host"]
ROLES = get_args(Role)

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
    state: Literal["ready", "waiting", "disabled", "ended"]
    created_at: datetime
    ends_at: datetime | None
    scope: Scope
    authenticator: bool
    unit: str = ""
    oidc_subject: str = ""
    passkeys: int = 0

    @property
    def second_factor(self) -> bool:
        """Whether the password alone lets nobody in."""
        return self.authenticator or self.passkeys > 0


@dataclass(frozen=True)
class Second:
    """A second factor that has been shown to work: its locked secret, the step of the code used, recovery hashes."""

    secret: str
    step: int
    recovery_sha256s: Sequence[str]


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


def add_account(
    session: Session,
    place: Place,
    username: str,
    role: str,
    now: datetime,
    *,
    by: str = "",
    ends_at: datetime | None = None,
    scope: Scope = EVERYTHING,
    unit: str = "",
) -> Link:
    """Make an account and the link with which its bearer chooses the password. `by` is who asked for it.

    From `ends_at` on nobody signs in with it. `scope` is what an auditor may see; IT sees all. `unit` is whose courses
    a host makes.
    Raises: UsageError for a user name that is none or is taken, an unknown role, an end in the past, a scope for others
        than auditors, a host without a unit or a unit for others.
    """
    name = normal_username(username)
    if name is None:
        raise UsageError(f"{username!r} is no user name; use 2 to 64 of a-z, æøå, digits and . _ @ -")
    if role not in ROLES:
        raise UsageError(f"there is no role {role!r}; choose it, auditor or host")
    if (role == "host") != bool(unit):
        raise UsageError("a host has a unit, whose courses are theirs: --unit; others have none")
    if staff.by_username(session, place.owner_id, name) is not None:
        raise UsageError(f"the account {name!r} exists; `staff reset {name}` gives it a new link")
    _check_limits(role, ends_at, scope, now)
    account = new_account(session, place, name, role, now)
    account.ends_at, account.scope, account.unit = ends_at, scope.document(), unit
    session.flush()
    record_change(session, place, "added", account, by, now)
    return _new_link(session, account, now)


def change_account(
    session: Session,
    place: Place,
    username: str,
    now: datetime,
    *,
    by: str,
    ends_at: datetime | Literal["same"] | None = "same",
    scope: Scope | None = None,
) -> None:
    """Give an account another end (None: none) or scope; what is not given stays. Raises: UsageError."""
    account = named(session, place, username)
    ends = account.ends_at if ends_at == "same" else ends_at
    _check_limits(account.role, ends if ends_at != "same" else None, scope or EVERYTHING, now)
    account.ends_at = ends
    if scope is not None:
        account.scope = scope.document()
    session.flush()
    record_change(session, place, "changed", account, by, now)


def scope_of_named(session: Session, place: Place, username: str) -> Scope:
    """What the account with this name may see. Raises: UsageError."""
    return scope_of(named(session, place, username))


def disable_account(session: Session, place: Place, username: str, now: datetime, *, by: str) -> None:
    """End an account now: its browsers are signed out, its links and tokens end. `reset_account` opens it again.

    Raises: UsageError.
    """
    account = named(session, place, username)
    account.disabled_at = now
    console_queries.end_sessions_of(session, account.id)
    api_tokens.revoke_all(session, account.id, now)
    for link in console_queries.links_of(session, account.id):
        session.delete(link)
    session.flush()
    record_change(session, place, "disabled", account, by, now)


def reset_account(session: Session, place: Place, username: str, now: datetime, *, by: str = "") -> Link:
    """Take an account's password, second factors and tokens, end its sessions, and make a new link.

    Raises: UsageError.
    """
    account = named(session, place, username)
    if account.ends_at is not None and account.ends_at <= now:
        raise UsageError(
            f"the account {account.username!r} has ended; give it another end first: `staff change --until`"
        )
    if account.oidc_subject:
        raise UsageError(
            f"{account.username!r} signs in at the OpenID provider, with what it keeps there; `staff link` opens the"
            " account again"
        )
    account.password_hash, account.disabled_at = None, None
    account.totp_secret, account.totp_step = None, 0
    staff.set_recovery_codes(session, account.id, ())
    passkeys.forget_all(session, account.id)
    console_queries.end_sessions_of(session, account.id)
    api_tokens.revoke_all(session, account.id, now)
    record_change(session, place, "reset", account, by, now)
    return _new_link(session, account, now)


def list_accounts(session: Session, place: Place, now: datetime) -> Sequence[Account]:
    """Every account that has a name, by name."""
    keys = passkeys.counts(session, place.owner_id)
    return [
        Account(
            row.username,
            row.role,
            state_of(row, now),
            row.created_at,
            row.ends_at,
            scope_of(row),
            row.totp_secret is not None,
            row.unit,
            row.oidc_subject or "",
            keys.get(row.id, 0),
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
    return _new_link(session, unnamed or new_account(session, place, UNNAMED, "it", now), now)


def open_link(session: Session, place: Place, token: str, now: datetime) -> OpenLink | None:
    """What a link is for, if it is ours, unused and in time."""
    found = _usable(session, place, token, now)
    if found is None:
        return None
    link, account = found
    return OpenLink(account.id, "" if account.username == UNNAMED else account.username, account.role, link.expires_at)


def redeem(
    session: Session,
    place: Place,
    token: str,
    username: str,
    password_hash: str,
    now: datetime,
    *,
    second: Second | None = None,
) -> Literal["done", "link", "taken"]:
    """Use a link: give its account the password, the second factor and, where it has none, the name. Once.

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
    account.totp_secret, account.totp_step = (second.secret, second.step) if second is not None else (None, 0)
    staff.set_recovery_codes(session, account.id, second.recovery_sha256s if second is not None else ())
    link.used_at = now
    session.flush()
    console_queries.end_sessions_of(session, account.id)
    record_change(session, place, "password_set", account, account.username, now)
    return "done"


def _usable(session: Session, place: Place, token: str, now: datetime) -> tuple[SetupLink, Staff] | None:
    found = staff.setup_link(session, token_sha256(token))
    if found is None:
        return None
    link, account = found
    ours = account.owner_id == place.owner_id and account.disabled_at is None and not has_ended(account, now)
    return found if ours and link.used_at is None and link.expires_at > now else None


def has_ended(account: Staff, now: datetime) -> bool:
    """Whether the account's last day is over."""
    return account.ends_at is not None and account.ends_at <= now


def is_usable(account: Staff, place: Place, now: datetime) -> bool:
    """Whether the account may do anything just now: ours, neither disabled nor ended, and with a way to sign in."""
    ours = account.owner_id == place.owner_id and account.disabled_at is None
    return ours and can_sign_in(account) and not has_ended(account, now)


def can_sign_in(account: Staff) -> bool:
    """Whether the account has been given a way to sign in: a password here, or a name at the provider."""
    return bool(account.password_hash or account.oidc_subject)


def state_of(account: Staff, now: datetime) -> Literal["ready", "waiting", "disabled", "ended"]:
    """How an account stands: it can be signed in to, waits for its link to be used, is suspended, or has ended."""
    if account.disabled_at:
        return "disabled"
    return "ended" if has_ended(account, now) else "ready" if can_sign_in(account) else "waiting"


def named(session: Session, place: Place, username: str) -> Staff:
    """The account of this name. Raises: UsageError."""
    account = staff.by_username(session, place.owner_id, normal_username(username) or "")
    if account is None:
        raise UsageError(f"there is no account {username!r}; `staff list` names them")
    return account


def _check_limits(role: str, ends_at: datetime | None, scope: Scope, now: datetime) -> None:
    if role == "it" and scope.is_limited:
        raise UsageError("IT sees everything; a scope is for auditors")
    if role == "host" and scope.is_limited:
        raise UsageError("a host sees the courses of their unit and nothing else; a scope is for auditors")
    if ends_at is not None and ends_at <= now:
        raise UsageError("the account's last day has passed; name a day to come, or disable it: `staff disable`")


def new_account(session: Session, place: Place, username: str, role: str, now: datetime) -> Staff:
    """An account that nobody can sign in to yet; the name is normal and free."""
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


def record_change(
    session: Session, place: Place, change: str, account: Staff, by: str, now: datetime, *, scope: str | None = None
) -> None:
    """The leaf of a change of an account, in the transaction of the change. `by` is who made it.

    `scope` says what was changed where it is not the account's own limits.
    """
    record(
        session,
        place,
        "staff_change",
        {"change": change, "role": account.role},
        {"staff": by, "subject": account.username, "scope": _limits(account) if scope is None else scope},
        now,
    )


def _limits(account: Staff) -> str:
    """End, scope and unit as they stand after a change, as canonical JSON; "" where there are none."""
    ends_at = None if account.ends_at is None else format_utc(account.ends_at)
    if ends_at is None and account.scope is None and not account.unit:
        return ""
    unit = {"unit": account.unit} if account.unit else {}
    return canonical.encode({"ends_at": ends_at, "scope": account.scope, **unit}).decode()
