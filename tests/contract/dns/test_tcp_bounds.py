"""What one device may hold open by TCP, and how much it may have under way there."""

import contextlib
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import pytest

from gateway.dns.places import PER_DEVICE_MAX
from gateway.dns.questions import UNANSWERED_MAX
from tests.contract.dns.conftest import Worker, wait_for


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
        assert sum(map(is_answered, held)) == PER_DEVICE_MAX
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


def many(name: str, count: int, rtype: str = "A") -> bytes:
    packet = dns.message.make_query(name, rtype, use_edns=0).to_wire()
    return (len(packet).to_bytes(2, "big") + packet) * count


class Flood:
    """A connection that sends many questions at once and reads their answers."""

    def __init__(self, port: int, host: str, questions: int) -> None:
        self.answered = 0
        self._connection = socket.create_connection(("127.0.0.1", port), 5, source_address=(host, 0))
        self._connection.settimeout(60)
        self._all = many("game.example", questions)
        self.threads = [threading.Thread(target=each, daemon=True) for each in (self._send, self._read)]
        for thread in self.threads:
            thread.start()

    def _send(self) -> None:
        self._connection.sendall(self._all)
        self._connection.shutdown(socket.SHUT_WR)

    def _read(self) -> None:
        with self._connection, self._connection.makefile("rb") as stream:
            while size := stream.read(2):
                stream.read(int.from_bytes(size, "big"))
                self.answered += 1

    @property
    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self.threads)


def test_datagrams_are_answered_between_the_questions_of_connections(start, unbound) -> None:
    """Counted, not timed: what one connection had sent used to be answered whole before anything else was looked at."""
    worker = start([unbound], tcp_burst=1e6)
    floods = [Flood(worker.port, f"127.0.0.{number}", 3000) for number in range(2, 10)]
    between = 0
    while not all(flood.is_over for flood in floods):
        assert worker.ask("game.example").answer
        between += 1
    assert [flood.answered for flood in floods] == [3000] * 8
    assert between >= 60, between


def test_a_device_has_so_many_questions_a_second_over_all_its_connections(start, unbound) -> None:
    worker = start([unbound], tcp_per_s=50, tcp_burst=100)
    began = time.monotonic()
    floods = [Flood(worker.port, "127.0.0.2", 100) for _ in range(3)]
    other = Flood(worker.port, "127.0.0.3", 100)
    wait_for(lambda: other.is_over)
    assert other.answered == 100
    assert sum(flood.answered for flood in floods) <= 100 + 50 * (time.monotonic() - began) + 1
    wait_for(lambda: all(flood.is_over for flood in floods))
    assert [flood.answered for flood in floods] == [100] * 3  # late, and none is lost
    assert time.monotonic() - began >= 200 / 50


def descriptors(worker: Worker) -> int:
    return len(os.listdir(f"/proc/{worker.process.pid}/fd"))


def test_who_reads_no_answers_is_cut(start, unbound) -> None:
    worker = start([unbound], tcp_idle_s=1.0, tcp_burst=1e6)
    assert worker.ask("many.example", "TXT", tcp=True).answer
    before = descriptors(worker)
    held = []
    for _ in range(4):
        mute = socket.socket()
        mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        mute.connect(("127.0.0.1", worker.port))
        mute.settimeout(0.3)
        with contextlib.suppress(OSError):
            for _ in range(200):  # until nothing more is taken
                mute.sendall(many("many.example", 1000, "TXT"))
        held.append(mute)
    wait_for(lambda: descriptors(worker) <= before, within_s=15)
    for mute in held:
        mute.close()


def test_without_descriptors_left_datagrams_are_answered_and_connections_later(start, unbound) -> None:
    worker = start([unbound])
    limits = resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, (descriptors(worker) + 5, limits[1]))
    held = [socket.create_connection(("127.0.0.1", worker.port), timeout=3) for _ in range(12)]
    time.sleep(0.5)
    used_s = used(worker)
    for _ in range(20):
        assert worker.ask("game.example").answer
        time.sleep(0.05)
    assert used(worker) - used_s < 0.5  # it does not try again and again
    for connection in held[:9]:
        connection.close()
    asked(held[-1], "game.example")
    assert is_answered(held[-1])
    for connection in held:
        connection.close()


def used(worker: Worker) -> float:
    """Seconds of processor time."""
    fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
