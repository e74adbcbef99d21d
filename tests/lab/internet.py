"""The servers of the lab's internet (and of its municipal network): plain HTTP, echoes, and an endless download.

Run inside a namespace: `python -m tests.lab.internet ADDRESS…`; listens on each address and prints `ready`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

HTTP_PORT = 80
TCP_GREETING_PORTS = (443, 853, 5222)
UDP_ECHO_PORTS = (123, 443, 853, 3478)
UDP_STREAM_PORT = 7777
CHUNK = b"x" * 8192
CHUNK_EVERY_S = 0.02
BODIES = {  # what each operating system's connectivity check expects from the real internet
    "/generate_204": (204, b""),
    "/gen_204": (204, b""),
    "/hotspot-detect.html": (200, b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"),
    "/connecttest.txt": (200, b"Microsoft Connect Test"),
    "/success.txt": (200, b"success\n"),
    "/check_network_status.txt": (200, b"NetworkManager is online\n"),
    "/static/hotspot.txt": (200, b"OK"),
}


async def serve_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request a connection. `/endless` never ends; `/whoami` tells the address that the request came from."""
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ", 2)[1].decode("latin-1")
        if path == "/endless":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n")
            while True:
                writer.write(CHUNK)
                await writer.drain()
                await asyncio.sleep(CHUNK_EVERY_S)
        peer = writer.get_extra_info("peername")[0]
        status, body = BODIES.get(path, (200, b"the internet\n"))
        if path == "/whoami":
            body = f"{peer}\n".encode()
        head = f"HTTP/1.1 {status} Fine\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
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


async def main(addresses: list[str]) -> None:
    """Listen on every address until killed."""
    loop = asyncio.get_running_loop()
    servers = []
    for address in addresses:
        servers.append(await asyncio.start_server(serve_http, address, HTTP_PORT))
        servers += [await asyncio.start_server(greet, address, port) for port in TCP_GREETING_PORTS]
        for port in UDP_ECHO_PORTS:
            await loop.create_datagram_endpoint(Echo, local_addr=(address, port))
        await loop.create_datagram_endpoint(Stream, local_addr=(address, UDP_STREAM_PORT))
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
