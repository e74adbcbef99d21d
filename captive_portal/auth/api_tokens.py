"""Personal access tokens: what a program shows in place of a signed-in browser, for part of what its person may do.

A token never gives more than the role of its account at the time of each call. Its text is shown once and kept as a
hash; it begins with `gjn_` and ends with a checksum, so that scanners of source code find one that was published, and a
mistyped one costs no look-up.
"""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from captive_portal.auth.accounts import is_usable, record_change
from captive_portal.auth.sessions import SignedIn
from captive_portal.auth.tokens import token_sha256
from gateway.audit import canonical
from gateway.audit.scope import scope_of
from gateway.clock import format_utc
from gateway.storage import api_tokens, staff
from gateway.storage.api_models import ApiToken
from gateway.storage.engine import Session
from gateway.storage.places import Place
from gateway.storage.staff_models import Staff

PREFIX = "gjn_"
_RANDOM_CHARS, _SUM_CHARS = 40, 6  # 238 random bits
_ALPHABET = string.digits + string.ascii_letters
FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM_CHARS + _SUM_CHARS}}}")
"""What a token looks like, for scanners of source code."""

NAME_MAX_CHARS = 80
LONGEST = timedelta(days=366)  # "at most a year", also where it has a leap day
MOST = 50
FORM_LIFE = timedelta(hours=1)
"""For how long a form that made a token may be sent again, as by a browser that is opened anew."""
USED_STEP = timedelta(minutes=1)
ROLE_GOOD_FOR = timedelta(days=30)
"""For how long after signing in the role that a provider gave is believed: who has left does not sign in again."""

ROOMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "overview": ("it", "auditor"),
        "policy": ("it",),
        "lists": ("it", "auditor"),
        "rules": ("it", "auditor"),
        "devices": ("it",),
        "courses": ("it", "host"),
        "evidence": ("it", "auditor"),
        "staff": ("it",),
        "settings": ("it",),
        "account": ("it", "auditor", "host"),
    }
)
"""The groups of rooms that scopes name, and whose roles have a room in them."""
READ_ONLY: Mapping[str, frozenset[str]] = MappingProxyType({"auditor": frozenset({"lists", "rules"})})
_ONES_OWN = frozenset({"account:read", "account:write"})
SCOPES = tuple(
    f"{room}:{access}" for room in ROOMS for access in ("read", "write") if (room, access) != ("overview", "write")
)
"""There is nothing to change in the overview."""


Problem = Literal["no_scope", "not_yours", "past", "too_long", "too_many", "taken", "revoked"]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why no token was made, by field."""

    problems: Mapping[str, Problem]


@dataclass(frozen=True, slots=True)
class Made:
    """A token; `secret` is here and with its bearer, and nowhere else."""

    secret: str
    row: ApiToken


def scopes_of(role: str) -> tuple[str, ...]:
    """The scopes that an account of this role can give."""
    read_only = READ_ONLY.get(role, frozenset())
    return tuple(
        f"{room}:{access}"
        for room, access in (scope.split(":") for scope in SCOPES)
        if role in ROOMS[room] and (access == "read" or room not in read_only)
    )


def covers(scopes: Collection[str], wanted: str) -> bool:
    """Whether scopes let a call through that needs `wanted`; who may write in a room may read in it."""
    room, _, access = wanted.partition(":")
    return wanted in scopes or (access == "read" and f"{room}:write" in scopes)


def may_give(scopes: Collection[str] | None, role: str) -> bool:
    """Whether a call with these scopes (None: in a browser) may give somebody an account of `role`, or a way into one.

    No token gives more than it may do itself; and none gives what IT may do, for an account outlasts the token.
    """
    if scopes is None:
        return True
    return role != "it" and all(covers(scopes, each) for each in scopes_of(role) if each not in _ONES_OWN)


def new_secret() -> str:
    """A fresh token."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))
    return f"{PREFIX}{drawn}{_checksum(drawn)}"


