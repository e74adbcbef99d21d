"""What a worker remembers: answers, failures, and answers that have ended."""

import time

import dns.flags
import dns.message
import dns.rcode
import pytest


def first(message: dns.message.Message) -> str:
    return str(message.answer[0][0])


def codes(message: dns.message.Message) -> list[int]:
    return [int(option.code) for option in message.options]


class Fickle:
    """An upstream whose answers live a second, and that fails when it is told to."""

    def __init__(self, answer_truly) -> None:  # type: ignore[no-untyped-def]
        self._answer_truly = answer_truly
        self.mode = "well"

    def __call__(self, packet: bytes) -> list[bytes]:
        truth = self._answer_truly(packet).replace(b"\0\0\0\x3c\0\x04", b"\0\0\0\x01\0\x04")
        if self.mode == "silent":
            return []
        if self.mode == "failing":
            return [packet[:2] + b"\x81\x82" + packet[4:10] + b"\0\0" + packet[12:-11]]
        return [truth]


@pytest.fixture
def fickle(answer_truly) -> Fickle:  # type: ignore[no-untyped-def]
    return Fickle(answer_truly)


@pytest.mark.parametrize("mode", ["silent", "failing"])
def test_what_has_ended_is_given_where_upstream_gives_nothing(start, scripted, fickle, mode) -> None:  # RFC 8767
    worker = start([scripted(fickle).port], upstream_timeout_s=1.0)
    assert first(worker.ask("known.example")) == "198.51.100.1"
    time.sleep(1.1)
    fickle.mode = mode
    message = worker.ask("known.example")
    assert (first(message), codes(message)) == ("198.51.100.1", [3])
    assert 0 < message.answer[0].ttl <= 30
    assert worker.ask("unknown.example").rcode() == dns.rcode.SERVFAIL
    fickle.mode = "well"
    back = time.monotonic()
    while codes(worker.ask("known.example")):
        assert time.monotonic() - back < 2
        time.sleep(0.1)


def test_a_stale_answer_comes_before_a_slow_one(start, scripted, fickle) -> None:  # RFC 8767 §5
    worker = start([scripted(fickle).port], upstream_timeout_s=10.0)
    worker.ask("known.example")
    time.sleep(1.1)
    fickle.mode = "silent"
    asked = time.monotonic()
    assert codes(worker.ask("known.example", timeout_s=5)) == [3]
    assert 1.5 < time.monotonic() - asked < 4


def test_no_stale_answer_where_it_is_switched_off(start, scripted, fickle) -> None:
    worker = start([scripted(fickle).port], upstream_timeout_s=1.0, serve_stale_s=0.0)
    worker.ask("known.example")
    time.sleep(1.1)
    fickle.mode = "silent"
    message = worker.ask("known.example")
    assert (message.rcode(), codes(message)) == (dns.rcode.SERVFAIL, [23])


def test_a_failure_is_remembered_for_a_second(start, scripted, fickle) -> None:  # RFC 9520 §3.2
    upstream = scripted(fickle)
    worker = start([upstream.port])
    fickle.mode = "failing"
    for _ in range(20):
        assert worker.ask("failing.example").rcode() == dns.rcode.SERVFAIL
    assert len(upstream.asked) <= 3
    fickle.mode = "well"
    time.sleep(1.1)
    assert first(worker.ask("failing.example")) == "198.51.100.1"


def test_what_is_asked_with_other_bits_is_remembered_apart(start, scripted, answer_truly) -> None:
    upstream = scripted(lambda packet: [answer_truly(packet)])
    worker = start([upstream.port])
    for _ in range(3):
        worker.ask("bits.example")
        worker.ask("bits.example", want_dnssec=True)
        worker.ask("bits.example", flags=dns.flags.RD | dns.flags.CD)
        worker.ask("BITS.example")
    assert len(upstream.asked) == 3
