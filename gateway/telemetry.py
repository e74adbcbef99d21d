"""What all DNS workers of this machine have counted, as one set of figures in Prometheus' words."""

from __future__ import annotations

import json
import math
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.dns.counters import BUCKETS_S, FAMILIES, GAUGES, OUTCOMES, Key
from gateway.dns.top_names import NAME_MAX_CHARS
from policies.categories import CATEGORIES
from policies.names import PolicyError, normalise

KEYS_MAX = 20_000
_COUNT_MAX = 1 << 53
_GAUGES_STAND_S = 60.0
_LABEL = re.compile(r"[a-z0-9_-]{0,40}")
_UPSTREAM = re.compile(r"[A-Za-z0-9.:/~%\[\]_-]{1,300}")  # all that `gateway.dns.upstreams.address` writes
_OF_A_WORKER = re.compile(r"[0-9a-f]{16}")
_TOLD_NAMES = frozenset(("refused", "judged_refused", "judged"))

_HELP = {
    "answers": "DNS answers by group of the asker, outcome and category",
    "responses": "DNS answers by response code",
    "truncated": "DNS answers that were too long for their datagram",
    "unusable": "Packets that were no question",
    "skipped_sends": "DNS answers that the kernel would not send",
    "cache": "What the two levels of remembered answers did",
    "connections": "DNS connections by transport and what became of them",
    "judged_names": "Different unlisted names that looked like a category",
    "upstream": "What was asked of each upstream, and what came of it",
}
_GAUGE_HELP = {
    "connections_open": "DNS connections that are open",
    "upstream_up": "How many workers hold an upstream for up",
    "upstream_outstanding": "Questions that an upstream has not answered yet",
    "upstream_rtt_seconds": "How long an upstream lately took",
}


@dataclass(frozen=True)
class Report:
    """One datagram of a worker, read: growth of counters, figures of the moment, growth of top names."""

    worker: str
    counts: dict[Key, int] = field(default_factory=dict)
    gauges: dict[Key, float] = field(default_factory=dict)
    names: dict[Key, int] = field(default_factory=dict)
    """(group, outcome, category, name) → how often."""


@dataclass(frozen=True)
class Upstream:
    """A server that DNS asks: how many of the `workers` that know it hold it for `up`; how long it took at most."""

    server: str
    up: int
    workers: int
    rtt_s: float


@dataclass(frozen=True)
class Standing:
    """How many DNS workers were heard lately, and what they say of the servers that they ask."""

    workers: int
    upstreams: tuple[Upstream, ...]


def read_report(octets: bytes) -> Report | None:
    """Read a datagram; None when it is not one. Rows that a worker would not send are left out."""
    try:
        content = json.loads(octets)
        if content["v"] != 1 or not _OF_A_WORKER.fullmatch(content["worker"]):
            return None
        counts = {key: value for key, value in _rows(content.get("counts", [])) if _is_count(key, value)}
        gauges = {key: float(value) for key, value in _rows(content.get("gauges", [])) if _is_gauge(key, value)}
        names = {key: value for key, value in _rows(content.get("names", [])) if _is_name(key, value)}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return Report(content["worker"], counts, gauges, names)


def _rows(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Key, Any]]:
    for row in rows:
        *key, value = row
        if all(isinstance(each, str) for each in key) and not isinstance(value, bool):
            yield tuple(key), value


def _is_count(key: Key, value: object) -> bool:
    return isinstance(value, int) and 0 < value < _COUNT_MAX and _fits(key, FAMILIES.get(key[0] if key else ""))


def _is_gauge(key: Key, value: object) -> bool:
    fits = _fits(key, GAUGES.get(key[0] if key else ""))
    return fits and isinstance(value, int | float) and math.isfinite(value)


def _fits(key: Key, labels: tuple[str, ...] | None) -> bool:
    # INVARIANT: no label but an upstream's address may have a dot in it, so that none can be a name
    return (
        labels is not None
        and len(key) == len(labels) + 1
        and all(
            (_UPSTREAM if label == "upstream" else _LABEL).fullmatch(value)
            for label, value in zip(labels, key[1:], strict=True)
        )
    )


