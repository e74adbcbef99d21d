"""When a router advertisement with the option goes out, and that it never makes a router live longer than it said."""

from __future__ import annotations

import itertools
from ipaddress import IPv6Address

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.link.advertise import (
    INTERVAL_S,
    MAX_ANSWER_DELAY_S,
    MIN_GAP_S,
    NO_ROUTER,
    Advertiser,
    Header,
    Origin,
    bystander,
)

SAID = Header(hop_limit=64, flags=0x40, lifetime_s=1800, reachable_ms=30_000, retransmit_ms=1000)
MAC, OWN = "02:00:00:00:77:fe", IPv6Address("fe80::ff:fe00:77fe")
ROUTER, NOBODY = Origin(SAID, OWN), Origin(NO_ROUTER, bystander(MAC))


def test_it_begins_at_once_three_times_in_quick_succession_and_then_rarely() -> None:
    advertiser = Advertiser(100.0, lambda: 0.5)
    assert advertiser.due_s == 100.0
    gaps = []
    for _ in range(5):
        at_s = advertiser.due_s
        advertiser.sent(at_s)
        gaps.append(advertiser.due_s - at_s)
    assert gaps == [16.0, 16.0, 400.0, 400.0, 400.0]


def test_without_a_router_on_this_machine_it_is_an_advertisement_of_none_from_an_address_of_none() -> None:
    assert Advertiser(0.0, lambda: 0.0).origin(MAC, 1000.0) == NOBODY
    assert NOBODY.address == IPv6Address("fe80::67:6a00:77fe")
    assert bystander("d8:3a:dd:01:02:03") == IPv6Address("fe80::da3a:dd67:6a01:203")


def test_it_follows_the_router_at_once_and_repeats_what_is_left_of_its_word() -> None:
    advertiser = Advertiser(0.0, lambda: 0.5)
    for at_s in (0.0, 16.0, 32.0):
        advertiser.sent(at_s)
    advertiser.advertised(ROUTER, 100.0)
    assert advertiser.due_s == 100.0
    assert advertiser.origin(MAC, 100.0) == ROUTER
    assert advertiser.origin(MAC, 700.9) == Origin(Header(64, 0x40, 1199, 30_000, 1000), OWN)
    advertiser.begin(800.0)  # another URI is no reason to forget the router
    assert advertiser.origin(MAC, 800.0).address == OWN
    assert advertiser.origin(MAC, 1900.0) == NOBODY  # it has been silent for its lifetime
    advertiser.advertised(Origin(Header(lifetime_s=0), OWN), 2000.0)  # it says goodbye
    assert advertiser.origin(MAC, 2000.0) == NOBODY


@settings(deadline=None)
@given(st.integers(0, 65535), st.floats(0, 100_000), st.booleans())
def test_no_device_drops_a_router_because_of_us_and_none_keeps_one_longer(
    lifetime_s: int, later_s: float, has_spoken: bool
) -> None:
    advertiser = Advertiser(0.0, lambda: 0.5)
    if has_spoken:
        advertiser.advertised(Origin(Header(lifetime_s=lifetime_s), OWN), 0.0)
    found = advertiser.origin(MAC, later_s)
    assert found.header.lifetime_s > 0 or found.address != OWN
    assert found.header.lifetime_s == 0 or later_s + found.header.lifetime_s <= lifetime_s


def test_a_device_that_asks_is_answered_within_half_a_second() -> None:
    advertiser = Advertiser(0.0, lambda: 0.999)
    advertiser.sent(0.0)
    advertiser.solicited(10.0)
    assert 10.0 <= advertiser.due_s <= 10.0 + MAX_ANSWER_DELAY_S


@settings(deadline=None)
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
    assert all(later - earlier >= MIN_GAP_S - 1e-9 for earlier, later in itertools.pairwise(sent))
