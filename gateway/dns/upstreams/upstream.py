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
    """One server. `datagrams` is None where it is not asked by UDP, `usual` the way that it is asked.

    `outstanding` counts what waits on its lines; at `limit` it must answer something before it is asked more, from
    `narrow` on what comes has to wait for its turn.
    """

    __slots__ = ("address", "datagrams", "health", "limit", "narrow", "outstanding", "probe", "streams", "usual")

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.health = Health()
        self.outstanding = 0
        self.probe: Exchange | None = None
        self.limit = self.narrow = _OUTSTANDING_MAX if address.protocol == "udp" else _OUTSTANDING_BY_STREAM_MAX

    def reached_by(self, streams: Lines, datagrams: Lines | None = None) -> None:
        """To be called once, before it is asked anything."""
        self.streams = streams
        self.datagrams = datagrams
        self.usual: Lines = datagrams or streams

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
