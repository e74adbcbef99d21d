"""TCP and TLS connections: answers as they are ready, limits, idleness, and certificates that change."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

from gateway.dns.places import CONNECTIONS_MAX
from tests.contract.dns.certificate import make_certificate
from tests.contract.dns.conftest import Worker, free_port, true_answer, wait_for


def over_tls(start, upstreams: list[int], folder: Path, **changes: object) -> tuple[Worker, int]:
    port = free_port()
    make_certificate(folder)
    files = {"tls_certificate": str(folder / "portal.pem"), "tls_key": str(folder / "portal.key")}
    return start(upstreams, tls_port=port, **files, **changes), port


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "portal.pem"))


def connected(port: int, tls: ssl.SSLContext | None = None) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    return plain if tls is None else tls.wrap_socket(plain, server_hostname="gjest.example.no")


def framed(name: str, ident: int) -> bytes:
    query = dns.message.make_query(name, "A", id=ident).to_wire()
    return len(query).to_bytes(2, "big") + query


def read_answer(stream) -> dns.message.Message | None:
    size = stream.read(2)
    return dns.message.from_wire(stream.read(int.from_bytes(size, "big"))) if size else None


def certificate_at(port: int) -> bytes | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with connected(port, context) as client:
            return client.getpeercert(binary_form=True)
    except OSError:
        return None


@pytest.fixture
def held_back() -> Iterator[tuple[int, threading.Event]]:
    """An upstream by TCP (a question by TCP goes on by TCP, RFC 5625 §4.2) that answers `slow…` only when told to."""
    let_go = threading.Event()
    server = socket.create_server(("127.0.0.1", 0), backlog=16)

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while size := stream.read(2):
                packet = stream.read(int.from_bytes(size, "big"))
                if b"\4slow" in packet.lower():
                    let_go.wait(5)
                answer = true_answer(packet)
                connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    yield server.getsockname()[1], let_go
    let_go.set()
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_policy_and_answers_over_tls_with_a_checked_certificate(start, unbound, tmp_path) -> None:
    worker, port = over_tls(start, [unbound], tmp_path)
    for name, wanted in (("ok.example", "198.51.100.7"), ("www.game.example", "0.0.0.0")):
        query = dns.message.make_query(name, "A")
        answer = dns.query.tls(
            query, "127.0.0.1", 5, port, ssl_context=trusting(tmp_path), server_hostname="gjest.example.no"
        )
        assert answer.answer[0][0].to_text() == wanted
    assert not worker.ask("_dns.resolver.arpa", "SVCB").answer  # RFC 9462: nobody is led here unasked


@pytest.mark.parametrize("by_tls", [False, True])
def test_an_answer_that_is_ready_does_not_wait_for_an_earlier_question(start, held_back, tmp_path, by_tls) -> None:
    upstream, let_go = held_back
    worker, tls_port = over_tls(start, [upstream], tmp_path)
    with connected(tls_port, trusting(tmp_path)) if by_tls else connected(worker.port) as client:
        client.sendall(framed("slow.example", 1) + framed("game.example", 2) + framed("gjest.internal", 3))
        stream = client.makefile("rb")
        assert {read_answer(stream).id, read_answer(stream).id} == {2, 3}
        let_go.set()
        late = read_answer(stream)
        assert (late.id, late.rcode()) == (1, 0)


def test_a_connection_that_waits_for_us_is_not_idle_and_one_that_does_not_is_closed(start, held_back) -> None:
    upstream, let_go = held_back
    worker = start([upstream], tcp_idle_s=1.0)
    with connected(worker.port) as client:
        stream = client.makefile("rb")
        client.sendall(framed("slow.example", 1))
        threading.Timer(1.3, let_go.set).start()  # longer than idle connections live
        slow = read_answer(stream)
        assert (slow.id, slow.rcode()) == (1, 0)
        answered = time.monotonic()
        time.sleep(0.6)
        client.sendall(framed("game.example", 2))
        assert read_answer(stream).id == 2  # the time begins anew with each answer
        assert read_answer(stream) is None
        assert 1.2 < time.monotonic() - answered < 5


def test_who_has_said_its_last_still_gets_its_answers(start, held_back) -> None:
    upstream, let_go = held_back
    worker = start([upstream])
    with connected(worker.port) as client:
        client.sendall(framed("slow.example", 1))
        client.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        let_go.set()
        stream = client.makefile("rb")
        late = read_answer(stream)
        assert (late.id, late.rcode()) == (1, 0)
        assert read_answer(stream) is None


def test_one_source_has_twenty_connections_those_that_shake_hands_among_them(start, unbound, tmp_path) -> None:
    worker, port = over_tls(start, [unbound], tmp_path)
    silent = [connected(port) for _ in range(20)]  # never begin their handshake
    wait_for(lambda: certificate_at(port) is None)
    with connected(worker.port) as client:
        assert client.recv(1) == b""
    assert worker.ask("ok.example").answer  # datagrams are answered all the same
    for each in silent:
        each.close()
    wait_for(lambda: certificate_at(port) is not None)


def test_connections_by_tls_take_no_places_of_those_by_tcp(start, unbound, tmp_path) -> None:
    worker, port = over_tls(start, [unbound], tmp_path)
    silent = []
    for number in range(CONNECTIONS_MAX + 30):
        source = (f"127.0.1.{1 + number // 20}", 0)
        silent.append(socket.create_connection(("127.0.0.1", port), 5, source_address=source))
    wait_for(lambda: certificate_at(port) is None)
    assert worker.ask("ok.example", tcp=True).answer
    for each in silent:
        each.close()
    wait_for(lambda: certificate_at(port) is not None)


def test_handshakes_that_do_not_end_are_ended(start, unbound, tmp_path) -> None:
    _, port = over_tls(start, [unbound], tmp_path)
    with connected(port) as silent:
        silent.settimeout(9)
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert time.monotonic() - began > 3


def test_tls_before_1_2_is_refused(start, unbound, tmp_path) -> None:
    _, port = over_tls(start, [unbound], tmp_path)
    # a ClientHello of TLS 1.0, which today's libraries would not send
    body = b"\x03\x01" + bytes(32) + b"\0" + struct.pack("!H", 2) + b"\0\x2f" + b"\1\0"
    hello = b"\1" + len(body).to_bytes(3, "big") + body
    with connected(port) as client:
        client.sendall(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
        assert client.recv(16)[:1] in (b"\x15", b"")  # an alert, and no ServerHello


def test_a_renewed_certificate_is_shown_without_a_restart_and_a_damaged_one_is_not(start, unbound, tmp_path) -> None:
    worker, port = over_tls(start, [unbound], tmp_path)
    first = certificate_at(port)
    make_certificate(tmp_path)
    wait_for(lambda: certificate_at(port) not in (None, first))
    second = certificate_at(port)
    (tmp_path / "portal.pem").write_text("damaged")
    wait_for(lambda: "can't be used" in worker.stderr.read_text())
    assert certificate_at(port) == second
    make_certificate(tmp_path)
    wait_for(lambda: certificate_at(port) not in (None, second))


def test_without_a_usable_certificate_everything_but_tls_is_served(start, unbound, tmp_path) -> None:
    port = free_port()
    files = {"tls_certificate": str(tmp_path / "portal.pem"), "tls_key": str(tmp_path / "portal.key")}
    worker = start([unbound], tls_port=port, **files)
    assert worker.ask("ok.example", tcp=True).answer
    assert certificate_at(port) is None
    make_certificate(tmp_path)
    wait_for(lambda: certificate_at(port) is not None)


def test_the_key_is_not_among_the_arguments_and_the_environment(start, unbound, tmp_path) -> None:
    worker, _ = over_tls(start, [unbound], tmp_path)
    secret = (tmp_path / "portal.key").read_bytes().splitlines()[1]
    for file in ("cmdline", "environ"):
        assert secret not in Path(f"/proc/{worker.process.pid}/{file}").read_bytes()
