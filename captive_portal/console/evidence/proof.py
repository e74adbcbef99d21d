"""One entry with its proof, verified here and now and shown step by step, and as files to be verified elsewhere."""

from __future__ import annotations

import base64
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.evidence import leaf_values, leaf_words
from captive_portal.console.evidence.leaf_view import SeenLeaf, is_within, see
from captive_portal.console.visit import Visit
from gateway.audit.entry import parse_entry
from gateway.audit.errors import AuditError
from gateway.audit.inspection import inspect
from gateway.audit.note import VerifierKey, parse_verifiers
from gateway.audit.receipt import Receipt, make_receipt
from gateway.installation import public_key_path
from gateway.storage import headings, leaves, search
from gateway.storage.models import Acceptance

NO_STORE = {"Cache-Control": "no-store"}


def acceptance(visit: Visit) -> Response:
    """GET /acceptances/{id}: its entry, or that it waits to be sealed."""
    found = find_acceptance(visit, visit.params["id"])
    if isinstance(found, HTTPStatus):
        return _missing(visit, found)
    row, index = found
    return visit.page("unsealed.html", row=row) if index is None else visit.go(f"/log/{index}")


def find_acceptance(visit: Visit, identifier: str) -> tuple[Acceptance, int | None] | HTTPStatus:
    """The acceptance and the number of its entry, None while it waits to be sealed; 404, or 403 for one that waits and
    is outside the reader's scope: of others, the entry tells.
    """
    usable = len(identifier) <= 32 and identifier.isascii() and identifier.isalnum()
    row = search.acceptance_by_id(visit.session, visit.services.place.owner_id, identifier) if usable else None
    if row is None:
        return HTTPStatus.NOT_FOUND
    index = leaves.leaf_index(visit.session, row.leaf_id)
    site = search.site_of(visit.session, row)
    if index is None and not visit.member.scope.includes(site, row.accepted_at):
        return HTTPStatus.FORBIDDEN
    return row, index


def show(visit: Visit) -> Response:
    """GET /log/{index}"""
    found = find(visit)
    if isinstance(found, HTTPStatus):
        return _missing(visit, found)
    seen, receipt = found
    keys = trusted_keys(visit)
    inspection = inspect(seen.leaf.entry, receipt, seen.shown, keys, visit.services.place.log_origin)
    return visit.page(
        "leaf.html",
        seen=seen,
        found=inspection,
        words=leaf_words,
        values=leaf_values,
        keys=keys,
        checkpoint=receipt.checkpoint.decode("utf-8"),
        acceptance=search.acceptances_of_leaves(visit.session, [seen.leaf.leaf_id]).get(seen.leaf.leaf_id, ""),
        entry=seen.leaf.entry.decode("utf-8"),
        b64=lambda value: base64.b64encode(value).decode("ascii"),
    )


def proof(visit: Visit) -> Response:
    """GET /log/{index}/proof: the receipt as a file (c2sp.org/tlog-proof)."""
    found = find(visit)
    if isinstance(found, HTTPStatus):
        return _missing(visit, found)
    seen, receipt = found
    return _file(receipt.encode(), "text/plain; charset=utf-8", f"entry-{seen.leaf.index}.tlog-proof")


def entry(visit: Visit) -> Response:
    """GET /log/{index}/entry: the exact bytes of the entry."""
    found = find(visit)
    if isinstance(found, HTTPStatus):
        return _missing(visit, found)
    seen, _ = found
    return _file(seen.leaf.entry, "application/json", f"entry-{seen.leaf.index}.json")


def trusted_keys(visit: Visit) -> tuple[VerifierKey, ...]:
    """The log's public keys as this machine has them; none when they can't be read."""
    try:
        return parse_verifiers(public_key_path(visit.services.settings).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, AuditError):
        return ()


def find(visit: Visit) -> tuple[SeenLeaf, Receipt] | HTTPStatus:
    """The entry that the address names, with its receipt; 404, or 403 for one that is outside the reader's scope."""
    text, owner_id, scope = visit.params["index"], visit.services.place.owner_id, visit.member.scope
    index = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1
    leaf = headings.leaf_at(visit.session, owner_id, index)
    head = leaves.find_head(visit.session, owner_id)
    if leaf is None or head is None or index >= head.size:
        return HTTPStatus.NOT_FOUND
    if not is_within(leaf, parse_entry(leaf.entry), scope):
        return HTTPStatus.FORBIDDEN
    receipt = make_receipt(
        index,
        head.size,
        lambda level, at: leaves.node(visit.session, owner_id, level, at),
        head.checkpoint.encode(),
    )
    return see(visit.session, [leaf], scope)[0], receipt


def _missing(visit: Visit, status: HTTPStatus) -> Response:
    return visit.failed(status, reason="scope") if status == HTTPStatus.FORBIDDEN else visit.failed(status)


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(
        content, media_type=media_type, headers={**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    )
