"""Upstreams that are dead, slow, lying or broken."""

import socket
import threading
import time

import dns.edns
import dns.message
import dns.rcode
import pytest


def first(message: dns.message.Message) -> str:
    return str(message.answer[0][0])


def codes(message: dns.message.Message) -> list[int]:
    return [int(option.code) for option in message.options]


def dead_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_none(start) -> None:
    message = start([]).ask("ok.example")
    assert (message.rcode(), codes(message)) == (dns.rcode.SERVFAIL, [22])


def test_all_dead(start) -> None:
    worker = start([dead_port()], upstream_timeout_s=1.0)
    message = worker.ask("ok.example")
    assert (message.rcode(), codes(message)) == (dns.rcode.SERVFAIL, [23])
    assert first(worker.ask("game.example")) == "0.0.0.0"


def test_dead_first_then_the_next(start, unbound) -> None:
    worker = start([dead_port(), unbound])
    started = time.monotonic()
    assert first(worker.ask("ok.example")) == "198.51.100.7"
    assert time.monotonic() - started < 0.3  # ICMP says so at once


def test_silent_first_then_the_next_and_soon_directly(start, scripted, answer_truly) -> None:
    silent = scripted(lambda packet: [])
    good = scripted(lambda packet: [answer_truly(packet)])
    worker = start([silent.port, good.port])
    for number in range(3):
        assert first(worker.ask(f"slow{number}.example", timeout_s=2)) == "198.51.100.1"
    started = time.monotonic()
    assert first(worker.ask("direct.example")) == "198.51.100.1"
    assert time.monotonic() - started < 0.3


def test_servfail_first_then_the_next(start, scripted, answer_truly) -> None:
    failing = scripted(lambda packet: [packet[:2] + b"\x81\x82" + packet[4:10] + b"\0\0" + packet[12:-11]])
    good = scripted(lambda packet: [answer_truly(packet)])
    assert first(start([failing.port, good.port]).ask("ok.example")) == "198.51.100.1"


def test_servfail_of_the_only_one_is_passed_on(start, scripted) -> None:
    failing = scripted(lambda packet: [packet[:2] + b"\x81\x82" + packet[4:10] + b"\0\0" + packet[12:-11]])
    assert start([failing.port]).ask("ok.example").rcode() == dns.rcode.SERVFAIL


def test_what_does_not_match_is_ignored_while_listening_on(start, scripted, answer_truly) -> None:  # CVE-2023-29483
    def lies(packet: bytes) -> list[bytes]:
        truth, forged = answer_truly(packet), answer_truly(packet)[:-4] + b"\xc6\x33\x64\x42"
        other_id = bytes([forged[0] ^ 1]) + forged[1:]
        other_name = forged[:13] + b"zz" + forged[15:]
        other_type = forged[:12] + packet[12 : packet.index(b"\0", 12) + 1] + b"\0\x1c\0\x01" + forged[-16:]
        no_answer_bit = forged[:2] + b"\x01" + forged[3:]
        return [b"", b"x", forged[:12], other_id, other_name, other_type, no_answer_bit, forged[:-1], truth]

    worker = start([scripted(lies).port])
    for number in range(20):
        assert first(worker.ask(f"name{number}.example", timeout_s=2)) == "198.51.100.1"


def test_questions_are_unforeseeable_and_carry_nothing_of_the_asker(start, scripted, answer_truly) -> None:
    upstream = scripted(lambda packet: [answer_truly(packet)])
    worker = start([upstream.port])
    subnet = dns.edns.ECSOption("203.0.113.5", 32)
    for number in range(30):
        worker.ask(f"someratherlongname{number}.example", options=[subnet, dns.edns.CookieOption(b"12345678", b"")])
    asked = [dns.message.from_wire(packet) for packet in upstream.asked]
    assert len({message.id for message in asked}) > 25
    assert len({str(message.question[0].name)[:10] for message in asked}) > 20  # 0x20
    assert all(message.payload == 1232 and not message.options for message in asked)


@pytest.mark.parametrize("fault", ["truncated", "respelt"])
def test_truncated_and_respelt_answers_are_asked_for_by_tcp(start, scripted, unbound, answer_truly, fault: str) -> None:
    def truncated(packet: bytes) -> list[bytes]:
        return [packet[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + packet[12:-11] + b"\xff broken"]

    def respelt(packet: bytes) -> list[bytes]:  # a forgery that guessed the ID, or a server that loses the case
        return [answer_truly(packet[:12] + packet[12:].swapcase(), "203.0.113.66")]

    upstream = scripted({"truncated": truncated, "respelt": respelt}[fault])
    with socket.create_server(("127.0.0.1", upstream.port)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, socket.create_connection(("127.0.0.1", unbound), timeout=5) as onward:
                onward.sendall(connection.recv(4096))
                connection.sendall(onward.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            assert first(start([upstream.port]).ask("ok.example")) == "198.51.100.7"
        finally:
            thread.join()


def test_identical_questions_in_flight_are_asked_once(start, scripted, answer_truly) -> None:
    def slowly(packet: bytes) -> list[bytes]:
        time.sleep(0.25)
        return [answer_truly(packet)]

    upstream = scripted(slowly)
    worker = start([upstream.port])
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(first(worker.ask("same.example")))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["198.51.100.1"] * 10
    assert len(upstream.asked) == 1


def test_recovers_within_two_seconds(start, scripted, answer_truly) -> None:
    upstream = scripted(lambda packet: [])
    worker = start([upstream.port], upstream_timeout_s=1.0)
    for number in range(4):
        assert worker.ask(f"gone{number}.example").rcode() == dns.rcode.SERVFAIL
    upstream.behaviour = lambda packet: [answer_truly(packet)]
    assert first(worker.ask("back.example", timeout_s=2)) == "198.51.100.1"


def test_policy_that_comes_while_upstream_thinks_holds_for_its_answer(start, scripted, answer_truly) -> None:
    def slowly(packet: bytes) -> list[bytes]:
        time.sleep(1.0)
        return [answer_truly(packet)]

    worker = start([scripted(slowly).port])
    worker.publish(2, closed=())
    time.sleep(0.5)
    threading.Timer(0.2, worker.publish, (3, ("gaming",))).start()
    assert first(worker.ask("www.game.example")) == "0.0.0.0"
