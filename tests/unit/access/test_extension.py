"""Whether a device may extend its access, and until when: never later than permitted, never for next to nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.extension import Durations, extension
from gateway.access.status import NOT_ACCEPTED, Status

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DURATIONS = Durations(10 * HOUR, {"library": 2 * HOUR}, 24 * HOUR)


def status(starts_at: datetime = NOW, lasts: timedelta = 10 * HOUR, **changes: object) -> Status:
    values: dict[str, object] = {
        "state": "online", "grant_id": "g", "acceptance_id": "a", "receipt_code": "r", "starts_at": starts_at,
        "ends_at": starts_at + lasts, "group_key": "default", "version_id": "v",
    }  # fmt: skip
    return Status(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after_h", "lasts_h", "until_h"),
    [
        (0, 10, None),  # nothing to gain yet
        (0.9, 10, None),
        (1, 10, 11),  # a tenth
        (9, 10, 19),
        (10, 10, None),  # over
        (15, 19, 24),  # as far as it goes
        (23.5, 24, None),
        (18, 23.5, None),  # half an hour is less than a tenth of ten
    ],
)
def test_the_time_begins_anew_but_not_past_the_longest(after_h: float, lasts_h: float, until_h: float | None) -> None:
    found = extension(status(lasts=lasts_h * HOUR), "v", DURATIONS, NOW + after_h * HOUR)
    assert found == (None if until_h is None else NOW + until_h * HOUR)


@pytest.mark.parametrize(("group", "hours"), [("default", 24), ("library", 24), ("hall", 30)])
def test_a_course_is_not_cut_by_its_groups_time_but_by_the_longest(group: str, hours: int) -> None:
    durations = Durations(10 * HOUR, {"library": 2 * HOUR, "hall": 30 * HOUR}, 24 * HOUR)
    assert durations.at_course(group) == hours * HOUR


def test_the_groups_own_time_counts() -> None:
    in_library = status(lasts=2 * HOUR, group_key="library")
    assert extension(in_library, "v", DURATIONS, NOW + HOUR) == NOW + 3 * HOUR


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({}, "newer"), ({}, None), ({"acceptance_id": None, "version_id": None}, "v"),
        ({"acceptance_id": None, "version_id": None}, None), ({"ends_at": None}, "v"),
    ],
)  # fmt: skip
def test_without_an_acceptance_of_the_rules_in_force_nothing_is_extended(
    changes: dict[str, object], version: str | None
) -> None:
    assert extension(status(**changes), version, DURATIONS, NOW + 5 * HOUR) is None


def test_a_device_that_has_not_accepted_extends_nothing() -> None:
    assert extension(NOT_ACCEPTED, "v", DURATIONS, NOW) is None


HOURS = st.floats(0.01, 800).map(lambda hours: timedelta(hours=hours))


@given(lasts=HOURS, usual=HOURS, longest=HOURS, after=HOURS)
def test_an_extension_is_later_and_bounded_and_pressing_twice_gains_nothing(
    lasts: timedelta, usual: timedelta, longest: timedelta, after: timedelta
) -> None:
    durations, now = Durations(usual, {}, longest), NOW + after
    standing = status(lasts=lasts)
    until = extension(standing, "v", durations, now)
    if until is None:
        return
    assert standing.ends_at is not None
    assert standing.ends_at < until <= min(now + usual, NOW + longest)
    assert now < standing.ends_at
    assert until - standing.ends_at >= usual / 10
    assert extension(status(ends_at=until), "v", durations, now) is None
