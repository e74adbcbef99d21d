"""Routes of the rules."""

from __future__ import annotations

from captive_portal.console.route import Page
from captive_portal.console.rules import form as rules_form
from captive_portal.console.rules import proposals, publishing, withdrawing
from captive_portal.console.rules import versions as rules_versions
from captive_portal.console.rules import writing as rules_writing


def pages() -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    return (
        Page("GET", "/rules", "auditor", rules_versions.show, "read"),
        Page("GET", "/rules/{group}/edit", "it", rules_writing.edit, "read"),
        Page(
            "POST", "/rules/{group}/edit", "it", rules_writing.save, "write", upload_max_bytes=rules_form.FORM_MAX_BYTES
        ),
        Page("GET", "/rules/{group}/preview", "it", rules_writing.preview, "read"),
        Page("GET", "/rules/{group}/publish", "it", publishing.ask, "read"),
        Page("POST", "/rules/{group}/publish", "it", publishing.publish, "write"),
        Page("GET", "/rules/{group}/proposal", "it", proposals.show, "read"),
        Page("POST", "/rules/{group}/proposal", "it", proposals.publish, "write"),
        Page("POST", "/rules/{group}/proposal/withdraw", "it", proposals.withdraw, "write"),
        Page("GET", "/rules/versions/{version}/withdraw", "it", withdrawing.ask, "read"),
        Page("POST", "/rules/versions/{version}/withdraw", "it", withdrawing.withdraw, "write"),
        Page("GET", "/rules/{group}/discard", "it", rules_writing.ask_discard, "read"),
        Page("POST", "/rules/{group}/discard", "it", rules_writing.discard, "write"),
    )
