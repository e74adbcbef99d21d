"""An order for an export: what is wanted, by whom and why, and what can't be met of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.audit import canonical, fields, selection
from gateway.audit.errors import BundleError
from gateway.audit.sample import MAX_ROWS, Sample
from gateway.audit.view import HEADINGS
from gateway.clock import format_utc


@dataclass(frozen=True)
class Order:
    """Who wants what: acceptances in `[since, until)`, narrowed where `site` … `device` are given, headings and report
    in `language`, and the purpose that is recorded. `owner_name` is what the report calls the municipality.

    `fields` are the personal fields that the exporter may see; `xlsx` and `report` ask for these views too.
    """

    since: datetime
    until: datetime
    exporter: str
    purpose: str
    language: str = "nb"
    fields: frozenset[str] = fields.ALL
    site: str = ""
    version: str = ""
    course: str = ""
    name: str = ""
    device: str = ""
    sample: Sample | None = None
    xlsx: bool = False
    report: bool = False
    owner_name: str = ""

    @property
    def filter(self) -> dict[str, str]:
        """The manifest's filter: only what narrows."""
        named = {
            "from": format_utc(self.since),
            "to": format_utc(self.until),
            "site": self.site,
            "version": self.version,
            "course": self.course,
            "name": self.name,
            "device": selection.read_device(self.device) or self.device,
        }
        return {key: value for key, value in named.items() if value}

    def check(self) -> None:
        """Raises: BundleError saying what can't be exported like this."""
        if not self.purpose.strip():
            raise BundleError("say what the export is for; the purpose is recorded")
        if self.language not in HEADINGS:
            raise BundleError("the language is nb, nn or en")
        if self.device and selection.read_device(self.device) is None:
            raise BundleError("a device is named by its MAC address or at least its two last hexadecimal digits")
        for key, field in selection.PERSONAL_KEYS.items():
            if key in self.filter and field not in self.fields:
                raise BundleError(
                    f"{key} can't be searched for in an export that withholds it: the filter itself would tell it"
                )
        if self.sample is not None and not (1 <= self.sample.count <= MAX_ROWS and self.sample.number.strip()):
            raise BundleError(f"a sample has 1 to {MAX_ROWS} rows, and needs the auditor's own number")

    def recorded(self) -> str:
        """The order as its leaf tells it: canonical JSON of filter, fields, and what else was asked for."""
        wanted: dict[str, canonical.Json] = {"filter": self.filter, "fields": sorted(self.fields)}
        if self.sample is not None:
            wanted["sample"] = {"count": self.sample.count, "number": self.sample.number}
        if views := [name for name, asked in (("xlsx", self.xlsx), ("report", self.report)) if asked]:
            wanted["views"] = views
        return canonical.encode(wanted).decode()
