"""ICMP says that nobody listens: a hint that a guest may have forged, so it is looked into and not believed."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.dns.upstreams.batch import Batch, PlainBatch
from tests.contract.dns.conftest import true_answer, wait_for

TRUE = "198.51.100.1"


class Flickering:
    """A server whose port can be closed for a moment, in which the kernel answers with ICMP."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._late: list[tuple[bytes, tuple]] = []
        self.open_from(0)

    def open_from(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.settimeout(0.05)
        self.port = int(self._socket.getsockname()[1])
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                packet, sender = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            self.asked.append(packet)
            if b"late" in packet.lower():
                self._late.append((packet, sender))
            else:
                self._socket.sendto(true_answer(packet), sender)

    def answer_late(self) -> None:
        for packet, sender in self._late:
            self._socket.sendto(true_answer(packet), sender)

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._socket.close()

    @contextmanager
    def closed(self) -> Iterator[None]:
        self.close()
        yield
        self.open_from(self.port)


@pytest.fixture
def flickering() -> Iterator[Flickering]:
    server = Flickering()
    yield server
    server.close()


def test_it_makes_a_server_suspect_not_down_and_loses_nothing(outside, flickering: Flickering) -> None:
    out = outside(flickering.port)
    assert out.ask("one.example") == TRUE
    (late,) = out.start("late.example")
    wait_for(lambda: len(flickering.asked) == 2)
    with flickering.closed():
        refused = out.start(*(f"name{number}.example" for number in range(40)))
        wait_for(lambda: "refused" in out.failures())
        assert out.reports[0].state == "suspect"
    flickering.answer_late()
    assert late.result(timeout=3).records  # its socket has not been closed under it
    wait_for(lambda: out.reports[0].state == "up")
    assert all(future.result(timeout=5).records for future in refused)


def test_answered_probes_outweigh_any_number(outside, flickering: Flickering) -> None:
    """No state "down", no socket closed: the pool stays as it is, whatever comes in."""
    out = outside(flickering.port)
    states = set()
    for number in range(10):
        assert out.ask(f"name{number}.example") == TRUE
        with flickering.closed():
            out.start(f"gone{number}.example")
            time.sleep(0.01)
        for _ in range(5):
            states.add(out.reports[0].state)
            time.sleep(0.01)
    assert "down" not in states
    assert out.failures()["refused"] >= 5


def test_probes_that_get_nothing_but_icmp_make_it_down(outside) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    out = outside(port)
    started = time.monotonic()
    out.start("ok.example")
    wait_for(lambda: out.reports[0].state == "down")
    assert 0.4 < time.monotonic() - started < 0.8


@pytest.mark.parametrize("kind", [Batch, PlainBatch])
def test_what_is_sent_after_it_is_sent_all_the_same(kind: type[PlainBatch]) -> None:
    """The kernel tells of it at the next call on the socket, in place of doing what was asked."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as client,
    ):
        server.bind(("127.0.0.1", 0))
        at = server.getsockname()
        client.connect(at)
        server.close()
        client.send(b"refused")
        time.sleep(0.05)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(at)
            again.settimeout(1)
            batch = kind()
            batch.put(b"one")
            batch.put(b"two")
            assert batch.send(client) == 2
            assert [again.recv(16), again.recv(16)] == [b"one", b"two"]
