"""The second factor: a code of an authenticator (RFC 6238, SHA-1, 6 digits, 30 s), or once each a recovery code.

The shared secret is kept encrypted under `STATE/keys/console.key`, which is neither in the database nor in its backups:
whoever reads the database can't compute codes. A code is good for one use, and so is every earlier one after it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken

from captive_portal.security import FormKeyError, load_form_key
from gateway.access.receipts import format_receipt_code, new_receipt_code, parse_receipt_code
from gateway.errors import GatewayError

STEP_S = 30
WINDOW = 1  # steps before and after ours that a clock may be off
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226 §4: 160 bits recommended
RECOVERY_CODES = 8
_KEY_BYTES = 32


class SecondFactorError(GatewayError):
    """The key of the second factors can't be read or made; the message names the file."""


class SecondFactor:
    """Everything that needs the key. Immutable; safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise SecondFactorError("the key of the second factors has not 32 bytes; restore it from where it was kept")
        self._key = key
        self._box = Fernet(base64.urlsafe_b64encode(hmac.digest(key, b"gjestenett totp secrets", "sha256")))

    def secret_for(self, link_token: str) -> str:
        """The secret that the bearer of a one-time link is offered, in base 32: the same each time, and not to be
        computed from the link alone.
        """
        digest = hmac.digest(self._key, b"gjestenett totp enrolment " + link_token.encode(), "sha256")
        return base64.b32encode(digest[:SECRET_BYTES]).decode("ascii")

    def lock(self, secret: str) -> str:
        """What the database keeps of a secret."""
        return self._box.encrypt(secret.encode("ascii")).decode("ascii")

    def unlock(self, kept: str) -> str:
        """The secret again. Raises: SecondFactorError when it was kept under another key."""
        try:
            return self._box.decrypt(kept.encode("ascii")).decode("ascii")
        except InvalidToken:
            raise SecondFactorError(
                "a second factor was kept under another key; bring back console.key, or `staff reset` the account"
            ) from None

    def ticket(self, staff_id: str, password_hash: str, until: datetime) -> str:
        """What a browser holds between the password and the code: for this account and this password, `until` then."""
        said = f"{staff_id}.{int(until.timestamp())}"
        return f"{said}.{self._signature(said, password_hash)}"

    def ticket_holder(self, ticket: str, now: datetime) -> str | None:
        """The account that a ticket names, while it has time left; `ticket_matches` must follow."""
        staff_id, _, rest = ticket[:200].partition(".")
        until, _, _ = rest.partition(".")
        in_time = until.isascii() and until.isdigit() and len(until) < 12 and now.timestamp() < int(until)
        return staff_id if in_time and staff_id.isascii() and staff_id.isalnum() else None

    def ticket_matches(self, ticket: str, password_hash: str) -> bool:
        """Whether we made this ticket for an account with this password."""
        said, _, signature = ticket[:200].rpartition(".")
        return hmac.compare_digest(self._signature(said, password_hash).encode(), signature.encode())

    def _signature(self, said: str, password_hash: str) -> str:
        text = b"gjestenett sign-in ticket " + said.encode("utf-8", "surrogatepass") + b" " + password_hash.encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()


def load_second_factor(state: Path) -> SecondFactor:
    """The key of this installation, made on first use with mode 0600. Raises: SecondFactorError."""
    return SecondFactor(load_console_key(state))


def load_console_key(state: Path) -> bytes:
    """The console's own key in the state directory, made on first use with mode 0600. Raises: SecondFactorError."""
    path = state / "keys" / "console.key"
    try:
        return load_form_key(path)
    except FormKeyError as error:
        raise SecondFactorError(
            f"{path} can't be read or made ({error.__cause__ or 'it is damaged'}); restore it, or delete it and"
            " `staff reset` each account with a second factor"
        ) from error


def matching_step(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The 30-second step whose code this is, within the window and later than `last_step`; None when there is none."""
    digits = "".join(code.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    found = None
    for step in range(max(0, current - WINDOW), current + WINDOW + 1):  # all of them: the time taken tells nothing
        if hmac.compare_digest(totp.generate_otp(step), digits) and step > last_step:
            found = step
    return found


def provisioning_uri(secret: str, username: str, issuer: str) -> str:
    """The otpauth address behind the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def qr_svg(text: str) -> str:
    """A QR code as inline SVG without styles, black on white."""
    return segno.make(text, error="m", micro=False).svg_inline(scale=5, dark="#000", light="#fff")


def readable(secret: str) -> str:
    """The secret in groups of four, to be typed into an authenticator."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def new_recovery_codes() -> Sequence[str]:
    """Fresh codes of 80 random bits each, as they are shown."""
    return [format_receipt_code(new_receipt_code()) for _ in range(RECOVERY_CODES)]


def recovery_sha256(text: str) -> str | None:
    """What the database keeps of a recovery code as typed; None when it is none."""
    code = parse_receipt_code(text)
    return None if code is None else hashlib.sha256(code.encode("ascii")).hexdigest()
