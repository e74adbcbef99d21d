"""Acceptances: the list by period, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from http import HTTPStatus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.storage import grants

PAGE_SIZE = 50
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)

DATE_PROBLEM = N_("Write the date as year-month-day, such as 2026-11-22.")
ORDER_PROBLEM = N_("The first day must not come after the last day.")


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


def _page(visit: Visit, period: Period, status: int) -> Response:
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
    return visit.page(
        "acceptances.html",
        status,
        rows=rows,
        period=period,
        before=visit.query.get("before", ""),
        older=f"{format_exact(rows[-1].accepted_at)}~{rows[-1].id}" if more else "",
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
