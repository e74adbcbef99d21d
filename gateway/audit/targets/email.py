"""E-mail: the checkpoint and the erasure list as attachments, to people outside who keep their mail."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

from gateway.audit.targets.seam import TIMEOUT_S, Delivered, Package, TargetError, client_tls, read_secret
from gateway.mail import Mailer, MailError, begin_message

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
        self._to, self._sender = to, sender
        self._mailer = Mailer(
            host=host,
            port=port,
            security=security,
            username=username,
            password=lambda: read_secret(password_file, "password_file") if password_file is not None else "",
            tls=lambda: client_tls(ca_file),
            timeout_s=TIMEOUT_S,
        )

    def send(self, package: Package, now: datetime) -> Delivered:
        """As `Target.send`; every address has to be taken."""
        try:
            self._mailer.send(self._message(package, now))
        except MailError as error:
            raise TargetError(str(error)) from None
        return Delivered()

    def _message(self, package: Package, now: datetime) -> EmailMessage:
        head = package.checkpoint
        subject = f"Gjestenett: {head.origin}, {head.size}"
        message = begin_message(self._sender, self._to, subject, now)
        message.set_content(_BODY.format(origin=head.origin, size=head.size, note=package.note.decode()))
        for suffix, content in ((".checkpoint", package.note), (".erased", package.erasures)):
            message.add_attachment(
                content, maintype="application", subtype="octet-stream", filename=f"{package.name}{suffix}"
            )
        return message
