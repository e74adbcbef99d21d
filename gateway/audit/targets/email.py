"""E-mail: the checkpoint and the erasure list as attachments, to people outside who keep their mail."""

from __future__ import annotations

import smtplib
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Literal

from gateway.audit.targets.seam import TIMEOUT_S, Delivered, Package, TargetError, client_tls, read_secret

_BODY = """\
Dette er sjekkpunktet for loggen {origin}, som holder {size} innførsler. Ta vare på denne e-posten: med den kan en \
revisor vise at ingenting i loggen er endret eller fjernet siden nå.

Dette er sjekkpunktet for loggen {origin}, som held {size} innførslar. Ta vare på denne e-posten: med han kan ein \
revisor vise at ingenting i loggen er endra eller fjerna sidan no.

This is the checkpoint of the log {origin}, which holds {size} entries. Keep this message: with it an auditor can show \
that nothing in the log has been changed or removed since.

{note}"""


class EmailTarget:
    """Mail to `to` by way of the server at `host`."""

    kind = "email"

    def __init__(
        self,
        name: str,
        *,
        to: tuple[str, ...],
        sender: str,
        host: str,
        port: int,
        security: Literal["starttls", "tls", "none"],
        username: str,
        password_file: Path | None,
        ca_file: Path | None,
    ) -> None:
        self.name = name
        self._to, self._sender, self._host, self._port, self._security = to, sender, host, port, security
        self._username, self._password_file, self._ca_file = username, password_file, ca_file

    def send(self, package: Package, now: datetime) -> Delivered:
        """As `Target.send`; every address has to be taken."""
        message = self._message(package, now)
        password = read_secret(self._password_file, "password_file") if self._password_file is not None else ""
        try:
            with self._connect() as server:
                if self._security == "starttls":
                    server.starttls(context=client_tls(self._ca_file))
                if password:
                    server.login(self._username, password)
                refused = server.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            raise TargetError(f"{self._host} does not take the user name and password ({error.smtp_code})") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise TargetError(f"{self._host} refuses {', '.join(error.recipients)}") from None
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise TargetError(f"{self._host} does not take the mail: {error or type(error).__name__}") from None
        if refused:
            raise TargetError(f"{self._host} refuses {', '.join(refused)}")
        return Delivered()

    def _connect(self) -> smtplib.SMTP:
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_S, context=client_tls(self._ca_file))
        return smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)

    def _message(self, package: Package, now: datetime) -> EmailMessage:
        head = package.checkpoint
        message = EmailMessage()
        message["Subject"] = f"Gjestenett: {head.origin}, {head.size}"
        message["From"] = self._sender
        message["To"] = ", ".join(self._to)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = make_msgid(domain=self._sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_BODY.format(origin=head.origin, size=head.size, note=package.note.decode()))
        for suffix, content in ((".checkpoint", package.note), (".erased", package.erasures)):
            message.add_attachment(
                content, maintype="application", subtype="octet-stream", filename=f"{package.name}{suffix}"
            )
        return message
