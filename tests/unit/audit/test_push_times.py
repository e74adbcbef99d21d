"""When a checkpoint is due: hours, Norwegian days, failures, and clocks that step."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.audit.push_times import LONGEST_RETRY, Standing, is_due, retry_after

NOON = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def sent(at: datetime, sha256: str = "old") -> Standing:
    return Standing(succeeded_at=at, sent_sha256=sha256)


def test_at_first_and_when_asked() -> None:
    assert is_due(Standing(), "new", "day", NOON)
    assert is_due(Standing(asked=True, succeeded_at=NOON, sent_sha256="new"), "new", "hour", NOON)


def test_once_an_hour_where_the_log_has_grown() -> None:
    assert not is_due(sent(NOON), "new", "hour", NOON + 29 * MINUTE)
    assert is_due(sent(NOON), "new", "hour", NOON + 30 * MINUTE)
    assert not is_due(sent(NOON, "new"), "new", "hour", NOON + 5 * HOUR)
    assert not is_due(sent(NOON), "new", "day", NOON + 5 * HOUR)


@pytest.mark.parametrize(
    "midnight",
    [
        datetime(2026, 11, 22, 23, 0, tzinfo=UTC),  # winter
        datetime(2026, 7, 1, 22, 0, tzinfo=UTC),  # summer
        datetime(2026, 3, 28, 23, 0, tzinfo=UTC),  # the night in which summer time begins
        datetime(2026, 10, 24, 22, 0, tzinfo=UTC),  # and ends
    ],
)
@pytest.mark.parametrize("every", ["hour", "day"])
def test_at_the_end_of_each_norwegian_day_in_any_case(midnight: datetime, every: str) -> None:
    standing = sent(midnight - MINUTE, "new")
    assert not is_due(standing, "new", every, midnight - timedelta(seconds=1))  # type: ignore[arg-type]
    assert is_due(standing, "new", every, midnight)  # type: ignore[arg-type]


def test_failures_are_tried_again_later_and_later() -> None:
    failed = Standing(succeeded_at=NOON, failed_at=NOON, failures=1)
    assert not is_due(failed, "new", "hour", NOON + timedelta(seconds=29))
    assert is_due(failed, "new", "hour", NOON + timedelta(seconds=30))
    waits = [retry_after(failures) for failures in range(1, 200)]
    assert waits == sorted(waits)
    assert waits[1] == 2 * waits[0]
    assert waits[-1] == LONGEST_RETRY


@pytest.mark.parametrize("back", [MINUTE, HOUR, timedelta(days=400)])
def test_a_clock_that_steps_back_holds_nothing_up(back: timedelta) -> None:
    """What happened in what is now the future: sent once more where the hour or day differs, and no wait is
    prolonged.
    """
    failed = Standing(failed_at=NOON, failures=9)
    assert is_due(failed, "new", "hour", NOON - back)
    assert is_due(sent(NOON), "new", "hour", NOON - back) == (back >= HOUR)
    again = sent(NOON - back, "new")  # and from then on as always
    assert not is_due(again, "new", "hour", NOON - back + MINUTE)
