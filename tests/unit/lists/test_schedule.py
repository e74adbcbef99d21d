from datetime import UTC, datetime, timedelta

from gateway.lists.schedule import due_at

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY_S = 86_400


def after_s(failures: int, seed: str = "g s") -> float:
    due = due_at(NOW, DAY_S, failures, seed)
    assert due is not None
    return (due - NOW).total_seconds()


def test_never_tried_is_due_at_once() -> None:
    assert due_at(None, DAY_S, 0, "x") is None


def test_the_rhythm_is_moved_by_at_most_a_tenth_and_differently_for_each_gateway() -> None:
    waits = [after_s(0, f"gateway-{number} ut1") for number in range(200)]
    assert all(DAY_S * 0.9 <= wait <= DAY_S * 1.1 for wait in waits)
    assert max(waits) - min(waits) > DAY_S * 0.15
    assert after_s(0) == after_s(0)


def test_failures_are_tried_again_sooner_and_ever_more_seldom() -> None:
    waits = [after_s(failures) for failures in range(1, 12)]
    assert 270 <= waits[0] <= 330
    assert all(wait <= DAY_S * 1.1 for wait in waits)
    assert 4 * 300 * 0.9 <= waits[2] <= 4 * 300 * 1.1
    assert waits[-1] >= DAY_S * 0.9
    assert after_s(100_000) <= DAY_S * 1.1


def test_another_try_moves_it_anew() -> None:
    later = due_at(NOW + timedelta(days=1), DAY_S, 0, "g s")
    assert later is not None
    assert (later - NOW).total_seconds() != after_s(0) + DAY_S
