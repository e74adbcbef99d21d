"""The doorstep's redirects: the application's own answer, without the application, and bounded by device."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.guest.allowance import MAX_KEPT, Allowance
from captive_portal.guest.doorstep import DROP, Doorstep
from captive_portal.guest.let_in import ABOUT_TO_S, FRESH_S, STALE_S, LetIn, Through
from captive_portal.guest.peers import KNOWN_S, Peers
from captive_portal.guest_app import create_app
from captive_portal.probes import find
from gateway.context import Services
from gateway.errors import GatewayError
from gateway.link.neighbours import NO_MAC, Neighbour
from gateway.storage.engine import StorageUnavailableError

OWN = frozenset({"gjest.storvik.example", "10.77.0.1", "2001:db8:77::1"})
PHONE, LAPTOP = "10.77.0.50", "10.77.0.51"
PHONE_DEVICE = Neighbour("guest0", "02:00:00:00:00:01")
LAPTOP_DEVICE = Neighbour("guest0", "02:00:00:00:00:02")


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def doorstep(*, let_in: LetIn | None = None, clock: Time | None = None) -> Doorstep:
    clock = clock or Time()
    peers = Peers({PHONE: PHONE_DEVICE, LAPTOP: LAPTOP_DEVICE}.get, clock)
    limit = Allowance(per_s=10, burst=20, monotonic=clock)
    return Doorstep(OWN, b"http://gjest.storvik.example/", peers, limit, let_in)


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


def test_a_check_is_answered_here_while_the_device_is_known_to_be_held() -> None:
    clock, check, readings = Time(), head("connectivitycheck.gstatic.com", "/generate_204"), [Through()]

    def read() -> Through:
        if isinstance(readings[-1], Through):
            return readings[-1]
        raise StorageUnavailableError("gone")

    async def ask() -> None:
        let_in = LetIn(read, clock)
        step = doorstep(let_in=let_in, clock=clock)

        async def answered(address: str) -> bool:
            answer = step.answer(check, address)
            while let_in._reading:
                await asyncio.sleep(0)
            return answer is not None

        assert not await answered(PHONE)  # nothing is known yet
        assert await answered(PHONE)
        assert await answered(LAPTOP)
        assert not await answered("10.77.0.99")  # no device
        let_in.sees_pages(PHONE_DEVICE)  # and may be let in
        assert not await answered(PHONE)
        assert await answered(LAPTOP)
        clock.now += ABOUT_TO_S
        assert not await answered(PHONE)  # what was known is old
        assert await answered(PHONE)
        readings[-1] = Through(frozenset({PHONE_DEVICE}))
        clock.now += FRESH_S + 0.01
        assert await answered(PHONE)  # as of a moment ago
        assert not await answered(PHONE)
        assert await answered(LAPTOP)
        readings.append(None)  # type: ignore[arg-type]
        clock.now += STALE_S + 0.01
        assert not await answered(LAPTOP)
        assert not await answered(LAPTOP)

    asyncio.run(ask())
    assert doorstep(let_in=None).answer(check, PHONE) is not None  # nobody is ever let through there


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
    bucket = Allowance(per_s=10, burst=20, monotonic=clock)
    for _ in range(1000):
        assert bucket.take(PHONE)
        clock.now += 0.1


def test_all_addresses_of_a_device_are_that_device_and_unknown_ones_are_their_own() -> None:
    clock, asked = Time(), []
    known = {"a": PHONE_DEVICE, "b": PHONE_DEVICE, "c": Neighbour("lo", NO_MAC)}

    def resolve(address: str) -> Neighbour | None:
        asked.append(address)
        if address == "e":
            raise GatewayError("netlink")
        return known.get(address)

    peers = Peers(resolve, clock)
    assert [peers.key(each) for each in "abcdea"] == [
        PHONE_DEVICE.mac,
        PHONE_DEVICE.mac,
        "c",
        "d",
        "e",
        PHONE_DEVICE.mac,
    ]
    assert asked == [*"abcde"]
    clock.now += KNOWN_S + 0.1
    known["a"] = LAPTOP_DEVICE
    assert peers.device("a") == LAPTOP_DEVICE


def test_memory_is_bounded_by_ten_thousands_of_devices_that_come_and_go() -> None:
    clock = Time()
    bucket, peers = Allowance(monotonic=clock), Peers(lambda _address: None, clock)
    for number in range(MAX_KEPT + 1000):
        assert bucket.take(peers.key(str(number)))
    assert len(bucket._full_at) <= MAX_KEPT + 1
    assert len(peers._known) <= MAX_KEPT


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("enforced", [False, True])
def test_what_is_answered_here_is_what_the_application_would_have_answered(
    gateway_services: Services, services: Services, make_browser: Any, method: str, enforced: bool
) -> None:
    app = create_app(gateway_services if enforced else services, resolve={PHONE: PHONE_DEVICE}.get)
    here, own = 0, gateway_services.settings.portal.hostname
    for host in (
        "example.com",
        "EXAMPLE.com:80",
        "captive.apple.com",
        "www.google.com",
        own,
        f"{own}.:8080",
        f"x.{own}",
    ):
        for path in ("/", "/status", "/generate_204", "/hotspot-detect.html", "/a?b=c", "/a%20b"):
            step = Doorstep(
                app._site.own_hosts,
                app._portal,
                Peers(lambda _address: None),
                Allowance(),
                LetIn(Through) if enforced else None,
            )
            answer = None if enforced and find(host, path) else step.answer(head(host, path, method=method), PHONE)
            if answer is None:
                continue
            here += 1
            told = make_browser(app, f"http://{host}", PHONE, raises=True).request(method, path)
            assert told.status_code == 302
            lines = answer.decode().split("\r\n")
            for name in ("location", "cache-control", "connection", "content-length"):
                assert f"{name}: {told.headers[name]}" in lines
    assert here >= 20
