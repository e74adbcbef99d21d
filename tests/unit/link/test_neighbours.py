from __future__ import annotations

import time

import pytest

from gateway.link.neighbours import Neighbour, NeighbourTable, resolve
from gateway.link.routes import non_default_routes

OURS = Neighbour("lo", "00:00:00:00:00:00")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::ffff:127.0.0.1"])
def test_loopback_is_what_linux_says_it_is(address: str) -> None:
    assert resolve(address) == OURS


@pytest.mark.parametrize(
    "address",
    ["", "no address", "1.2.3", "fe80::1", "fe80::1%nonesuch", "fe80::1%99999", "255.255.255.255", "0.0.0.0/0",
     "198.18.7.7", "2001:db8::1", "fe80::1%99999999999999", "ff02::1", "\x00", "1" * 5000],
)  # fmt: skip
def test_an_address_without_neighbour_is_nobody(address: str) -> None:
    assert resolve(address) is None


def test_one_look_up_takes_less_than_a_millisecond() -> None:
    table = NeighbourTable()
    try:
        took = []
        for _ in range(200):
            start = time.perf_counter()
            table.resolve("127.0.0.1")
            took.append(time.perf_counter() - start)
    finally:
        table.close()
    assert sorted(took)[100] < 0.001


def test_default_routes_are_left_out() -> None:
    assert all(network.prefixlen > 0 for network in non_default_routes())