def _is_name(key: Key, value: object) -> bool:
    if len(key) != 4 or not isinstance(value, int) or not 0 < value < _COUNT_MAX:
        return False
    group, outcome, category, name = key
    try:
        return (
            bool(_LABEL.fullmatch(group))
            and outcome in _TOLD_NAMES
            and (category in CATEGORIES or category == "it")
            and len(name) <= NAME_MAX_CHARS
            and normalise(name) == name
        )
    except PolicyError:
        return False


class Totals(Collector):
    """The sum of all reports since this process began. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._gauges: dict[str, tuple[float, dict[Key, float]]] = {}
        self.unreadable = 0
        """Datagrams that no worker sent."""

    def add(self, report: Report, now_s: float) -> None:
        """Add a report that came at the monotonic moment `now_s`."""
        with self._lock:
            for key, count in report.counts.items():
                if key in self._counts or len(self._counts) < KEYS_MAX:
                    self._counts[key] += count
            if report.gauges:
                self._gauges[report.worker] = (now_s, report.gauges)
            for worker in [each for each, (at, _) in self._gauges.items() if now_s - at > _GAUGES_STAND_S]:
                del self._gauges[worker]

    def standing(self, now_s: float) -> Standing:
        """How DNS stands at the monotonic moment `now_s`, as the workers said that were heard within a minute."""
        with self._lock:
            heard = [figures for at, figures in self._gauges.values() if now_s - at <= _GAUGES_STAND_S]
        servers = sorted({key[1] for figures in heard for key in figures if key[0] == "upstream_up"})
        return Standing(len(heard), tuple(_upstream(server, heard) for server in servers))

    def collect(self) -> Iterator[Metric]:
        """The figures as Prometheus families."""
        with self._lock:
            counts = Counter(self._counts)
            gauges: dict[Key, float] = {}
            for _, figures in self._gauges.values():
                for key, value in figures.items():
                    so_far = gauges.get(key, 0.0)
                    gauges[key] = max(so_far, value) if key[0] == "upstream_rtt_seconds" else so_far + value
        for family, help_text in _HELP.items():
            metric = CounterMetricFamily(f"gjestenett_dns_{family}", help_text, labels=FAMILIES[family])
            for key, count in counts.items():
                if key[0] == family:
                    metric.add_metric(key[1:], count)
            yield metric
        for family, help_text in _GAUGE_HELP.items():
            gauge = GaugeMetricFamily(f"gjestenett_dns_{family}", help_text, labels=GAUGES[family])
            for key, value in gauges.items():
                if key[0] == family:
                    gauge.add_metric(key[1:], value)
            yield gauge
        yield _latency(counts)
        yield CounterMetricFamily(
            "gjestenett_dns_reports_unreadable", "Datagrams that were no worker's report", self.unreadable
        )


def _upstream(server: str, heard: Sequence[Mapping[Key, float]]) -> Upstream:
    found = [figures for figures in heard if ("upstream_up", server) in figures]
    took = [figures[key] for figures in found if (key := ("upstream_rtt_seconds", server)) in figures]
    return Upstream(
        server, sum(figures["upstream_up", server] > 0 for figures in found), len(found), max(took, default=0.0)
    )


def _latency(counts: Counter[Key]) -> Metric:
    buckets, total = [], 0
    for number, bound in enumerate((*BUCKETS_S, math.inf)):
        total += counts["latency", str(number)]
        buckets.append(("+Inf" if bound == math.inf else str(bound), float(total)))
    return HistogramMetricFamily(
        "gjestenett_dns_latency_seconds",
        "How long answers took that had to be asked for upstream",
        buckets=buckets,
        sum_value=counts["latency_us",] / 1e6,
    )


def answers_in(report: Report) -> Iterator[tuple[tuple[str, str, str], int]]:
    """(group, outcome, category) → growth, of a report's answers: what the database keeps."""
    for key, count in report.counts.items():
        if key[0] == "answers" and key[2] in OUTCOMES:
            yield (key[1], key[2], key[3]), count
