"""How long access lasts, and whether a device may extend its own now and until when: pure.

Pressing the button begins the group's time anew, but never past `longest` after the acceptance. Then the rules are to
be read and accepted again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.access.status import Status

LEAST_GAIN = 10  # an extension gains at least this fraction of the time: each one is an entry of the log for ever


@dataclass(frozen=True)
class Durations:
    """For how long an acceptance gives access (`usual`, or as its group has it), and at most with extensions or by a
    course (`longest`).
    """

    usual: timedelta
    by_group: Mapping[str, timedelta] = field(default_factory=dict)
    longest: timedelta = timedelta(0)

    def of(self, group_key: str) -> timedelta:
        """For how long an acceptance gives access in the group."""
        return self.by_group.get(group_key, self.usual)

    def at_course(self, group_key: str) -> timedelta:
        """For how long a seat in a course of the group gives access, where the course lasts that long: its code is for
        the whole course, so the group's time does not cut it, but `longest` does.
        """
        return max(self.of(group_key), self.longest)


def extension(status: Status, version_in_force: str | None, durations: Durations, now: datetime) -> datetime | None:
    """Until when the device may extend its access at `now`; None when it may not.

    It may not without an acceptance of the version of the rules in force (an id), after its end, and while extending
    would gain less than a tenth of the time; where a course ends, access does. This is what the status page offers,
    what pressing its button does, and what RFC 8908 §5 calls `can-extend-session`.
    """
    if status.acceptance_id is None or status.group_key is None or status.starts_at is None or status.ends_at is None:
        return None
    if (
        version_in_force is None
        or status.version_id != version_in_force
        or not status.starts_at <= now < status.ends_at
    ):
        return None
    lasts = durations.of(status.hours_group or status.group_key)
    until = min(now + lasts, status.starts_at + durations.longest)
    if status.course_ends_at is not None:
        until = min(until, status.course_ends_at)
    return until if until - status.ends_at >= lasts / LEAST_GAIN else None
