"""The captive-portal API (RFC 8908): a device asks whether it is held back, and where its user can change that."""

from __future__ import annotations

import json
from datetime import datetime

from gateway.access.status import Status
from gateway.announcement import API_PATH

PATH = API_PATH
MEDIA_TYPE = "application/captive+json"
# §5: what a client is told is about that client alone. No Accept header is ever refused: clients send `*/*` or several.
HEADERS = {"Cache-Control": "private", "X-Content-Type-Options": "nosniff"}


def is_captive(status: Status, *, enforced: bool) -> bool:
    """Whether the device is held back: until a gateway lets it through, or, where none does, until it has accepted."""
    return not status.is_through if enforced else status.state in ("not_accepted", "closed", "blocked")


def document(status: Status, public_url: str, now: datetime, *, enforced: bool, extendable: bool = False) -> bytes:
    """The API's answer for one device (RFC 8908 §5). `public_url` has no trailing slash.

    `extendable`: the device's page at `user-portal-url` has a button that extends its access.
    """
    captive = is_captive(status, enforced=enforced)
    answer: dict[str, object] = {
        "captive": captive,
        "user-portal-url": f"{public_url}/",
        "venue-info-url": f"{public_url}/status",
        "can-extend-session": extendable and not captive,
    }
    if not captive and status.ends_at is not None:
        answer["seconds-remaining"] = max(0, int((status.ends_at - now).total_seconds()))
    return json.dumps(answer, separators=(",", ":")).encode()
