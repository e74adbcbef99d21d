"""The log as it grew: every entry by its number or its time, by type and period, in words."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.evidence import leaf_values, leaf_words
from captive_portal.console.evidence.leaf_view import see
from captive_portal.console.evidence.periods import Period, read_period
from captive_portal.console.look import N_
from captive_portal.console.tables import Asked, Column, Table
from captive_portal.console.visit import Visit
from gateway.storage import console_queries
from gateway.storage.headings import FoundLeaf, LeafQuery, page_of_leaves
from gateway.storage.keyset import Part

AT = Column("at", N_("When"), "moment")
LOG = Table("/log", (Column("number", N_("Number"), "number"), AT), own="number")
EXPORTS = Table("/exports", (AT,), own="number")


def show(visit: Visit) -> Response:
    """GET /log"""
    type_ = visit.query.get("type", "")
    return page(visit, "log.html", LOG, (type_,) if type_ in leaf_words.TITLES else ())


def exports(visit: Visit) -> Response:
    """GET /exports: the entries about exports, alone."""
    return page(visit, "exports_made.html", EXPORTS, ("export",))


def page(visit: Visit, template: str, table: Table, types: tuple[str, ...]) -> Response:
    """A page of the log's entries of `types`, all without any, within what the reader may see."""
    scope, owner_id = visit.member.scope, visit.services.place.owner_id
    period = read_period(visit.query.get("first", ""), visit.query.get("last", ""))
    chosen = types[0] if types and table is LOG else ""
    asked = table.read(visit.query, {"type": chosen, "first": period.first, "last": period.last})
    part = entries(visit, types, period, asked)
    figures = console_queries.figures(visit.session, owner_id, visit.now)
    is_all = not (types or scope.is_limited or period.first or period.last)
    return visit.page(
        template,
        HTTPStatus.UNPROCESSABLE_ENTITY if period.problems else HTTPStatus.OK,
        shown=asked.shown(
            part,
            lambda leaf: (leaf.at if asked.cut.by == "at" else leaf.index, leaf.index),
            total=figures.tree_size if is_all else None,
        ),
        rows=see(visit.session, part.rows, scope),
        period=period,
        chosen=chosen,
        words=leaf_words,
        values=leaf_values,
        staged=figures.staged_leaves,
    )


def entries(visit: Visit, types: tuple[str, ...], period: Period, asked: Asked) -> Part[FoundLeaf]:
    """The part of the log's entries of `types` that is asked for, within what the reader may see."""
    if period.problems:
        return Part((), is_first=True, is_last=True)
    scope = visit.member.scope
    since, until = scope.within(period.since, period.until)
    query = LeafQuery(types, since, until, scope.sites, leaf_words.LOCAL)
    return page_of_leaves(visit.session, visit.services.place.owner_id, query, asked.cut)