def is_well_formed(text: str) -> bool:
    """Whether the text can be a token at all."""
    if not FORM.fullmatch(text):
        return False
    return _checksum(text[len(PREFIX) : -_SUM_CHARS]) == text[-_SUM_CHARS:]


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode("ascii")), ""
    for _ in range(_SUM_CHARS):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def make(
    session: Session,
    place: Place,
    staff_id: str,
    name: str,
    scopes: Collection[str],
    expires_at: datetime,
    now: datetime,
) -> Made | Refused:
    """Make a token for an account, as a leaf of the log. `name` is a line as `clean_line` gives it; of an account's
    tokens that work no two have one, and that of one which was revoked is not free at once.
    """
    problems = problems_with(session, staff_id, name, scopes, expires_at, now)
    if problems:
        return Refused(problems)
    account = _locked(session, staff_id)
    secret = new_secret()
    row = ApiToken(
        staff_id=staff_id,
        name=name,
        token_sha256=token_sha256(secret),
        scopes=" ".join(scope for scope in SCOPES if scope in scopes),
        created_at=now,
        expires_at=expires_at,
        last_used_at=None,
        revoked_at=None,
    )
    session.add(row)
    session.flush()
    _record(session, place, "token_added", account, account.username, row, now)
    return Made(secret, row)


def problems_with(
    session: Session,
    staff_id: str,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None,
    now: datetime,
) -> Mapping[str, Problem]:
    """What stands in the way of such a token, by field; of no day (None) nothing is said. The account is held, so that
    it stays so until the transaction ends.
    """
    account, problems = _locked(session, staff_id), dict[str, Problem]()
    names = api_tokens.names_usable(session, staff_id, now)
    lately = api_tokens.names_revoked(session, staff_id, now - FORM_LIFE)
    if _as_read(name) in map(_as_read, names):  # as where the browser sends the form again
        problems["name"] = "taken"
    elif _as_read(name) in map(_as_read, lately):
        problems["name"] = "revoked"
    if not scopes:
        problems["scopes"] = "no_scope"
    elif not set(scopes) <= set(scopes_of(account.role)):
        problems["scopes"] = "not_yours"
    if expires_at is not None and expires_at <= now:
        problems["expires"] = "past"
    elif expires_at is not None and expires_at - now > LONGEST:
        problems["expires"] = "too_long"
    if len(names) >= MOST:
        problems[""] = "too_many"
    return problems


def _locked(session: Session, staff_id: str) -> Staff:
    account = staff.lock_account(session, staff_id)
    assert account is not None, "a signed-in account is there"
    return account


def _as_read(name: str) -> str:
    """What of a name tells it from others: not its case, the width of letters and spaces, or format characters."""
    seen = (each for each in unicodedata.normalize("NFKC", name) if unicodedata.category(each) != "Cf")
    return " ".join("".join(seen).casefold().split())


def revoke(session: Session, place: Place, row: ApiToken, by: str, now: datetime) -> bool:
    """End a token at once, as a leaf of the log. False when it had ended already."""
    if row.revoked_at is not None or row.expires_at <= now:
        return False
    row.revoked_at = now
    session.flush()
    _record(session, place, "token_revoked", row.staff, by, row, now)
    return True


def who(session: Session, place: Place, secret: str, now: datetime) -> SignedIn | None:
    """Whose token it is, while it is in force and its account neither disabled nor ended, nor without a sign-in for so
    long that the provider may have taken its role away.
    """
    if not is_well_formed(secret):
        return None
    row = api_tokens.by_sha256(session, token_sha256(secret))
    if row is None or row.revoked_at is not None or row.expires_at <= now or not is_usable(row.staff, place, now):
        return None
    account = row.staff
    if account.role_by_claim and (account.last_sign_in_at is None or now - account.last_sign_in_at >= ROLE_GOOD_FOR):
        return None
    touch = row.last_used_at is None or now - row.last_used_at >= USED_STEP
    return SignedIn(
        account.id,
        account.username,
        account.role,
        touch,
        scope_of(account),
        account.ends_at,
        account.unit,
        token_scopes=frozenset(row.scopes.split()),
    )


def touch(session: Session, secret: str, address: str, now: datetime) -> None:
    """Write down that the token is in use, and from where."""
    row = api_tokens.by_sha256(session, token_sha256(secret))
    if row is not None:
        row.last_used_at, row.last_used_address = now, address


def _record(session: Session, place: Place, change: str, account: Staff, by: str, row: ApiToken, now: datetime) -> None:
    said = {"token": row.name, "scopes": row.scopes.split(), "ends_at": format_utc(row.expires_at)}
    record_change(session, place, change, account, by, now, scope=canonical.encode(said).decode())
