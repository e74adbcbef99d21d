"""Receipt codes: 80 random bits in Crockford's base 32, easy to read aloud and to type."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_MISREAD = str.maketrans("OIL", "011")


def new_receipt_code() -> str:
    """A fresh code of 16 characters; guessing one takes 2^80 tries."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def parse_receipt_code(text: str) -> str | None:
    """The code that a person meant: any case, spaces and hyphens, O for 0, I or L for 1. None when it is no code."""
    code = text.replace("-", "").replace(" ", "").upper().translate(_MISREAD)
    return code if len(code) == LENGTH and all(character in ALPHABET for character in code) else None


def format_receipt_code(code: str) -> str:
    """In groups of four: `7QK2-M0ZD-…`."""
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))
