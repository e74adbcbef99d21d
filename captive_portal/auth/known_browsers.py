"""Browsers in which somebody has signed in before: their attempts are counted apart from everybody else's.

Whoever guesses from behind the same address (one NAT, one reverse proxy) can then not hold back those whose browser the
console knows. The cookie lets nobody in: it is worth one counter of its own, for one account.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

KNOWN_LIFE = timedelta(days=180)
MAX_COOKIE_CHARS = 300


class KnownBrowsers:
    """Makes and reads the cookies, under the console's key. Immutable; safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"gjestenett known browsers", "sha256")

    def mark(self, username: str, staff_id: str, now: datetime) -> str:
        """The cookie of a browser in which this account has just signed in."""
        until = int((now + KNOWN_LIFE).timestamp())
        said = f"{secrets.token_hex(16)}.{until}.{self._digest('name', username)}.{self._digest('id', staff_id)}"
        return f"{said}.{self._digest('cookie', said)}"

    def by_name(self, cookie: str, username: str, now: datetime) -> str | None:
        """What to count attempts with this user name under, where the cookie is one that this account was given."""
        return self._found(cookie, 2, self._digest("name", username), now)

    def by_account(self, cookie: str, staff_id: str, now: datetime) -> str | None:
        """The same for the account's identity."""
        return self._found(cookie, 3, self._digest("id", staff_id), now)

    def by_anybody(self, cookie: str, now: datetime) -> str | None:
        """The same where nobody has said yet who they are: the cookie is one that some account was given."""
        parts = self._parts(cookie, now)
        return None if parts is None else parts[0]

    def _found(self, cookie: str, place: int, wanted: str, now: datetime) -> str | None:
        parts = self._parts(cookie, now)
        return parts[0] if parts is not None and hmac.compare_digest(parts[place], wanted) else None

    def _parts(self, cookie: str, now: datetime) -> list[str] | None:
        said, _, signature = cookie[:MAX_COOKIE_CHARS].rpartition(".")
        if not hmac.compare_digest(self._digest("cookie", said).encode(), signature.encode("utf-8", "surrogatepass")):
            return None
        parts = said.split(".")
        return parts if now.timestamp() < int(parts[1]) else None

    def _digest(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose} {text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[
            :32
        ]
