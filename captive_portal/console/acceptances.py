"""Acceptances: the list by period, page by page, and the auditor's bundle of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from http import HTTPStatus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.responses import FileResponse, Response

from captive_portal.console.exports import KEEP_S, ExportShelf
from captive_portal.console.forms import clean_line
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.audit.errors import AuditError
from gateway.audit.export import Order, export
from gateway.audit.note import parse_verifiers
from gateway.installation import public_key_path
from gateway.storage import grants

log = logging.getLogger(__name__)

PAGE_SIZE = 50
REASON_MAX_CHARS = 300
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)

DATE_PROBLEM = N_("Write the date as year-month-day, such as 2026-11-22.")
NOT_NOW = N_("The export could not be made just now. Nothing may be sealed yet: wait a little and try again.")
ORDER_PROBLEM = N_("The first day must not come after the last day.")
REASON_PROBLEMS = {
    "missing": N_("Write why the acceptances are exported. The reason becomes part of the log."),
    "too_long": N_("The reason may have at most 300 characters."),
    "characters": N_("The reason has characters that can't be used, such as control characters. Write it again."),
}


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included, as typed; `since` and `until` are their ends as moments."""

    first: str
    last: str
    since: datetime | None
    until: datetime | None
    problems: dict[str, str]


def show(visit: Visit) -> Response:
    """GET /acceptances"""
    period = read_period(visit.query.get("first", ""), visit.query.get("last", ""))
    return _page(visit, period, HTTPStatus.UNPROCESSABLE_ENTITY if period.problems else HTTPStatus.OK)


class ExportPages:
    """From the filled-in form to the downloads: the bundle, and the signed hash of it."""

    def __init__(self, shelf: ExportShelf) -> None:
        self._shelf = shelf

    def make(self, visit: Visit) -> Response:
        """POST /acceptances/export. The export itself becomes a leaf of the log."""
        period = read_period(visit.form.get("first"), visit.form.get("last"), required=True)
        reason, problem = clean_line(visit.form.get("reason"), REASON_MAX_CHARS, required=True)
        problems = dict(period.problems)
        if problem is not None:
            problems["reason"] = REASON_PROBLEMS[problem]
        if problems or period.since is None or period.until is None:
            return self._again(visit, period, problems, reason)
        services = visit.services
        order = Order(period.since, period.until, visit.member.username, reason, visit.language)
        try:
            keys = parse_verifiers(public_key_path(services.settings).read_text(encoding="utf-8"))
            kept = self._shelf.make(
                visit.member.staff_id,
                f"gjestenett-{services.place.owner_key}-{period.first}-{period.last}.zip",
                lambda out: export(services.database, services.place, keys, order, out, visit.now),
            )
        except (AuditError, OSError):
            log.warning("an export failed", exc_info=True)
            return self._again(visit, period, {"": NOT_NOW}, reason, HTTPStatus.SERVICE_UNAVAILABLE)
        return visit.go(f"/acceptances/exports/{kept.key}")

    def show(self, visit: Visit) -> Response:
        """GET /acceptances/exports/{key}"""
        kept = self._shelf.find(visit.params["key"], visit.member.staff_id)
        if kept is None:
            return visit.failed(HTTPStatus.GONE, reason="export")
        return visit.page("export.html", kept=kept, minutes=KEEP_S // 60)

    def download(self, visit: Visit) -> Response:
        """GET /acceptances/exports/{key}/{file}: bundle or note."""
        kept = self._shelf.find(visit.params["key"], visit.member.staff_id)
        if kept is None:
            return visit.failed(HTTPStatus.GONE, reason="export")
        if visit.params["file"] == "bundle":
            return FileResponse(kept.bundle, media_type="application/zip", filename=kept.name)
        if visit.params["file"] == "note" and kept.note is not None:
            return FileResponse(kept.note, media_type="text/plain; charset=utf-8", filename=f"{kept.name}.note")
        return visit.failed(HTTPStatus.NOT_FOUND)

    def _again(
        self, visit: Visit, period: Period, problems: dict[str, str], reason: str, status: int | None = None
    ) -> Response:
        shown = read_period("", "") if period.problems else period
        with visit.services.database.read() as session:
            return _page(
                visit.within(session),
                shown,
                status or HTTPStatus.UNPROCESSABLE_ENTITY,
                export_problems=problems,
                reason=reason,
                typed=(period.first, period.last),
            )


def read_period(first: str, last: str, *, required: bool = False) -> Period:
    """The period that two dates name; an empty one is open. Problems are by field."""
    problems: dict[str, str] = {}
    days: dict[str, date | None] = {}
    for name, text in (("first", first), ("last", last)):
        days[name] = _day(text.strip())
        if days[name] is None and (text.strip() or required):
            problems[name] = DATE_PROBLEM
    begin, end = days["first"], days["last"]
    if begin is not None and end is not None and begin > end:
        problems["first"] = ORDER_PROBLEM
    return Period(
        begin.isoformat() if begin else "",
        end.isoformat() if end else "",
        _midnight(begin) if begin and not problems else None,
        _midnight(end + timedelta(days=1)) if end and not problems else None,
        problems,
    )


def _page(
    visit: Visit,
    period: Period,
    status: int,
    *,
    export_problems: dict[str, str] | None = None,
    reason: str = "",
    typed: tuple[str, str] | None = None,
) -> Response:
    rows = grants.acceptances(
        visit.session,
        visit.services.place.owner_id,
        since=period.since,
        until=period.until,
        before=_read_before(visit.query.get("before", "")),
        limit=PAGE_SIZE + 1,
    )
    more = len(rows) > PAGE_SIZE
    rows = rows[:PAGE_SIZE]
    today = visit.now.astimezone(_zone()).date()
    return visit.page(
        "acceptances.html",
        status,
        rows=rows,
        period=period,
        before=visit.query.get("before", ""),
        older=f"{format_exact(rows[-1].accepted_at)}~{rows[-1].id}" if more else "",
        export_problems=export_problems or {},
        reason=reason,
        reason_max_chars=REASON_MAX_CHARS,
        export_first=typed[0] if typed else period.first or today.replace(month=1, day=1).isoformat(),
        export_last=typed[1] if typed else period.last or today.isoformat(),
        portal=visit.services.settings.public_url,
    )


def format_exact(moment: datetime) -> str:
    """A moment to the microsecond, as the database orders by."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read_before(text: str) -> tuple[datetime, str] | None:
    """Where a page starts; a place that can't be read is the start of the list."""
    at, _, identifier = text[:80].partition("~")
    if not (identifier.isascii() and identifier.isalnum()):
        return None
    try:
        return datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC), identifier
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 and text.isascii() else None
    except ValueError:
        return None
    return day if day is not None and EARLIEST <= day <= LATEST else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, _zone()).astimezone(UTC)


def _zone() -> tzinfo:
    try:
        return ZoneInfo("Europe/Oslo")
    except ZoneInfoNotFoundError:
        return UTC
