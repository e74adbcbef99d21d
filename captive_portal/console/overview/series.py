"""What the charts and their tables show: figures put into days and hours, and into the categories that matter most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.storage.dns_counters import hour_of

DAYS = 30
HOURS = 24
MOST = 5
OTHERS = "_others"
"""Stands for all categories that are not among the `MOST`; no category is called so."""

Step = Literal["hour", "day"]
STEPS: Mapping[str, Step] = MappingProxyType({"day": "hour", "month": "day"})
"""How the figures of a period are put together."""


@dataclass(frozen=True)
class Table:
    """A row for each hour or day, with a figure for each column."""

    columns: tuple[str, ...]
    moments: tuple[datetime, ...]
    rows: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> int:
        """Everything in it."""
        return sum(map(sum, self.rows))


def bounds_of(step: Step, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """Where the hours or local days end and begin that lead up to now, oldest first, in UTC: one more than there are.

    A day has 23 or 25 hours when the clocks are changed.
    """
    if step == "hour":
        end = hour_of(now.astimezone(UTC)) + timedelta(hours=1)
        return [end - timedelta(hours=hours) for hours in range(HOURS, -1, -1)]
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=1 - DAYS + number) for number in range(DAYS + 1))
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in days]


def by_category(found: Sequence[tuple[int, str, int]], moments: Sequence[datetime]) -> Table:
    """(row, category, count) as a table: the `MOST` frequent categories, most first, then the others together.

    `moments` is when each row begins.
    """
    totals: Counter[str] = Counter()
    cells: Counter[tuple[int, str]] = Counter()
    for place, category, count in found:
        totals[category] += count
        cells[place, category] += count
    ranked = sorted(totals, key=lambda key: (-totals[key], key))
    own, others = ranked[:MOST], ranked[MOST:]
    rows = []
    for place in range(len(moments)):
        row = [cells[place, key] for key in own]
        rows.append(tuple([*row, sum(cells[place, key] for key in others)] if others else row))
    return Table((*own, OTHERS) if others else tuple(own), tuple(moments), tuple(rows))
