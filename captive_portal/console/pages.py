"""Every route of the console, each with who may use it. What is not in this table does not exist."""

from __future__ import annotations

from captive_portal.auth.known_browsers import KnownBrowsers
from captive_portal.auth.second_factor import SecondFactor, load_console_key
from captive_portal.console import (
    acceptances,
    account,
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
    policy_draft,
    policy_exemptions,
    policy_history,
    policy_hours,
    policy_past,
    posters,
    proof,
    rules_form,
    rules_versions,
    rules_writing,
    setup,
    signin,
    staff_sessions,
    timeline,
    try_name,
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
from captive_portal.console.policy import CELLS_MAX_FIELDS, PolicyPages
from captive_portal.console.policy_api import PolicyApi
from captive_portal.console.policy_groups import GroupPages
from captive_portal.console.policy_judged import JudgedPages
from gateway.context import Services
from gateway.telemetry import Totals


def all_pages(services: Services, dns: Totals) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    snapshot = SnapshotReader(services.settings.state)
    policy, lists = PolicyPages(snapshot), ListPages(snapshot)
    exempting = ExemptionPages(snapshot)
    key = load_console_key(services.settings.state)
    second, known = SecondFactor(key), KnownBrowsers(key)
    entry, links, own = signin.SignInPages(second, known), setup.SetupPages(second), account.AccountPages(second)
    own_pace = account.AccountPace()
    files = list_adding.UPLOAD_MAX_BYTES
    answers = HostAnswers(services.settings)
    exports = ExportPages(ExportShelf(services.settings.state))
    return (
        Page("GET", "/healthz", "public", health.alive, "none"),
        Page("GET", "/readyz", "public", health.ready, "none"),
        Page("GET", "/metrics", "scrape", health.Metrics(dns).show, "read"),
        Page("GET", "/static/{name:path}", "public", Assets().serve, "none"),
        Page("GET", "/sign-in", "public", signin.show, "none"),
        Page("POST", "/sign-in", "public", entry.sign_in, "none", signin.SignInPace(known)),
        Page("GET", "/sign-in/code", "public", entry.ask, "none"),
        Page("POST", "/sign-in/code", "public", entry.check, "none", signin.CodePace(known)),
        Page("POST", "/sign-out", "staff", signin.sign_out, "write"),
        *_elsewhere(services, key),
        Page("GET", "/account", "staff", account.show, "read"),
        Page("GET", "/account/password", "staff", own.password, "none"),
        Page("POST", "/account/password", "staff", own.change_password, "none", own_pace),
        Page("GET", "/account/authenticator", "staff", own.authenticator, "none"),
        Page("POST", "/account/authenticator", "staff", own.set_authenticator, "none", own_pace),
        Page("GET", "/account/recovery-codes", "staff", own.recovery_codes, "none"),
        Page("POST", "/account/recovery-codes", "staff", own.renew_codes, "none", own_pace),
        Page("POST", "/account/sessions/{id}/end", "staff", account.end_session, "write"),
        Page("POST", "/account/sessions/end-others", "staff", account.end_others, "write"),
        Page("GET", "/sessions", "it", staff_sessions.show, "read"),
        Page("POST", "/sessions/{id}/end", "it", staff_sessions.end, "write"),
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
        Page("POST", "/policy", "it", policy.keep, "write", max_fields=CELLS_MAX_FIELDS),
        Page("POST", "/policy/overrule", "it", policy.overrule, "write"),
        *policy_pages(snapshot),
        Page("GET", "/try", "it", try_name.TryPage(snapshot).show, "read"),
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
        Page("GET", "/rules/{group}/edit", "it", rules_writing.edit, "read"),
        Page(
            "POST", "/rules/{group}/edit", "it", rules_writing.save, "write", upload_max_bytes=rules_form.FORM_MAX_BYTES
        ),
        Page("GET", "/rules/{group}/preview", "it", rules_writing.preview, "read"),
        Page("GET", "/rules/{group}/publish", "it", rules_writing.ask, "read"),
        Page("POST", "/rules/{group}/publish", "it", rules_writing.publish, "write"),
        Page("GET", "/rules/{group}/discard", "it", rules_writing.ask_discard, "read"),
        Page("POST", "/rules/{group}/discard", "it", rules_writing.discard, "write"),
        Page("GET", "/policy-then", "auditor", policy_past.show, "read"),
        Page("GET", "/checkpoints", "auditor", checkpoints.show, "read"),
        Page("GET", "/checkpoints/{size}", "auditor", checkpoints.download, "read"),
        Page("GET", "/exports", "auditor", timeline.exports, "read"),
        Page("GET", "/acceptances/exports/{key}", "auditor", exports.show, "none"),
        Page("GET", "/acceptances/exports/{key}/{file}", "auditor", exports.download, "none"),
        Page("POST", "/acceptances/exports/{key}/remove", "auditor", exports.remove, "none"),
    )


def _elsewhere(services: Services, key: bytes) -> tuple[Page, ...]:
    """Signing in at an OpenID provider: the pages exist, and what they need is loaded, only where one is set."""
    if not services.settings.oidc.enabled:
        return ()
    from captive_portal.console import oidc_pages  # noqa: PLC0415 - 2 MB and 0.3 s that few need

    pages, pace = oidc_pages.OidcPages(services, key), oidc_pages.OidcPace()
    return (
        Page("GET", "/sign-in/oidc", "public", pages.start, "none", pace),
        Page("GET", oidc_pages.BACK_PATH, "public", pages.done, "none", pace),
        Page("GET", "/sign-in/oidc/leave", "public", pages.leave, "none"),
    )


def policy_pages(snapshot: SnapshotReader) -> tuple[Page, ...]:
    """The rooms behind the page of the content filter."""
    groups, judged = GroupPages(snapshot), JudgedPages(snapshot)
    of_group, hours = "/policy/groups/{key}", "/policy/groups/{key}/hours/{category}"
    return (
        Page("GET", "/policy/draft", "it", policy_draft.show, "read"),
        Page("POST", "/policy/draft/publish", "it", policy_draft.publish, "write"),
        Page("GET", "/policy/draft/discard", "it", policy_draft.ask_discard, "read"),
        Page("POST", "/policy/draft/discard", "it", policy_draft.discard, "write"),
        Page("GET", "/policy/groups", "it", groups.overview, "read"),
        Page("POST", "/policy/groups", "it", groups.add, "write"),
        Page("GET", of_group, "it", groups.show, "read"),
        Page("POST", f"{of_group}/titles", "it", groups.rename, "write"),
        Page("POST", f"{of_group}/names", "it", groups.names, "write"),
        Page("POST", f"{of_group}/safe-search", "it", groups.safe_search, "write"),
        Page("POST", f"{of_group}/judge", "it", groups.judge, "write"),
        Page("GET", f"{of_group}/remove", "it", groups.ask_remove, "read"),
        Page("POST", f"{of_group}/remove", "it", groups.remove, "write"),
        Page("GET", hours, "it", policy_hours.show, "read"),
        Page("POST", hours, "it", policy_hours.keep, "write"),
        Page("GET", "/policy/exemptions", "it", policy_exemptions.show, "read"),
        Page("POST", "/policy/exemptions", "it", policy_exemptions.add, "write"),
        Page("POST", "/policy/exemptions/{id}/end", "it", policy_exemptions.end, "write"),
        Page("GET", "/policy/judged", "it", judged.show, "read"),
        Page("POST", "/policy/judged", "it", judged.settle, "write"),
        Page("GET", "/policy/history", "it", policy_history.show, "read"),
        Page("GET", "/policy/compare", "it", policy_history.compare, "read"),
        Page("GET", "/policy/rollback/{generation}", "it", policy_history.ask_rollback, "read"),
        Page("POST", "/policy/rollback/{generation}", "it", policy_history.rollback, "write"),
    )


def all_calls(services: Services) -> tuple[Call, ...]:
    """The table of the JSON API."""
    return (*PolicyApi(SnapshotReader(services.settings.state)).calls(), *ListsApi().calls())
