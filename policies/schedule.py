"""What is closed for a group at a moment: the clock on the wall against schedules and exemptions, and until when it
stands.

A schedule speaks of what the clock on the wall shows. So hours that the clock skips in spring do not occur, and
hours that it shows twice in autumn count both times. Everything here follows from its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from policies.model import DAY_MINUTES, DAYS, NEVER_EXEMPT, Exemption, Group, Policy, Schedule

_DAYS_AHEAD = 15  # a week repeats within this, even where the clock skipped its hours once
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand for a group from `since` up to `until` (aware moments; None: for ever).

    `closed` are the closed categories; `by_schedule` those that a schedule decides now; `lifted` category →
    exemption in force, `closed` before it is lifted; `changes` category → the next moment at which time alone
    could open or close it.
    """

    group: Group
    closed: frozenset[str]
    by_schedule: Mapping[str, Schedule]
    lifted: Mapping[str, Exemption]
    changes: Mapping[str, datetime]
    since: datetime
    until: datetime | None


def standing(policy: Policy, group: Group, now: datetime) -> Standing:
    """How things stand for `group` of `policy` at the aware moment `now`; remembered while it lasts."""
    kept: Standing | None = policy._standings.get(group.key)
    if kept is not None and kept.group is group and kept.since <= now and (kept.until is None or now < kept.until):
        return kept
    found = _stand(policy, group, now)
    policy._standings[group.key] = found
    return found


def _stand(policy: Policy, group: Group, now: datetime) -> Standing:
    now = now.astimezone(UTC)
    closed, by_schedule = set(group.closed), {}
    for schedule in group.schedules:
        if in_force(schedule, now, policy.zone):
            for category in schedule.categories:
                by_schedule[category] = schedule
                (closed.add if schedule.effect == "close" else closed.discard)(category)
    lifted: dict[str, Exemption] = {}
    changes: dict[str, datetime] = {}
    for schedule in group.schedules:
        moment = next_change(schedule, now, policy.zone)
        if moment is not None:
            _earliest(changes, schedule.categories, moment)
    theirs = set(followed(policy, group))
    for exemption in policy.exemptions:
        if exemption.group not in theirs:
            continue
        categories = exemption.categories - NEVER_EXEMPT
        if exemption.start <= now < exemption.end:
            for category in categories:
                lifted.setdefault(category, exemption)
        for moment in (exemption.start, exemption.end):
            if now < moment:
                _earliest(changes, categories, moment)
    until = min(changes.values(), default=None)
    return Standing(group, frozenset(closed), by_schedule, lifted, changes, now, until)


def followed(policy: Policy, group: Group) -> Iterator[str]:
    """The keys of the group and of those whose rules and exemptions it has: the one that it is like, and so on."""
    at: Group | None = group
    while at is not None:
        yield at.key
        if not at.like:
            return
        at = policy.groups.get(at.like)


def _earliest(changes: dict[str, datetime], categories: Iterable[str], moment: datetime) -> None:
    for category in categories:
        changes[category] = min(moment, changes.get(category, moment))


def in_force(schedule: Schedule, now: datetime, zone: tzinfo) -> bool:
    """Whether the clock on the wall in `zone` is within the schedule at the aware moment `now`."""
    wall = now.astimezone(zone)
    minute, day = wall.hour * 60 + wall.minute, wall.weekday()
    if schedule.start < schedule.end:
        return day in schedule.days and schedule.start <= minute < schedule.end
    return (day in schedule.days and minute >= schedule.start) or (
        (day - 1) % 7 in schedule.days and minute < schedule.end
    )


def next_change(schedule: Schedule, now: datetime, zone: tzinfo) -> datetime | None:
    """The first moment (UTC) after `now` at which the schedule comes in force or goes out of it; None: never."""
    before = in_force(schedule, now, zone)
    for moment in _moments((schedule.start, schedule.end), now, zone):
        if in_force(schedule, moment, zone) != before:
            return moment
    return None


def _moments(minutes: tuple[int, ...], now: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Every moment after `now`, rising, within the next days, at which the clock shows one of `minutes` or is set."""
    found: set[datetime] = set()
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for days in range(-1, _DAYS_AHEAD + 1):
        day = midnight + timedelta(days=days)
        for minute in minutes:
            local = day + timedelta(minutes=minute)
            for fold in (0, 1):
                found.add(local.replace(tzinfo=zone, fold=fold).astimezone(UTC))
        start = day.replace(tzinfo=zone).astimezone(UTC)
        found.update(clock_changes(start, start + timedelta(days=1, hours=3), zone))
    yield from sorted(moment for moment in found if moment > now)


def clock_changes(start: datetime, end: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The moment (UTC, whole seconds) between two aware moments at which the clock is set, if their offsets differ."""
    low, high = start.astimezone(UTC), end.astimezone(UTC)
    offset = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == offset:
        return
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    yield high.replace(microsecond=0)


def overlap(one: Schedule, other: Schedule) -> bool:
    """Whether two schedules ever hold at the same minute of the week."""
    return not _minutes(one).isdisjoint(_minutes(other))


def _minutes(schedule: Schedule) -> frozenset[int]:
    length = schedule.end - schedule.start
    length += 0 if length > 0 else DAY_MINUTES
    week = 7 * DAY_MINUTES
    return frozenset(
        (day * DAY_MINUTES + schedule.start + minute) % week for day in schedule.days for minute in range(length)
    )


def write_minute(minute: int) -> str:
    """`16:00`; the end of a day is `24:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def write_days(days: Iterable[int]) -> tuple[str, ...]:
    """Days as documents write them, Monday first."""
    return tuple(DAYS[day] for day in sorted(days))


def write_hours(schedule: Schedule) -> str:
    """`mon tue 16:00-22:00`, for reasons and reports."""
    hours = f"{write_minute(schedule.start)}-{write_minute(schedule.end)}"
    return f"{' '.join(write_days(schedule.days))} {hours}"
