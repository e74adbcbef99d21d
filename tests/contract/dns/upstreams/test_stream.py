"""By TCP: lasting connections, many questions on each, and nothing lost when one dies (RFC 7766)."""

import time

import pytest

from gateway.dns.upstreams import stream
from gateway.dns.upstreams.exchange import NoAnswer

TRUE = "198.51.100.1"


def tcp(port: int) -> str:
    return f"tcp://127.0.0.1:{port}"


def test_a_real_resolver(outside, unbound) -> None:
    out = outside(tcp(unbound))
    assert out.ask("ok.example") == "198.51.100.7"
    futures = out.start(*(f"name{number}.example" for number in range(300)))
    assert {future.result(timeout=10).rcode for future in futures} == {3}
    (report,) = out.reports
    assert (report.sent, report.by_stream, report.answered, report.outstanding) == (301, 301, 301, 0)
    assert 1 <= report.connections <= stream.CONNECTIONS_MAX


def test_who_came_by_tcp_is_forwarded_by_tcp(outside, unbound) -> None:
    """RFC 5625 §4.4.2."""
    out = outside(unbound)
    assert out.ask("many.example", "TXT", by_tcp=True) == "rcode 0"
    assert out.reports[0].by_stream == 1


def test_answers_come_in_any_order_on_one_connection(outside, stream_server, answer_truly) -> None:
    """RFC 7766 §6.2.1.1 and §7."""

    def backwards(talk, number: int) -> None:
        packets = [talk.read() for _ in range(5)]
        for at, packet in reversed(list(enumerate(packets))):
            talk.write(answer_truly(packet, f"198.51.100.{at}"))
        talk.read()

    server = stream_server(backwards)
    futures = outside(tcp(server.port)).start(*(f"name{number}.example" for number in range(5)))
    answers = [future.result(timeout=3).records[0].addresses[0][-1] for future in futures]
    assert answers == [0, 1, 2, 3, 4]
    assert server.accepted == 1


def test_a_connection_is_used_again(outside, stream_server, answer_truly) -> None:
    """RFC 7766 §6.2.1."""

    def truth(talk, number: int) -> None:
        while True:
            talk.write(answer_truly(talk.read()))

    server = stream_server(truth)
    out = outside(tcp(server.port))
    assert [out.ask(f"name{number}.example") for number in range(5)] == [TRUE] * 5
    assert server.accepted == 1


@pytest.mark.parametrize(
    "end", ["closes after an answer", "half-closes", "closes on the next question", "resets on it"]
)
def test_a_connection_that_dies_loses_no_question(outside, stream_server, answer_truly, end: str) -> None:
    """RFC 7766 §6.2.4: the client retries, and no one notices."""
    import socket

    def mortal(talk, number: int) -> None:
        talk.write(answer_truly(talk.read()))
        if end == "closes after an answer":
            return
        if end == "half-closes":
            talk.connection.shutdown(socket.SHUT_WR)
        talk.read()
        if end == "resets on it":
            talk.reset()

    server = stream_server(mortal)
    out = outside(tcp(server.port))
    for number in range(5):
        assert out.ask(f"name{number}.example", within_s=2) == TRUE
    assert "refused" not in out.failures()
    assert server.accepted >= 4


def test_a_connection_that_the_server_forgot_is_given_up(outside, stream_server, answer_truly) -> None:
    """A restart behind a firewall: the connection stands, and nothing comes any more."""

    def forgetful(talk, number: int) -> None:
        talk.write(answer_truly(talk.read()))
        while True:
            packet = talk.read()
            if number > 1:
                talk.write(answer_truly(packet))

    out = outside(tcp(stream_server(forgetful).port))
    assert out.ask("one.example") == TRUE
    started = time.monotonic()
    assert out.ask("two.example") == TRUE
    assert time.monotonic() - started < 3.0


def test_a_resetting_server_is_told_from_a_silent_one(outside, stream_server) -> None:
    out = outside(tcp(stream_server(lambda talk, number: (talk.read(), talk.reset())).port))
    started = time.monotonic()
    assert isinstance(out.ask("ok.example"), NoAnswer)
    assert time.monotonic() - started < 1.0
    assert out.failures()["reset"] == 2  # tried again once, on a fresh connection
    assert "timeout" not in out.failures()


def test_resetting_first_then_the_next(outside, stream_server, unbound) -> None:
    bad = stream_server(lambda talk, number: talk.reset())
    assert outside(tcp(bad.port), tcp(unbound)).ask("ok.example") == "198.51.100.7"


def test_messages_in_pieces_and_together(outside, stream_server, answer_truly) -> None:
    """RFC 7766 §8: a segment is not a message."""

    def pieces(talk, number: int) -> None:
        first, second, third = (answer_truly(talk.read()) for _ in range(3))
        for octet in len(first).to_bytes(2, "big") + first:
            talk.connection.sendall(bytes((octet,)))
        talk.write(second, third)
        talk.read()

    futures = outside(tcp(stream_server(pieces).port)).start("a.example", "b.example", "c.example")
    assert all(future.result(timeout=3).records for future in futures)


def test_what_does_not_match_is_passed_over(outside, stream_server, answer_truly) -> None:
    """As by UDP; but the spelling may be lost here."""

    def lies(talk, number: int) -> None:
        packet = talk.read()
        truth = answer_truly(packet)
        forged = answer_truly(packet, "203.0.113.66")
        other_id = bytes((forged[0] ^ 1,)) + forged[1:]
        other_name = forged[:13] + b"zz" + forged[15:]
        talk.write(b"", b"x", forged[:12], other_id, other_name, truth[:12] + truth[12:-16].lower() + truth[-16:])
        talk.read()

    assert outside(tcp(stream_server(lies).port)).ask("someratherlongname.example") == TRUE


def test_idle_connections_are_closed(outside, stream_server, answer_truly, monkeypatch) -> None:
    """RFC 7766 §6.2.3."""
    monkeypatch.setattr(stream, "_IDLE_S", 0.3)
    ended: list[float] = []

    def truth(talk, number: int) -> None:
        talk.write(answer_truly(talk.read()))
        try:
            talk.read()
        except (EOFError, OSError):
            ended.append(time.monotonic())

    out = outside(tcp(stream_server(truth).port))
    started = time.monotonic()
    assert out.ask("ok.example") == TRUE
    while not ended:
        assert time.monotonic() - started < 3
        time.sleep(0.02)
    assert ended[0] - started > 0.25
    assert out.ask("again.example") == TRUE
