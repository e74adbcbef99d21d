"""Routes of the lists."""

from __future__ import annotations

from captive_portal.console.lists import adding as list_adding
from captive_portal.console.lists.rooms import ListPages
from captive_portal.console.policy.compiled import SnapshotReader
from captive_portal.console.route import Page


def pages(snapshot: SnapshotReader) -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    lists, files = ListPages(snapshot), list_adding.UPLOAD_MAX_BYTES
    return (
        Page("GET", "/lists", "auditor", lists.overview, "read"),
        Page("POST", "/lists/refresh", "it", lists.refresh_all, "write"),
        Page("GET", "/lists/add", "it", list_adding.show, "none"),
        Page("POST", "/lists/add", "it", list_adding.add, "write"),
        Page(
            "POST",
            "/lists/upload",
            "it",
            list_adding.upload,
            "write",
            upload_max_bytes=files,
            too_large=list_adding.too_large,
        ),
        Page("GET", "/lists/source/{key}", "auditor", lists.show, "read"),
        Page("POST", "/lists/source/{key}/switch", "it", lists.switch, "write"),
        Page("POST", "/lists/source/{key}/refresh", "it", lists.refresh, "write"),
        Page(
            "POST",
            "/lists/source/{key}/upload",
            "it",
            list_adding.upload_again,
            "write",
            upload_max_bytes=files,
            too_large=lists.too_large,
        ),
        Page("GET", "/lists/source/{key}/remove", "it", lists.ask_remove, "read"),
        Page("POST", "/lists/source/{key}/remove", "it", lists.remove, "write"),
    )
