"""Challenges of passkeys: random, each good once, for five minutes, and in the hands of whoever it was made for.

They are kept in this process, bounded: anybody may begin to sign in, and rows in the database for it would be a way to
fill it. A console that starts again has forgotten them, and the browser asks anew.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from captive_portal.auth.tokens import token_sha256

CHALLENGE_LIFE = timedelta(minutes=5)
CHALLENGE_BYTES = 32
MAX_OPEN = 10_000


@dataclass(frozen=True)
class _Open:
    holder_sha256: str
    until: datetime


class Challenges:
    """Gives challenges out and takes each back once. Safe to share between threads."""

    def __init__(self) -> None:
        self._open: OrderedDict[bytes, _Open] = OrderedDict()
        self._lock = Lock()

    def new(self, holder: str, now: datetime) -> bytes:
        """A fresh challenge. `holder` says for what it is and which secret of a browser goes with it."""
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        with self._lock:
            while self._open and (next(iter(self._open.values())).until <= now or len(self._open) >= MAX_OPEN):
                self._open.popitem(last=False)
            self._open[challenge] = _Open(token_sha256(holder), now + CHALLENGE_LIFE)
        return challenge

    def take(self, challenge: bytes, holder: str, now: datetime) -> bool:
        """Whether we gave this challenge to this holder, in time and not taken yet. It is gone in any case."""
        with self._lock:
            found = self._open.pop(challenge, None)
        return found is not None and now < found.until and found.holder_sha256 == token_sha256(holder)
