"""Parts of ordered lists, each found by the row beside it and never by counting those before it.

So rows that are added or removed between two pages make no other row appear twice or be left out, and the thousandth
page costs what the first does. Every order ends in a tie-breaker that no two rows share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Text, and_, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Row = TypeVar("Row")
Value = datetime | int | str | None
Place = tuple[Value, int | str]
"""What a row is sorted by, and its tie-breaker."""
Fetch = Callable[[Place | None, bool, int], Sequence[Row]]
"""At most so many rows beyond a place (None: from the beginning), descending or not."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part: at most `limit` rows after `place` in the order of `by`, or before it where `backwards`.

    Where nothing is left there, people are given the first page (`rewinds`), and programs nothing.
    """

    by: str
    descending: bool
    limit: int
    place: Place | None = None
    backwards: bool = False
    rewinds: bool = True


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """The rows of a cut, in its order, and whether there are none before or none after them."""

    rows: Sequence[Row]
    is_first: bool
    is_last: bool


def part(cut: Cut, fetch: Fetch[Row]) -> Part[Row]:
    """The part that `fetch` finds. The first page is always whole: who comes back to it, or to a place behind which
    nothing is left, gets it from its beginning.
    """
    found = fetch(cut.place, cut.descending != cut.backwards, cut.limit + 1)
    is_more = len(found) > cut.limit
    if cut.place is not None and cut.rewinds and (not found or (cut.backwards and not is_more)):
        return part(replace(cut, place=None, backwards=False), fetch)
    rows = found[: cut.limit]
    if cut.backwards:
        return Part(rows[::-1], is_first=False, is_last=False)
    return Part(rows, is_first=cut.place is None, is_last=not is_more)


def part_of_rows(cut: Cut, rows: Sequence[Row], place_of: Callable[[Row], Place]) -> Part[Row]:
    """The same of rows that are in memory already."""

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[Row]:
        def key(row: Row) -> Any:
            return place_of(row)

        start: Any = place
        beyond = [row for row in rows if place is None or (key(row) < start if descending else key(row) > start)]
        return sorted(beyond, key=key, reverse=descending)[:limit]

    return part(cut, fetch)


def beyond(column: Any, tie: Any, place: Place | None, *, descending: bool) -> list[ColumnElement[bool]]:
    """The conditions of standing after `place`; the first is for an index on `column`, the exact place follows."""
    if place is None:
        return []
    value, own = place
    if descending:
        return [column <= value, or_(column < value, and_(column == value, tie < own))]
    return [column >= value, or_(column > value, and_(column == value, tie > own))]


def within(
    column: Any,
    tie: Any,
    since: datetime | None,
    until: datetime | None,
    place: Place | None,
    *,
    descending: bool,
) -> list[ColumnElement[bool]]:
    """The conditions of `since` ≤ column < `until` and of standing after `place`, with one bound at each end: of two,
    SQLite takes the first into its index, and reads all that lies between them.
    """
    found = beyond(column, tie, place, descending=descending)
    value: Any = place[0] if place is not None else None
    if since is not None and not (value is not None and not descending and value >= since):
        found.insert(0, column >= since)
    if until is not None and not (value is not None and descending and value < until):
        found.insert(0, column < until)
    return found


def in_order(column: Any, tie: Any, *, descending: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """What to order by."""
    return (column.desc(), tie.desc()) if descending else (column.asc(), tie.asc())


class as_written(FunctionElement[str]):  # noqa: N801 - as SQLAlchemy calls its functions
    """A text in the order of its characters' numbers: SQLite's own, in PostgreSQL whatever its language."""

    type = Text()
    inherit_cache = True


@compiles(as_written)
def _as_written(element: as_written, compiler: SQLCompiler, **options: Any) -> str:
    written = compiler.process(element.clauses, **options)
    return f'({written}) COLLATE "C"' if compiler.dialect.name == "postgresql" else written


class aside(FunctionElement[Any]):  # noqa: N801
    """A column that SQLite reads no index by: it keeps no statistics, and would read any that it can."""

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(aside)
def _aside(element: aside, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return column if compiler.dialect.name == "postgresql" else f"+{column}"
