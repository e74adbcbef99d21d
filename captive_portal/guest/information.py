"""Pages that a guest may read before accepting anything: what is closed and why, and how accessible the pages are."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest.closed import PolicyInForce
from captive_portal.guest.qr import qr_code
from captive_portal.guest.site import Site, visit
from gateway.access.status import NOT_ACCEPTED, device_status


class InformationPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._policy = PolicyInForce(site.services.place.owner_id)

    def closed(self, request: Request) -> Response:
        """`GET /closed`: what is closed for this device now, or once it has accepted, why, and whom to ask."""
        who = visit(self._site, request)
        place = self._site.services.place
        with self._site.services.database.read() as session:
            status = (
                device_status(session, place, who.neighbour, who.now) if who.neighbour is not None else NOT_ACCEPTED
            )
            group = status.group_key or self._site.group_in(session, who.neighbour)
            closed = self._policy.overview(session, group or "default", who.translator, who.now)
        return who.page("closed.html", closed=closed)

    def accessibility(self, request: Request) -> Response:
        """`GET /accessibility`: where the statement is, as a link and for a device that is online, and whom to tell."""
        who = visit(self._site, request, identify=False)
        statement = self._site.services.settings.portal.accessibility_statement
        return who.page("accessibility.html", qr=qr_code(statement) if statement else None)
