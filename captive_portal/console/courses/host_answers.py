"""The page behind the link that a host gets by mail: who asks, and two buttons. Only a button changes anything.

It needs no account: whoever has the link is the host. It can be used once, and not after its time.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Literal

from starlette.responses import Response

from captive_portal.auth.accounts import console_url
from captive_portal.console.visit import Visit
from captive_portal.security import load_form_key
from gateway.access import host_links, host_requests
from gateway.access.recognised import terms_of
from gateway.settings import Settings

PATH = "/host"
KEY = Path("keys") / "host.key"


def host_key(settings: Settings) -> bytes:
    """The key that links to hosts are signed with, made if it is missing. Raises: FormKeyError."""
    return load_form_key(settings.state / KEY)


def host_link(settings: Settings, key: bytes, request_id: str) -> str:
    """What the host opens."""
    return f"{settings.hosts.answer_url or console_url(settings.console)}{PATH}/{host_links.sign(key, request_id)}"


class HostAnswers:
    """What the bearer of a link sees and answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = b""

    def show(self, visit: Visit) -> Response:
        """GET /host/{token}: answers nothing; mail scanners follow links."""
        request_id = self._request_id(visit)
        if request_id is None:
            return _gone(visit, "unknown")
        found = host_requests.waiting(visit.session, visit.services.place, request_id, visit.now)
        if isinstance(found, host_requests.NotAnswered):
            return _gone(visit, found.reason)
        return visit.page("host_answer.html", request=found)

    def answer(self, visit: Visit) -> Response:
        """POST /host/{token}"""
        request_id, said = self._request_id(visit), _said(visit)
        if request_id is None:
            return _gone(visit, "unknown")
        if said is None:
            return visit.failed(HTTPStatus.BAD_REQUEST, reason="body")
        done = host_requests.answer(
            visit.session,
            visit.services.place,
            request_id,
            said,
            durations=terms_of(visit.services.settings).durations,
            now=visit.now,
        )
        if isinstance(done, host_requests.NotAnswered):
            return _gone(visit, done.reason)
        return visit.page("host_answered.html", HTTPStatus.OK, reason=done.answer)

    def _request_id(self, visit: Visit) -> str | None:
        if not self._key:
            self._key = host_key(self._settings)
        return host_links.read(self._key, visit.params["token"])


def _said(visit: Visit) -> Literal["approved", "denied"] | None:
    match visit.form.get("answer"):
        case "approved":
            return "approved"
        case "denied":
            return "denied"
        case _:
            return None


def _gone(visit: Visit, reason: str) -> Response:
    status = HTTPStatus.NOT_FOUND if reason == "unknown" else HTTPStatus.GONE
    return visit.page("host_answered.html", status, reason=reason)
