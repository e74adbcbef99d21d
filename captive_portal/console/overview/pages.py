"""Routes of the first page."""

from __future__ import annotations

from captive_portal.console.overview.room import OverviewPages
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.route import Page
from gateway.telemetry import Totals


def pages(snapshot: SnapshotReader, dns: Totals) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    overview = OverviewPages(snapshot, dns)
    return (
        Page("GET", "/", "staff", overview.home, "read"),
        Page("GET", "/overview/now", "auditor", overview.now, "read", is_use=False),
    )
