"""The one place that reads the wall clock; everything else takes `now` as a parameter."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MUNICIPAL_ZONE = ZoneInfo("Europe/Oslo")  # every Norwegian municipality keeps it; the machine's own zone may differ
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


def format_utc(moment: datetime) -> str:
    """RFC 3339 text in UTC with milliseconds: `2026-11-22T13:22:00.123Z`. `moment` must be aware."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
