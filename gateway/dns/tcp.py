"""Connections of DNS by TCP and by TLS (RFC 7766, RFC 7858): accepted within limits, and their questions answered."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections import Counter
from functools import partial

from gateway.dns.counters import Counters, Key
from gateway.dns.mmsg import encode_address
from gateway.dns.plan import NotAccepted
from gateway.dns.questions import Questions
from gateway.dns.resolve import Resolver
from gateway.dns.tls import Certificate
from gateway.dns.views import Views

log = logging.getLogger(__name__)

_SO_MARK = 36
_CONNECTIONS_MAX = 256
_CONNECTIONS_PER_SOURCE_MAX = 20
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
    outlives no connection, and no connection a minute. Connections that still shake hands count against all limits.
    A device that has not accepted asks once a connection: the firewall counts its packets, and one packet can hold many
    questions.
    """

    def __init__(
        self,
        resolver: Resolver,
        views: Views,
        idle_s: float,
        counters: Counters | None = None,
        lifetime_s: float = _LIFETIME_S,
    ) -> None:
        self._resolver = resolver
        self._views = views
        self._idle_s = idle_s
        self._lifetime_s = lifetime_s
        self._counters = counters or Counters()
        self._counters.read_gauges(self._gauges)
        self._accepting: list[tuple[socket.socket, asyncio.Task[None]]] = []
        self._connections: dict[asyncio.Task[None], str] = {}
        self._per_source: Counter[bytes] = Counter()

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

    def _gauges(self) -> list[tuple[Key, float]]:
        kinds = Counter(self._connections.values())
        return [(("connections_open", kind), float(kinds[kind])) for kind in ("tcp", "tls")]

    async def _accept(self, bound: socket.socket, certificate: Certificate | None) -> None:
        loop = asyncio.get_running_loop()
        kind = "tcp" if certificate is None else "tls"
        while True:
            try:
                connection, peer = await loop.sock_accept(bound)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    await asyncio.sleep(_PAUSE_S)
                continue  # else it was gone before it was accepted
            name = encode_address(peer)
            source = name[4:8] if len(name) == 16 else name[8:24]
            held = self._per_source[source]
            unready = certificate is not None and certificate.context is None
            if len(self._connections) >= _CONNECTIONS_MAX or held >= _CONNECTIONS_PER_SOURCE_MAX or unready:
                self._counters.add("connections", kind, "refused")
                connection.close()
                continue
            self._counters.add("connections", kind, "accepted")
            self._per_source[source] = held + 1
            task = asyncio.create_task(self._connected(connection, source, certificate))
            self._connections[task] = kind
            task.add_done_callback(partial(self._gone, source))

    def _gone(self, source: bytes, task: asyncio.Task[None]) -> None:
        del self._connections[task]
        self._per_source[source] -= 1
        if not self._per_source[source]:
            del self._per_source[source]
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("a DNS connection failed: %s; please report this", type(fault).__name__)

    async def _connected(self, connection: socket.socket, source: bytes, certificate: Certificate | None) -> None:
        try:
            mark = connection.getsockopt(socket.SOL_SOCKET, _SO_MARK) & 0xFFFF_FFFF
            reader, writer = await _streams(connection, certificate)
        except (OSError, TimeoutError):
            self._counters.add("connections", "tcp" if certificate is None else "tls", "failed")
            connection.close()
            return
        questions = Questions(self._resolver, reader, writer, mark, source, self._idle_s)
        try:
            with contextlib.suppress(OSError, EOFError, TimeoutError):
                async with asyncio.timeout(self._lifetime_s):
                    await questions.answer(once=isinstance(self._views.find(mark, source).asker, NotAccepted))
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_LAST_ANSWERS_S):
                    await questions.answered()
        finally:
            questions.close()


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
