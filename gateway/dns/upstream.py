"""Questions put to the configured upstreams, one exchange for all who ask the same, and the first true answer wins.

UDP goes out on a pool of connected sockets with the kernel's random ports, random IDs and random letter case
(RFC 5452 §9); what does not match is ignored and the wait goes on. A slow upstream is joined by the next one; a
truncated or oddly spelt answer is asked for again by TCP. Nothing of the asker goes along: no address (RFC 7871
§7.1.2), no cookie, no option.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.dns import wire
from gateway.dns.config import Address
from gateway.dns.errors import WireError
from gateway.dns.reply import Reply, parse_reply
from gateway.dns.upstream_tcp import PASSED_ON, first_answer

ANSWERING = PASSED_ON

Key = tuple[bytes, bool, bool]
"""Lower-case question, DO, CD."""

_ATTEMPT_AFTER_S = (0.0, 0.4, 1.0, 1.8, 2.8, math.inf)
_SWEEP_S = 0.05
_POOL = 128
_SOCKET_USES = 256
_MISSES_UNTIL_DOWN = 3
_DOWN_S = 1.5
_READS_AT_ONCE = 32
_MAX_IN_FLIGHT = 2000
_LETTERS = bytes(0x20 if 97 <= byte <= 122 else 0 for byte in range(256))


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there is no answer: an Extended DNS Error's code and text."""

    code: int
    text: str


Outcome = Reply | NoAnswer
Callback = Callable[[Outcome], None]


