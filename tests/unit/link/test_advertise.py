"""When a router advertisement with the option goes out, and that it never makes a router live longer than it said."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.link.advertise import INTERVAL_S, MAX_ANSWER_DELAY_S, MIN_GAP_S, NO_ROUTER, Advertiser, Header

ROUTER = Header(hop_limit=64, flags=0x40, lifetime_s=1800, reachable_ms=30_000, retransmit_ms=1000)


def test_it_begins_at_once_three_times_in_quick_succession_and_then_rarely() -> None:
    advertiser = Advertiser(100.0, lambda: 0.5)
    assert advertiser.due_s == 100.0
    gaps = []
    for _ in range(5):
        at_s = advertiser.due_s
        advertiser.sent(at_s)
        gaps.append(advertiser.due_s - at_s)
    assert gaps == [16.0, 16.0, 400.0, 400.0, 400.0]


def test_without_a_router_on_this_machine_it_is_an_advertisement_of_none() -> None:
    assert Advertiser(0.0, lambda: 0.0).header(1000.0) == NO_ROUTER


def test_it_follows_the_router_at_once_and_repeats_what_is_left_of_its_word() -> None:
    advertiser = Advertiser(0.0, lambda: 0.5)
    for at_s in (0.0, 16.0, 32.0):
        advertiser.sent(at_s)
    advertiser.advertised(ROUTER, 100.0)
    assert advertiser.due_s == 100.0
    assert advertiser.header(100.0) == ROUTER
    assert advertiser.header(700.9) == Header(64, 0x40, 1200, 30_000, 1000)
    assert advertiser.header(1900.0) == NO_ROUTER  # it has been silent for its lifetime
    advertiser.advertised(Header(lifetime_s=0), 200.0)  # it says goodbye
    assert advertiser.header(200.0) == NO_ROUTER


def test_a_device_that_asks_is_answered_within_half_a_second() -> None:
    advertiser = Advertiser(0.0, lambda: 0.999)
    advertiser.sent(0.0)
    advertiser.solicited(10.0)
    assert 10.0 <= advertiser.due_s <= 10.0 + MAX_ANSWER_DELAY_S


@given(st.lists(st.tuples(st.floats(0, 50), st.booleans()), max_size=60), st.floats(0, 0.999))
def test_never_more_often_than_every_three_seconds_and_never_silent(
    heard: list[tuple[float, bool]], chance: float
) -> None:
    """Whatever guests and other programs send: ten thousand solicitations make no flood of answers."""
    advertiser, now_s, sent = Advertiser(0.0, lambda: chance), 0.0, []
    for wait_s, is_solicitation in heard:
        now_s += wait_s
        if is_solicitation:
            advertiser.solicited(now_s)
        else:
            advertiser.advertised(ROUTER, now_s)
        if advertiser.due_s <= now_s:
            advertiser.sent(now_s)
            sent.append(now_s)
        assert advertiser.due_s <= now_s + INTERVAL_S[1]
        assert advertiser.header(now_s).lifetime_s <= ROUTER.lifetime_s
    assert all(later - earlier >= MIN_GAP_S - 1e-9 for earlier, later in itertools.pairwise(sent))
