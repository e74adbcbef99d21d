"""Periods as people write them: two days in Norwegian time, both included, either left open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from captive_portal.console.look import N_
from gateway.clock import MUNICIPAL_ZONE

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


def read_moment(text: str) -> datetime | None:
    """The moment that a date and time of day mean in Norway; None when they can't be read."""
    try:
        moment = datetime.fromisoformat(text) if len(text) in (16, 19) and text.isascii() else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is not None or not EARLIEST <= moment.date() <= LATEST:
        return None
    return moment.replace(tzinfo=MUNICIPAL_ZONE).astimezone(UTC)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 and text.isascii() else None
    except ValueError:
        return None
    return day if day is not None and EARLIEST <= day <= LATEST else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, MUNICIPAL_ZONE).astimezone(UTC)
