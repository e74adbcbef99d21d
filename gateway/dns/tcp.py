"""Connections of DNS by TCP and by TLS (RFC 7766, RFC 7858): accepted within limits, and their questions answered."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import time
from functools import partial

from gateway.dns.counters import Counters, Key
from gateway.dns.mmsg import encode_address
from gateway.dns.places import Places
from gateway.dns.plan import NotAccepted
from gateway.dns.questions import Questions
from gateway.dns.resolve import Resolver
from gateway.dns.token_bucket import TokenBuckets
from gateway.dns.top_names import Devices
from gateway.dns.turns import Turns
from gateway.dns.views import Views
from gateway.served_certificate import Certificate

log = logging.getLogger(__name__)

_SO_MARK = 36
_LIFETIME_S = 60.0
_LAST_ANSWERS_S = 6.0  # longer than upstreams are waited for
_HANDSHAKE_S = 5.0
_GOODBYE_S = 1.0
_BACKLOG = 128
_PAUSE_S = 0.5
_NO_ROOM = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class TcpListener:
    """Accepts connections and hands their questions to the resolver.

    The group is that of the connection's mark, which the kernel copies from the first packet when the sysctl
    `net.ipv4.tcp_fwmark_accept` is 1 (it governs IPv6 too); else the mark reads 0 and the source decides. A mark
    outlives no connection, and no connection a minute. Connections that still shake hands count against all limits,
    and a connection counts until its descriptor is closed.

    The firewall counts packets, and one packet can hold many questions. So a device that has not accepted asks once a
    connection, and others `per_s` questions a second after `burst`, over all their connections to this worker; what a
    device sends beyond is not read until then. A device is its link-layer address; where the kernel does not know that
    (behind a router), an IPv4 address or an IPv6 /64.
    """

    def __init__(
        self,
        resolver: Resolver,
        views: Views,
        idle_s: float,
        counters: Counters | None = None,
        lifetime_s: float = _LIFETIME_S,
        *,
        per_s: float = 200.0,
        burst: float = 1000.0,
    ) -> None:
        self._resolver = resolver
        self._views = views
        self._idle_s = idle_s
        self._lifetime_s = lifetime_s
        self._counters = counters or Counters()
        self._counters.read_gauges(self._gauges)
        self._accepting: list[tuple[socket.socket, asyncio.Task[None]]] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._places = Places()
        self._devices = Devices(time.monotonic)
        self._buckets = TokenBuckets(per_s, burst)
        self._turns = Turns()

    def listen(self, bound: socket.socket, certificate: Certificate | None = None) -> None:
        """Serve a bound socket, by TLS when there is a certificate. Raises: OSError."""
        bound.listen(_BACKLOG)
        self._accepting.append((bound, asyncio.create_task(self._accept(bound, certificate))))

    async def close(self) -> None:
        """Stop listening and end every connection."""
        tasks = [task for _, task in self._accepting] + list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for bound, _ in self._accepting:
            bound.close()
        self._accepting.clear()
        self._devices.close()

    def _gauges(self) -> list[tuple[Key, float]]:
        return [(("connections_open", kind), float(self._places.held(kind))) for kind in ("tcp", "tls")]

    async def _accept(self, bound: socket.socket, certificate: Certificate | None) -> None:
        loop = asyncio.get_running_loop()
        kind = "tcp" if certificate is None else "tls"
        while True:
            try:
                connection, peer = await loop.sock_accept(bound)
            except OSError as error:  # no descriptors left, or it was gone before it was accepted
                await asyncio.sleep(_PAUSE_S if error.errno in _NO_ROOM else 0)
                continue
            name = encode_address(peer)
            source = name[4:8] if len(name) == 16 else name[8:24]
            device = self._device(source)
            unready = certificate is not None and certificate.context is None
            if unready or not self._places.enter(kind, device):
                self._counters.add("connections", kind, "refused")
                connection.close()
            else:
                self._counters.add("connections", kind, "accepted")
                task = asyncio.create_task(self._connected(connection, source, device, certificate))
                self._connections.add(task)
                task.add_done_callback(partial(self._gone, kind, device))
            await asyncio.sleep(0)  # accepting one that waits already gives nobody else a turn

    def _device(self, source: bytes) -> bytes:
        return self._devices.identify(source) or (source if len(source) == 4 else source[:8])

    def _gone(self, kind: str, device: bytes, task: asyncio.Task[None]) -> None:
        self._connections.remove(task)
        self._places.leave(kind, device)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("a DNS connection failed: %s; please report this", type(fault).__name__)

    async def _may_ask(self, device: bytes) -> None:
        """Wait until the device has a question left, and this turn of the loop too."""
        wait_s = self._buckets.take(device, time.monotonic())
        if wait_s:
            await asyncio.sleep(wait_s)
        await self._turns.take()

    async def _connected(
        self, connection: socket.socket, source: bytes, device: bytes, certificate: Certificate | None
    ) -> None:
        try:
            mark = connection.getsockopt(socket.SOL_SOCKET, _SO_MARK) & 0xFFFF_FFFF
            reader, writer = await _streams(connection, certificate)
        except (OSError, TimeoutError):
            self._counters.add("connections", "tcp" if certificate is None else "tls", "failed")
            connection.close()
            return
        questions = Questions(
            self._resolver, reader, writer, mark, source, self._idle_s, partial(self._may_ask, device)
        )
        try:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                async with asyncio.timeout(self._lifetime_s):
                    await questions.answer(once=isinstance(self._views.find(mark, source).asker, NotAccepted))
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_LAST_ANSWERS_S):
                    await questions.answered()
        except asyncio.CancelledError:
            questions.abort()
            raise
        finally:
            await questions.close()


async def _streams(
    connection: socket.socket, certificate: Certificate | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reader and writer of an accepted connection, after the handshake. Raises: OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 17)
    protocol = asyncio.StreamReaderProtocol(reader)
    if certificate is None:
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection)
    else:
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=certificate.context,
            ssl_handshake_timeout=_HANDSHAKE_S,
            ssl_shutdown_timeout=_GOODBYE_S,
        )
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
