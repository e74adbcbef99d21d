"""The log as it grew: every entry, newest first, by type and period, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.responses import Response

from captive_portal.console.evidence import leaf_values, leaf_words
from captive_portal.console.evidence.leaf_view import SeenLeaf, see
from captive_portal.console.evidence.periods import Period, read_period
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
    period = read_period(visit.query.get("first", ""), visit.query.get("last", ""))
    before = read_place(visit.query.get("before", ""))
    rows, older = entries(visit, types, period, before, PAGE_SIZE)
    kept = {"type": types[0] if types and path == "/log" else "", "first": period.first, "last": period.last}
    asked = urlencode({key: value for key, value in kept.items() if value})
    return visit.page(
        template,
        HTTPStatus.UNPROCESSABLE_ENTITY if period.problems else HTTPStatus.OK,
        rows=rows,
        period=period,
        chosen=kept["type"],
        words=leaf_words,
        values=leaf_values,
        is_first=before is None,
        newest=f"{path}?{asked}" if asked else path,
        older=f"{path}?{urlencode({**{key: value for key, value in kept.items() if value}, 'before': older})}"
        if older
        else "",
        staged=console_queries.figures(visit.session, visit.services.place.owner_id, visit.now).staged_leaves,
    )


def entries(
    visit: Visit, types: tuple[str, ...], period: Period, before: tuple[datetime, int] | None, limit: int
) -> tuple[Sequence[SeenLeaf], str]:
    """The newest entries before a place in the log, as the reader may see them, and the place where the rest begins."""
    scope, owner_id = visit.member.scope, visit.services.place.owner_id
    since, until = scope.within(period.since, period.until)
    query = LeafQuery(types, since, until, scope.sites, leaf_words.LOCAL)
    found = () if period.problems else find_leaves(
        visit.session, owner_id, query, before=before, limit=limit + 1
    )  # fmt: skip
    older = f"{format_exact(found[limit - 1].at)}~{found[limit - 1].index}" if len(found) > limit else ""
    return see(visit.session, sorted(found[:limit], key=lambda leaf: -leaf.index), scope), older


def read_place(text: str) -> tuple[datetime, int] | None:
    at, _, index = text[:80].partition("~")
    if not (index.isascii() and index.isdigit() and len(index) < 19):
        return None
    try:
        return datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC), int(index)
    except ValueError:
        return None
