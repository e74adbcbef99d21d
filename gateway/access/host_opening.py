"""What a host may open for guests of a course of theirs, and until when: pure.

IT lists the categories (`courses.host_categories`); an evening course is to be able to go on when IT is at home.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from policies.model import NEVER_BY_HOSTS

LONGEST_HOURS = 8
LONGEST = timedelta(hours=LONGEST_HOURS)


def may_open(listed: Collection[str], categories: Collection[str]) -> bool:
    """Whether hosts may open all of these categories, of which there is at least one."""
    return bool(categories) and NEVER_BY_HOSTS.isdisjoint(categories) and set(categories) <= set(listed)


def latest(over_at: datetime, now: datetime) -> datetime:
    """Until when at most: `LONGEST` from now, and not past the end of the course."""
    return min(over_at, now + LONGEST)
