"""Routes of the settings."""

from __future__ import annotations

from captive_portal.console.route import Page
from captive_portal.console.settings import room


def pages() -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    return (
        Page("GET", "/settings", "it", room.show, "read"),
        Page("POST", "/settings", "it", room.change, "write"),
        Page("GET", "/settings/started", "it", room.started, "read"),
    )
