"""The servers of the settings, each opened once by the protocol it speaks, in groups by zone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec

from gateway.dns.upstreams.address import ServerAddress
from gateway.dns.upstreams.exchange import Events
from gateway.dns.upstreams.health import UpstreamReport
from gateway.dns.upstreams.query import Randomness
from gateway.dns.upstreams.stream import Streams
from gateway.dns.upstreams.tls import client_context
from gateway.dns.upstreams.udp import UdpPool, UdpReader
from gateway.dns.upstreams.upstream import Upstream
from gateway.dns.upstreams.zones import Group, Zones

log = logging.getLogger(__name__)


def advise(addresses: Iterable[ServerAddress]) -> None:
    """Say where the servers could be asked better. To be called once, at the start of the service."""
    if any(address.protocol == "https" for address in addresses) and find_spec("h2") is None:
        log.warning(
            "DoH goes over HTTP/1.1, where sixteen slow names hold all others up for a second: "
            "pip install 'gjestenett[doh]' brings HTTP/2"
        )


class Servers:
    """All upstreams. `zones` maps a zone's name (lower case, no last dot) to servers of its own.

    Raises: DnsSettingsError when `ca_file` cannot be used.
    """

    def __init__(
        self,
        addresses: tuple[ServerAddress, ...],
        zones: Mapping[str, tuple[ServerAddress, ...]],
        ca_file: str,
        loop: asyncio.AbstractEventLoop,
        events: Events,
        randomness: Randomness,
    ) -> None:
        self._ca_file = ca_file
        self._loop = loop
        self._events = events
        self._randomness = randomness
        self.reader = UdpReader(loop, events)
        self._upstreams: dict[ServerAddress, Upstream] = {}
        self._rest = self._group(addresses)
        of_zones = {zone: self._group(servers) for zone, servers in zones.items()}
        self._groups = [self._rest, *of_zones.values()]
        self._zones = Zones(self._rest, of_zones) if of_zones else None

    def __iter__(self) -> Iterator[Upstream]:
        """In the order of the settings."""
        return iter(self._upstreams.values())

    def find(self, question: bytes) -> Group:
        """Those to put a question to (lower case, on the wire)."""
        return self._rest if self._zones is None else self._zones.find(question)

    def rank(self, upstream: Upstream) -> None:
        """Its state has changed: its groups put the well ones first."""
        for group in self._groups:
            if upstream in group.upstreams:
                group.rank()

    def report(self) -> tuple[UpstreamReport, ...]:
        """How each is doing."""
        return tuple(upstream.report() for upstream in self)

    def flush(self) -> None:
        """Send what waits for the end of the turn."""
        for upstream in self:
            if upstream.datagrams is not None:
                upstream.datagrams.flush()

    def close_stalled(self, now_s: float) -> None:
        """Close connections that owe answers and bring none."""
        for upstream in self:
            if isinstance(upstream.streams, Streams):
                upstream.streams.close_stalled(now_s)

    def close(self) -> None:
        """Close every line; nobody may wait on one any more."""
        for upstream in self:
            if upstream.datagrams is not None:
                upstream.datagrams.close()
            upstream.streams.close()
        self.reader.close()

    def _group(self, addresses: tuple[ServerAddress, ...]) -> Group:
        for address in addresses:
            if address not in self._upstreams:
                self._upstreams[address] = self._open(address)
        return Group(tuple(self._upstreams[address] for address in dict.fromkeys(addresses)))

    def _open(self, address: ServerAddress) -> Upstream:
        upstream = Upstream(address)
        if address.protocol == "https":
            from gateway.dns.upstreams.https import HttpsLines  # noqa: PLC0415 - httpx only where it is used

            context = client_context(address, self._ca_file)
            upstream.reached_by(HttpsLines(upstream, self._loop, self._events, context))
            return upstream
        tls = client_context(address, self._ca_file) if address.protocol == "tls" else None
        streams = Streams(upstream, self._loop, self._events, self._randomness, tls)
        if address.protocol == "udp":
            upstream.reached_by(streams, UdpPool(upstream, self._loop, self.reader, self._events, self._randomness))
        else:
            upstream.reached_by(streams)
        return upstream
