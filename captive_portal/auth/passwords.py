"""Passwords: what is asked of one, and how it is kept (Argon2id, m=19456 KiB, t=2, p=1)."""

from __future__ import annotations

import unicodedata
from threading import BoundedSemaphore
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS = 15
MAX_CHARS = 200
MIN_DIFFERENT = 5

Problem = Literal["too_short", "too_long", "characters", "too_simple"]

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_AT_ONCE = BoundedSemaphore(2)  # each takes 19 MiB; a crowd at the sign-in page must not take all memory
_NOBODY = _HASHER.hash("nobody has this password")


def problem_with(password: str, username: str) -> Problem | None:
    """What is wrong with a new password, if anything. Length counts; nothing is asked of its composition."""
    if len(password) > MAX_CHARS:
        return "too_long"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        return "characters"
    if len(password) < MIN_CHARS:
        return "too_short"
    simple = len(set(password)) < MIN_DIFFERENT
    named = len(username) >= MIN_DIFFERENT and not password.casefold().replace(username.casefold(), "")
    return "too_simple" if simple or named else None


def hash_password(password: str) -> str:
    """The PHC string to keep of a password. Takes about 20 ms and 19 MiB: never call it inside a transaction."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed. Without a hash it takes the same time, and is False."""
    if len(password) > MAX_CHARS:
        password, password_hash = "", None
    try:
        with _AT_ONCE:
            return _HASHER.verify(password_hash or _NOBODY, _normal(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
