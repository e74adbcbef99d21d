from captive_portal.auth.throttle import FORGET_S, MAX_KEYS, Throttle


def spaced() -> Throttle:
    return Throttle(free=3, first_s=1.0, longest_s=30.0)


def test_the_first_attempts_are_free_then_they_are_spaced_further_and_further():
    throttle = spaced()
    at_s, waits = 100.0, []
    for _ in range(9):
        wait = throttle.wait_s("kari 192.0.2.1", at_s)
        assert wait is not None
        waits.append(wait)
        at_s += wait
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 30]


def test_attempts_side_by_side_take_turns_and_a_crowd_is_refused():
    throttle = spaced()
    waits = [throttle.wait_s("k", 0.0) for _ in range(20)]
    assert waits[:7] == [0, 0, 0, 1, 3, 7, 15]
    assert waits[8:] == [None] * 12


def test_nobody_is_locked_out_and_another_address_is_not_touched():
    throttle = spaced()
    for _ in range(1000):
        throttle.wait_s("kari 192.0.2.66", 0.0)
    assert throttle.wait_s("kari 192.0.2.1", 0.0) == 0
    assert (throttle.wait_s("kari 192.0.2.66", 31.0) or 0) <= 30


def test_success_and_time_forget():
    throttle = spaced()
    for _ in range(5):
        throttle.wait_s("k", 0.0)
    throttle.succeeded("k")
    assert throttle.wait_s("k", 0.0) == 0
    for _ in range(5):
        throttle.wait_s("k", 0.0)
    assert throttle.wait_s("k", FORGET_S) == 0


def test_memory_is_bounded():
    throttle = spaced()
    for number in range(MAX_KEYS + 500):
        throttle.wait_s(str(number), 0.0)
    assert len(throttle._known) <= MAX_KEYS + 1
