"""Questions by TCP and DoT: a few lasting connections, many questions at once on each, answers in any order (RFC 7766).

A connection that dies under a question loses nothing: the question goes once more, on a connection of its own making.
"""

from __future__ import annotations

import asyncio
import ssl
import time

from gateway.dns.upstreams.exchange import SHORT, Events, Exchange, Line, is_shortage
from gateway.dns.upstreams.query import Randomness, padded_query, query, repeats
from gateway.dns.upstreams.tls import PinError, check_pins
from gateway.dns.upstreams.upstream import Upstream
from gateway.transports import abort

CONNECTIONS_MAX = 4
_SHARE_UNTIL = 32
_CONNECT_S = 2.0
_IDLE_S = 8.0
_STALLED_S = 2.0


class Connection(Line, asyncio.Protocol):
    """One connection: questions wait in `_unsent` until it stands."""

    def __init__(self, streams: Streams) -> None:
        super().__init__(streams.upstream)
        self.streams = streams
        self.answers = 0
        self.active_at = time.monotonic()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._received = bytearray()

    @property
    def stands(self) -> bool:
        """Whether it has been established."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what has waited."""
        assert isinstance(transport, asyncio.Transport)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            try:
                check_pins(self.upstream.address, tls)
            except PinError as problem:
                transport.abort()
                self.streams.refused(self, "certificate", str(problem))
                return
        self._transport = transport
        self.upstream.health.connections += 1
        transport.writelines(self._unsent)
        self._unsent.clear()
        self.active_at = time.monotonic()

    def write(self, packet: bytes) -> None:
        """Send a message, or keep it until the connection stands."""
        framed = len(packet).to_bytes(2, "big") + packet
        if self._transport is None:
            self._unsent.append(framed)
        else:
            self._transport.write(framed)

    def data_received(self, data: bytes) -> None:
        """Take whole messages out (RFC 1035 §4.2.2)."""
        received = self._received
        received += data
        start, size = 0, len(received)
        self.active_at = time.monotonic()
        while start + 2 <= size:
            end = start + 2 + int.from_bytes(received[start : start + 2], "big")
            if end > size:
                break
            self.streams.message(self, bytes(received[start + 2 : end]))
            start = end
        del received[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, by whosever will; one that the other side has half closed too (`eof_received` ends it)."""
        self.streams.lost(self)

    def close(self) -> None:
        """End it now."""
        if self._transport is not None:
            abort(self._transport)


class Streams:
    """The connections to one upstream; with `context` they are encrypted."""

    def __init__(
        self,
        upstream: Upstream,
        loop: asyncio.AbstractEventLoop,
        events: Events,
        randomness: Randomness,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.upstream = upstream
        self._loop = loop
        self._events = events
        self._randomness = randomness
        self._context = context
        self._write = padded_query if context else query
        self._connections: list[Connection] = []
        self._opening: dict[Connection, asyncio.Task[None]] = {}
        self._idle_timer: asyncio.TimerHandle | None = None

    def send(self, exchange: Exchange) -> None:
        """Ask, unless the question already waits on one of these connections: a stream loses nothing on its way."""
        if any(isinstance(line, Connection) and line.streams is self for line, _ in exchange.sent):
            return
        if exchange is self.upstream.probe:  # behind slow names a server that answers in order could not answer it
            free = next((each for each in self._connections if not each.pending), None)
            self._send_on(free or self._open(), exchange)
        else:
            self._send_on(self._choose(), exchange)

    def flush(self) -> None:
        """Nothing is held back here."""

    def reset(self) -> None:
        """End every connection; what waits on them goes elsewhere."""
        for connection in list(self._connections):
            self._end(connection, retry=False)

    def close_stalled(self, now_s: float) -> None:
        """End the connections on which questions wait and nothing has come for 2 s: the other side may have forgotten
        them (a restart behind a firewall says nothing).
        """
        for connection in list(self._connections):
            if connection.pending and connection.stands and now_s - connection.active_at > _STALLED_S:
                self._end(connection)

    def message(self, connection: Connection, packet: bytes) -> None:
        """One whole message. The spelling may be another here: nobody forges into a connection."""
        exchange = connection.pending.get(packet[:2])
        if exchange is None or len(packet) < 12:
            return
        if not repeats(packet, exchange.key[0]):
            self._events.near_miss(exchange, connection, packet)
            return
        connection.answers += 1
        rtt_s = time.monotonic() - exchange.started_at if exchange.attempts == 1 and connection.answers > 1 else None
        try:
            taken = self._events.replied(exchange, connection, packet)
        except Exception as fault:
            self._events.fault(exchange, fault)
            return
        if taken:
            self._events.heard(self.upstream, 1, rtt_s if self.upstream.datagrams is None else None)

    def refused(self, connection: Connection, kind: str, why: str) -> None:
        """The connection never stood."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        if kind is SHORT:
            self._fail(connection, kind)
            return
        self.upstream.health.failures[kind] += 1
        if self.upstream.datagrams is None:  # where UDP is the usual way, its own silence tells
            self._events.broken(self.upstream, why)
        self._fail(connection, kind)

    def lost(self, connection: Connection, *, retry: bool = True, by_us: bool = False) -> None:
        """The connection broke, or the server has closed it: what waits goes on a fresh one, once. One that ended
        `by_us` tells nothing of the server.
        """
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        waiting = list(connection.pending.values())
        again = [exchange for exchange in waiting if retry and not exchange.retried]
        if again:
            fresh = self._open()
            for exchange in again:
                exchange.retried = True
                exchange.leave(connection)
                self._send_on(fresh, exchange)
        if waiting and not connection.answers and not by_us:
            self.upstream.health.failures["reset"] += 1
            if not again and self.upstream.datagrams is None:
                self._events.broken(self.upstream, "it ends every connection")
        self._fail(connection, "reset")

    def _fail(self, connection: Connection, kind: str) -> None:
        while connection.pending:
            exchange = next(iter(connection.pending.values()))
            exchange.leave(connection)
            self._events.failed(exchange, self.upstream, kind)

    def _end(self, connection: Connection, *, retry: bool = True) -> None:
        task = self._opening.pop(connection, None)
        if task is not None:
            task.cancel()
        connection.close()
        self.lost(connection, retry=retry, by_us=True)

    def _send_on(self, connection: Connection, exchange: Exchange) -> None:
        ident = self._randomness.take(2)
        while ident in connection.pending:
            ident = self._randomness.take(2)
        if not connection.pending:
            connection.active_at = time.monotonic()
        exchange.wait_on(connection, ident)
        connection.write(self._write(ident, exchange.asked, exchange.key))
        self.upstream.health.sent += 1
        self.upstream.health.by_stream += 1

    def _choose(self) -> Connection:
        least = min(self._connections, key=lambda each: len(each.pending), default=None)
        if least is None or (len(least.pending) >= _SHARE_UNTIL and len(self._connections) < CONNECTIONS_MAX):
            return self._open()
        return least

    def _open(self) -> Connection:
        connection = Connection(self)
        self._connections.append(connection)
        self._opening[connection] = self._loop.create_task(self._connect(connection))
        if self._idle_timer is None:
            self._idle_timer = self._loop.call_later(_IDLE_S / 2, self._close_idle)
        return connection

    async def _connect(self, connection: Connection) -> None:
        address = self.upstream.address
        name = address.name if self._context else None
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._loop.create_connection(
                    lambda: connection, address.host, address.port, ssl=self._context, server_hostname=name
                )
        except ssl.SSLCertVerificationError as problem:
            self.refused(connection, "certificate", problem.verify_message)
        except (OSError, TimeoutError) as problem:  # ssl.SSLError too
            kind = "timeout" if isinstance(problem, TimeoutError) else "refused"
            self.refused(connection, SHORT if is_shortage(problem) else kind, problem.strerror or "no connection")
        finally:
            self._opening.pop(connection, None)

    def _close_idle(self) -> None:
        """A client should not keep what it does not use (RFC 7766 §6.2.3)."""
        now_s = time.monotonic()
        for connection in list(self._connections):
            if not connection.pending and now_s - connection.active_at >= _IDLE_S:
                self._end(connection)
        self._idle_timer = self._loop.call_later(_IDLE_S / 2, self._close_idle) if self._connections else None

    def close(self) -> None:
        """End everything for good; nobody may wait any more."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self.reset()
