"""Secrets that browsers carry, and what is kept of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

TOKEN_BYTES = 32
TOKEN_MAX_CHARS = 100


def new_token() -> str:
    """A fresh secret of 256 random bits, as 43 characters of base64url."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_sha256(token: str) -> str:
    """What the database keeps of a token: 64 hexadecimal digits, of no use to whoever reads them."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def form_token(cookie: str) -> str:
    """The token that forms carry for the browser holding `cookie`; nobody else can compute it."""
    digest = hmac.digest(cookie.encode("utf-8", "surrogatepass"), b"gjestenett console form", "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def form_token_matches(cookie: str, given: str) -> bool:
    """Whether `given` is the form token of `cookie`, in time that does not depend on where they differ."""
    return hmac.compare_digest(form_token(cookie).encode(), given.encode("utf-8", "surrogatepass"))
