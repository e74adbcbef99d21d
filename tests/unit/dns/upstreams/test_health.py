"""Up, suspect, down, and how long to wait: against moments that the test sets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.upstreams.health import DOWN, SUSPECT, UP, Health


def test_three_misses_make_it_suspect_and_silence_to_probes_down() -> None:
    health = Health()
    assert [health.missed(now, 0.6) for now in (1.0, 1.1, 1.2)] == [False, False, True]
    assert (health.state, health.probe_at) == (SUSPECT, 1.2)
    health.probed(1.3)
    health.probed(1.4)
    assert not health.given_up(1.7)
    assert health.given_up(1.85)
    assert health.state == DOWN
    assert health.heard(1, None, 1.9)
    assert health.state == UP


def test_who_was_not_asked_is_not_silent() -> None:
    health = Health()
    assert health.doubted(1.0)
    assert not health.doubted(1.1)
    assert (health.state, health.probe_at) == (SUSPECT, 1.0)
    assert not health.given_up(9.0)
    for now_s in (9.0, 9.1, 9.2):
        health.probed(now_s)
        health.unsent()
    assert not health.given_up(20.0)
    health.probed(20.0)
    assert not health.given_up(20.4)
    assert health.given_up(20.6)


def test_silence_to_one_question_is_no_miss_while_others_are_answered() -> None:
    health = Health()
    health.heard(1, None, 1.2)
    assert not any(health.missed(1.4, 1.0) for _ in range(50))
    assert (health.state, health.failures["timeout"]) == (UP, 50)
    assert [health.missed(1.7, 1.3) for _ in range(3)] == [False, False, True]


def test_an_answer_in_between_forgives() -> None:
    health = Health()
    for now in range(20):
        assert not health.missed(now + 0.5, now + 0.1)
        assert not health.missed(now + 0.6, now + 0.2)
        assert not health.heard(1, None, float(now + 1))
    assert (health.state, health.failures["timeout"], health.answered) == (UP, 40, 20)


def test_refused_is_down_at_once_and_probed_soon_then_each_second() -> None:
    health = Health()
    assert health.broken(5.0)
    assert not health.broken(5.0)
    moments = []
    for _ in range(8):
        moments.append(health.probe_at)
        health.probed(health.probe_at)
        assert health.state == DOWN
    gaps = [after - before for before, after in pairwise(moments)]
    assert moments[0] == 5.1
    assert max(gaps) <= 1.0 + 1e-9
    assert gaps[-1] == 1.0


@given(st.lists(st.floats(0.0001, 5.0), min_size=1, max_size=60))
def test_patience_follows_its_own_round_trips(rtts: list[float]) -> None:
    """RFC 6298 §2, written out slowly, within bounds."""
    health = Health()
    smoothed, variation = rtts[0], rtts[0] / 2
    health.heard(1, rtts[0], 1.0)
    for rtt in rtts[1:]:
        variation = 0.75 * variation + 0.25 * abs(smoothed - rtt)
        smoothed = 0.875 * smoothed + 0.125 * rtt
        health.heard(1, rtt, 1.0)
    assert abs(health.rtt_s - smoothed) < 1e-9
    assert abs(health.patience_s - min(max(smoothed + 4 * variation, 0.08), 0.4)) < 1e-9
