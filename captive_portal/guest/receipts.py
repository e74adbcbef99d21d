"""The receipt's pages: by its code what was accepted, its proof as a file, and what the short code alone shows.

The code in the link is the key: whoever has it may see what was accepted when, and the last digits of the device's
address. The whole address is shown on that device only, and so is the name, where it was written on it: an address can
be copied, and words given away. The short code shows that an acceptance exists.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import troubles
from captive_portal.guest.guessing import Guessing
from captive_portal.guest.qr import qr_code
from captive_portal.guest.site import Site, Visit, see_other, shown_rules, visit
from captive_portal.security import PAGE_HEADERS
from gateway.access.receipts import format_receipt_code, parse_receipt_code, parse_short_code
from gateway.audit.entry import RECOGNISED
from gateway.audit.issuing import issue, seal_of
from gateway.audit.note import encode_base64
from gateway.clock import format_utc
from gateway.storage import receipts

MOST_SHOWN = 5  # of one short code; 40 random bits are rarely shared
PROOF_SUFFIX = ".tlog-proof"


class ReceiptPages:
    """The endpoints, over one site."""

    def __init__(self, site: Site, guessing: Guessing | None = None) -> None:
        self._site = site
        self._database = site.services.database
        self._owner_id = site.services.place.owner_id
        self._receipts_url = site.services.settings.portal.receipts_url.rstrip("/")
        self._guessing = guessing or Guessing()

    def receipt(self, request: Request) -> Response:
        """`GET /receipt/{code}`: what was accepted when, or for the short code that something was."""
        who = visit(self._site, request)
        text = request.path_params["code"]
        if wait_s := self._guessing.wait_s(who):
            return troubles.too_many_codes(who, wait_s)
        if code := parse_receipt_code(text):
            return self._full(who, code)
        if short := parse_short_code(text):
            return self._short(who, short)
        return troubles.no_such_receipt(who)  # what is no code is no guess

    def proof(self, request: Request) -> Response:
        """`GET /receipt/{code}.tlog-proof`: the proof with the entry in it, which names nobody."""
        who = visit(self._site, request)
        if wait_s := self._guessing.wait_s(who):
            return troubles.too_many_codes(who, wait_s)
        code = parse_receipt_code(request.path_params["code"])
        if code is None:
            return troubles.no_such_receipt(who)
        with self._database.read() as session:
            found = receipts.by_code(session, self._owner_id, code)
            receipt = None if found is None else issue(session, self._owner_id, found.leaf_id)
        if found is None:
            return self._missed(who)
        if receipt is None:
            return troubles.being_sealed(who, f"/receipt/{code}")
        # the file's name holds the short code: it will lie in folders that others see
        word = who.translator("receipt")
        name = f"{word}-{format_receipt_code(code[:8])}{PROOF_SUFFIX}"
        headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(receipt.encode(), headers=headers, media_type="text/plain; charset=utf-8")

    def find(self, request: Request) -> Response:
        """`GET /receipt`: a form to write a code into; with `?code=` on to that receipt."""
        who = visit(self._site, request, identify=False)
        typed = request.query_params.get("code")
        code = None if typed is None else parse_receipt_code(typed) or parse_short_code(typed)
        if code is not None:
            return see_other(who.link(f"/receipt/{code}"))
        wrong = typed is not None
        return who.page("receipt_find.html", status=404 if wrong else 200, wrong=wrong)

    def _full(self, who: Visit, code: str) -> Response:
        with self._database.read() as session:
            found = receipts.by_code(session, self._owner_id, code)
            seal = None if found is None else seal_of(session, self._owner_id, found.leaf_id)
        if found is None:
            return self._missed(who)
        own = who.neighbour is not None and who.neighbour.mac == found.mac
        address = f"{self._receipts_url or self._site.services.settings.public_url}/receipt/{code}"
        return who.page(
            "receipt.html",
            receipt=format_receipt_code(code),
            short=format_receipt_code(code[:8]),
            own=own,
            name=found.name if own and found.identified_by not in RECOGNISED else "",
            recognised_by=found.identified_by if found.identified_by in RECOGNISED else "",
            addable=not own and who.neighbour is not None,
            code=code,
            device=found.mac if own else masked(found.mac),
            accepted_at=found.accepted_at,
            accepted_at_utc=format_utc(found.accepted_at),
            version=found.version,
            text_sha256=found.text_sha256,
            seal=seal,
            root="" if seal is None else encode_base64(seal.checkpoint.root),
            proof=f"/receipt/{code}{PROOF_SUFFIX}",
            address=address,
            anywhere=bool(self._receipts_url),
            qr=qr_code(address),
            rules=shown_rules(found.version, found.language),
        )

    def _short(self, who: Visit, short: str) -> Response:
        with self._database.read() as session:
            found = receipts.by_short_code(session, self._owner_id, short, MOST_SHOWN)
        if not found:
            return self._missed(who)
        self._guessing.found(who)
        return who.page("receipt_short.html", short=format_receipt_code(short), found=found)

    def _missed(self, who: Visit) -> Response:
        self._guessing.missed(who)
        return troubles.no_such_receipt(who)


def masked(mac: str) -> str:
    """The last two octets of a device's address, enough to tell one's own devices apart."""
    return f"••:••:••:••:{mac[-5:]}"
