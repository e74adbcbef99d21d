"""Receipt codes: 80 random bits in Crockford's base 32, easy to read aloud and to type.

The first two groups are the *short code*. Whoever has it may know that an acceptance exists, and nothing about whose.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
SHORT_LENGTH = 8
_MISREAD = str.maketrans("OIL", "011")


def new_receipt_code() -> str:
    """A fresh code of 16 characters; guessing one takes 2^80 tries."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def parse_receipt_code(text: str) -> str | None:
    """The code that a person meant: any case, spaces and hyphens, O for 0, I or L for 1. None when it is no code."""
    return _parse(text, LENGTH)


def parse_short_code(text: str) -> str | None:
    """The short code that a person meant, read as leniently. None when it is none."""
    return _parse(text, SHORT_LENGTH)


def format_receipt_code(code: str) -> str:
    """In groups of four: `7QK2-M0ZD-…`; a short code too."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _parse(text: str, length: int) -> str | None:
    code = text.replace("-", "").replace(" ", "").upper().translate(_MISREAD)
    return code if len(code) == length and all(character in ALPHABET for character in code) else None
