"""The one place that reads the wall clock; everything else takes `now` as a parameter."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MUNICIPAL_ZONE = ZoneInfo("Europe/Oslo")  # every Norwegian municipality keeps it; the machine's own zone may differ
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def format_utc(moment: datetime) -> str:
    """RFC 3339 text in UTC with milliseconds: `2026-11-22T13:22:00.123Z`. `moment` must be aware."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def last_day(end: datetime) -> date:
    """The last day of what ends at a moment, by the municipality's clock; midnight ends the day before."""
    return (end - timedelta.resolution).astimezone(MUNICIPAL_ZONE).date()


def ends_a_day(moment: datetime) -> bool:
    """Whether a day of the municipality ends at this moment."""
    return moment.astimezone(MUNICIPAL_ZONE).time() == time()
