"""For machines: is the process alive, does the database answer, and a few numbers in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response

from captive_portal.console.visit import Visit
from gateway.storage import console_queries
from gateway.storage.console_queries import Figures
from gateway.storage.engine import StorageUnavailableError
from gateway.telemetry import Totals

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def alive(_visit: Visit) -> Response:
    """GET /healthz"""
    return PlainTextResponse("ok\n")


def ready(visit: Visit) -> Response:
    """GET /readyz: 503 while the database does not answer."""
    try:
        with visit.services.database.read() as session:
            console_queries.figures(session, visit.services.place.owner_id, visit.now)
    except StorageUnavailableError:
        return PlainTextResponse("the database does not answer\n", HTTPStatus.SERVICE_UNAVAILABLE)
    return PlainTextResponse("ready\n")


class Metrics:
    """The page of figures: the database's, and what DNS workers have counted since this process began."""

    def __init__(self, dns: Totals) -> None:
        self._dns = dns

    def show(self, visit: Visit) -> Response:
        """GET /metrics"""
        found = console_queries.figures(visit.session, visit.services.place.owner_id, visit.now)
        registry = CollectorRegistry()
        registry.register(_Gauges(found))
        registry.register(self._dns)
        return Response(generate_latest(registry), headers={"content-type": METRICS_TYPE})


class _Gauges(Collector):
    def __init__(self, found: Figures) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("gjestenett_grants_open", "Grants in force", self._found.open_grants)
        yield GaugeMetricFamily("gjestenett_leaves_staged", "Leaves waiting to be sealed", self._found.staged_leaves)
        yield GaugeMetricFamily("gjestenett_tree_size", "Leaves in the sealed tree", self._found.tree_size)
        yield GaugeMetricFamily(
            "gjestenett_policy_generation", "Policy generation in force", self._found.policy_generation
        )
