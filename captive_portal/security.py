"""What keeps strangers' pages from acting for a guest: response headers and the signed form token.

The token carries what the guest was shown (the subject: a rules version, or a grant; and the language) and until when
it may be used. It is signed together with the device's link-layer address, which the client never gets to state.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from gateway.errors import GatewayError

KEY_SIZE_BYTES = 32
MAX_TOKEN_CHARS = 300
FORM_LIFETIME = timedelta(hours=2)
Purpose = Literal["accept", "sign_off", "extend", "words", "end_device", "add", "return", "exemption", "find"]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# same-origin, not no-referrer: with the latter, browsers send `Origin: null` with our own forms
PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}


class FormKeyError(GatewayError):
    """The key that signs forms can't be read or made; the message names the file."""


@dataclass(frozen=True)
class Claims:
    """What a valid token says: the `subject` that was shown (an identifier), the `language` it was shown in, and until
    when it may be used.
    """

    subject: str
    language: str
    until: datetime = field(default=datetime.max.replace(tzinfo=UTC), compare=False)


Invalid = Literal["malformed", "foreign", "expired"]


class FormSigner:
    """Makes and checks form tokens under one key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_SIZE_BYTES:
            raise FormKeyError(f"the form key must have at least {KEY_SIZE_BYTES} bytes; delete it and start again")
        self._key = key

    def sign(self, purpose: Purpose, mac: str, subject: str, language: str, expires_at: datetime) -> str:
        """A token for one device (`mac`), in URL-safe characters. `subject` and `language` hold no full stop."""
        payload = f"{int(expires_at.timestamp() * 1000)}.{subject}.{language}"
        return f"{payload}.{self._signature(purpose, mac, payload)}"

    def verify(self, token: str, purpose: Purpose, mac: str, now: datetime) -> Claims | Invalid:
        """What the token says, when this device was given it for this purpose and it has not run out.

        `foreign` is a token of another device, purpose or installation, or one that was altered.
        """
        parts = token.split(".") if len(token) <= MAX_TOKEN_CHARS and token.isascii() else []
        if len(parts) != 4 or not parts[0].isdigit():
            return "malformed"
        payload, signature = ".".join(parts[:3]), parts[3]
        if not hmac.compare_digest(self._signature(purpose, mac, payload), signature):
            return "foreign"
        until_s = int(parts[0]) / 1000
        if now.timestamp() >= until_s:
            return "expired"
        return Claims(subject=parts[1], language=parts[2], until=datetime.fromtimestamp(until_s, UTC))

    def _signature(self, purpose: str, mac: str, payload: str) -> str:
        digest = hmac.digest(self._key, f"gjestenett form v1\0{purpose}\0{mac}\0{payload}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def load_form_key(path: Path) -> bytes:
    """The key in `path`, made with mode 0600 if it is missing. Raises: FormKeyError."""
    try:
        if not path.exists():
            _create(path)
        key = base64.b64decode(path.read_bytes(), validate=False)
    except (OSError, binascii.Error) as error:
        raise FormKeyError(f"the form key {path} can't be read or made: {error}; check the state directory") from error
    if len(key) != KEY_SIZE_BYTES:
        raise FormKeyError(f"the form key {path} is damaged; delete it, and a new one is made at the next start")
    return key


def _create(path: Path) -> None:
    """Put a whole key in place or none: two portals that start at once agree on the first one's."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_SIZE_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def is_cross_site(headers: Mapping[str, str]) -> bool:
    """Whether the browser says that another site made this request (Fetch Metadata). Old browsers say nothing."""
    return headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
