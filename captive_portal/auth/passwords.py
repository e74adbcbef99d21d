"""Passwords: what is asked of one, and how it is kept (Argon2id, m=19456 KiB, t=2, p=1)."""

from __future__ import annotations

import re
import unicodedata
from threading import BoundedSemaphore
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS = 15
MAX_CHARS = 200
LONGEST_UNIT = 8
SHORTEST_ROW = 4

Problem = Literal["too_short", "too_long", "characters", "repeats", "in_a_row", "known_words"]

_ROWS = ("abcdefghijklmnopqrstuvwxyzæøå", "0123456789012345678901234567890", "qwertyuiopå", "asdfghjkløæ", "zxcvbnm")
_BOTH_WAYS = (*_ROWS, *(row[::-1] for row in _ROWS))
_KNOWN_WORDS = (
    "passordet", "passord", "passwords", "password", "kommunen", "kommune", "gjestenettet", "gjestenett", "gjest",
    "nettverk", "network", "guest", "internett", "internet", "administrator", "admin", "konsoll", "console",
    "velkommen", "velkomen", "welcome", "hemmelig", "hemmeleg", "secret", "letmein", "bruker", "brukar", "login",
    "logginn", "qwerty", "sommer", "sommar", "vinter", "summer", "winter", "norge", "noreg", "norway",
)  # fmt: skip
_LOOKS_LIKE = str.maketrans("013457@$!", "oleastasi")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_AT_ONCE = BoundedSemaphore(2)  # each takes 19 MiB; a crowd at the sign-in page must not take all memory
_NOBODY = _HASHER.hash("nobody has this password")


def problem_with(password: str, username: str, owner_name: str = "") -> Problem | None:
    """What is wrong with a new password, if anything. Length counts; nothing is asked of its composition.

    What is tried first doesn't count as length: at most half of a password may be repetitions, characters in a row,
    the user name, the owner's name, or words of a short list.
    """
    if len(password) > MAX_CHARS:
        return "too_long"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        return "characters"
    if len(password) < MIN_CHARS:
        return "too_short"
    return _weakness(unicodedata.normalize("NFKC", password).casefold(), username, owner_name)


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


def _weakness(text: str, username: str, owner_name: str) -> Problem | None:
    bare = _bare(text)
    if any(_repeats(form) for form in (text, bare)):
        return "repeats"
    if _is_mostly_gone(_without_rows(bare), bare):
        return "in_a_row"
    words = {*_KNOWN_WORDS, *_words_of(username, 4), *_words_of(owner_name, 3)}
    for form in (bare, _bare(text.translate(_LOOKS_LIKE))):
        if _is_mostly_gone(_without_rows(_without_words(form, words)), form):
            return "known_words"
    return None


def _bare(text: str) -> str:
    """Its letters and digits, so that separators hide nothing; all of it, where they are the lesser part."""
    kept = "".join(character for character in text if character.isalnum())
    return kept if 2 * len(kept) >= len(text) else text


def _repeats(text: str) -> bool:
    """Whether it is one unit over and over, or mostly such parts."""
    whole = any(
        text == (text[:unit] * (len(text) // unit + 1))[: len(text)]
        for unit in range(1, min(LONGEST_UNIT, len(text) // 2) + 1)
    )
    once = re.sub(rf"(.{{1,{LONGEST_UNIT}}}?)\1{{2,}}", r"\1", text)
    return whole or _is_mostly_gone(once, text)


def _without_rows(text: str) -> str:
    """Without runs of the alphabet, of digits and of the keyboard's rows, in either direction."""
    kept, at = [], 0
    while at < len(text):
        end = at + SHORTEST_ROW
        if end <= len(text) and any(text[at:end] in row for row in _BOTH_WAYS):
            while end < len(text) and any(text[at : end + 1] in row for row in _BOTH_WAYS):
                end += 1
            at = end
        else:
            kept.append(text[at])
            at += 1
    return "".join(kept)


def _without_words(text: str, words: set[str]) -> str:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.sub("|".join(map(re.escape, longest_first)), "", text)


def _words_of(name: str, min_chars: int) -> set[str]:
    """A name run together, and its parts of at least `min_chars`."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    parts = {_bare(folded), *re.findall(r"[^\W_]+", folded)}
    return {part for part in parts if len(part) >= min_chars}


def _is_mostly_gone(left: str, text: str) -> bool:
    return 2 * len(left) <= len(text)
