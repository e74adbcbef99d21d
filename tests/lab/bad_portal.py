"""Portals as they should not be, on the lab's gateway in our place: `python -m tests.lab.bad_portal KIND FOLDER`.

They answer port 80 for every host, and port 443 with the certificate in FOLDER. KIND: `good` (302, an API that holds),
`hanging` (an API that never answers), `511`, `empty` (200 without a body), `leaving` (an API that leaves HTTPS) and
`silent` (connections are taken, and nothing is said). Prints `ready`; ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path

from tests.lab.product import PORTAL
from tests.lab.topology import GUEST4, GUEST6

API = "/captive-portal/api"
PAGE = b'<form method="post" action="/accept"></form>'
TOLD = json.dumps({"captive": True, "user-portal-url": f"{PORTAL}/"}).encode()


def answer(kind: str, host: str, path: str, secure: bool) -> tuple[str, bytes] | None:
    """Status line with header fields, and body; None for silence."""
    if kind == "silent":
        return None
    if path == API:
        if kind == "hanging":
            return None
        if kind == "leaving" and secure:
            return f"302 Found\r\nLocation: http://{host}{API}", b""
        return "200 OK\r\nContent-Type: application/captive+json", TOLD
    if PORTAL.endswith(f"//{host}"):
        return "200 OK\r\nContent-Type: text/html", PAGE
    if kind == "511":
        return "511 Network Authentication Required", PAGE
    if kind == "empty":
        return "200 OK", b""
    return f"302 Found\r\nLocation: {PORTAL}/", b""


async def main(kind: str, folder: Path) -> None:
    """Serve until standard input closes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "bad.pem", folder / "bad.key")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            host = next((line[5:].strip() for line in head if line.lower().startswith("host:")), "")
            said = answer(kind, host, head[0].split(" ")[1], writer.get_extra_info("ssl_object") is not None)
            if said is None:
                await reader.read()  # until the client has had enough
                return
            status, body = said
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    servers = [
        await asyncio.start_server(serve, address, port, ssl=tls)
        for address in (GUEST4, GUEST6)
        for port, tls in ((80, None), (443, context))
    ]
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
