"""DNS by TCP: several questions on one connection, answered as they are ready, within limits (RFC 7766)."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from functools import partial

from gateway.dns.mmsg import encode_address
from gateway.dns.plan import NotAccepted
from gateway.dns.resolve import Resolver
from gateway.dns.views import Views

_SO_MARK = 36
_CONNECTIONS_MAX = 256
_CONNECTIONS_PER_SOURCE_MAX = 20
_UNANSWERED_MAX = 32
_LIFETIME_S = 60.0
_WRITE_BUFFER_BYTES = 1 << 17


class TcpListener:
    """Accepts connections and hands their questions to the resolver.

    The group is that of the connection's mark, which the kernel copies from the first packet when the sysctl
    `net.ipv4.tcp_fwmark_accept` is 1 (it governs IPv6 too); else the mark reads 0 and the source decides. A mark
    outlives no connection, and no connection a minute. A device that has not accepted asks once a connection: the
    firewall counts its packets, and one packet can hold many questions.
    """

    def __init__(self, resolver: Resolver, views: Views, idle_s: float) -> None:
        self._resolver = resolver
        self._views = views
        self._idle_s = idle_s
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._per_source: Counter[bytes] = Counter()

    async def listen(self, bound: socket.socket) -> None:
        """Serve a bound socket. Raises: OSError."""
        self._servers.append(await asyncio.start_server(self._connected, sock=bound, backlog=128))

    async def close(self) -> None:
        """Stop listening and end every connection."""
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._servers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peer = writer.get_extra_info("peername")
        if peer is None:  # gone already
            writer.close()
            return
        name = encode_address(peer)
        source = name[4:8] if len(name) == 16 else name[8:24]
        full = len(self._connections) >= _CONNECTIONS_MAX or self._per_source[source] >= _CONNECTIONS_PER_SOURCE_MAX
        self._connections.add(task)
        self._per_source[source] += 1
        try:
            if not full:
                writer.transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)
                mark = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, _SO_MARK) & 0xFFFF_FFFF
                async with asyncio.timeout(_LIFETIME_S):
                    await self._serve(reader, writer, mark, source)
        except (OSError, EOFError, TimeoutError):
            pass
        except asyncio.CancelledError:
            if not self._stopping():
                raise
        finally:
            self._connections.discard(task)
            self._per_source[source] -= 1
            if not self._per_source[source]:
                del self._per_source[source]
            writer.close()

    def _stopping(self) -> bool:
        return all(not server.is_serving() for server in self._servers)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mark: int, source: bytes
    ) -> None:
        room = asyncio.Semaphore(_UNANSWERED_MAX)
        asks_once = isinstance(self._views.find(mark, source).asker, NotAccepted)
        while True:
            async with asyncio.timeout(self._idle_s):
                size = int.from_bytes(await reader.readexactly(2), "big")
                packet = await reader.readexactly(size)
                await room.acquire()
                deliver = partial(_write, writer, room)
                answer = self._resolver.answer(packet, mark, source, True, deliver)
                if answer == b"":
                    return  # not even a query: nothing good will follow
                if answer is not None:
                    deliver(answer)
                await writer.drain()
                if asks_once:
                    for _ in range(_UNANSWERED_MAX):  # once every place is free again, the answer has been written
                        await room.acquire()
                    return


def _write(writer: asyncio.StreamWriter, room: asyncio.Semaphore, answer: bytes) -> None:
    room.release()
    if not writer.is_closing():
        writer.write(len(answer).to_bytes(2, "big") + answer)
