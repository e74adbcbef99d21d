"""What the other parts of a worker count by themselves, read into its counters whenever these are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gateway.dns.cache import FinishedAnswers, UpstreamAnswers
from gateway.dns.counters import Counters, Key
from gateway.dns.judging import Judging

if TYPE_CHECKING:
    from gateway.dns.resolve import Resolver
    from gateway.dns.upstreams.forwarder import Upstreams


def read_parts(
    counters: Counters,
    resolver: Resolver,
    finished: FinishedAnswers,
    kept: UpstreamAnswers,
    judging: Judging,
    upstreams: Upstreams,
    skipped: Callable[[], int],
) -> None:
    """Have the totals and figures of these parts read whenever `counters` are."""

    def totals() -> Iterator[tuple[Key, int]]:
        yield ("skipped_sends",), skipped()
        yield ("cache", "kept_hit"), resolver.kept_hits
        yield ("cache", "miss"), resolver.misses
        yield ("cache", "stale"), resolver.stale
        yield ("cache", "prefetched"), resolver.prefetched
        yield ("cache", "finished_cleared"), finished.cleared
        yield ("cache", "kept_evicted"), kept.evicted
        for category, names in judging.counts.items():
            yield ("judged_names", category), names
        for each in upstreams.report():
            for event, count in (
                ("sent", each.sent),
                ("answered", each.answered),
                ("by_stream", each.by_stream),
                ("connections", each.connections),
                *each.failures,
            ):
                yield ("upstream", each.server, event), count

    def gauges() -> Iterator[tuple[Key, float]]:
        for each in upstreams.report():
            yield ("upstream_up", each.server), float(each.state == "up")
            yield ("upstream_outstanding", each.server), float(each.outstanding)
            yield ("upstream_rtt_seconds", each.server), each.rtt_s

    counters.read_also(totals)
    counters.read_gauges(gauges)
