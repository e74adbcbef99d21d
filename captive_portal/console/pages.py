"""Every route of the console, each with who may use it. What is not in these tables does not exist."""

from __future__ import annotations

from captive_portal.api import (
    acceptances,
    account,
    blocks,
    checkpoints,
    course_openings,
    courses,
    devices,
    grants,
    log,
    outages,
    policy_draft,
    policy_exemptions,
    policy_generations,
    policy_groups,
    policy_hosts,
    rules_drafts,
    rules_proposals,
    rules_versions,
    settings,
    staff_accounts,
)
from captive_portal.api.course_requests import CourseRequestsApi
from captive_portal.api.exemption_requests import RequestsApi
from captive_portal.api.exports import ExportsApi
from captive_portal.api.lists import ListsApi
from captive_portal.api.overview import OverviewApi
from captive_portal.api.policy import PolicyApi
from captive_portal.api.policy_names import NamesApi
from captive_portal.console import health, lookups, network, outage
from captive_portal.console.assets import Assets
from captive_portal.console.courses.pages import pages as of_courses
from captive_portal.console.devices.pages import pages as of_devices
from captive_portal.console.entry.pages import pages as of_entry
from captive_portal.console.evidence.exports import ExportShelf
from captive_portal.console.evidence.pages import pages as of_evidence
from captive_portal.console.lists.pages import pages as of_lists
from captive_portal.console.overview.pages import pages as of_overview
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.policy.pages import pages as of_policy
from captive_portal.console.route import Call, Page
from captive_portal.console.rules.pages import pages as of_rules
from captive_portal.console.settings.pages import pages as of_settings
from gateway.context import Services
from gateway.telemetry import Totals


def all_pages(services: Services, dns: Totals, shelf: ExportShelf | None = None) -> tuple[Page, ...]:
    """The tables, one after the other: method, path, permission, page, transaction."""
    snapshot = SnapshotReader(services.settings.state)
    return (
        Page("GET", "/healthz", "public", health.alive, "none"),
        Page("GET", "/readyz", "public", health.ready, "none"),
        Page("GET", "/metrics", "scrape", health.Metrics(dns).show, "read"),
        Page("GET", "/static/{name:path}", "public", Assets().serve, "none"),
        Page("GET", "/lookups", "it", lookups.show, "read"),
        Page("GET", "/network", "it", network.show, "read"),
        Page("GET", "/network/{network}/switch", "it", outage.ask, "read"),
        Page("POST", "/network/{network}/switch", "it", outage.switch, "write"),
        Page("POST", "/network/{network}/restore", "it", outage.restore, "write"),
        *of_overview(snapshot, dns),
        *of_entry(services),
        *of_devices(),
        *of_courses(services, snapshot),
        *of_policy(snapshot),
        *of_lists(snapshot),
        *of_rules(),
        *of_evidence(shelf or ExportShelf(services.settings.state)),
        *of_settings(),
    )


def all_calls(services: Services, dns: Totals, shelf: ExportShelf) -> tuple[Call, ...]:
    """The table of the JSON API."""
    snapshot = SnapshotReader(services.settings.state)
    return (
        *OverviewApi(snapshot, dns).calls(),
        *PolicyApi(snapshot).calls(),
        *policy_draft.calls(),
        *policy_generations.calls(),
        *policy_groups.calls(),
        *policy_exemptions.calls(),
        *policy_hosts.calls(),
        *NamesApi(snapshot).calls(),
        *RequestsApi(snapshot).calls(),
        *ListsApi().calls(),
        *rules_versions.calls(),
        *rules_drafts.calls(),
        *rules_proposals.calls(),
        *grants.calls(),
        *devices.calls(),
        *blocks.calls(),
        *outages.calls(),
        *courses.calls(),
        *course_openings.calls(),
        *CourseRequestsApi(snapshot).calls(),
        *acceptances.calls(),
        *log.calls(),
        *checkpoints.calls(),
        *ExportsApi(shelf).calls(),
        *account.calls(),
        *staff_accounts.calls(),
        *settings.calls(),
    )
