"""Sending mail: one message by way of the municipality's mail server, taken by all its addressees or failed."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal

from gateway.errors import GatewayError

TIMEOUT_S = 20.0


class MailError(GatewayError):
    """The mail was not taken. The text is one line for people, without secrets."""


class Mailer:
    """The mail server at `host`. `password` and `tls` read their files when they are needed."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: Literal["starttls", "tls", "none"],
        username: str,
        password: Callable[[], str],
        tls: Callable[[], ssl.SSLContext],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._host, self._port, self._security = host, port, security
        self._username, self._password, self._tls, self._timeout_s = username, password, tls, timeout_s

    def send(self, message: EmailMessage) -> None:
        """Hand it over. Raises: MailError, and what `password` and `tls` raise."""
        password = self._password()
        try:
            with self._connect() as server:
                if self._security == "starttls":
                    server.starttls(context=self._tls())
                if password:
                    server.login(self._username, password)
                refused = server.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            raise MailError(f"{self._host} does not take the user name and password ({error.smtp_code})") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise MailError(f"{self._host} refuses {', '.join(error.recipients)}") from None
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise MailError(f"{self._host} does not take the mail: {error or type(error).__name__}") from None
        if refused:
            raise MailError(f"{self._host} refuses {', '.join(refused)}")

    def _connect(self) -> smtplib.SMTP:
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_s, context=self._tls())
        return smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)


def begin_message(sender: str, to: tuple[str, ...], subject: str, now: datetime) -> EmailMessage:
    """A message with the headers that every one has; machines are told that a machine wrote it (RFC 3834)."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    return message
