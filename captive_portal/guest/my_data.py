"""What is kept on a guest, shown to whoever has both the device and the receipt code."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import guard
from captive_portal.guest.site import Site, Visit, visit
from gateway.access.receipts import parse_receipt_code
from gateway.access.subject import own_document
from gateway.audit.periods import parse_period

MAX_CODE_CHARS = 64


class MyDataPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place

    def ask(self, request: Request) -> Response:
        """`GET /my-data`: which kinds of data are kept, and the form for the receipt code that shows one's own."""
        return _page(visit(self._site, request))

    def show(self, request: Request) -> Response:
        """`POST /my-data`: what is kept. It changes nothing; the code is posted, so that it stands in no address and no
        log of addresses.
        """
        who = visit(self._site, request)
        fields = guard.fields_of(who)
        if isinstance(fields, Response):
            return fields
        code = parse_receipt_code(fields.get("code", "")[:MAX_CODE_CHARS])
        found = None
        if code is not None and who.neighbour is not None:
            keep = parse_period(self._site.services.settings.privacy.acceptances)
            with self._database.read() as session:
                found = own_document(session, self._place, code, who.neighbour.mac, keep, who.now)
        if found is None:
            return _page(who, status=422, failed=True)
        return who.page("my_data.html", found=found, failed=False, when=datetime.fromisoformat)


def _page(who: Visit, *, status: int = 200, failed: bool = False) -> Response:
    return who.page("my_data.html", status=status, found=None, failed=failed)
