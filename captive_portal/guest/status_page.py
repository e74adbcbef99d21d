"""The page of a device that has accepted: where it stands, and signing off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import guard
from captive_portal.guest.site import Site, see_other, visit
from captive_portal.guest.status_parts import StatusParts
from captive_portal.guest.why import shown_requests
from captive_portal.i18n import Translator
from gateway.access.grants import sign_off
from gateway.access.receipts import format_receipt_code
from gateway.access.status import NOT_ACCEPTED, device_status
from gateway.storage import exemption_requests
from gateway.storage.exemption_models import ExemptionRequest

SLOW_AFTER = timedelta(seconds=15)
PATIENCE_S, SLOW_PATIENCE_S = 1, 5


class StatusPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._enforced = site.services.settings.enforcement.enabled
        self._parts = StatusParts(site)

    def status(self, request: Request) -> Response:
        """`GET /status`: online only when a gateway says so; until then the page loads itself again every second."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
        status = who.status()
        if status.state == "not_accepted":
            return see_other(who.link("/"))
        assert status.grant_id and status.starts_at and status.ends_at  # noqa: PT018
        state = ("online" if status.state == "online" else "waiting") if self._enforced else "recorded"
        slow = who.now - status.starts_at > SLOW_AFTER
        waiting = {"Refresh": f"{SLOW_PATIENCE_S if slow else PATIENCE_S}; url={who.link('/status')}"}
        language = who.translator.language
        # who waits asks every second, and can do nothing yet
        parts = self._parts.of(who, NOT_ACCEPTED if state == "waiting" else status)
        requests = self._requests(status.grant_id) if state != "waiting" else []
        same: dict[str, Any] = {"state": state, "slow": slow, "requests": requests, "now": who.now, **parts.same}
        gaps = {
            "left": time_left(who.translator, status.ends_at - who.now),
            "ends_at": who.translator.moment(status.ends_at),
            "receipt_code": status.receipt_code or "",
            "receipt": format_receipt_code(status.receipt_code) if status.receipt_code else "",
            "token": self._site.signer.sign("sign_off", known.neighbour.mac, status.grant_id, language, status.ends_at),
            **parts.gaps,
        }
        headers = waiting if state == "waiting" else None
        if not requests:
            same |= {"requests": (), "now": None}  # so that the page can be kept
        return who.page("status.html", headers=headers, gaps=gaps, keep=not parts.is_own and not requests, **same)

    def _requests(self, grant_id: str) -> list[ExemptionRequest]:
        with self._database.read() as session:
            return shown_requests(exemption_requests.of_grant(session, grant_id))

    def sign_off(self, request: Request) -> Response:
        """`POST /sign-off`: end this device's access. A stale or foreign form changes nothing and shows the status."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who, claims = known.who, guard.pressed(known, "sign_off")
        if claims is None:
            return see_other(who.link("/status"))
        with self._database.write() as session:
            open_now = device_status(session, self._place, known.neighbour, who.now)
            if open_now.grant_id in (None, claims.subject):
                sign_off(session, self._place, known.neighbour, who.now)
            else:  # a form of an earlier grant, as from an old tab
                return see_other(who.link("/status"))
        return see_other(who.link("/", signed_off="1"))

    def sign_off_by_get(self, request: Request) -> Response:
        """`GET /sign-off`: GET changes nothing."""
        return see_other(visit(self._site, request, identify=False).link("/status"))


def time_left(t: Translator, left: timedelta) -> str:
    """`9 h 58 min`, rounded down to minutes."""
    minutes = max(0, int(left.total_seconds()) // 60)
    if minutes < 1:
        return t("Less than a minute")
    hours, minutes = divmod(minutes, 60)
    return t("{hours} h {minutes} min", hours=hours, minutes=minutes) if hours else t("{minutes} min", minutes=minutes)
