"""The doorstep's redirects: the application's own answer, without the application, and bounded by device."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.guest.allowance import MAX_KEPT, Allowance
from captive_portal.guest.doorstep import DROP, MAX_NOT_ONLINE, NOT_ONLINE_S, Doorstep
from gateway.errors import GatewayError
from gateway.link.neighbours import NO_MAC, Neighbour

OWN = frozenset({"gjest.storvik.example", "10.77.0.1", "2001:db8:77::1"})
PHONE = "10.77.0.50"


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def allowance(devices: Mapping[str, Neighbour] | None = None, clock: Time | None = None) -> Allowance:
    known = devices or {}
    return Allowance(known.get, per_s=10, burst=20, monotonic=clock or Time())


def doorstep(*, enforced: bool = True, clock: Time | None = None) -> Doorstep:
    clock = clock or Time()
    return Doorstep(OWN, b"http://gjest.storvik.example/", allowance(clock=clock), enforced=enforced, monotonic=clock)


def head(host: str, path: str = "/", *more: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    lines = [f"{method} {path} {version}", f"Host: {host}", "User-Agent: Dalvik/2.1.0", *more]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    "data",
    [
        head("example.com"),
        head("EXAMPLE.com:80", "/a/b.php?next=http://gjest.storvik.example/&x=%0d%0aSet-Cookie:a"),
        head("example.com", method="HEAD"),
        head("example.com", version="HTTP/1.0"),
        head("[2001:db8::1]:80"),
        head("gjest.storvik.example.evil.example"),
        head("evil.example", "/gjest.storvik.example"),
        head("evil.example", "/", "X-Forwarded-Host: gjest.storvik.example", "X-Forwarded-For: 10.77.0.1"),
        head("gjest.storvik.example", "/", "Host: evil.example"),  # two hosts are none
        head(""),
    ],
)
def test_strangers_hosts_are_sent_to_the_portal_and_nothing_of_the_request_comes_back(data: bytes) -> None:
    answer = doorstep().answer(data, PHONE)
    assert answer is not None
    lines = answer.split(b"\r\n")
    assert (lines[0], lines[-2:]) == (b"HTTP/1.1 302 Found", [b"", b""])
    fields = dict(line.split(b": ", 1) for line in lines[1:-2])
    assert fields.pop(b"date").endswith(b" GMT")
    assert fields == {
        b"location": b"http://gjest.storvik.example/",
        b"cache-control": b"no-store",
        b"connection": b"close",
        b"content-length": b"0",
    }


@pytest.mark.parametrize(
    "data",
    [
        head("gjest.storvik.example"),
        head("GJEST.Storvik.example.:8080", "/status"),
        head("10.77.0.1"),
        head("[2001:db8:77::1]:8080"),
        head("example.com", method="POST"),
        head("example.com", "/", "Content-Length: 5"),
        head("example.com", "/", "transfer-encoding: chunked"),
        head("example.com", "/", "Expect: 100-continue"),
        head("example.com") + b"GET",
        head("example.com") + head("example.com"),
        head("example.com")[:-1],
        head("example.com").replace(b"\r\n", b"\n"),
        head("example.com", "http://gjest.storvik.example/"),
        head("example.com", "/a b"),
        head("example.com", "/", " folded: x"),
        head("example.com", "/", "X: \0"),
        b"\x16\x03\x01\x02\x00",
        b"\r\n",
    ],
)
def test_everything_else_is_the_applications(data: bytes) -> None:
    assert doorstep().answer(data, PHONE) is None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    step = doorstep()
    assert step.answer(data, PHONE) is None
    assert step.answer(b"GET / HTTP/1.1\r\nHost: " + data + b"\r\n\r\n", PHONE) in (None, step.answer(head("a"), PHONE))


def test_a_check_is_asked_of_the_gateway_now_and_then_as_long_as_the_device_is_held() -> None:
    clock = Time()
    step, check = doorstep(clock=clock), head("connectivitycheck.gstatic.com", "/generate_204")
    assert step.answer(check, PHONE) is None
    step.held(PHONE)
    assert step.answer(check, PHONE) is not None
    assert step.answer(check, "10.77.0.51") is None
    step.may_be_let_in(PHONE)
    assert step.answer(check, PHONE) is None
    step.held(PHONE)
    clock.now += NOT_ONLINE_S + 0.01
    assert step.answer(check, PHONE) is None
    assert doorstep(enforced=False).answer(check, PHONE) is not None  # nobody is ever let through there


def test_what_is_known_of_ten_thousand_held_devices_is_bounded() -> None:
    step = doorstep()
    for number in range(MAX_NOT_ONLINE + 50):
        step.held(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(step._not_online) <= MAX_NOT_ONLINE


def test_a_device_that_asks_too_often_is_dropped_until_it_slows_down_and_others_are_not() -> None:
    clock = Time()
    step = doorstep(clock=clock)
    answers = [step.answer(head("example.com"), PHONE) for _ in range(30)]
    assert DROP not in answers[:20]
    assert set(answers[20:]) == {DROP}
    assert step.answer(head("example.com"), "10.77.0.51") != DROP
    clock.now += 0.1
    assert step.answer(head("example.com"), PHONE) != DROP
    assert step.answer(head("example.com"), PHONE) == DROP


def test_asking_at_the_rate_is_never_too_often() -> None:
    clock = Time()
    bucket = allowance(clock=clock)
    for _ in range(1000):
        assert bucket.take(PHONE)
        clock.now += 0.1


def test_all_addresses_of_a_device_share_its_allowance_and_unknown_ones_have_their_own() -> None:
    phone = Neighbour("guest0", "02:00:00:00:00:01")
    bucket = allowance({"a": phone, "b": phone, "c": Neighbour("lo", NO_MAC), "d": Neighbour("lo", NO_MAC)})
    assert [bucket.take("ab"[turn % 2]) for turn in range(21)] == [True] * 20 + [False]
    assert [bucket.take("c") for _ in range(20)] == [True] * 20
    assert bucket.take("d")
    assert bucket.take("e")


def test_a_kernel_that_cannot_say_stops_nobody() -> None:
    def broken(_address: str) -> Neighbour | None:
        raise GatewayError("netlink")

    assert Allowance(broken).take(PHONE)


def test_memory_is_bounded_by_devices_that_come_and_go() -> None:
    clock = Time()
    bucket = allowance(clock=clock)
    for number in range(MAX_KEPT + 1000):
        assert bucket.take(str(number))
    assert len(bucket._full_at) <= MAX_KEPT + 1
    assert len(bucket._devices) <= MAX_KEPT
