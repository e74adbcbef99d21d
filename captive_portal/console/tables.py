"""What a table of the console is: columns to sort by, filters, and a place in it; read from an address, and given back
as links.

An address has `sort` (a column's key, with `-` before it for descending), `after` or `before` with a place, and `page`,
which only says how many steps were taken. What can't be read is as if it were not there. A room reads its filters
itself and hands over what it has understood of them, so that links carry nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Literal, TypeVar
from urllib.parse import urlencode

from captive_portal.console.look import N_
from gateway.storage.keyset import Cut, Part, Place, Value

Row = TypeVar("Row")
Kind = Literal["moment", "number", "text", "private"]
"""How the values of a column are written in an address; private ones are not, and the row's own key stands alone."""
PAGE_SIZE = 50
PLACE_MAX_CHARS = 400
OWN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
DIRECTIONS: Mapping[Kind, tuple[str, str]] = {
    "moment": (N_("oldest first"), N_("newest first")),
    "number": (N_("smallest first"), N_("largest first")),
    "text": (N_("A to Å"), N_("Å to A")),
    "private": (N_("A to Å"), N_("Å to A")),
}
"""What ascending and descending are called."""


@dataclass(frozen=True)
class Column:
    """A column that rows can be sorted by; `title` is what its heading says.

    `greatest_first`: which way round it is sorted when it is first asked for; unless said, moments are.
    """

    key: str
    title: str
    kind: Kind = "text"
    greatest_first: bool | None = None

    @property
    def falls(self) -> bool:
        """Whether its greatest come first unless asked otherwise."""
        return self.kind == "moment" if self.greatest_first is None else self.greatest_first


@dataclass(frozen=True)
class Table:
    """A table at `path`, sorted by the first of its columns unless asked otherwise.

    `own`: what tells rows apart, an identifier or a number. `prefix` stands before the names of a table that shares its
    page with another one. `rewinds`: beyond the last row stands the first page.
    """

    path: str
    columns: tuple[Column, ...]
    descending: bool = True
    own: Literal["identifier", "number"] = "identifier"
    size: int = PAGE_SIZE
    prefix: str = ""
    rewinds: bool = True

    def read(
        self, query: Mapping[str, str], kept: Mapping[str, str] | None = None, *, but: Sequence[str] = ()
    ) -> Asked:
        """What an address asks of the table. `kept`: filters for the links; `but`: columns that this reader has not."""
        columns = tuple(each for each in self.columns if each.key not in but)
        word = query.get(self.prefix + "sort", "")
        column = next((each for each in columns if each.key == word.removeprefix("-")), None)
        descending = word.startswith("-") if column is not None else self.descending
        column = column or columns[0]
        after, before = (self._place(column, query.get(self.prefix + name, "")) for name in ("after", "before"))
        step = query.get(self.prefix + "page", "")
        number = int(step) if step.isascii() and step.isdigit() and len(step) < 7 else 1
        place = after or before
        filters = {key: value for key, value in (kept or {}).items() if value}
        return Asked(
            self, columns, column, descending, place, after is None and place is not None,
            max(number, 1) if place is not None else 1, filters,
        )  # fmt: skip

    def _place(self, column: Column, text: str) -> Place | None:
        own, mark, value = text.partition("~")
        if len(text) > PLACE_MAX_CHARS or not OWN.fullmatch(own):
            return None
        key = own if self.own == "identifier" else _number(own)
        if key is None or bool(mark) != (column.kind != "private"):
            return None
        if column.kind == "private":
            return None, key
        read: Value
        if column.kind == "moment":
            read = _moment(value)
        elif column.kind == "number":
            read = _number(value)
        else:
            read = value if value.isprintable() else None
        return None if read is None else (read, key)


@dataclass(frozen=True)
class Asked:
    """What was asked of a table: the order, a place in it, and which page this is called."""

    table: Table
    columns: tuple[Column, ...]
    column: Column
    descending: bool
    place: Place | None
    backwards: bool
    number: int
    kept: Mapping[str, str]

    @property
    def cut(self) -> Cut:
        """What to ask of the storage."""
        return Cut(self.column.key, self.descending, self.table.size, self.place, self.backwards, self.table.rewinds)

    def shown(self, part: Part[Row], place_of: Callable[[Row], Place], *, total: int | None = None) -> Shown[Row]:
        """What the page shows of the part that was found; `total` where it is known how many there are in all."""
        number = 1 if part.is_first else max(self.number, 2)
        before = after = ""
        if part.rows and not part.is_first:
            before = self._address(before=self._written(place_of(part.rows[0])), page=number - 1)
        if part.rows and not part.is_last:
            after = self._address(after=self._written(place_of(part.rows[-1])), page=number + 1)
        if part.is_first and part.is_last:
            total = len(part.rows)
        return Shown(self, part.rows, number, self._address(), before, after, total)

    def sorted_by(self, key: str) -> str:
        """The address of the first page sorted by a column: the other way round where it is sorted by it already."""
        column = next(each for each in self.columns if each.key == key)
        descending = not self.descending if column == self.column else column.falls
        return self._address(sort=self._sort(column, descending=descending))

    @property
    def orders(self) -> Sequence[tuple[str, str, str, bool]]:
        """Every order for a list to choose from: (value, column's title, direction's name, whether it is this one)."""
        return [
            (
                self._sort(column, descending=descending), column.title, DIRECTIONS[column.kind][descending],
                column == self.column and descending == self.descending,
            )
            for column in self.columns
            for descending in (column.falls, not column.falls)
        ]  # fmt: skip

    def _address(self, **changes: object) -> str:
        is_default = self.column == self.columns[0] and self.descending == self.table.descending
        own = {"sort": "" if is_default else self._sort(self.column, descending=self.descending), **changes}
        parts = {**self.kept, **{self.table.prefix + key: str(value) for key, value in own.items() if value}}
        return f"{self.table.path}?{urlencode(parts)}" if parts else self.table.path

    def _sort(self, column: Column, *, descending: bool) -> str:
        return ("-" if descending else "") + column.key

    def _written(self, place: Place) -> str:
        value, own = place
        if self.column.kind == "private":
            return str(own)
        return f"{own}~{_exact(value) if isinstance(value, datetime) else value}"


@dataclass(frozen=True)
class Shown(Generic[Row]):
    """A page of a table: its rows and the ways on from it; "" where there is none."""

    asked: Asked
    rows: Sequence[Row]
    number: int
    first: str
    before: str
    after: str
    total: int | None = None

    @property
    def moves(self) -> tuple[str, str]:
        """What the pages before and after are called."""
        if self.asked.column.kind != "moment":
            return N_("Previous page"), N_("Next page")
        return (N_("Newer"), N_("Older")) if self.asked.descending else (N_("Older"), N_("Newer"))


def _exact(moment: datetime) -> str:
    """A moment to the microsecond, as databases order by."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if _exact(found) == text else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
