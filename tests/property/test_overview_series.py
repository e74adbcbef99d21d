"""Figures over time against a model that looks at every row for every cell."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.console.overview.series import DAYS, HOURS, MOST, OTHERS, bounds_of, by_category
from gateway.clock import MUNICIPAL_ZONE

NOW = datetime(2026, 11, 22, 12, 34, 56, 789, tzinfo=UTC)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 15 * 366 * 86400).map(lambda seconds: BEGIN + timedelta(seconds=seconds))
rows = st.lists(
    st.tuples(
        st.integers(0, HOURS - 1),
        st.sampled_from(["gaming", "adult", "it", "", "dating", "malware", "gambling", "phishing"]),
        st.integers(1, 1000),
    ),
    max_size=60,
)


@given(rows)
def test_every_cell_is_the_sum_of_what_belongs_in_it(found):
    hours = bounds_of("hour", NOW, MUNICIPAL_ZONE)[:-1]
    table = by_category(found, hours)
    assert table.total == sum(count for _, _, count in found)
    assert table.moments == tuple(hours)
    assert len(table.rows) == HOURS
    totals = {key: sum(count for _, category, count in found if category == key) for _, key, _ in found}
    named = [key for key in table.columns if key != OTHERS]
    assert len(named) == min(MOST, len(totals))
    assert (OTHERS in table.columns) is (len(totals) > MOST)
    assert [totals[key] for key in named] == sorted(totals.values(), reverse=True)[: len(named)]
    for place, row in enumerate(table.rows):
        for key, cell in zip(table.columns, row, strict=True):
            of = totals.keys() - set(named) if key == OTHERS else {key}
            assert cell == sum(count for at, category, count in found if at == place and category in of)


@given(moments)
def test_days_are_local_days_and_end_with_today(now):
    bounds = bounds_of("day", now, MUNICIPAL_ZONE)
    assert len(bounds) == DAYS + 1
    assert bounds[-2] <= now < bounds[-1]
    local = [each.astimezone(MUNICIPAL_ZONE) for each in bounds]
    assert all((each.hour, each.minute, each.second, each.microsecond) == (0, 0, 0, 0) for each in local)
    days = [each.date() for each in local]
    assert all(later - earlier == timedelta(days=1) for earlier, later in itertools.pairwise(days))
    assert all(each.tzinfo is UTC for each in bounds)


@given(moments)
def test_hours_are_whole_and_end_with_this_one(now):
    bounds = bounds_of("hour", now, MUNICIPAL_ZONE)
    assert len(bounds) == HOURS + 1
    assert bounds[-2] <= now < bounds[-1]
    assert all(later - earlier == timedelta(hours=1) for earlier, later in itertools.pairwise(bounds))


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2027-03-28", 23), ("2026-11-22", 24)])
def test_the_day_on_which_the_clocks_change_is_longer_or_shorter(day, hours):
    bounds = bounds_of("day", datetime.fromisoformat(f"{day}T12:00:00+00:00"), MUNICIPAL_ZONE)
    assert bounds[-1] - bounds[-2] == timedelta(hours=hours)
