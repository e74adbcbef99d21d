"""One worker: batches of datagrams answered from a dictionary, everything else in asyncio beside it.

# INVARIANT: nothing here or below writes who asked for what, to a log or anywhere else.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from functools import partial
from pathlib import Path

from gateway.clock import utc_now
from gateway.dns import mmsg
from gateway.dns.cache import FinishedAnswers, UpstreamAnswers
from gateway.dns.config import DnsConfig
from gateway.dns.counters import Counters
from gateway.dns.errors import DnsError, DnsSettingsError
from gateway.dns.judging import Judging
from gateway.dns.measured import read_parts
from gateway.dns.pending import Pending
from gateway.dns.plan import Site
from gateway.dns.reporting import Reporter
from gateway.dns.resolve import Resolver
from gateway.dns.steering import steer
from gateway.dns.tcp import TcpListener
from gateway.dns.top_names import TopNames
from gateway.dns.upstreams.forwarder import Upstreams
from gateway.dns.views import Views
from gateway.dns.wire import FORMERR, QR, error_reply
from gateway.lists.reader import SnapshotFile
from gateway.served_certificate import Certificate

log = logging.getLogger(__name__)

_BATCHES_AT_ONCE = 4
_RECEIVE_BUFFER_BYTES = 4 << 20
_IP_FREEBIND, _IPV6_FREEBIND = 15, 78  # as in the kernel's headers


class Server:
    """A DNS worker in the running event loop. `start`, then `stop` once."""

    def __init__(self, config: DnsConfig) -> None:
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._finished = FinishedAnswers()
        site = Site.build(config.portal_hostname, config.portal_addresses, config.private_zones, config.version)
        self._counters = Counters()
        self._top_names = TopNames(time.monotonic)
        self._views = Views(config.sources, self._finished, site, self._counters, self._top_names)
        self._upstreams = Upstreams(
            config.upstreams, self._loop, config.upstream_timeout_s, dict(config.zones), config.upstream_ca
        )
        self._judging = Judging(self._loop)
        kept = UpstreamAnswers(stale_max_s=config.serve_stale_s)
        self._resolver = Resolver(
            site,
            self._views,
            self._finished,
            kept,
            self._upstreams,
            utc_now,
            time.monotonic,
            self._judging,
            self._counters,
        )
        self._snapshot_file = SnapshotFile(Path(config.snapshot))
        self._problem: str | None = None
        self._sockets: list[mmsg.AnySocket] = []
        self._tcp = TcpListener(
            self._resolver,
            self._views,
            config.tcp_idle_s,
            self._counters,
            per_s=config.tcp_per_s,
            burst=config.tcp_burst,
        )
        self._certificate = (
            Certificate(Path(config.tls_certificate), Path(config.tls_key), service="DNS over TLS", alpn="dot")
            if config.tls_certificate
            else None
        )
        self._reporter: Reporter | None = None
        self._reload_timer: asyncio.TimerHandle | None = None
        self._upstreams.after_batch(self._flush_all)
        self.skipped = 0
        """Answers that the kernel would not send (source port 0, full buffer)."""
        read_parts(
            self._counters, self._resolver, self._finished, kept, self._judging, self._upstreams, lambda: self.skipped
        )

    async def start(self) -> None:
        """Listen on every configured address by UDP, TCP and, given a certificate, TLS, under the policy in force,
        however long it is verified.

        Raises: DnsError naming the address that cannot be had.
        """
        self._reload(wait=True)
        if self._certificate is not None:
            self._certificate.watch(self._loop)
        for address in self._config.listen:
            port = self._config.port
            try:
                udp = bind(address, port, socket.SOCK_DGRAM)
                steer(udp, self._config.workers)
                batch = mmsg.open_batch(udp)
                self._sockets.append(batch)
                doors: list[tuple[int, Certificate | None]] = [(port, None)]
                if self._certificate is not None:
                    doors.append((self._config.tls_port, self._certificate))
                for port, certificate in doors:
                    tcp = bind(address, port, socket.SOCK_STREAM)
                    self._tcp.listen(tcp, certificate)
                    steer(tcp, self._config.workers)
            except OSError as problem:
                await self.stop()
                raise listen_error(address, port, problem) from problem
            self._loop.add_reader(udp.fileno(), partial(self._readable, batch))
        if self._config.counters_socket:
            self._reporter = Reporter(
                self._counters,
                self._top_names,
                self._config.counters_socket,
                self._loop,
                self._config.counters_every_s,
            )

    async def stop(self) -> None:
        """Close everything; what is under way gets no answer."""
        if self._reload_timer is not None:
            self._reload_timer.cancel()
        self._judging.close()
        if self._certificate is not None:
            self._certificate.close()
        for batch in self._sockets:
            self._loop.remove_reader(batch.socket.fileno())
        await self._tcp.close()
        self._upstreams.close()
        for batch in self._sockets:
            batch.socket.close()
        self._sockets.clear()
        if self._reporter is not None:
            self._reporter.close()

    def _reload(self, *, wait: bool = False) -> None:
        self._reload_timer = self._loop.call_later(
            self._config.reload_interval_s, self._reload
        )  # whatever comes of this
        snapshot = self._snapshot_file.poll(wait=wait)
        if snapshot is not None:
            self._views.adopt(snapshot)
            self._judging.adopt(snapshot)
            log.info("policy generation %d in force", snapshot.generation)
        if self._snapshot_file.problem != self._problem:
            self._problem = self._snapshot_file.problem
            if self._problem is not None:
                log.warning("%s", self._problem)

    def _readable(self, batch: mmsg.AnySocket) -> None:
        for _ in range(_BATCHES_AT_ONCE):  # then let the rest of the loop have its turn
            if self._answer_batch(batch) < mmsg.BATCH:
                break
        self._upstreams.flush()

    def _answer_batch(self, batch: mmsg.AnySocket) -> int:
        count = batch.receive()
        if not count:
            return 0
        now_s = time.monotonic()
        # One copy of what came in, since slices of bytes are cheaper than slices of a view made into bytes.
        incoming = bytes(batch.incoming[: count * mmsg.SLOT_BYTES])
        names = bytes(batch.names[: count * mmsg.NAME_BYTES])
        outgoing, out_lengths = batch.outgoing, batch.out_lengths
        by_mark, by_source, own = self._views.by_mark, self._views.by_source, self._resolver.own
        source_from, source_to = (4, 8) if batch.is_ipv4 else (8, 24)
        placed = start = 0
        for index, (length, mark) in enumerate(zip(batch.lengths_of(count), batch.marks_of(count), strict=True)):
            end = start + length
            if mark:
                view = by_mark.get(mark)
            else:
                name_at = index * mmsg.NAME_BYTES
                view = by_source.get(names[name_at + source_from : name_at + source_to])
            if view is not None and (finished := view.answers.get(incoming[start + 2 : end])) and finished[1] > now_s:
                answer: bytes | None = incoming[start : start + 2] + finished[0]
                finished[2].hits += 1
            else:
                answer = own(incoming[start:end], view, now_s) if view is not None else None
                if answer is None:
                    answer = self._answer_slowly(batch, index, incoming[start:end], mark)
            if answer:
                size = len(answer)
                out = placed * mmsg.OUT_BYTES
                outgoing[out : out + size] = answer
                out_lengths[placed * 2 + 1] = size
                if placed != index:
                    batch.direct(placed, index)
                placed += 1
            start += mmsg.SLOT_BYTES
        if placed:
            self.skipped += batch.send(placed)
        return count

    def _answer_slowly(self, batch: mmsg.AnySocket, index: int, packet: bytes, mark: int) -> bytes | None:
        if len(packet) == mmsg.SLOT_BYTES and batch.was_truncated(index):
            self._counters.add("unusable")
            return error_reply(packet, FORMERR) if not packet[2] & QR >> 8 else None
        sender = batch.sender(index)
        begun = self._resolver.begin(packet, mark, sender[4:8] if batch.is_ipv4 else sender[8:24], False)
        return begun.ask(partial(self._deliver, batch, sender)) if isinstance(begun, Pending) else begun

    def _deliver(self, batch: mmsg.AnySocket, sender: bytes, answer: bytes) -> None:
        if not batch.later:
            self._loop.call_soon(self._flush, batch)
        batch.later.append((sender, answer))

    def _flush_all(self) -> None:
        for batch in self._sockets:
            if batch.later:
                self.skipped += batch.send_later()

    def _flush(self, batch: mmsg.AnySocket) -> None:
        if batch.later and batch.socket.fileno() >= 0:  # else they went out with others
            self.skipped += batch.send_later()


def bind(address: str, port: int, kind: socket.SocketKind, *, shared: bool = True) -> socket.socket:
    """A non-blocking socket on one local address; UDP ones report marks.

    The address need not be there yet, and may go and come back. Where it is `shared` other workers may have it too.
    Raises: OSError.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, kind)
    try:
        bound.setblocking(False)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        else:
            bound.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        if kind == socket.SOCK_DGRAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            mmsg.enable_marks(bound)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


def listen_error(address: str, port: int, problem: OSError) -> DnsError:
    """The one clear line for an address that cannot be had."""
    return DnsSettingsError(
        f"DNS cannot listen on {address} port {port}: {problem.strerror or problem}; "
        "change dns.listen or dns.port (for TLS dns.tls_port), or stop what uses it"
    )
