"""What a host may open for a course, and for how long: what IT has listed for hosts, for at most eight hours, and never
longer than the course. Pure.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from policies.categories import CATEGORIES
from policies.model import NEVER_BY_HOSTS, Group, Policy
from policies.schedule import standing

MAX_HOURS = 8


def openable(policy: Policy) -> frozenset[str]:
    """The categories that hosts may open. Never adult, malware or phishing, whatever the policy says."""
    return policy.host_categories - NEVER_BY_HOSTS


def choices(policy: Policy, group: Group, now: datetime) -> tuple[str, ...]:
    """What a host may open for `group` at the aware moment `now`, in the taxonomy's order: what is closed for it, or
    will be by a schedule within the hours that an opening may last.
    """
    found, latest = standing(policy, group, now), now + timedelta(hours=MAX_HOURS)
    closed = found.closed - found.lifted.keys()
    closing = {key for key, moment in found.changes.items() if moment < latest and key not in found.lifted}
    return tuple(key for key in CATEGORIES if key in openable(policy) & (closed | closing))


def end_of(now: datetime, hours: int, over_at: datetime) -> datetime | None:
    """When an opening of so many hours ends, for a course that is over at `over_at`. None when it may not last so long,
    or the course is over.
    """
    if not 1 <= hours <= MAX_HOURS or over_at <= now:
        return None
    return min(now + timedelta(hours=hours), over_at)
