"""A mail server in a process of its own: STARTTLS or TLS, one account, and what it takes as files.

Run as `python mail_server.py FOLDER starttls|tls`; it prints its port.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult


class Kept:
    """Keeps each mail; refuses the address `full@example.no`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "full@example.no":
            return "552 mailbox is full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        number = len(list(self.folder.glob("*.eml")))
        (self.folder / f"{number}.eml").write_bytes(envelope.content)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    good = (data.login, data.password) == (b"gjest", b"hemmelig")
    return AuthResult(success=good, handled=good)


async def main(folder: Path, security: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")

    def connect() -> SMTP:
        return SMTP(
            Kept(folder),
            hostname="localhost",
            authenticator=authenticate,
            auth_required=True,
            require_starttls=security == "starttls",
            auth_require_tls=security == "starttls",
            tls_context=context if security == "starttls" else None,
        )

    server = await asyncio.get_running_loop().create_server(
        connect, "127.0.0.1", 0, ssl=context if security == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
