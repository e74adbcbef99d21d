"""By UDP: what counts as an answer, and how hard it is to forge one."""

import resource
import socket
import threading
import time

import dns.message
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.dns.upstreams import forwarder, udp
from gateway.dns.upstreams.batch import Batch, PlainBatch
from gateway.dns.upstreams.exchange import NoAnswer
from tests.contract.dns.conftest import wait_for

TRUE, FORGED = "198.51.100.1", b"\xcb\x00\x71\x42"


@pytest.fixture(params=["batch", "plain"])
def kind(request, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the system calls keep the same contract."""
    monkeypatch.setattr(udp, "open_batch", {"batch": Batch, "plain": PlainBatch}[request.param])
    return request.param


def test_a_real_resolver(outside, unbound, kind) -> None:
    out = outside(unbound)
    assert out.ask("ok.example") == "198.51.100.7"
    assert out.ask("nowhere.example") == "rcode 3"
    (report,) = out.reports
    assert (report.state, report.sent, report.answered, report.outstanding) == ("up", 2, 2, 0)
    assert 0 < report.rtt_s < 1
    assert out.upstreams.in_flight == 0


def test_lies_first_then_the_truth(outside, scripted, answer_truly, kind) -> None:
    """CVE-2023-29483, RFC 5452 §9.1: one bad packet must not end the wait."""

    def lies(packet: bytes) -> list[bytes]:
        truth = answer_truly(packet)
        forged = truth[:-4] + FORGED
        other_id = bytes([forged[0] ^ 1]) + forged[1:]
        other_name = forged[:13] + b"zz" + forged[15:]
        other_type = forged[: len(packet) - 15] + b"\0\x1c" + forged[len(packet) - 13 :]
        return [
            b"",
            b"x",
            forged[:12],
            other_id,
            other_name,
            other_type,
            forged[:-1],
            forged[:2] + b"\1" + forged[3:],
            truth,
        ]

    out = outside(scripted(lies).port)
    for number in range(5):
        assert out.ask(f"name{number}.example") == TRUE
    failures = out.failures()
    assert failures["malformed"] == 10  # cut off, and a query in place of an answer
    assert failures["mismatched"] == 15  # a header only, another name, another type


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 255)), max_size=5), st.randoms(use_true_random=False))
def test_no_mutation_of_an_answer_is_taken_for_one(rig, mutations, random) -> None:
    """RFC 5452 §9.1: whatever differs in ID or question is passed over; the truth that follows is taken."""
    server, out = rig

    def mutated(packet: bytes) -> list[bytes]:
        truth = rig_answer(packet)
        question_end = len(packet) - 11
        forged = []
        for at, flip in mutations:
            bad = bytearray(truth[:-4] + FORGED)
            where = (at % 2) if at < 2 else 12 + at % (question_end - 12)
            bad[where] ^= flip
            forged.append(bytes(bad))
        return [*forged, truth]

    server.behaviour = mutated
    name = "".join(random.choice("abcdefgh") for _ in range(20))
    outcome = out.ask(f"{name}.example")
    assert outcome == TRUE


def rig_answer(packet: bytes) -> bytes:
    end = packet.index(b"\0", 12) + 5
    header = packet[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
    return header + packet[12:end] + b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(TRUE)


@pytest.fixture
def rig(scripted, outside):
    server = scripted(lambda packet: [rig_answer(packet)])
    return server, outside(server.port)


def test_only_the_address_that_was_asked_is_heard(outside, answer_truly) -> None:
    """RFC 5452 §9.1: an answer must come from where the question went."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        server.bind(("127.0.0.1", 0))
        server.settimeout(3)
        out = outside(server.getsockname()[1], timeout_s=0.5)
        (future,) = out.start("ok.example")
        packet, sender = server.recvfrom(4096)
        other.sendto(answer_truly(packet)[:-4] + FORGED, sender)
        time.sleep(0.1)
        assert not future.done()
        assert isinstance(future.result(timeout=3), NoAnswer)


def test_ports_ids_and_spelling_are_unforeseeable(outside, answer_truly) -> None:
    """RFC 5452 §9.2 and §9.3, and 0x20."""
    seen: list[tuple[int, bytes, bytes]] = []
    end = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)

        def serve() -> None:
            while not end.is_set():
                try:
                    packet, sender = server.recvfrom(4096)
                except TimeoutError:
                    continue
                seen.append((sender[1], packet[:2], packet[12:36]))
                server.sendto(answer_truly(packet), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        out = outside(server.getsockname()[1])
        for _ in range(400):
            out.ask("someratherlongname.example")
        end.set()
        thread.join()
    ports, idents, spellings = ({each[part] for each in seen} for part in range(3))
    assert len(ports) > 100  # of 128: all but 5 or so are drawn
    assert len(idents) > 390
    assert len(spellings) == len(seen)


def test_a_pool_for_each_of_many_upstreams_is_allowed(outside, unbound) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
        outside(unbound)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(8192, before[1]), before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_sockets_are_replaced(outside, scripted, answer_truly, monkeypatch) -> None:
    """RFC 5452 §9.2: a port is not kept for ever."""
    monkeypatch.setattr(udp, "_USES", 1)
    monkeypatch.setattr(udp, "POOL", 1)
    ports = []
    out = outside(scripted(lambda packet: [answer_truly(packet)]).port)
    for number in range(5):
        out.ask(f"name{number}.example")
        ports.append(next(iter(out.upstreams._servers.reader._channels.values())).socket.getsockname()[1])
    assert len(set(ports)) > 3


def test_many_at_once(outside, unbound, kind) -> None:
    out = outside(unbound)
    futures = out.start(*(f"name{number}.example" for number in range(500)))
    assert {future.result(timeout=10).rcode for future in futures} == {3}
    assert (out.callbacks, out.reports[0].outstanding, out.upstreams.in_flight) == (500, 0, 0)


def test_edns_says_1232_and_nothing_of_the_guest(outside, scripted, answer_truly) -> None:
    """RFC 9715 §3, RFC 7871 §7.1.2, RFC 7873: no address, no cookie."""
    server = scripted(lambda packet: [answer_truly(packet)])
    outside(server.port).ask("ok.example")
    message = dns.message.from_wire(server.asked[0])
    assert (message.edns, message.payload, message.options, message.flags) == (0, 1232, (), 0x0100)


@pytest.mark.parametrize("fault", ["truncated", "respelt", "longer than asked for", "liar"])
def test_tcp_tells_what_udp_does_not(outside, scripted, stream_server, answer_truly, fault: str) -> None:
    """RFC 2181 §9 (TC), RFC 5452 §9.3, RFC 7766 §5."""
    faults = {
        "truncated": lambda packet: [packet[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + packet[12:-11] + b"\xff broken"],
        "respelt": lambda packet: [answer_truly(packet[:12] + packet[12:].swapcase(), "203.0.113.66")],
        "longer than asked for": lambda packet: [answer_truly(packet) + bytes(1600)],
        "liar": lambda packet: [answer_truly(packet[:13] + b"zz" + packet[15:], "203.0.113.66")] * 5,
    }
    server = scripted(faults[fault])

    def truth(talk, number: int) -> None:
        while True:
            talk.write(answer_truly(talk.read(), TRUE))

    stream_server(truth, port=server.port)
    out = outside(server.port)
    assert out.ask("someratherlongname.example") == TRUE
    assert out.reports[0].by_stream == 1


def test_a_forged_spelling_does_not_shut_the_truth_out(outside, scripted, answer_truly) -> None:
    """The server has no TCP: the forgery provokes it, and the true datagram is still taken."""
    server = scripted(
        lambda packet: [answer_truly(packet[:12] + packet[12:].swapcase(), "203.0.113.66"), answer_truly(packet)]
    )
    assert outside(server.port).ask("someratherlongname.example") == TRUE


def test_truncated_and_resetting_then_the_next(outside, scripted, stream_server, answer_truly) -> None:
    server = scripted(lambda packet: [packet[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + packet[12:-11]])
    stream_server(lambda talk, number: (talk.read(), talk.reset()), port=server.port)
    other = scripted(lambda packet: [answer_truly(packet)])

    def other_by_tcp(talk, number: int) -> None:
        talk.write(answer_truly(talk.read(), TRUE))

    stream_server(other_by_tcp, port=other.port)
    out = outside(server.port, other.port)
    assert out.ask("ok.example", within_s=1.5) == TRUE
    assert out.failures() == {"truncated": 1, "reset": 2}
    assert out.reports[0].state == "up"  # by UDP it answers


def test_the_same_question_is_asked_once(outside, scripted, answer_truly) -> None:
    def slowly(packet: bytes) -> list[bytes]:
        time.sleep(0.2)
        return [answer_truly(packet)]

    server = scripted(slowly)
    futures = outside(server.port).start(*["same.example"] * 10)
    assert len({id(future.result(timeout=3)) for future in futures}) == 1
    assert len(server.asked) == 1


def test_work_in_flight_is_bounded(outside, scripted, monkeypatch) -> None:
    """DNSBomb, CVE-2024-33655: what piles up is refused, not kept."""
    monkeypatch.setattr(forwarder, "_EXCHANGES_MAX", 10)
    monkeypatch.setattr(forwarder, "_WAITING_MAX", 5)
    out = outside(scripted(lambda packet: []).port, timeout_s=1.0)
    futures = out.start(*(f"name{number}.example" for number in range(15)), *["name0.example"] * 8)
    at_once = [future.result() for future in futures if future.done()]
    assert [outcome.text for outcome in at_once] == ["too busy"] * (5 + 3)
    assert {future.result(timeout=3).text for future in futures[:10]} == {"upstream does not answer"}


def test_one_upstream_does_not_take_all_the_room(outside, scripted, answer_truly, monkeypatch) -> None:
    from gateway.dns.upstreams import upstream

    monkeypatch.setattr(upstream, "_OUTSTANDING_MAX", 3)
    silent, good = scripted(lambda packet: []), scripted(lambda packet: [answer_truly(packet)])
    out = outside(silent.port, zones={"example": [f"127.0.0.1:{silent.port}", f"127.0.0.1:{good.port}"]})
    futures = out.start(*(f"name{number}.example" for number in range(6)))
    assert [future.result(timeout=0.35) is not None for future in futures[3:]] == [True] * 3  # the next one had room
    assert {future.result(timeout=3).rcode for future in futures[:3]} == {0}


def test_refused_then_the_next_at_once(outside, scripted, answer_truly, kind) -> None:
    """ICMP says that nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        dead = probe.getsockname()[1]
    out = outside(dead, scripted(lambda packet: [answer_truly(packet)]).port)
    started = time.monotonic()
    assert out.ask("ok.example") == TRUE
    assert time.monotonic() - started < 0.2
    assert [report.state for report in out.reports] == ["suspect", "up"]
    wait_for(lambda: [report.state for report in out.reports] == ["down", "up"])


def test_closing_answers_those_who_wait(outside, scripted) -> None:
    out = outside(scripted(lambda packet: []).port)
    (future,) = out.start("ok.example")
    out._call(out.upstreams.close)
    assert future.result(timeout=1) == NoAnswer(23, "stopping")
    out.upstreams.close = lambda: None
