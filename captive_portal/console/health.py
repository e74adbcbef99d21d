"""For machines: is the process alive, does the database answer, and a few numbers in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response

from captive_portal.console.visit import Visit
from gateway.announcement import Announcement, announcement
from gateway.audit.standing import LogStanding, log_standing
from gateway.certificates import ends_at
from gateway.settings import Settings
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
        services = visit.services
        chosen = services.settings.audit.targets
        registry.register(_Log(log_standing(visit.session, services.place.owner_id, chosen, visit.now)))
        registry.register(_Portal(announcement(services.settings, visit.now), services.settings))
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


class _Portal(Collector):
    def __init__(self, found: Announcement, settings: Settings) -> None:
        self._withheld = found.withheld not in (None, "not_enforced")
        self._ends = ends_at(settings.portal.tls_certificate)

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "gjestenett_portal_uri_withheld",
            "1 while DHCP and routers must not announce the portal, as its certificate would not be believed",
            int(self._withheld),
        )
        if self._ends is not None:
            yield GaugeMetricFamily(
                "gjestenett_portal_certificate_expires_timestamp_seconds",
                "When the portal's certificate expires",
                self._ends.timestamp(),
            )


class _Log(Collector):
    def __init__(self, standing: LogStanding) -> None:
        self._standing = standing

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "gjestenett_log_restored",
            "1 while nothing is signed because the database holds less than was signed",
            int(self._standing.restore is not None),
        )
        figures = {
            "failures": "How often in a row a checkpoint could not be sent",
            "alarm": "1 while a target has failed again and again, or has had nothing for more than a day",
            "size": "Leaves in the checkpoint that a target took last",
            "last_success_timestamp_seconds": "When a target last took a checkpoint",
        }
        families = {
            key: GaugeMetricFamily(f"gjestenett_log_target_{key}", text, labels=["target", "kind"])
            for key, text in figures.items()
        }
        for each in self._standing.targets:
            values = {
                "failures": each.failures,
                "alarm": int(each.alarm),
                "size": each.size,
                "last_success_timestamp_seconds": each.succeeded_at.timestamp() if each.succeeded_at else None,
            }
            for key, value in values.items():
                if value is not None:
                    families[key].add_metric([each.name, each.kind], value)
        yield from families.values()
