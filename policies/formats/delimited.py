"""CSV and the like: one column holds the names, by its number or by its heading; another may hold a category.

A cell may be a URL or `host:port`, as feeds of malware publish them; what counts is its host name. One record a line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence

from policies.formats.entry import Entry, Refusal
from policies.names import NameError_, from_person

DELIMITERS = ",;\t|"


def reader(
    column: int | str = 0, category_column: int | str | None = None, delimiter: str | None = None
) -> Callable[[str], Sequence[Entry | Refusal]]:
    """A line reader. Numbers count columns from 0. A heading is looked for in the first line that is no comment.

    Without a `delimiter` the first line tells: the one of comma, semicolon, tab and bar that is in it most often.
    """
    return _Reader(column, category_column, delimiter)


class _Reader:
    def __init__(self, column: int | str, category_column: int | str | None, delimiter: str | None) -> None:
        self._columns = (column, category_column)
        self._delimiter = delimiter
        self._positions: tuple[int, int | None] | None = None

    def __call__(self, text: str) -> Sequence[Entry | Refusal]:
        heading = self._positions is None
        comment = text.startswith("#")
        if not text.strip() or (comment and not (heading and any(isinstance(each, str) for each in self._columns))):
            return ()
        delimiter = self._delimiter or max(DELIMITERS, key=text.count)
        try:
            # Some feeds write their heading as a comment.
            cells = next(csv.reader([text.lstrip("# ")], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            return (Refusal("bad_line"),)
        if not heading:
            return self._entry(cells)
        found = self._first(cells)
        if self._positions is None and comment:
            return ()
        self._delimiter = delimiter
        return found

    def _first(self, cells: Sequence[str]) -> Sequence[Entry | Refusal]:
        headings = [cell.strip().lower() for cell in cells]
        positions: list[int | None] = []
        for column in self._columns:
            if isinstance(column, str):
                if column.lower() not in headings:
                    return (Refusal("no_such_column"),)
                positions.append(headings.index(column.lower()))
            else:
                positions.append(column)
        self._positions = (positions[0] or 0, positions[1])
        if any(isinstance(column, str) for column in self._columns):
            return ()
        first = self._entry(cells)
        heading = isinstance(first[0], Refusal) and "." not in "".join(headings)
        return () if heading else first

    def _entry(self, cells: Sequence[str]) -> Sequence[Entry | Refusal]:
        assert self._positions is not None
        position, category_position = self._positions
        if position >= len(cells) or not cells[position].strip():
            return (Refusal("empty"),)
        category = None
        if category_position is not None and category_position < len(cells):
            category = cells[category_position].strip().lower() or None
        try:
            return (Entry(from_person(cells[position]), category=category),)
        except NameError_ as problem:
            return (Refusal(problem.reason),)


def render(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines that a reader of column 0 and category column 1 reads back; only blocked names can be said."""
    for entry in entries:
        if entry.action == "block":
            yield f"{entry.name},{entry.category or ''}"
