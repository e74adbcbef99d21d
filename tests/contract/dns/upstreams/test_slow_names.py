"""Names that never get an answer, as one device can make them, at a server that is prompt for all others."""

import time

import pytest

from gateway.dns.upstreams import forwarder, upstream
from gateway.dns.upstreams.exchange import NoAnswer
from tests.contract.dns.conftest import true_answer

TRUE = "198.51.100.1"


def prompt_but_for_slow(packet: bytes) -> list[bytes]:
    return [] if b"slow" in packet.lower() else [true_answer(packet)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "_OUTSTANDING_MAX", 40)
    monkeypatch.setattr(upstream, "_OUTSTANDING_BY_STREAM_MAX", 40)


def by_tcp(talk, number: int) -> None:
    while True:
        talk.write(*prompt_but_for_slow(talk.read()))


def in_order(talk, number: int) -> None:
    """A server that answers one question of a connection after the other (RFC 7766 §6.2.1.1 warns of them)."""
    while True:
        packet = talk.read()
        if b"slow" in packet.lower():
            time.sleep(3)
        talk.write(true_answer(packet))


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_slow_names_leave_room_for_others_and_the_server_stays_up(
    stream_server, outside, scripted, small, protocol: str
) -> None:
    """They have filled the room of the server; no probe is kept back by that, and the slowest give way."""
    if protocol == "udp":
        out = outside(scripted(prompt_but_for_slow).port)
    else:
        out = outside(f"tcp://127.0.0.1:{stream_server(by_tcp).port}")
    states, outcomes = set(), []
    out.start(*(f"slow{number}.example" for number in range(60)))
    for number in range(25):
        time.sleep(0.1)
        out.start(*(f"slow{number}-{each}.example" for each in range(5)))
        outcomes.append(out.ask(f"fine{number}.example"))
        states.add(out.reports[0].state)
    assert outcomes[2:] == [TRUE] * 23  # until the first ones are slow, nobody gives way
    assert "down" not in states
    assert out.reports[0].outstanding <= 41


def test_a_full_table_lets_the_slowest_go(outside, scripted, monkeypatch) -> None:
    """As unbound's jostle-timeout has it."""
    monkeypatch.setattr(forwarder, "_EXCHANGES_MAX", 10)
    out = outside(scripted(prompt_but_for_slow).port)
    slow = out.start(*(f"slow{number}.example" for number in range(10)))
    (refused,) = out.start("fine.example")
    assert refused.result(timeout=1) == NoAnswer(23, "too busy", passing=True)
    time.sleep(0.3)
    assert out.ask("fine.example") == TRUE
    assert [future.done() for future in slow] == [True] + [False] * 9
    assert slow[0].result() == NoAnswer(23, "too busy", passing=True)


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_slow_names_are_no_misses_while_other_answers_come(stream_server, outside, scripted, protocol: str) -> None:
    if protocol == "udp":
        out = outside(scripted(prompt_but_for_slow).port)
    else:
        out = outside(f"tcp://127.0.0.1:{stream_server(by_tcp).port}")
    assert out.ask("first.example") == TRUE
    states = set()
    for number in range(40):
        if number % 10 == 0:
            out.start(*(f"slow{number}-{each}.example" for each in range(5)))
        assert out.ask(f"fine{number}.example") == TRUE
        states.add(out.reports[0].state)
        time.sleep(0.03)
    assert states == {"up"}


def test_a_connection_that_we_give_up_is_no_reset(stream_server, outside) -> None:
    """Where nothing has come for two seconds the questions go on another: that is our doing, not the server's."""
    server = stream_server(by_tcp)
    out = outside(f"tcp://127.0.0.1:{server.port}")
    (slow,) = out.start("slow.example")
    assert slow.result(timeout=6) == NoAnswer(23, "upstream does not answer")
    assert server.accepted > 1
    assert set(out.failures()) == {"timeout"}
    assert out.reports[0].state == "up"


def test_a_probe_does_not_stand_behind_slow_names(stream_server, outside) -> None:
    out = outside(f"tcp://127.0.0.1:{stream_server(in_order).port}")
    out.start(*(f"slow{number}.example" for number in range(8)))
    states, until = set(), time.monotonic() + 2.5
    while time.monotonic() < until:
        states.add(out.reports[0].state)
        time.sleep(0.02)
    assert "down" not in states


def test_a_silent_server_is_still_found_out(outside, scripted, small) -> None:
    """Full or not: the probe is sent, and nobody answers it."""
    out = outside(scripted(lambda packet: []).port)
    out.start(*(f"name{number}.example" for number in range(60)))
    until = time.monotonic() + 3
    while out.reports[0].state != "down":
        assert time.monotonic() < until
        time.sleep(0.02)
