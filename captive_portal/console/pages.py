"""Every route of the console, each with who may use it. What is not in this table does not exist."""

from __future__ import annotations

from captive_portal.auth.second_factor import load_second_factor
from captive_portal.console import (
    acceptances,
    admitting,
    checkpoints,
    course_form,
    courses,
    desk,
    devices,
    extending,
    health,
    list_adding,
    lookups,
    network,
    policy_past,
    posters,
    proof,
    rules_versions,
    setup,
    signin,
    timeline,
)
from captive_portal.console.assets import Assets
from captive_portal.console.compiled import SnapshotReader
from captive_portal.console.exemption_requests import ExemptionPages
from captive_portal.console.export_pages import ExportPages
from captive_portal.console.exports import ExportShelf
from captive_portal.console.gate import Call, Page
from captive_portal.console.host_answers import HostAnswers
from captive_portal.console.lists import ListPages
from captive_portal.console.lists_api import ListsApi
from captive_portal.console.policy import PolicyPages
from captive_portal.console.policy_api import PolicyApi
from gateway.context import Services
from gateway.telemetry import Totals


def all_pages(services: Services, dns: Totals) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    snapshot = SnapshotReader(services.settings.state)
    policy, lists = PolicyPages(snapshot), ListPages(snapshot)
    exempting = ExemptionPages(snapshot)
    second = load_second_factor(services.settings.state)
    entry, links = signin.SignInPages(second), setup.SetupPages(second)
    files = list_adding.UPLOAD_MAX_BYTES
    answers = HostAnswers(services.settings)
    exports = ExportPages(ExportShelf(services.settings.state))
    return (
        Page("GET", "/healthz", "public", health.alive, "none"),
        Page("GET", "/readyz", "public", health.ready, "none"),
        Page("GET", "/metrics", "scrape", health.Metrics(dns).show, "read"),
        Page("GET", "/static/{name:path}", "public", Assets().serve, "none"),
        Page("GET", "/sign-in", "public", signin.show, "none"),
        Page("POST", "/sign-in", "public", entry.sign_in, "none", signin.SignInPace()),
        Page("GET", "/sign-in/code", "public", entry.ask, "none"),
        Page("POST", "/sign-in/code", "public", entry.check, "none", signin.CodePace()),
        Page("POST", "/sign-out", "staff", signin.sign_out, "write"),
        Page("GET", "/setup/{token}", "public", links.show, "none"),
        Page("POST", "/setup/{token}", "public", links.choose, "none"),
        Page("GET", "/host/{token}", "public", answers.show, "read"),
        Page("POST", "/host/{token}", "public", answers.answer, "write"),
        Page("GET", "/", "staff", devices.home, "none"),
        Page("GET", "/devices", "it", devices.show, "read"),
        Page("GET", "/devices/{grant}/end", "it", devices.ask, "read"),
        Page("POST", "/devices/{grant}/end", "it", devices.end, "write"),
        Page("POST", "/devices/{grant}/move", "it", devices.move, "write"),
        Page("GET", "/devices/{grant}/extend", "it", extending.ask, "read"),
        Page("POST", "/devices/{grant}/extend", "it", extending.extend, "write"),
        Page("GET", "/devices/admit", "it", admitting.show, "read"),
        Page("POST", "/devices/admit", "it", admitting.admit, "write"),
        Page("GET", "/helpdesk", "it", desk.show, "read"),
        Page("GET", "/courses", "host", courses.show, "read"),
        Page("GET", "/courses/new", "host", course_form.new, "read"),
        Page("POST", "/courses/new", "host", course_form.add, "write"),
        Page("GET", "/courses/{course}", "host", courses.one, "read"),
        Page("GET", "/courses/{course}/edit", "host", course_form.edit, "read"),
        Page("POST", "/courses/{course}/edit", "host", course_form.change, "write"),
        Page("GET", "/courses/{course}/end", "host", courses.ask_end, "read"),
        Page("POST", "/courses/{course}/end", "host", courses.end, "write"),
        Page("GET", "/courses/{course}/poster", "host", posters.poster, "read"),
        Page("GET", "/courses/{course}/slide", "host", posters.slide, "read"),
        Page("GET", "/exemptions", "it", exempting.overview, "read"),
        Page("GET", "/exemptions/{request}", "it", exempting.show, "read"),
        Page("POST", "/exemptions/{request}/grant", "it", exempting.grant, "write"),
        Page("POST", "/exemptions/{request}/decline", "it", exempting.decline, "write"),
        Page("GET", "/lookups", "it", lookups.show, "read"),
        Page("GET", "/network", "it", network.show, "read"),
        Page("GET", "/policy", "it", policy.show, "read"),
        Page("POST", "/policy", "it", policy.publish, "write"),
        Page("POST", "/policy/overrule", "it", policy.overrule, "write"),
        Page("GET", "/lists", "auditor", lists.overview, "read"),
        Page("POST", "/lists/refresh", "it", lists.refresh_all, "write"),
        Page("GET", "/lists/add", "it", list_adding.show, "none"),
        Page("POST", "/lists/add", "it", list_adding.add, "write"),
        Page("POST", "/lists/upload", "it", list_adding.upload, "write", upload_max_bytes=files),
        Page("GET", "/lists/source/{key}", "auditor", lists.show, "read"),
        Page("POST", "/lists/source/{key}/switch", "it", lists.switch, "write"),
        Page("POST", "/lists/source/{key}/refresh", "it", lists.refresh, "write"),
        Page("POST", "/lists/source/{key}/upload", "it", list_adding.upload_again, "write", upload_max_bytes=files),
        Page("GET", "/lists/source/{key}/remove", "it", lists.ask_remove, "read"),
        Page("POST", "/lists/source/{key}/remove", "it", lists.remove, "write"),
        Page("GET", "/acceptances", "auditor", acceptances.show, "read"),
        Page("GET", "/acceptances/export", "auditor", exports.ask, "read"),
        Page("POST", "/acceptances/export", "auditor", exports.make, "read"),
        Page("GET", "/acceptances/{id}", "auditor", proof.acceptance, "read"),
        Page("GET", "/log", "auditor", timeline.show, "read"),
        Page("GET", "/log/{index}", "auditor", proof.show, "read"),
        Page("GET", "/log/{index}/proof", "auditor", proof.proof, "read"),
        Page("GET", "/log/{index}/entry", "auditor", proof.entry, "read"),
        Page("GET", "/rules", "auditor", rules_versions.show, "read"),
        Page("GET", "/policy-then", "auditor", policy_past.show, "read"),
        Page("GET", "/checkpoints", "auditor", checkpoints.show, "read"),
        Page("GET", "/checkpoints/{size}", "auditor", checkpoints.download, "read"),
        Page("GET", "/exports", "auditor", timeline.exports, "read"),
        Page("GET", "/acceptances/exports/{key}", "auditor", exports.show, "none"),
        Page("GET", "/acceptances/exports/{key}/{file}", "auditor", exports.download, "none"),
        Page("POST", "/acceptances/exports/{key}/remove", "auditor", exports.remove, "none"),
    )


def all_calls(services: Services) -> tuple[Call, ...]:
    """The table of the JSON API."""
    return (*PolicyApi(SnapshotReader(services.settings.state)).calls(), *ListsApi().calls())
