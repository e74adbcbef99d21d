"""When a checkpoint is sent to a target: each hour where the log has grown, each day in any case, and again after
failures.

Pure, and by inequality of hours and days, never by how much time has passed, so that a clock that steps back or leaps
makes a
push too many and not one too few. Days are Europe/Oslo's, which begin at whole hours of UTC too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from gateway.clock import MUNICIPAL_ZONE

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Standing:
    """How sending to a target stands. `asked`: somebody wants it sent now."""

    asked: bool = False
    succeeded_at: datetime | None = None
    sent_sha256: str = ""
    failed_at: datetime | None = None
    failures: int = 0


def retry_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row."""
    return min(FIRST_RETRY * (1 << min(failures - 1, 10)), LONGEST_RETRY)


def is_due(standing: Standing, newest_sha256: str, every: Literal["hour", "day"], now: datetime) -> bool:
    """Whether the newest checkpoint, of this hash, is to be sent now."""
    if standing.asked:
        return True
    if standing.failures and standing.failed_at is not None:
        return not standing.failed_at <= now < standing.failed_at + retry_after(standing.failures)
    last = standing.succeeded_at
    if last is None or last.astimezone(MUNICIPAL_ZONE).date() != now.astimezone(MUNICIPAL_ZONE).date():
        return True
    return every == "hour" and standing.sent_sha256 != newest_sha256 and _hour(last) != _hour(now)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
