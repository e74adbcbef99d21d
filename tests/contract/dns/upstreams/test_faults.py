"""Faults of our own, and a machine out of descriptors: they cost one question, and are no word on the server."""

import errno
import os

import pytest

from gateway.dns.upstreams import forwarder, udp
from gateway.dns.upstreams.exchange import NoAnswer
from tests.contract.dns.conftest import true_answer, wait_for

TRUE = "198.51.100.1"


def truth(packet: bytes) -> list[bytes]:
    return [true_answer(packet)]


def test_deadlines_go_on_after_a_fault_in_one_exchange(outside, scripted, monkeypatch, caplog) -> None:
    original = forwarder.Upstreams._tend

    def faulty(self, exchange, now_s) -> None:
        if b"bad" in exchange.key[0]:
            raise ValueError("bad.example")
        original(self, exchange, now_s)

    monkeypatch.setattr(forwarder.Upstreams, "_tend", faulty)
    out = outside(scripted(lambda packet: []).port, timeout_s=0.8)
    bad, good = out.start("bad.example", "good.example")
    assert bad.result(timeout=2) == NoAnswer(23, "internal error", passing=True)
    assert good.result(timeout=2) == NoAnswer(23, "upstream does not answer")
    assert out.ask("later.example", within_s=2) == NoAnswer(23, "upstream does not answer")
    assert "ValueError" in caplog.text
    assert "bad.example" not in caplog.text


def test_deadlines_go_on_after_a_fault_in_the_sweep_itself(outside, scripted, monkeypatch) -> None:
    out = outside(scripted(lambda packet: []).port, timeout_s=0.8)
    faults = iter([True] * 3)

    def faulty(now_s: float) -> None:
        if next(faults, False):
            raise ValueError

    monkeypatch.setattr(out.upstreams._servers, "close_stalled", faulty)
    assert out.ask("good.example", within_s=2) == NoAnswer(23, "upstream does not answer")


def test_a_fault_in_sending_ends_that_question_alone(outside, scripted, monkeypatch) -> None:
    out = outside(scripted(truth).port)
    original = udp.UdpPool.send

    def faulty(self, exchange) -> None:
        if b"bad" in exchange.key[0]:
            raise ValueError
        original(self, exchange)

    monkeypatch.setattr(udp.UdpPool, "send", faulty)
    bad, good = out.start("bad.example", "good.example")
    assert bad.result(timeout=1) == NoAnswer(23, "internal error", passing=True)
    assert good.result(timeout=1).records
    assert out.upstreams.in_flight == 0


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_fault_with_one_answer_leaves_the_others(stream_server, outside, scripted, monkeypatch, protocol) -> None:
    parse = forwarder.parse_reply

    def faulty(packet: bytes):
        if b"bad" in packet.lower():
            raise RuntimeError
        return parse(packet)

    def by_tcp(talk, number: int) -> None:
        packets = [talk.read() for _ in range(2)]
        talk.write(*map(true_answer, packets))
        talk.read()

    monkeypatch.setattr(forwarder, "parse_reply", faulty)
    if protocol == "udp":
        out = outside(scripted(truth).port, timeout_s=0.7)
    else:
        out = outside(f"tcp://127.0.0.1:{stream_server(by_tcp).port}", timeout_s=0.7)
    bad, good = out.start("bad.example", "good.example")
    assert good.result(timeout=0.3).records
    assert isinstance(bad.result(timeout=2), NoAnswer)


@pytest.mark.parametrize("protocol", ["udp", "tcp", "https"])
def test_a_machine_out_of_descriptors_says_nothing_of_the_server(
    stream_server, outside, scripted, monkeypatch, protocol: str
) -> None:
    def by_tcp(talk, number: int) -> None:
        while True:
            talk.write(true_answer(talk.read()))

    if protocol == "udp":
        out = outside(scripted(truth).port, timeout_s=1.2)
    else:
        port = stream_server(by_tcp).port
        at = f"tcp://127.0.0.1:{port}" if protocol == "tcp" else f"https://127.0.0.1:{port}/q#dns.example.no"
        out = outside(at, timeout_s=1.2)

    def none_left(*_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as short:
        short.setattr(udp.socket, "socket", none_left)  # the module `socket`, for everybody
        out.start("one.example")
        wait_for(lambda: out.upstreams.in_flight == 0)
        assert out.reports[0].state == "up"
        assert "refused" not in out.failures()
    if protocol != "https":
        assert out.ask("two.example") == TRUE
