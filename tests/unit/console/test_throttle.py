from captive_portal.auth.throttle import FORGET_S, MAX_KEYS, Throttle


def spaced() -> Throttle:
    return Throttle(free=3, first_s=1.0, longest_s=30.0)


def test_the_first_attempts_are_free_then_they_are_spaced_further_and_further():
    throttle = spaced()
    at_s, waits = 100.0, []
    for _ in range(9):
        wait = throttle.take("kari 192.0.2.1", at_s)
        waits.append(wait)
        at_s += wait
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 30]


def test_attempts_side_by_side_take_turns():
    throttle = spaced()
    assert [throttle.take("k", 0.0) for _ in range(7)] == [0, 0, 0, 1, 3, 7, 15]


def test_asking_takes_no_turn():
    throttle = spaced()
    assert throttle.ahead_s("k", 0.0) == 0
    for _ in range(5):
        throttle.take("k", 0.0)
    assert [throttle.ahead_s("k", 0.0) for _ in range(1000)] == [7] * 1000
    assert throttle.ahead_s("k", 6.5) == 0.5
    assert throttle.ahead_s("k", 8.0) == 0


def test_nobody_is_locked_out_and_another_address_is_not_touched():
    throttle = spaced()
    at_s = 0.0
    for _ in range(1000):
        at_s += throttle.ahead_s("kari 192.0.2.66", at_s)
        throttle.take("kari 192.0.2.66", at_s)
    assert throttle.ahead_s("kari 192.0.2.1", at_s) == 0
    assert 0 < throttle.ahead_s("kari 192.0.2.66", at_s) <= 30


def test_success_and_time_forget():
    throttle = spaced()
    for _ in range(5):
        throttle.take("k", 0.0)
    throttle.succeeded("k")
    assert throttle.ahead_s("k", 0.0) == 0
    for _ in range(5):
        throttle.take("k", 0.0)
    assert throttle.take("k", FORGET_S) == 0
    assert throttle.take("k", FORGET_S) == 0


def test_memory_is_bounded():
    throttle = spaced()
    for number in range(MAX_KEYS + 500):
        throttle.take(str(number), 0.0)
    assert len(throttle._known) <= MAX_KEYS + 1
