"""Acceptances: the search, page by page."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console import search
from captive_portal.console.visit import Visit


def show(visit: Visit) -> Response:
    """GET /acceptances"""
    found = search.find(visit)
    return visit.page(
        "acceptances.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if found.problems else HTTPStatus.OK,
        found=found,
        scope=visit.member.scope,
        portal=visit.services.settings.public_url,
    )
