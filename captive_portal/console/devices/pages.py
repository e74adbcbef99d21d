"""Routes of devices."""

from __future__ import annotations

from captive_portal.console.devices import admitting, blocking, desk, ending, extending
from captive_portal.console.devices import online as devices
from captive_portal.console.route import Page


def pages() -> tuple[Page, ...]:
    """The table: method, path, permission, page, transaction."""
    return (
        Page("GET", "/devices", "it", devices.show, "read"),
        Page("GET", "/devices/{grant}/end", "it", devices.ask, "read"),
        Page("POST", "/devices/{grant}/end", "it", devices.end, "write"),
        Page("POST", "/devices/{grant}/move", "it", devices.move, "write"),
        Page("GET", "/devices/{grant}/extend", "it", extending.ask, "read"),
        Page("POST", "/devices/{grant}/extend", "it", extending.extend, "write"),
        Page("GET", "/devices/admit", "it", admitting.show, "read"),
        Page("POST", "/devices/admit", "it", admitting.admit, "write"),
        Page("GET", "/devices/end", "it", ending.ask, "read"),
        Page("POST", "/devices/end", "it", ending.end, "write"),
        Page("GET", "/devices/blocked", "it", blocking.show, "read"),
        Page("GET", "/devices/block", "it", blocking.ask, "read"),
        Page("POST", "/devices/block", "it", blocking.block, "write"),
        Page("POST", "/devices/unblock", "it", blocking.lift, "write"),
        Page("GET", "/helpdesk", "it", desk.show, "read"),
    )
