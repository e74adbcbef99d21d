"""Up, suspect, down, and how long to wait: against moments that the test sets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.upstreams.health import DOWN, SUSPECT, UP, Health


def test_three_misses_make_it_suspect_and_silence_to_probes_down() -> None:
    health = Health()
    assert [health.missed(now) for now in (1.0, 1.1, 1.2)] == [False, False, True]
    assert (health.state, health.probe_at) == (SUSPECT, 1.2)
    assert not health.probed(1.2)
    assert not health.probed(1.4)
    assert health.probed(1.7)
    assert health.state == DOWN
    assert health.heard(1, None)
    assert health.state == UP


def test_an_answer_in_between_forgives() -> None:
    health = Health()
    for now in range(20):
        assert not health.missed(float(now))
        assert not health.missed(float(now))
        assert not health.heard(1, None)
    assert (health.state, health.failures["timeout"], health.answered) == (UP, 40, 20)


def test_refused_is_down_at_once_and_probed_soon_then_each_second() -> None:
    health = Health()
    assert health.broken(5.0)
    assert not health.broken(5.0)
    moments = []
    for _ in range(8):
        moments.append(health.probe_at)
        assert not health.probed(health.probe_at)
    gaps = [after - before for before, after in pairwise(moments)]
    assert moments[0] == 5.1
    assert max(gaps) <= 1.0 + 1e-9
    assert gaps[-1] == 1.0


@given(st.lists(st.floats(0.0001, 5.0), min_size=1, max_size=60))
def test_patience_follows_its_own_round_trips(rtts: list[float]) -> None:
    """RFC 6298 §2, written out slowly, within bounds."""
    health = Health()
    smoothed, variation = rtts[0], rtts[0] / 2
    health.heard(1, rtts[0])
    for rtt in rtts[1:]:
        variation = 0.75 * variation + 0.25 * abs(smoothed - rtt)
        smoothed = 0.875 * smoothed + 0.125 * rtt
        health.heard(1, rtt)
    assert abs(health.rtt_s - smoothed) < 1e-9
    assert abs(health.patience_s - min(max(smoothed + 4 * variation, 0.08), 0.4)) < 1e-9
