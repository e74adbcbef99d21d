"""When a period is over, against walking day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.periods import parse_period

OSLO = ZoneInfo("Europe/Oslo")
MOMENTS = st.integers(1_577_836_800, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MOMENTS, MOMENTS, st.dates(date(2001, 1, 1), date(2001, 12, 31)))
def test_until_a_day_of_the_year_after(recorded, now, day):
    cutoff = parse_period(f"until {day:%m-%d}").cutoff(now, OSLO)
    year = recorded.astimezone(OSLO).year
    over = now >= datetime(year + 1, day.month, day.day, tzinfo=OSLO)
    assert (recorded < cutoff) == over


@given(MOMENTS, MOMENTS, st.integers(1, 36_525))
def test_a_number_of_days(recorded, now, days):
    assert (recorded < parse_period(f"{days} days").cutoff(now, OSLO)) == (recorded + timedelta(days=days) < now)


@pytest.mark.parametrize(
    "text", ["", "until 02-29", "until 13-01", "until 7-1", "0 days", "99999 days", "90", "1 July"]
)
def test_anything_else_is_refused_with_how_to_write_it(text):
    with pytest.raises(ValueError, match='write "until 07-01"'):
        parse_period(text)


def test_the_default_keeps_january_until_the_audit_of_the_year_after():
    period = parse_period("until 07-01")
    recorded = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert not recorded < period.cutoff(datetime(2027, 6, 30, 21, 59, tzinfo=UTC), OSLO)
    assert recorded < period.cutoff(datetime(2027, 6, 30, 22, 0, tzinfo=UTC), OSLO)


PERIODS = st.one_of(
    st.dates(date(2001, 1, 1), date(2001, 12, 31)).map(lambda day: f"until {day:%m-%d}"),
    st.integers(1, 4000).map(lambda days: f"{days} days"),
)


@given(MOMENTS, PERIODS)
def test_what_guests_are_told_is_the_day_on_which_it_is_over(accepted_at: datetime, text: str) -> None:
    period = parse_period(text)
    day = period.end(accepted_at, OSLO).astimezone(OSLO).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=OSLO).astimezone(UTC)
    assert not accepted_at < period.cutoff(midnight - timedelta(seconds=1), OSLO)
    assert accepted_at < period.cutoff(midnight + timedelta(days=1, hours=2), OSLO)
