"""The view as an Excel workbook: text as text, times as true dates; a view for reading, never evidence.

Written row by row in constant memory. A second sheet says what was chosen and how the bundle is verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from gateway.audit.bundle import Record
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.errors import TooManyRowsError
from gateway.audit.order import Order
from gateway.audit.view import HEADINGS, PERSONAL_COLUMNS
from gateway.audit.view_words import WORKBOOK
from gateway.clock import MUNICIPAL_ZONE

MAX_ROWS = 100_000
FILE = "view.xlsx"
_WIDTHS = (9, 25, 19, 14, 16, 8, 18, 16, 28, 26, 26, 14, 20, 16, 26)
_CHUNK_BYTES = 256 * 1024


class Workbook:
    """view.xlsx of an export (a FurtherView). Its parts lie in `folder`, which the caller removes."""

    def __init__(self, order: Order, now: datetime, folder: Path) -> None:
        self._order, self._now, self._words = order, now, WORKBOOK[order.language]
        self._path = folder / FILE
        self._book = xlsxwriter.Workbook(
            str(self._path),
            {
                "constant_memory": True, "tmpdir": str(folder), "strings_to_formulas": False, "strings_to_urls": False,
                "strings_to_numbers": False, "in_memory": False,
            },
        )  # fmt: skip
        self._book.set_properties({"title": self._words["title"], "created": now.replace(tzinfo=None)})
        self._bold = self._book.add_format({"bold": True, "bg_color": "#E6EEF2", "text_wrap": True, "valign": "top"})
        self._date = self._book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"})
        self._wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})
        self._sheet = self._book.add_worksheet(self._words["rows"])
        headings = HEADINGS[order.language]
        self._headings = (*headings[:2], self._words["local"], *headings[2:])
        for column, width in enumerate(_WIDTHS):
            self._sheet.set_column(column, column, width)
        self._sheet.freeze_panes(1, 0)
        for column, text in enumerate(self._headings):
            self._sheet.write_string(0, column, text, self._bold)
        self._count = 0

    def entry(self, record: Record, document: Mapping[str, Any]) -> None:
        """Nothing: only rows are shown."""

    def row(self, row: Sequence[str]) -> None:
        """One acceptance. Raises: TooManyRowsError beyond `MAX_ROWS`."""
        self._count += 1
        if self._count > MAX_ROWS:
            self._book.close()  # it holds a file open
            raise TooManyRowsError(
                f"more than {MAX_ROWS:,} acceptances do not go into a workbook; choose a shorter period, or leave the"
                " workbook out: view.csv holds any number"
            )
        index, at, *rest = row
        sheet, line = self._sheet, self._count
        local = datetime.fromisoformat(at).astimezone(MUNICIPAL_ZONE).replace(tzinfo=None, microsecond=0)
        sheet.write_number(line, 0, int(index))
        sheet.write_string(line, 1, at)
        sheet.write_datetime(line, 2, local, self._date)
        for column, text in enumerate(rest, 3):
            if text:
                sheet.write_string(line, column, text)

    def files(self, head: Checkpoint, drawn: Sequence[Sequence[str]]) -> Iterator[tuple[str, Iterable[bytes]]]:
        """view.xlsx."""
        self._sheet.autofilter(0, 0, max(1, self._count), len(self._headings) - 1)
        self._about(head)
        self._book.close()
        yield FILE, _chunks(self._path)

    def _about(self, head: Checkpoint) -> None:
        words, order = self._words, self._order
        sheet = self._book.add_worksheet(words["about"])
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 90)
        hidden = [name for name in PERSONAL_COLUMNS if name not in order.fields]
        rows = [
            (words["rows"], str(self._count)),
            *((f"{words['filter']}: {key}", value) for key, value in order.filter.items()),
            (words["withheld"], ", ".join(hidden)),
            (words["why"], order.purpose),
            (words["by"], order.exporter),
            (words["at"], self._now.strftime("%Y-%m-%dT%H:%M:%SZ")),
            (words["log"], head.origin),
            (words["size"], str(head.size)),
            ("", words["how"]),
        ]
        sheet.write_string(0, 0, words["title"], self._bold)
        for line, (name, value) in enumerate(rows, 1):
            sheet.write_string(line, 0, name, self._wrapped)
            sheet.write_string(line, 1, value, self._wrapped)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
