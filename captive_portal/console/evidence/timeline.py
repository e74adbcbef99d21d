"""The log as it grew: every entry, newest first, by type and period, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.responses import Response

from captive_portal.console.evidence import leaf_values, leaf_words
from captive_portal.console.evidence.leaf_view import see
from captive_portal.console.evidence.periods import read_period
from captive_portal.console.evidence.search import format_exact
from captive_portal.console.visit import Visit
from gateway.storage import console_queries
from gateway.storage.headings import LeafQuery, find_leaves

PAGE_SIZE = 50


def show(visit: Visit) -> Response:
    """GET /log"""
    type_ = visit.query.get("type", "")
    return page(visit, "log.html", "/log", (type_,) if type_ in leaf_words.TITLES else ())


def exports(visit: Visit) -> Response:
    """GET /exports: the entries about exports, alone."""
    return page(visit, "exports_made.html", "/exports", ("export",))


def page(visit: Visit, template: str, path: str, types: tuple[str, ...]) -> Response:
    """A page of the log's entries of `types`, all without any, within what the reader may see."""
    scope, owner_id = visit.member.scope, visit.services.place.owner_id
    period = read_period(visit.query.get("first", ""), visit.query.get("last", ""))
    since, until = scope.within(period.since, period.until)
    query = LeafQuery(types, since, until, scope.sites, leaf_words.LOCAL)
    before = _read_before(visit.query.get("before", ""))
    found = () if period.problems else find_leaves(
        visit.session, owner_id, query, before=before, limit=PAGE_SIZE + 1
    )  # fmt: skip
    older = f"{format_exact(found[PAGE_SIZE - 1].at)}~{found[PAGE_SIZE - 1].index}" if len(found) > PAGE_SIZE else ""
    kept = {"type": types[0] if types and path == "/log" else "", "first": period.first, "last": period.last}
    asked = urlencode({key: value for key, value in kept.items() if value})
    return visit.page(
        template,
        HTTPStatus.UNPROCESSABLE_ENTITY if period.problems else HTTPStatus.OK,
        rows=see(visit.session, sorted(found[:PAGE_SIZE], key=lambda leaf: -leaf.index), scope),
        period=period,
        chosen=kept["type"],
        words=leaf_words,
        values=leaf_values,
        is_first=before is None,
        newest=f"{path}?{asked}" if asked else path,
        older=f"{path}?{urlencode({**{key: value for key, value in kept.items() if value}, 'before': older})}"
        if older
        else "",
        staged=console_queries.figures(visit.session, owner_id, visit.now).staged_leaves,
    )


def _read_before(text: str) -> tuple[datetime, int] | None:
    at, _, index = text[:80].partition("~")
    if not (index.isascii() and index.isdigit() and len(index) < 19):
        return None
    try:
        return datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC), int(index)
    except ValueError:
        return None
