"""Acceptances: the search, page by page."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.evidence import search
from captive_portal.console.evidence.leaf_words import LOCAL
from captive_portal.console.visit import Visit
from gateway.storage.headings import LeafQuery, count_leaves


def show(visit: Visit) -> Response:
    """GET /acceptances"""
    found = search.find(visit)
    return visit.page(
        "acceptances.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if found.problems else HTTPStatus.OK,
        found=found,
        erased=0 if found.shown.rows or found.is_narrowed or found.problems else _erased(visit),
        scope=visit.member.scope,
        portal=visit.services.settings.public_url,
    )


def _erased(visit: Visit) -> int:
    """How many acceptances stand in the log where none is found any more: these have been erased."""
    scope = visit.member.scope
    query = LeafQuery(("acceptance",), scope.since, scope.until, scope.sites, LOCAL)
    return count_leaves(visit.session, visit.services.place.owner_id, query)
