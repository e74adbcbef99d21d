"""Servers that are dead, slow, or back again."""

import socket
import threading
import time

from gateway.dns.upstreams.exchange import NoAnswer
from tests.contract.dns.conftest import Scripted, wait_for

TRUE = "198.51.100.1"


def silence(packet: bytes) -> list[bytes]:
    return []


def timed(what) -> tuple[object, float]:
    started = time.monotonic()
    return what(), time.monotonic() - started


def make_down(out) -> None:
    futures = out.start(*(f"gone{number}.example" for number in range(4)))
    assert all(isinstance(future.result(timeout=6), NoAnswer) for future in futures)
    wait_for(lambda: out.reports[0].state == "down")


def test_when_all_are_down_a_question_does_not_wait_long(outside, scripted) -> None:
    out = outside(scripted(silence).port, timeout_s=2.0)
    make_down(out)
    outcome, took_s = timed(lambda: out.ask("next.example"))
    assert isinstance(outcome, NoAnswer)
    assert took_s < 0.6  # timeout_s is 2


def test_recovery_within_two_seconds_without_a_question(outside, scripted, answer_truly) -> None:
    server = scripted(silence)
    out = outside(server.port, timeout_s=1.0)
    make_down(out)
    time.sleep(1.5)  # until probes have become rare
    server.behaviour = lambda packet: [answer_truly(packet)]
    _, took_s = timed(lambda: wait_for(lambda: out.reports[0].state == "up"))
    assert took_s < 2.0
    assert all(b"gone" in packet.lower() or packet[12] == 0 for packet in server.asked)  # a probe holds no guest's name


def test_recovery_of_a_server_whose_port_was_closed(outside, answer_truly) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    out = outside(port)
    outcome, took_s = timed(lambda: out.ask("ok.example"))
    assert isinstance(outcome, NoAnswer)
    assert took_s < 0.8  # half a second of probes that get ICMP, which alone is not believed
    (future,) = out.start("waiting.example")
    back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    back.bind(("127.0.0.1", port))
    back.settimeout(0.1)
    end = threading.Event()

    def serve() -> None:
        with back:
            while not end.is_set():
                try:
                    packet, sender = back.recvfrom(4096)
                except TimeoutError:
                    continue
                back.sendto(answer_truly(packet), sender)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert future.result(timeout=2).records  # the question that waited is sent again as soon as a probe is answered
        _, took_s = timed(lambda: wait_for(lambda: out.reports[0].state == "up"))
        assert took_s < 2
    finally:
        end.set()
        thread.join()


def test_names_that_take_long_do_not_make_a_server_down(outside, answer_truly) -> None:
    """A resolver that has to ask slow servers itself is alive: it has the root's servers at hand."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        end = threading.Event()

        def serve() -> None:
            while not end.is_set():
                try:
                    packet, sender = server.recvfrom(4096)
                except TimeoutError:
                    continue
                delay_s = 0 if packet[12] == 0 else 1.6
                threading.Timer(delay_s, server.sendto, (answer_truly(packet), sender)).start()

        thread = threading.Thread(target=serve)
        thread.start()
        out = outside(server.getsockname()[1])
        states = set()
        futures = out.start(*(f"slow{number}.example" for number in range(8)))
        while not all(future.done() for future in futures):
            states.add(out.reports[0].state)
            time.sleep(0.02)
        assert all(future.result().records for future in futures)
        assert "down" not in states
        assert out.reports[0].state == "up"
        time.sleep(1.7)
        end.set()
        thread.join()


def test_the_second_is_asked_only_when_the_first_is_slow_for_itself(outside, scripted, answer_truly) -> None:
    late = 0.0

    def first_behaviour(packet: bytes) -> list[bytes]:
        time.sleep(late)
        return [answer_truly(packet)]

    first, second = scripted(first_behaviour), scripted(lambda packet: [answer_truly(packet, "198.51.100.2")])
    out = outside(first.port, second.port)
    for number in range(20):
        assert out.ask(f"name{number}.example") == TRUE
    assert second.asked == []
    late = 0.35  # not long; but long for one that answers in a millisecond
    answer, took_s = timed(lambda: out.ask("slow.example"))
    assert answer == "198.51.100.2"
    assert took_s < 0.3
    assert len(second.asked) == 1


def test_a_server_that_is_always_slow_is_not_raced_each_time(outside, scripted, answer_truly) -> None:
    def slow(packet: bytes) -> list[bytes]:
        time.sleep(0.12)
        return [answer_truly(packet)]

    first, second = scripted(slow), scripted(lambda packet: [answer_truly(packet, "198.51.100.2")])
    out = outside(first.port, second.port)
    assert [out.ask(f"name{number}.example") for number in range(8)] == [TRUE] * 8
    assert second.asked == []


def test_silent_then_good_then_the_other_way_round(outside, scripted, answer_truly) -> None:
    one: Scripted = scripted(silence)
    two: Scripted = scripted(lambda packet: [answer_truly(packet, "198.51.100.2")])
    out = outside(one.port, two.port)
    for number in range(4):
        assert out.ask(f"name{number}.example") == "198.51.100.2"
    answer, took_s = timed(lambda: out.ask("soon.example"))
    assert (answer, took_s < 0.2) == ("198.51.100.2", True)
    one.behaviour, two.behaviour = (lambda packet: [answer_truly(packet)]), silence
    for number in range(6):
        assert out.ask(f"back{number}.example") == TRUE
    assert out.reports[0].state == "up"


def test_failures_are_told_apart(outside, scripted, answer_truly) -> None:
    servfail = scripted(lambda packet: [packet[:2] + b"\x81\x82" + packet[4:10] + b"\0\0" + packet[12:-11]])
    liar = scripted(lambda packet: [answer_truly(packet)[:-1]])
    silent = scripted(silence)
    good = scripted(lambda packet: [answer_truly(packet)])
    out = outside(servfail.port, liar.port, silent.port, good.port)
    assert out.ask("ok.example") == TRUE
    assert [set(out.failures(index)) for index in range(4)] == [{"rcode"}, {"malformed", "timeout"}, {"timeout"}, set()]
    text = repr(out.reports)
    assert "example" not in text
