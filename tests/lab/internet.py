"""The servers of the lab's internet (and of its municipal network): plain HTTP, echoes, and an endless download.

Run inside a namespace: `python -m tests.lab.internet ADDRESS…`; listens on each address and prints `ready`. The hosts
of operating systems' connectivity checks answer as they do on the real internet, at `PROBE4` and `PROBE6` by HTTPS too
where `$LAB_TLS` is the folder of their certificate.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from pathlib import Path
from typing import cast

from captive_portal.probes import PROBES, Answer
from tests.lab.topology import PROBE4, PROBE6

HTTP_PORT, HTTPS_PORT = 80, 443
TCP_GREETING_PORTS = (443, 853, 5222)
UDP_ECHO_PORTS = (123, 443, 853, 3478)
UDP_STREAM_PORT = 7777
CHUNK = b"x" * 8192
CHUNK_EVERY_S = 0.02
ANSWERS = {(probe.scheme, probe.host, probe.path): probe.online for probe in PROBES}
NOTHING_SPECIAL = Answer(200, b"the internet\n")


async def serve_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request a connection. `/endless` never ends; `/whoami` tells the address that the request came from."""
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ", 2)[1].decode("latin-1")
        fields = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
        host = next((value.decode() for name, value in fields.items() if name.lower() == b"host"), "")
        scheme = "http" if writer.get_extra_info("ssl_object") is None else "https"
        if path == "/endless":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n")
            while True:
                writer.write(CHUNK)
                await writer.drain()
                await asyncio.sleep(CHUNK_EVERY_S)
        peer = writer.get_extra_info("peername")[0]
        answer = ANSWERS.get((scheme, host, path), NOTHING_SPECIAL)
        body = f"{peer}\n".encode() if path == "/whoami" else answer.body
        headers = [f"{name}: {value}\r\n" for name, value in answer.headers.items()]
        if answer.status != 204:
            headers.append(f"Content-Type: {answer.content_type}\r\nContent-Length: {len(body)}\r\n")
        head = f"HTTP/1.1 {answer.status} Fine\r\n{''.join(headers)}Connection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A TCP service that says hello; what matters is whether it is reached."""
    try:
        writer.write(b"hello from the internet\n")
        await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Stream(asyncio.DatagramProtocol):
    """Answers one datagram with a flood that asks nothing back: only the gateway can stop it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.tasks: set[asyncio.Task[None]] = set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.tasks.add(asyncio.get_running_loop().create_task(self._flood(addr)))

    async def _flood(self, addr: tuple[str, int]) -> None:
        for _ in range(3000):
            self.transport.sendto(b"x", addr)
            await asyncio.sleep(0.01)


class Echo(asyncio.DatagramProtocol):
    """Sends each datagram back, in capitals."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data.upper(), addr)


def _tls() -> ssl.SSLContext | None:
    folder = os.environ.get("LAB_TLS")
    if folder is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(folder, "probes.pem"), Path(folder, "probes.key"))
    return context


async def main(addresses: list[str]) -> None:
    """Listen on every address until killed."""
    loop = asyncio.get_running_loop()
    servers, tls = [], _tls()
    for address in addresses:
        servers.append(await asyncio.start_server(serve_http, address, HTTP_PORT))
        greeting = set(TCP_GREETING_PORTS)
        if tls is not None and address in (PROBE4, PROBE6):
            servers.append(await asyncio.start_server(serve_http, address, HTTPS_PORT, ssl=tls))
            greeting.discard(HTTPS_PORT)
        servers += [await asyncio.start_server(greet, address, port) for port in greeting]
        for port in UDP_ECHO_PORTS:
            await loop.create_datagram_endpoint(Echo, local_addr=(address, port))
        await loop.create_datagram_endpoint(Stream, local_addr=(address, UDP_STREAM_PORT))
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
