"""How many acceptances each day had. Days that are over don't change, so that each is counted once: until anything is
erased, which takes acceptances away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, takewhile

from gateway.storage import erasures, overview
from gateway.storage.engine import Session

SETTLED = timedelta(hours=1)
"""How long after its end a day may still get acceptances, which were under way then."""

Day = tuple[datetime, datetime]
_Kept = tuple[object, Mapping[Day, int]]


class AcceptedDays:
    """The figures, kept in memory for one owner at a time."""

    def __init__(self) -> None:
        self._kept: _Kept = (None, {})

    def count(self, session: Session, owner_id: str, bounds: Sequence[datetime], now: datetime) -> list[int]:
        """As `overview.acceptances_between`; of days that were over long before `now` only what is not known yet."""
        of = owner_id, erasures.newest(session, owner_id)
        kept = self._kept[1] if self._kept[0] == of else {}
        days = list(pairwise(bounds))
        known = [kept[day] for day in takewhile(kept.__contains__, days)]
        counted = known + overview.acceptances_between(session, owner_id, bounds[len(known) :])
        self._kept = of, {day: count for day, count in zip(days, counted, strict=True) if day[1] <= now - SETTLED}
        return counted
