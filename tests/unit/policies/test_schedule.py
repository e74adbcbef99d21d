"""Hours of the week by the clock on the wall, through both changes of the clock in 2026 (29 March, 25 October)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from policies.document import parse_document
from policies.model import Schedule
from policies.schedule import in_force, next_change, overlap, standing, write_hours

OSLO = ZoneInfo("Europe/Oslo")
EVERY = frozenset(range(7))


def schedule(start: str, end: str, days: frozenset[int] = EVERY) -> Schedule:
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (start, end)]
    return Schedule(frozenset({"dating"}), days, *minutes, "close")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "held", "change"),
    [
        # An ordinary day: Oslo is UTC+1 in November.
        (("08:00", "16:00"), "2026-11-23T06:59:59", False, "2026-11-23T07:00"),
        (("08:00", "16:00"), "2026-11-23T07:00", True, "2026-11-23T15:00"),
        (("08:00", "16:00"), "2026-11-23T15:00", False, "2026-11-24T07:00"),
        (("22:00", "06:00"), "2026-11-23T23:30", True, "2026-11-24T05:00"),
        (("00:00", "24:00"), "2026-11-23T23:30", True, None),
        # Spring: 02:00 becomes 03:00 at 01:00 UTC. Hours inside the gap do not occur.
        (("02:00", "03:00"), "2026-03-29T00:30", False, "2026-03-30T00:00"),
        (("02:30", "03:30"), "2026-03-29T00:30", False, "2026-03-29T01:00"),
        (("01:30", "02:30"), "2026-03-29T00:45", True, "2026-03-29T01:00"),
        (("22:00", "06:00"), "2026-03-28T23:00", True, "2026-03-29T04:00"),  # an hour shorter
        # Autumn: 03:00 becomes 02:00 at 01:00 UTC. The hour counts both times.
        (("02:00", "02:30"), "2026-10-25T00:10", True, "2026-10-25T00:30"),
        (("02:00", "02:30"), "2026-10-25T00:40", False, "2026-10-25T01:00"),
        (("02:00", "02:30"), "2026-10-25T01:10", True, "2026-10-25T01:30"),
        (("22:00", "06:00"), "2026-10-24T21:00", True, "2026-10-25T05:00"),  # an hour longer
    ],
)
def test_hours_and_when_they_change(hours: tuple[str, str], now: str, held: bool, change: str | None) -> None:
    planned = schedule(*hours)
    assert in_force(planned, at(now), OSLO) == held
    assert next_change(planned, at(now), OSLO) == (at(change) if change else None)


def test_hours_into_the_next_morning_belong_to_the_day_they_begin_on() -> None:
    friday = schedule("22:00", "06:00", frozenset({4}))
    assert in_force(friday, at("2026-11-28T04:59"), OSLO)  # Saturday 05:59
    assert not in_force(friday, at("2026-11-27T04:59"), OSLO)  # Friday 05:59
    assert next_change(friday, at("2026-11-28T05:00"), OSLO) == at("2026-12-04T21:00")


def test_hours_that_the_clock_skips_this_week_come_the_week_after() -> None:
    sunday = schedule("02:10", "02:50", frozenset({6}))
    assert next_change(sunday, at("2026-03-22T02:00"), OSLO) == at("2026-04-05T00:10")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (schedule("08:00", "12:00"), schedule("12:00", "16:00"), False),
        (schedule("08:00", "12:01"), schedule("12:00", "16:00"), True),
        (schedule("22:00", "06:00", frozenset({6})), schedule("05:00", "07:00", frozenset({0})), True),  # Sunday night
        (schedule("22:00", "06:00", frozenset({6})), schedule("06:00", "07:00", frozenset({0})), False),
        (schedule("08:00", "12:00", frozenset({1})), schedule("08:00", "12:00", frozenset({2})), False),
    ],
)
def test_overlap(one: Schedule, other: Schedule, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_a_standing_is_remembered_while_it_lasts_and_no_longer() -> None:
    hours = {"categories": ["dating"], "days": ["mon"], "from": "08:00", "to": "16:00", "effect": "open"}
    group = {"mark": 1, "closed": ["dating"], "schedules": [hours]}
    policy = parse_document({"version": 2, "groups": {"default": group}})
    default = policy.groups["default"]
    before = standing(policy, default, at("2026-11-23T06:00"))
    assert before.closed == {"dating"}
    assert standing(policy, default, at("2026-11-23T06:30")) is before
    during = standing(policy, default, at("2026-11-23T07:00"))
    assert during.closed == frozenset()
    assert during.until == at("2026-11-23T15:00")
    assert write_hours(during.by_schedule["dating"]) == "mon 08:00-16:00"
    assert standing(policy, default, at("2026-11-23T06:30")).closed == {"dating"}  # and back in time
    assert standing(policy, default, before.since - timedelta(days=400)).closed == {"dating"}
