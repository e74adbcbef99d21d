"""One configured server: its health, and the lines that lead to it."""

from __future__ import annotations

from typing import Protocol

from gateway.dns.upstreams.address import ServerAddress
from gateway.dns.upstreams.exchange import Exchange
from gateway.dns.upstreams.health import STATES, Health, UpstreamReport

_OUTSTANDING_MAX = 2048
_OUTSTANDING_BY_STREAM_MAX = 512


class Lines(Protocol):
    """A way to carry questions to one server."""

    def send(self, exchange: Exchange) -> None:
        """Ask. Whatever becomes of it is told to the forwarder; it may be told before this returns."""

    def flush(self) -> None:
        """Let go what is held back to be sent together."""

    def reset(self) -> None:
        """Close all lines; what waits on them goes elsewhere."""

    def close(self) -> None:
        """Close all lines for good."""


class Upstream:
    """One server. `datagrams` is None where it is not asked by UDP; `outstanding` counts what waits on its lines."""

    __slots__ = ("_limit", "address", "datagrams", "health", "outstanding", "probe", "streams")

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.health = Health()
        self.outstanding = 0
        self.probe: Exchange | None = None
        self.datagrams: Lines | None = None
        self.streams: Lines
        self._limit = _OUTSTANDING_MAX if address.protocol == "udp" else _OUTSTANDING_BY_STREAM_MAX

    @property
    def is_full(self) -> bool:
        """Whether it must answer something before it is asked more."""
        return self.outstanding >= self._limit

    def send(self, exchange: Exchange) -> None:
        """Ask it, the way that the exchange needs."""
        if self.datagrams is None or exchange.by_stream:
            self.streams.send(exchange)
        else:
            self.datagrams.send(exchange)

    def report(self) -> UpstreamReport:
        """How it is doing."""
        health = self.health
        return UpstreamReport(
            str(self.address),
            self.address.protocol,
            STATES[health.state],
            health.sent,
            health.answered,
            health.by_stream,
            health.connections,
            tuple(health.failures.items()),
            health.rtt_s,
            self.outstanding,
        )
