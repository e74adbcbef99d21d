"""The report of an export: what the bundle shows, for people, as PDF/A for the archive and PDF/UA for every reader.

Counted while the entries stream by, in constant memory; a view, never evidence. WeasyPrint is an extra: without it a
report is refused before anything is recorded.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files as resources
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, StrictUndefined

from gateway.audit import chart
from gateway.audit.bundle import Record
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.errors import BundleError
from gateway.audit.order import Order
from gateway.audit.view import HEADINGS, PERSONAL_COLUMNS, PLAIN_COLUMNS
from gateway.audit.view_words import REPORT
from gateway.clock import MUNICIPAL_ZONE, format_utc

FILES = {"report.pdf": "pdf/a-2u", "report-ua.pdf": "pdf/ua-1"}
EVENTS = ("export", "erased", "retention_run", "subject_access", "restored")
MAX_LISTED = 200
_IN_SAMPLE = (
    "index",
    "at",
    "version",
    "name",
    "organisation",
    "course_code",
    "mac",
    "receipt",
)  # what a page has room for
_MOMENT = {"nb": "dd.MM.y HH:mm", "nn": "dd.MM.y HH:mm", "en": "y-MM-dd HH:mm"}


@dataclass(frozen=True)
class _Event:
    index: int
    at: str
    what: str
    by: str
    reason: str


class Report:
    """report.pdf and report-ua.pdf of an export (a FurtherView)."""

    def __init__(self, order: Order, now: datetime) -> None:
        try:
            import weasyprint  # noqa: F401, PLC0415 - an extra, and 60 MB
        except (ImportError, OSError) as error:
            raise BundleError(
                "the report needs WeasyPrint and the Pango library: install gjestenett[report] and the packages"
                " libpango-1.0-0 and libpangoft2-1.0-0, or export without the report"
            ) from error
        self._order, self._now = order, now
        self._language, self._words = order.language, REPORT[order.language]
        self._hours: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._identified: Counter[str] = Counter()
        self._versions: list[Mapping[str, Any]] = []
        self._events: list[_Event] = []
        self._more_events = self._rows = self._bare = 0
        self._begin, self._end = format_utc(order.since), format_utc(order.until)

    def entry(self, record: Record, document: Mapping[str, Any]) -> None:
        """Notes publications and withdrawals of rules, exports, erasures and restores."""
        kind = document["type"]
        if kind == "rules_published":
            self._versions.append(document)
        elif kind == "rules_withdrawn":
            self._versions = [each for each in self._versions if each["version"] != document["version"]]
        elif kind in EVENTS and self._begin <= document["at"] < self._end:
            if len(self._events) == MAX_LISTED:
                self._more_events += 1
                return
            known = {name: value for _, name, value in record.disclosures} if "name" in self._order.fields else {}
            by, why = (
                known.get(name, known.get(other, "")) for name, other in (("staff", "by"), ("purpose", "reason"))
            )
            self._events.append(_Event(record.index, document["at"], self._what(document), by, why))

    def _what(self, document: Mapping[str, Any]) -> str:
        kind = document["type"]
        lost = kind == "restored" and document["known_size"] > document["size"]
        if not lost:
            return self._words[kind]
        return self._words["restored_lost"].format(first=document["size"], last=document["known_size"] - 1)

    def row(self, row: Sequence[str]) -> None:
        """Counts an acceptance."""
        self._rows += 1
        self._hours[row[1][:13]] += 1
        self._accepted[row[3]] += 1
        self._identified[row[6]] += 1
        if not any(row[len(PLAIN_COLUMNS) :]):
            self._bare += 1

    def files(self, head: Checkpoint, drawn: Sequence[Sequence[str]]) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Both files, of the same pages."""
        html = self.html(head, drawn)
        identifier = hashlib.sha256(html.encode()).digest()[:16]
        for name, variant in FILES.items():
            yield name, [_pdf(html, variant, identifier)]

    def html(self, head: Checkpoint, drawn: Sequence[Sequence[str]] = ()) -> str:
        """The pages before they are set."""
        months = self._months()
        shown = [(name, count, self._number(count)) for name, count in months]
        picture = base64.b64encode(chart.bars(shown).encode()).decode()
        source = resources("gateway.audit").joinpath("report.html").read_text(encoding="utf-8")
        page = Environment(autoescape=True, undefined=StrictUndefined).from_string(source)
        words = self._words
        return page.render(
            language=self._language,
            w=words,
            owner=self._order.owner_name,
            created=self._now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            facts=self._facts(head),
            months=[(name, text) for name, _, text in shown],
            chart=f"data:image/svg+xml;base64,{picture}",
            versions=self._in_force(),
            identified=[(words[way], self._number(count)) for way, count in sorted(self._identified.items())],
            events=[(each.index, self._moment(each.at), each.what, each.by, each.reason) for each in self._events],
            more_events=words["more"].format(count=self._more_events) if self._more_events else "",
            sample=self._sample(drawn) if self._order.sample else None,
        )

    def _facts(self, head: Checkpoint) -> list[tuple[str, str]]:
        words, order, headings = self._words, self._order, HEADINGS[self._language][len(PLAIN_COLUMNS) :]
        hidden = [heading for name, heading in zip(PERSONAL_COLUMNS, headings, strict=True) if name not in order.fields]
        narrowed = [(words[key], value) for key, value in order.filter.items() if key not in ("from", "to")]
        return [
            (words["owner"], self._order.owner_name),
            (words["period"], f"{self._moment(self._begin)} {words['to']} {self._moment(self._end)}"),
            *((f"{words['narrowed']}: {name}", value) for name, value in narrowed),
            (words["rows"], self._number(self._rows)),
            (words["erased_rows"], self._number(self._bare)),
            (words["withheld"], ", ".join(hidden) or words["none"]),
            (words["by"], order.exporter),
            (words["why"], order.purpose),
            (words["made"], self._moment(format_utc(self._now))),
            (words["log"], head.origin),
            (words["size"], self._number(head.size)),
            (words["root"], head.root.hex()),
        ]

    def _months(self) -> list[tuple[str, int]]:
        """Each month from the first to the last that has acceptances, in Norwegian time, with how many."""
        counts: Counter[tuple[int, int]] = Counter()
        for hour, count in self._hours.items():
            local = datetime.fromisoformat(f"{hour}:00:00Z").astimezone(MUNICIPAL_ZONE)
            counts[local.year, local.month] += count
        if not counts:
            return []
        (year, month), last = min(counts), max(counts)
        found = []
        while (year, month) <= last:
            label = format_date(date(year, month, 1), "MMM yy", locale=self._language)
            found.append((label, counts[year, month]))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return found

    def _in_force(self) -> list[tuple[str, str, str, str, str]]:
        versions = sorted(self._versions, key=_in_force_from)
        ends = [*(_in_force_from(document) for document in versions[1:]), "9999"]
        return [
            (
                str(each["version"]), self._moment(_in_force_from(each)),
                str(each["adopting_body"]), str(each["case_number"]), self._number(self._accepted[each["version"]]),
            )
            for each, end in zip(versions, ends, strict=False)
            if _in_force_from(each) < self._end and end > self._begin
        ]  # fmt: skip

    def _sample(self, drawn: Sequence[Sequence[str]]) -> dict[str, Any]:
        sample, headings = self._order.sample, HEADINGS[self._language]
        assert sample is not None
        names = (*PLAIN_COLUMNS, *PERSONAL_COLUMNS)
        columns = [names.index(name) for name in _IN_SAMPLE if name in PLAIN_COLUMNS or name in self._order.fields]
        rest = len(drawn) - MAX_LISTED
        return {
            "how": self._words["sample_how"].format(count=len(drawn), number=sample.number),
            "heading": [self._words["when"] if at == 1 else headings[at] for at in columns],
            "rows": [[self._moment(row[at]) if at == 1 else row[at] for at in columns] for row in drawn[:MAX_LISTED]],
            "more": self._words["more"].format(count=rest).replace("entries.jsonl", "sample.csv") if rest > 0 else "",
        }

    def _moment(self, at: str) -> str:
        local = datetime.fromisoformat(at).astimezone(MUNICIPAL_ZONE)
        return format_datetime(local, _MOMENT[self._language], locale=self._language)

    def _number(self, number: int) -> str:
        return format_decimal(number, locale=self._language)


def _in_force_from(document: Mapping[str, Any]) -> str:
    """When the version of an entry `rules_published` is in force: at once, where the entry names no later moment."""
    return str(document.get("in_force_from", document["at"]))


def _pdf(html: str, variant: str, identifier: bytes) -> bytes:
    from weasyprint import HTML  # noqa: PLC0415
    from weasyprint.urls import URLFetcher  # noqa: PLC0415

    page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=["data"]))
    made = page.write_pdf(pdf_variant=variant, pdf_tags=True, pdf_identifier=identifier)
    assert isinstance(made, bytes)
    return made
