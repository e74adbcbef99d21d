"""Questions by UDP: a pool of connected sockets with the kernel's random ports, rotated, and one reader for them all.

A question is on a socket that nobody foresees, under an ID that nobody foresees (RFC 5452 §9.2). Those of one batch
share a socket, so that one system call sends them: what must be guessed to forge the answer to any one of them stays
the same. What does not match is passed over and the wait goes on (CVE-2023-29483).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import select
import socket
import time
from collections.abc import Callable

from gateway.dns import wire
from gateway.dns.upstreams.batch import open_batch
from gateway.dns.upstreams.exchange import SHORT, Events, Exchange, Line, is_shortage
from gateway.dns.upstreams.query import Randomness, query
from gateway.dns.upstreams.upstream import Upstream

log = logging.getLogger(__name__)

POOL = 128
_USES = 256
_CHANNELS_AT_ONCE = 64
_RECEIVE_BUFFER_BYTES = 1 << 20
_DESCRIPTORS = 8192
_NOBODY_THERE = "refused"


class Channel(Line):
    """One connected socket: the kernel drops what other addresses send to it."""

    __slots__ = ("fd", "pool", "socket", "uses")

    def __init__(self, upstream: Upstream, pool: UdpPool) -> None:
        super().__init__(upstream)
        self.pool = pool
        self.uses = 0
        host, port = upstream.address.host, upstream.address.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            self.socket.connect((host, port))
        except OSError:
            self.socket.close()
            raise
        self.fd = self.socket.fileno()


class UdpReader:
    """One epoll of all channels, itself one reader of the event loop, whose own handling costs more than an answer.

    `after_batch` is called when a batch of answers has been dealt with.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, events: Events) -> None:
        self.after_batch: Callable[[], None] | None = None
        self._loop = loop
        self._events = events
        self._batch = open_batch()
        self._channels: dict[int, Channel] = {}
        _allow_sockets()
        self._epoll = select.epoll()
        loop.add_reader(self._epoll.fileno(), self._readable)

    def add(self, channel: Channel) -> None:
        """Read from a channel."""
        self._epoll.register(channel.fd, select.EPOLLIN)
        self._channels[channel.fd] = channel

    def remove(self, channel: Channel) -> None:
        """Close a channel."""
        del self._channels[channel.fd]
        self._epoll.unregister(channel.fd)
        channel.socket.close()

    def close(self) -> None:
        """Read no more; all channels must have been removed."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _readable(self) -> None:
        for fd, _ in self._epoll.poll(0, _CHANNELS_AT_ONCE):
            channel = self._channels.get(fd)
            if channel is None:  # closed by what an earlier one of them brought
                continue
            try:
                packets = self._batch.receive(channel.socket)
            except OSError as problem:
                channel.pool.doubt(channel, problem)
                continue
            self._match(channel, packets)
        if self.after_batch is not None:
            self.after_batch()

    def _match(self, channel: Channel, packets: list[bytes]) -> None:
        now_s = time.monotonic()
        events, pending = self._events, channel.pending
        answers, last = 0, None
        for packet in packets:
            exchange = pending.get(packet[:2])
            if exchange is None:  # too late, or never asked
                continue
            if len(packet) > wire.MAX_UDP_BYTES:  # more than we said we take: perhaps fragments, perhaps cut (RFC 9715)
                packet = packet[:2] + bytes((packet[2] | wire.TC >> 8,)) + packet[3:]  # noqa: PLW2901
            try:
                if not packet.startswith(exchange.asked, 12):
                    events.near_miss(exchange, channel, packet)
                elif events.replied(exchange, channel, packet):
                    answers += 1
                    last = exchange
            except Exception as fault:
                events.fault(exchange, fault)
        if last is not None:  # a retransmitted question tells no round trip (RFC 6298 §3)
            events.heard(channel.upstream, answers, now_s - last.started_at if last.attempts == 1 else None)


class UdpPool:
    """The channels to one upstream, and the batch that waits for the end of this turn of the event loop."""

    def __init__(
        self,
        upstream: Upstream,
        loop: asyncio.AbstractEventLoop,
        reader: UdpReader,
        events: Events,
        randomness: Randomness,
    ) -> None:
        self._upstream = upstream
        self._loop = loop
        self._reader = reader
        self._events = events
        self._randomness = randomness
        self._batch = open_batch()
        self._channels: list[Channel | None] = [None] * POOL
        self._filling: Channel | None = None
        self._is_short = False

    def send(self, exchange: Exchange) -> None:
        """Put one question into the batch."""
        channel = self._filling
        if channel is None:
            try:
                channel = self._filling = self._choose()
            except OSError as problem:
                if is_shortage(problem):
                    self._tell(problem)
                    self._events.failed(exchange, self._upstream, SHORT)
                    return
                self._upstream.health.failures[_NOBODY_THERE] += 1
                self._events.broken(self._upstream, problem.strerror or "unreachable")
                self._events.failed(exchange, self._upstream, _NOBODY_THERE)
                return
            self._loop.call_soon(self.flush)
        pending = channel.pending
        ident = self._randomness.take(2)
        while ident in pending:
            ident = self._randomness.take(2)
        pending[ident] = exchange  # `wait_on`, which costs a call
        self._upstream.outstanding += 1
        exchange.sent.append((channel, ident))
        if self._batch.put(query(ident, exchange.asked, exchange.key)):
            self.flush()

    def flush(self) -> None:
        """Send the batch now. Called at the end of the turn anyway."""
        channel, self._filling = self._filling, None
        if channel is None:
            return
        try:
            sent = self._batch.send(channel.socket)
        except OSError as problem:
            self.doubt(channel, problem)
            return
        channel.uses += sent
        self._upstream.health.sent += sent

    def doubt(self, channel: Channel, problem: OSError) -> None:
        """Nobody listens at the upstream, or no way leads there. The socket stays: whoever can guess its port can send
        such an ICMP, and the answers may yet come.
        """
        if problem.errno == errno.EMSGSIZE:  # a router's word on the path, not the server's
            return
        self._upstream.health.failures[_NOBODY_THERE] += 1
        self._events.doubtful(list(channel.pending.values()), self._upstream)

    def reset(self) -> None:
        """Close every socket: the next ones have ports, and a source address, of their own."""
        for channel in list(self._channels):
            if channel is not None:
                self._drop(channel)

    def close(self) -> None:
        """Close every socket for good; nobody may wait any more."""
        self._filling = None
        self.reset()

    def _drop(self, channel: Channel) -> None:
        if channel not in self._channels:  # used up, and replaced by what an earlier one's questions led to
            return
        if channel is self._filling:
            self.flush()
        self._channels[self._channels.index(channel)] = None
        self._reader.remove(channel)
        while channel.pending:
            exchange = next(iter(channel.pending.values()))
            exchange.leave(channel)
            self._events.failed(exchange, self._upstream, _NOBODY_THERE)

    def _choose(self) -> Channel:
        slot = self._randomness.take(1)[0] % POOL
        channel = self._channels[slot]
        if channel is not None and channel.uses >= _USES and not channel.pending:
            self._channels[slot] = None
            self._reader.remove(channel)
            channel = None
        if channel is None:
            channel = self._channels[slot] = self._open()
        return channel

    def _open(self) -> Channel:
        """A new one. Raises: OSError when there is no way to the server, or no room for a socket here."""
        channel = Channel(self._upstream, self)
        try:
            self._reader.add(channel)
        except OSError:
            channel.socket.close()
            raise
        self._is_short = False
        return channel

    def _tell(self, problem: OSError) -> None:
        """Say once that this machine has no room for a socket, until it has again."""
        if not self._is_short:
            self._is_short = True
            log.error("no socket for a question upstream: %s; raise the service's LimitNOFILE", problem.strerror)


def _allow_sockets() -> None:
    """A pool for each of several upstreams is more than the 1,024 descriptors that a process starts with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
