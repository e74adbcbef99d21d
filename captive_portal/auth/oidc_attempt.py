"""One attempt to sign in at the provider, as the browser that began it holds it: sealed, for ten minutes, used once.

State, nonce and PKCE verifier are fresh for each attempt (OpenID Connect Core §3.1.2.1, RFC 7636 §4.1). They stand in
an encrypted `__Host-` cookie, so that a response is taken only from the browser that asked (RFC 9700 §4.7).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from threading import Lock

from cryptography.fernet import Fernet, InvalidToken

from captive_portal.auth.tokens import new_token

ATTEMPT_LIFE = timedelta(minutes=10)
MAX_COOKIE_CHARS = 2000
MAX_USED = 10_000


@dataclass(frozen=True)
class Attempt:
    """What the response and the ID token have to fit. `until` is in seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    until: int


def new_attempt(now: datetime) -> Attempt:
    """A fresh attempt: each of its secrets has 256 random bits, in 43 characters of base64url."""
    return Attempt(new_token(), new_token(), new_token(), int((now + ATTEMPT_LIFE).timestamp()))


class Attempts:
    """Seals attempts into cookies and opens each once. Safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        derived = hmac.digest(key, b"gjestenett oidc attempts", "sha256")
        self._box = Fernet(base64.urlsafe_b64encode(derived))
        self._used: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def seal(self, attempt: Attempt) -> str:
        """The cookie of an attempt: nobody but this console can read or make it."""
        return self._box.encrypt(json.dumps(asdict(attempt)).encode("ascii")).decode("ascii")

    def take(self, cookie: str, state: str, now: datetime) -> Attempt | None:
        """The attempt that the cookie holds, if it is in time, `state` is its own, and it has not been taken before."""
        try:
            held = json.loads(self._box.decrypt(cookie[:MAX_COOKIE_CHARS].encode("utf-8", "surrogatepass")))
            attempt = Attempt(**held)
        except (InvalidToken, ValueError, TypeError):
            return None
        ours = hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "surrogatepass"))
        at_s = now.timestamp()
        if not ours or at_s >= attempt.until:
            return None
        with self._lock:
            while self._used and (next(iter(self._used.values())) <= at_s or len(self._used) >= MAX_USED):
                self._used.popitem(last=False)
            if attempt.state in self._used:
                return None
            self._used[attempt.state] = attempt.until
        return attempt
