"""What one device may hold open by TCP, and how much it may have under way there."""

import socket
import threading
import time
from collections.abc import Iterator

import dns.message
import pytest

from gateway.dns.questions import UNANSWERED_MAX
from gateway.dns.tcp import _CONNECTIONS_PER_SOURCE_MAX


def asked(connection: socket.socket, name: str) -> None:
    packet = dns.message.make_query(name, "A", use_edns=0).to_wire()
    connection.sendall(len(packet).to_bytes(2, "big") + packet)


def is_answered(connection: socket.socket) -> bool:
    try:
        return len(connection.recv(2)) == 2
    except OSError:
        return False


def test_one_source_holds_few_connections_and_another_gets_its_own(start, unbound) -> None:
    worker = start([unbound])
    held = [socket.create_connection(("127.0.0.1", worker.port), timeout=3) for _ in range(30)]
    try:
        for connection in held:
            try:
                asked(connection, "ok.example")
            except OSError:
                continue
        assert sum(map(is_answered, held)) == _CONNECTIONS_PER_SOURCE_MAX
        with socket.create_connection(("127.0.0.1", worker.port), 3, source_address=("127.0.0.2", 0)) as other:
            asked(other, "ok.example")
            assert is_answered(other)
    finally:
        for connection in held:
            connection.close()
    time.sleep(0.2)  # what is closed is free again
    with socket.create_connection(("127.0.0.1", worker.port), timeout=3) as again:
        asked(again, "ok.example")
        assert is_answered(again)


class Silent:
    """An upstream that takes questions by TCP, and counts them, and never answers."""

    def __init__(self) -> None:
        self.questions = 0
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self._open.append(peer)
            threading.Thread(target=self._read, args=(peer,), daemon=True).start()

    def _read(self, peer: socket.socket) -> None:
        got = b""
        while True:
            try:
                more = peer.recv(65536)
            except OSError:
                return
            if not more:
                return
            got += more
            while len(got) >= 2 and len(got) >= 2 + int.from_bytes(got[:2], "big"):
                got = got[2 + int.from_bytes(got[:2], "big") :]
                with self._lock:
                    self.questions += 1

    def close(self) -> None:
        self._server.close()
        for peer in self._open:
            peer.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    one = Silent()
    yield one
    one.close()


def test_questions_beyond_the_unanswered_wait_in_the_senders_hands(start, silent: Silent) -> None:
    worker = start([silent.port])
    with socket.create_connection(("127.0.0.1", worker.port), timeout=3) as connection:
        for number in range(200):
            asked(connection, f"n{number}.example")
        deadline = time.monotonic() + 3
        while silent.questions < UNANSWERED_MAX and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        assert silent.questions == UNANSWERED_MAX
        # others are served meanwhile
        assert worker.ask("gjest.internal", tcp=True).answer
        assert worker.ask("gjest.internal").answer
