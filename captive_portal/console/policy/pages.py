"""Routes of the content filter, and of guests' requests for exemptions from it."""

from __future__ import annotations

from captive_portal.console.policy import draft as policy_draft
from captive_portal.console.policy import exemptions as policy_exemptions
from captive_portal.console.policy import history as policy_history
from captive_portal.console.policy import host_categories, try_name
from captive_portal.console.policy import hours as policy_hours
from captive_portal.console.policy import past as policy_past
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.policy.exemption_requests import ExemptionPages
from captive_portal.console.policy.groups import GroupPages
from captive_portal.console.policy.judged import JudgedPages
from captive_portal.console.policy.matrix import CELLS_MAX_FIELDS, PolicyPages
from captive_portal.console.route import Page


def pages(snapshot: SnapshotReader) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    policy, exempting = PolicyPages(snapshot), ExemptionPages(snapshot)
    groups, judged = GroupPages(snapshot), JudgedPages(snapshot)
    of_group, hours = "/policy/groups/{key}", "/policy/groups/{key}/hours/{category}"
    return (
        Page("GET", "/exemptions", "it", exempting.overview, "read"),
        Page("GET", "/exemptions/{request}", "it", exempting.show, "read"),
        Page("POST", "/exemptions/{request}/grant", "it", exempting.grant, "write"),
        Page("POST", "/exemptions/{request}/decline", "it", exempting.decline, "write"),
        Page("GET", "/policy", "it", policy.show, "read"),
        Page("POST", "/policy", "it", policy.keep, "write", max_fields=CELLS_MAX_FIELDS),
        Page("POST", "/policy/overrule", "it", policy.overrule, "write"),
        Page("GET", "/try", "it", try_name.TryPage(snapshot).show, "read"),
        Page("GET", "/policy-then", "auditor", policy_past.show, "read"),
        Page("GET", "/policy/draft", "it", policy_draft.show, "read"),
        Page("POST", "/policy/draft/publish", "it", policy_draft.publish, "write"),
        Page("GET", "/policy/draft/discard", "it", policy_draft.ask_discard, "read"),
        Page("POST", "/policy/draft/discard", "it", policy_draft.discard, "write"),
        Page("GET", "/policy/hosts", "it", host_categories.show, "read"),
        Page("POST", "/policy/hosts", "it", host_categories.keep, "write"),
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
