from datetime import UTC, date, datetime

import pytest

from gateway.clock import ends_a_day, last_day


@pytest.mark.parametrize(
    ("end", "day", "whole"),
    [
        (datetime(2027, 6, 30, 22, tzinfo=UTC), date(2027, 6, 30), True),  # summer time in Norway
        (datetime(2027, 1, 31, 23, tzinfo=UTC), date(2027, 1, 31), True),
        (datetime(2027, 6, 30, 21, 59, tzinfo=UTC), date(2027, 6, 30), False),
        (datetime(2027, 6, 30, 23, tzinfo=UTC), date(2027, 7, 1), False),
    ],
)
def test_what_ends_at_midnight_had_its_last_day_before(end, day, whole) -> None:
    assert (last_day(end), ends_a_day(end)) == (day, whole)
