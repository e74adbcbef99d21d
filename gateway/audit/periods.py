"""How long something is kept: `until 07-01` (that day of the year after it was recorded) or `90 days`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

MAX_DAYS = 36_525
WORDS = 'write "until 07-01", which is 1 July of the year after, or a number of days, as in "90 days"'
_UNTIL = re.compile(r"until (\d\d)-(\d\d)", re.ASCII)
_DAYS = re.compile(r"([1-9]\d{0,4}) days?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """Either a `month` and `day` of the year after, at midnight, or a number of `days`."""

    month: int = 0
    day: int = 0
    days: int = 0

    def cutoff(self, now: datetime, zone: tzinfo) -> datetime:
        """What was recorded before this moment is over at `now`; years and midnights are those of `zone`."""
        if self.days:
            return now - timedelta(days=self.days)
        local = now.astimezone(zone)
        over = (local.month, local.day) >= (self.month, self.day)
        return datetime(local.year - (0 if over else 1), 1, 1, tzinfo=zone).astimezone(UTC)


def parse_period(text: str) -> Period:
    """Read a period. Raises: ValueError saying how to write it."""
    if (days := _DAYS.fullmatch(text)) and int(days[1]) <= MAX_DAYS:
        return Period(days=int(days[1]))
    if until := _UNTIL.fullmatch(text):
        month, day = int(until[1]), int(until[2])
        try:
            datetime(2001, month, day, tzinfo=UTC)  # no leap year: a day that every year has
        except ValueError:
            raise ValueError(f"{text!r} is no day that every year has; {WORDS}") from None
        return Period(month, day)
    raise ValueError(WORDS)