class Upstream:
    """One server: its address, its sockets, and whether it has answered lately."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.channels: list[_Channel | None] = [None] * _POOL
        self.misses = 0
        self.down_until = 0.0

    def missed(self, now_s: float) -> None:
        """It did not answer in time: after a few times others go first for a while."""
        self.misses += 1
        if self.misses >= _MISSES_UNTIL_DOWN:
            self.down_until = now_s + _DOWN_S

    def answered(self) -> None:
        """It answers."""
        self.misses = 0
        self.down_until = 0.0


@dataclass(slots=True, eq=False)
class _Exchange:
    key: Key
    by_tcp: bool
    started_at: float
    callbacks: list[Callback]
    order: list[Upstream]
    attempts: int = 0
    sent: list[tuple[_Channel, int]] = field(default_factory=list)
    failure: Reply | None = None
    task: asyncio.Task[None] | None = None


class _Channel:
    """A connected UDP socket: only its upstream's datagrams reach it. Many questions are under way on it at once."""

    __slots__ = ("_upstreams", "pending", "socket", "upstream", "uses")

    def __init__(self, upstreams: Upstreams, upstream: Upstream) -> None:
        self._upstreams = upstreams
        self.upstream = upstream
        self.pending: dict[int, tuple[_Exchange, bytes]] = {}
        self.uses = 0
        self.socket = socket.socket(upstream.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self.socket.connect(upstream.address)
        except OSError:
            self.socket.close()
            raise
        upstreams.loop.add_reader(self.socket.fileno(), self._readable)

    def close(self) -> None:
        self._upstreams.loop.remove_reader(self.socket.fileno())
        self.socket.close()

    def _readable(self) -> None:
        for _ in range(_READS_AT_ONCE):
            try:
                packet = self.socket.recv(4096)
            except BlockingIOError:
                return
            except OSError:  # ICMP: nobody listens there
                self._upstreams.refused(self)
                return
            if len(packet) < 12:
                continue
            waiting = self.pending.get(packet[0] << 8 | packet[1])
            if waiting is not None:
                self._upstreams.received(self, waiting[0], waiting[1], packet)


class Upstreams:
    """The forwarder's outward side. `ask` returns at once; the callback comes exactly once, from the event loop."""

    def __init__(self, addresses: tuple[Address, ...], loop: asyncio.AbstractEventLoop, timeout_s: float = 4.0) -> None:
        self.loop = loop
        self._all = [Upstream(address) for address in addresses]
        self._timeout_s = timeout_s
        self._in_flight: dict[tuple[Key, bool], _Exchange] = {}
        self._random = b""
        self._random_at = 0
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """How many different questions are under way."""
        return len(self._in_flight)

    def ask(self, key: Key, by_tcp: bool, callback: Callback) -> None:
        """Ask upstream, or join those who already wait for the same."""
        if not self._all:
            callback(NoAnswer(wire.EDE_NO_AUTHORITY, "no upstream"))
            return
        running = self._in_flight.get((key, by_tcp))
        if running is not None:
            running.callbacks.append(callback)
            return
        if len(self._in_flight) >= _MAX_IN_FLIGHT:
            callback(NoAnswer(wire.EDE_NETWORK, "too busy"))
            return
        now = self.loop.time()
        order = sorted(self._all, key=lambda each: each.down_until > now) if len(self._all) > 1 else self._all
        exchange = _Exchange(key, by_tcp, now, [callback], order)
        self._in_flight[key, by_tcp] = exchange
        if by_tcp:
            self._start_tcp(exchange)
        else:
            self._attempt(exchange)
        if self._sweeper is None and self._in_flight:
            self._sweeper = self.loop.call_later(_SWEEP_S, self._sweep)

    def close(self) -> None:
        """Close every socket; who still waits gets no answer."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for exchange in list(self._in_flight.values()):
            self._finish(exchange, NoAnswer(wire.EDE_NETWORK, "stopping"))
        for upstream in self._all:
            for channel in filter(None, upstream.channels):
                channel.close()
            upstream.channels = [None] * _POOL

    # -- UDP

    def _attempt(self, exchange: _Exchange) -> None:
        upstream = exchange.order[exchange.attempts % len(exchange.order)]
        exchange.attempts = min(exchange.attempts + 1, len(_ATTEMPT_AFTER_S) - 1)
        try:
            channel = self._channel(upstream)
            ident, packet = self._query(exchange.key)
            while ident in channel.pending:
                ident, packet = self._query(exchange.key)
            channel.pending[ident] = (exchange, packet[12 : 12 + len(exchange.key[0])])
            exchange.sent.append((channel, ident))
            channel.uses += 1
            channel.socket.send(packet)
        except OSError:  # no route, or a full buffer: the sweep goes on with the next attempt
            upstream.missed(self.loop.time())

    def _channel(self, upstream: Upstream) -> _Channel:
        slot = self._take_random(1)[0] % _POOL
        channel = upstream.channels[slot]
        if channel is not None and channel.uses >= _SOCKET_USES and not channel.pending:
            channel.close()
            channel = None
        if channel is None:
            channel = upstream.channels[slot] = _Channel(self, upstream)
        return channel

    def _query(self, key: Key) -> tuple[int, bytes]:
        question, do, cd = key
        name, rest = question[:-4], question[-4:]
        noise = self._take_random(len(name) + 2)
        spelling = int.from_bytes(name, "big") ^ (
            int.from_bytes(name.translate(_LETTERS), "big") & int.from_bytes(noise[2:], "big")
        )
        ident = noise[0] << 8 | noise[1]
        header = struct.pack("!6H", ident, wire.RD | (wire.CD if cd else 0), 1, 0, 0, 1)
        return ident, header + spelling.to_bytes(len(name), "big") + rest + wire.opt_record(0, do)

    def _take_random(self, size: int) -> bytes:
        if self._random_at + size > len(self._random):
            self._random, self._random_at = os.urandom(4096), 0
        self._random_at += size
        return self._random[self._random_at - size : self._random_at]

    def received(self, channel: _Channel, exchange: _Exchange, asked: bytes, packet: bytes) -> None:
        """A datagram with an ID that waits: an answer only if it repeats the question exactly as spelt."""
        question = packet[12 : 12 + len(asked)]
        if not packet[2] & 0x80 or packet[4:6] != b"\0\1" or question.lower() != asked.lower():
            return
        if question[-4:] != asked[-4:]:
            return
        if question != asked:  # a forgery that missed the spelling, or a server that loses it: TCP tells
            self._start_tcp(exchange)
            return
        try:
            reply = parse_reply(packet)
        except WireError:
            return
        channel.upstream.answered()
        if reply.truncated:
            self._start_tcp(exchange)
        elif reply.rcode in PASSED_ON:
            self._finish(exchange, reply)
        else:
            exchange.failure = reply
            self._next_or_give_up(exchange)

    def refused(self, channel: _Channel) -> None:
        """Nobody listens at the channel's upstream: its questions go to the next one at once."""
        channel.upstream.misses = _MISSES_UNTIL_DOWN
        channel.upstream.missed(self.loop.time())
        waiting = [exchange for exchange, _ in channel.pending.values()]
        channel.pending.clear()
        for exchange in waiting:
            exchange.sent = [(each, ident) for each, ident in exchange.sent if each is not channel]
            self._next_or_give_up(exchange)

    def _next_or_give_up(self, exchange: _Exchange) -> None:
        if exchange.task is not None:
            return
        if exchange.attempts < len(exchange.order):
            self._attempt(exchange)
        elif exchange.failure is not None:
            self._finish(exchange, exchange.failure)
        # else: the sweep tries again until the deadline, since a server may be restarting

    def _sweep(self) -> None:
        now = self.loop.time()
        for exchange in list(self._in_flight.values()):
            waited = now - exchange.started_at
            if waited >= self._timeout_s:
                self._finish(exchange, exchange.failure or NoAnswer(wire.EDE_NETWORK, "upstream does not answer"))
            elif exchange.task is None and waited >= _ATTEMPT_AFTER_S[exchange.attempts]:
                if exchange.sent:
                    exchange.sent[-1][0].upstream.missed(now)
                self._attempt(exchange)
        self._sweeper = self.loop.call_later(_SWEEP_S, self._sweep) if self._in_flight else None

    # -- TCP

    def _start_tcp(self, exchange: _Exchange) -> None:
        if exchange.task is None and (exchange.key, exchange.by_tcp) in self._in_flight:
            exchange.task = self.loop.create_task(self._ask_by_tcp(exchange))

    async def _ask_by_tcp(self, exchange: _Exchange) -> None:
        addresses = [upstream.address for upstream in exchange.order]
        reply = await first_answer(addresses, exchange.key[0], lambda: self._query(exchange.key))
        silent = NoAnswer(wire.EDE_NETWORK, "upstream does not answer by TCP")
        self._finish(exchange, silent if reply is None else reply)

    def _finish(self, exchange: _Exchange, outcome: Outcome) -> None:
        if self._in_flight.get((exchange.key, exchange.by_tcp)) is not exchange:
            return
        del self._in_flight[exchange.key, exchange.by_tcp]
        for channel, ident in exchange.sent:
            waiting = channel.pending.get(ident)
            if waiting is not None and waiting[0] is exchange:
                del channel.pending[ident]
        if exchange.task is not None and exchange.task is not asyncio.current_task(self.loop):
            exchange.task.cancel()
        for callback in exchange.callbacks:
            callback(outcome)
