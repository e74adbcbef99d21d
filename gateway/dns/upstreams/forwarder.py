"""Questions put to upstreams: one exchange for all who ask the same, deadlines, fail-over, the first true answer wins.

A slow server is joined by the next one, a broken one replaced; a truncated or oddly spelt answer is asked for again by
TCP. Where there is no room left, the question that has waited longest gives way, as unbound's jostle-timeout has it.
One sweep each 20 ms does what timers would, so that an answer in time costs none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from gateway.dns import wire
from gateway.dns.errors import WireError
from gateway.dns.reply import parse_reply
from gateway.dns.upstreams.address import ServerAddress
from gateway.dns.upstreams.exchange import SHORT, Callback, Exchange, Key, Line, NoAnswer, Outcome, Table
from gateway.dns.upstreams.health import DOWN, UP, UpstreamReport
from gateway.dns.upstreams.query import Randomness, respell
from gateway.dns.upstreams.servers import Servers
from gateway.dns.upstreams.upstream import Upstream
from gateway.dns.upstreams.zones import Group

log = logging.getLogger(__name__)

PASSED_ON = frozenset((wire.NOERROR, wire.NXDOMAIN))
"""Response codes that answer the question; with any other the next upstream is asked."""

_SWEEP_S = 0.02
_PROBE_SWEEP_S = 0.1
_SOONEST_S = 0.08
_STREAM_PATIENCE_S = 0.4
_AGAIN_S = 0.4
_ALL_DOWN_S = 0.4
_NEAR_MISSES_MAX = 3
_SLOW_S = 0.2
"""What has waited so long gives way to what is new; most names are answered sooner."""
_VERY_SLOW_S = 1.0
"""The same where questions only stand in line for a connection (DoH without HTTP/2)."""
_EXCHANGES_MAX = 4096
_WAITING_MAX = 20_000
_PROBE: Key = (b"\0\0\x02\0\x01", False, False)

_NO_UPSTREAM = NoAnswer(wire.EDE_NO_AUTHORITY, "no upstream")
_TOO_BUSY = NoAnswer(wire.EDE_NETWORK, "too busy", passing=True)
_SILENT = NoAnswer(wire.EDE_NETWORK, "upstream does not answer")
_FAULT = NoAnswer(wire.EDE_NETWORK, "internal error", passing=True)
_STOPPING = NoAnswer(wire.EDE_NETWORK, "stopping")


class Upstreams:
    """The forwarder's outward side. `ask` returns at once; the callback comes exactly once, from the event loop, or
    from within `ask` when nothing can be asked.

    `zones` and `ca_file`: see `Servers`.
    Raises: DnsSettingsError when that file cannot be used.
    """

    def __init__(
        self,
        addresses: tuple[ServerAddress, ...],
        loop: asyncio.AbstractEventLoop,
        timeout_s: float = 4.0,
        zones: Mapping[str, tuple[ServerAddress, ...]] | None = None,
        ca_file: str = "",
    ) -> None:
        self._loop = loop
        self._timeout_s = timeout_s
        self._randomness = Randomness()
        self._servers = Servers(addresses, zones or {}, ca_file, loop, self, self._randomness)
        self._by_udp: Table = {}
        self._by_tcp: Table = {}
        self._joined = 0
        self._troubled: list[Upstream] = []
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """How many different questions are under way."""
        return len(self._by_udp) + len(self._by_tcp)

    def report(self) -> tuple[UpstreamReport, ...]:
        """How each upstream is doing, in the order of the settings."""
        return self._servers.report()

    def after_batch(self, call: Callable[[], None]) -> None:
        """Call this each time a batch of answers by UDP has been dealt with: what they led to can go out together."""
        self._servers.reader.after_batch = call

    # -- asking

    def ask(self, key: Key, by_tcp: bool, callback: Callback) -> None:
        """Ask upstream, or join those who already wait for the same."""
        table = self._by_tcp if by_tcp else self._by_udp
        running = table.get(key)
        if running is not None:
            if self._joined >= _WAITING_MAX:
                callback(_TOO_BUSY)
                return
            self._joined += 1
            running.callbacks.append(callback)
            return
        if len(table) >= _EXCHANGES_MAX and not self._give_way(table, None, time.monotonic(), _SLOW_S):
            callback(_TOO_BUSY)
            return
        question = key[0]
        group = self._servers.find(question)
        order = group.order
        if not order:
            callback(_NO_UPSTREAM)
            return
        now_s = time.monotonic()
        asked = respell(question, self._randomness.take(len(question)))
        table[key] = exchange = Exchange(key, asked, by_tcp, callback, order, group, table, now_s)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        try:
            self._attempt(exchange, now_s)
        except Exception as fault:
            self.fault(exchange, fault)

    def flush(self) -> None:
        """Send now what `ask` has put together; it goes out by the next turn of the event loop anyway."""
        self._servers.flush()

    def _attempt(self, exchange: Exchange, now_s: float) -> None:
        order = exchange.order
        attempts, servers = exchange.attempts, len(order)
        exchange.upstream = upstream = order[attempts % servers]
        exchange.attempts = attempts + 1
        exchange.asked_at = now_s
        if attempts + 1 >= servers:  # nobody else is left: the same again, ever later
            exchange.due_at = now_s + _AGAIN_S * (1 << attempts // servers)
        else:
            patience_s = upstream.health.patience_s
            exchange.due_at = now_s + (max(patience_s, _STREAM_PATIENCE_S) if exchange.by_stream else patience_s)
        if upstream.outstanding >= upstream.narrow and not self._has_room(upstream, exchange, now_s):
            self._next(exchange, now_s, _TOO_BUSY)
        elif exchange.by_stream:
            upstream.streams.send(exchange)
        else:
            upstream.usual.send(exchange)

    def _has_room(self, upstream: Upstream, exchange: Exchange, now_s: float) -> bool:
        """Whether this may be asked too, where necessary in the place of what is slow; a probe may always."""
        if exchange is upstream.probe:
            return True
        if upstream.outstanding < upstream.limit:  # it would have to wait for its turn behind the slow ones
            if not exchange.sent:
                self._give_way(self._by_udp, upstream, now_s, _VERY_SLOW_S)
            return True
        if exchange.sent or exchange.attempts < len(exchange.order):
            return False
        return any(self._give_way(table, upstream, now_s, _SLOW_S) for table in (self._by_udp, self._by_tcp))

    def _give_way(self, table: Table, upstream: Upstream | None, now_s: float, slow_s: float) -> bool:
        """End the question that has waited longest (at `upstream`), if that is long. Returns whether there was one."""
        for exchange in table.values():
            if now_s - exchange.started_at < slow_s:  # and so are all that follow
                return False
            if upstream is None or any(line.upstream is upstream for line, _ in exchange.sent):
                self._finish(exchange, _TOO_BUSY)
                return True
        return False

    def _next(self, exchange: Exchange, now_s: float, otherwise: NoAnswer) -> None:
        """An attempt has come to nothing: the next server, unless another one may still answer."""
        if exchange.done:
            return
        if exchange.attempts < len(exchange.order):
            self._attempt(exchange, now_s)
        elif exchange.sent:
            return
        elif exchange.failure is not None:
            self._finish(exchange, exchange.failure)
        elif exchange.by_stream or otherwise is _TOO_BUSY or exchange.order[-1].datagrams is None:
            self._finish(exchange, otherwise)
        # else: the sweep tries again until the deadline, since a server may be restarting

    def _finish(self, exchange: Exchange, outcome: Outcome) -> None:
        if exchange.done:
            return
        exchange.done = True
        del exchange.table[exchange.key]
        for line, ident in exchange.sent:
            del line.pending[ident]
            line.upstream.outstanding -= 1
            if line.is_single:
                line.abandon()
        exchange.sent.clear()
        callbacks = exchange.callbacks
        self._joined -= len(callbacks) - 1
        for callback in callbacks:
            try:
                callback(outcome)
            except Exception as fault:  # neither message nor traceback: both could hold a name that a person asked for
                log.error("an answer could not be delivered: %s; please report this", type(fault).__name__)

    # -- what lines tell (exchange.Events)

    def replied(self, exchange: Exchange, line: Line, packet: bytes) -> bool:
        """A message that repeats the exchange's question. Returns whether it is a DNS answer at all."""
        health = line.upstream.health
        try:
            reply = parse_reply(packet)
        except WireError:  # listen on: the true one may follow
            health.failures["malformed"] += 1
            return False
        if reply.truncated:
            health.failures["truncated"] += 1
            exchange.leave(line)
            if exchange.by_stream or line.upstream.datagrams is None:  # senseless in a stream
                self._next(exchange, time.monotonic(), _SILENT)
            else:
                self._by_stream_too(exchange, line.upstream)
        elif reply.rcode in PASSED_ON:
            self._finish(exchange, reply)
        else:
            health.failures["rcode"] += 1
            exchange.failure = reply
            exchange.leave(line)
            self._next(exchange, time.monotonic(), _SILENT)
        return True

    def near_miss(self, exchange: Exchange, line: Line, packet: bytes) -> None:
        """An ID that waits, with another question: a forgery, a broken server, or one that loses the spelling.

        For the last, and when there are several, TCP tells the truth; the datagram socket is listened to all the same.
        """
        health = line.upstream.health
        health.failures["mismatched"] += 1
        exchange.near_misses += 1
        respelt = packet[12 : 12 + len(exchange.asked)].lower() == exchange.asked.lower()
        if (respelt or exchange.near_misses >= _NEAR_MISSES_MAX) and line.upstream.datagrams is not None:
            self._by_stream_too(exchange, line.upstream)

    def _by_stream_too(self, exchange: Exchange, upstream: Upstream) -> None:
        if not exchange.by_stream:
            exchange.by_stream = True
            exchange.due_at = time.monotonic() + _STREAM_PATIENCE_S
            upstream.streams.send(exchange)

    def failed(self, exchange: Exchange, upstream: Upstream, kind: str) -> None:
        """The exchange waits on a line no longer, which broke."""
        if kind is SHORT and exchange is upstream.probe:
            upstream.health.unsent()
        self._next(exchange, time.monotonic(), _SILENT)

    def doubtful(self, exchanges: list[Exchange], upstream: Upstream) -> None:
        """ICMP says that nobody listens: a probe will tell, and meanwhile these are asked of the next server too."""
        now_s = time.monotonic()
        if upstream.health.doubted(now_s):
            self._changed(upstream)
        for exchange in exchanges:
            if exchange.upstream is upstream:
                self._next(exchange, now_s, _SILENT)

    def fault(self, exchange: Exchange, fault: Exception) -> None:
        """We are at fault with one exchange."""
        # Neither message nor traceback: both could hold a name that a person asked for.
        log.error("a question upstream has gone wrong: %s; please report this", type(fault).__name__)
        self._finish(exchange, _FAULT)

    def heard(self, upstream: Upstream, answers: int, rtt_s: float | None) -> None:
        """So many messages that answer something have come."""
        was = upstream.health.state
        if upstream.health.heard(answers, rtt_s, time.monotonic()):
            if was == DOWN:
                log.info("upstream %s answers again", upstream.address)
            self._changed(upstream)

    def broken(self, upstream: Upstream, why: str) -> None:
        """Nobody serves there."""
        if upstream.health.broken(time.monotonic()):
            self._down(upstream, why)

    # -- health

    def _changed(self, upstream: Upstream) -> None:
        """Its state has changed: rank anew, and do not let questions wait that now need not."""
        self._servers.rank(upstream)
        if upstream.health.state != UP:
            if upstream not in self._troubled:
                self._troubled.append(upstream)
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
            return
        self._troubled.remove(upstream)
        for table in (self._by_udp, self._by_tcp):
            for exchange in table.values():
                if not exchange.sent and upstream in exchange.order:
                    exchange.due_at = 0.0
                    exchange.order = exchange.group.order

    def _probe(self, upstream: Upstream, now_s: float) -> None:
        """Ask it for the root's servers, which every live resolver has at hand."""
        if upstream.probe is not None and not upstream.probe.done:
            self._finish(upstream.probe, _SILENT)
        upstream.health.probed(now_s)
        table: Table = {}
        alone = (upstream,)
        probe = Exchange(_PROBE, _PROBE[0], False, _ignore, alone, Group(alone), table, now_s)
        table[_PROBE] = upstream.probe = probe
        self._attempt(probe, now_s)
        if not probe.sent:
            upstream.health.unsent()

    def _down(self, upstream: Upstream, why: str) -> None:
        log.warning("upstream %s is down: %s", upstream.address, why)
        self._changed(upstream)
        upstream.usual.reset()

    def _sweep(self) -> None:
        now_s = time.monotonic()
        self._sweeper = None
        try:
            for table in (self._by_udp, self._by_tcp):
                for exchange in self._due(table, now_s):
                    try:
                        self._tend(exchange, now_s)
                    except Exception as fault:
                        self.fault(exchange, fault)
            for upstream in list(self._troubled):
                if upstream.health.given_up(now_s):
                    self._down(upstream, "it is silent")
                if upstream.health.probe_at <= now_s:
                    self._probe(upstream, now_s)
            self._servers.close_stalled(now_s)
        finally:  # INVARIANT: whatever happens, the next question has a deadline too
            if self._sweeper is None and (self.in_flight or self._troubled):
                wait_s = _SWEEP_S if self.in_flight else _PROBE_SWEEP_S
                self._sweeper = self._loop.call_later(wait_s, self._sweep)

    def _due(self, table: Table, now_s: float) -> list[Exchange]:
        due = []
        for exchange in table.values():
            age_s = now_s - exchange.started_at
            if age_s < _SOONEST_S and exchange.sent:  # and so are all that follow
                break
            if exchange.due_at <= now_s or age_s >= self._deadline_s(exchange):
                due.append(exchange)
        return due

    def _deadline_s(self, exchange: Exchange) -> float:
        """While all servers are down, a question is one more probe: it waits briefly, and those after it too."""
        return min(_ALL_DOWN_S, self._timeout_s) if exchange.group.all_down else self._timeout_s

    def _tend(self, exchange: Exchange, now_s: float) -> None:
        """Give up what has waited long enough; else ask the next server, or the same again."""
        if exchange.done:
            return
        upstream = exchange.upstream
        if any(line.upstream is upstream for line, _ in exchange.sent) and upstream.health.missed(
            now_s, exchange.asked_at
        ):
            self._changed(upstream)
        if now_s - exchange.started_at >= self._deadline_s(exchange):
            self._finish(exchange, exchange.failure or _SILENT)
        else:
            self._attempt(exchange, now_s)

    def close(self) -> None:
        """Close every line; who still waits gets no answer."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for table in (self._by_udp, self._by_tcp):
            for exchange in list(table.values()):
                self._finish(exchange, _STOPPING)
        self._troubled.clear()
        for upstream in self._servers:
            if upstream.probe is not None:
                self._finish(upstream.probe, _STOPPING)
        self._servers.close()


def _ignore(_: Outcome) -> None:
    """A probe's answer has been counted where it came in."""
