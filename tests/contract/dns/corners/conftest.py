"""One worker for a whole module, and behind it an upstream that plays what a test wants, by UDP and TCP."""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.lists.publish import publish
from policies.formats import Rejects, read_entries
from policies.snapshot import NamedList, compile_snapshot
from tests.contract.dns.conftest import Worker, wait_for

LIST = """
# as somebody might publish it
GAME.Example.
blåbær.example
xn--bcher-kva.mid.example
_tcp.under.example
""".strip().encode()

Play = Callable[[bytes, bool], list[bytes]]


def respond(
    packet: bytes,
    *answer: str,
    authority: Iterable[str] = (),
    additional: Iterable[str] = (),
    rcode: int = 0,
    flags: int = 0,
) -> bytes:
    """The answer to a query as dnspython writes it; records are `owner ttl type data`."""
    message = dns.message.make_response(dns.message.from_wire(packet), recursion_available=True)
    message.set_rcode(rcode)
    message.flags |= flags
    for section, texts in ((message.answer, answer), (message.authority, authority), (message.additional, additional)):
        for text in texts:
            owner, ttl, rtype, data = text.split(" ", 3)
            section.append(dns.rrset.from_text(owner, int(ttl), "IN", rtype, data))
    return message.to_wire(max_size=65535)


class Upstream:
    """Answers by UDP and TCP on one port with what `play` (query, by TCP) makes of it; notes what it was asked."""

    def __init__(self) -> None:
        self.play: Play = lambda packet, by_tcp: [respond(packet)]
        self.asked: list[tuple[bytes, bool]] = []
        self._stream = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._stream.getsockname()[1])
        self._datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagram.bind(("127.0.0.1", self.port))
        self._datagram.settimeout(0.1)
        self._stream.settimeout(0.1)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._by_udp, self._by_tcp)]
        for thread in self._threads:
            thread.start()

    def _by_udp(self) -> None:
        while not self._end.is_set():
            try:
                packet, sender = self._datagram.recvfrom(4096)
            except TimeoutError:
                continue
            self.asked.append((packet, False))
            for answer in self.play(packet, False):
                self._datagram.sendto(answer, sender)

    def _by_tcp(self) -> None:
        while not self._end.is_set():
            try:
                connection, _ = self._stream.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while size := stream.read(2):
                packet = stream.read(int.from_bytes(size, "big"))
                self.asked.append((packet, True))
                for answer in self.play(packet, True):
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)

    def close(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        self._datagram.close()
        self._stream.close()


class Stage:
    """A worker and its upstream. Each test asks for names of its own, since answers are kept."""

    _numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        self.upstream = Upstream()
        self.worker = Worker(folder, [self.upstream.port], upstream_timeout_s=1.5)
        self._generations = itertools.count(1)
        self.publish()

    def publish(self, block_answer: str = "zero") -> None:
        """Put the list of this module in force."""
        rejects = Rejects()
        entries = [entry.name for entry in read_entries("domains", LIST.splitlines(), rejects)]
        assert not rejects.counts
        document = {
            "version": 2,
            "block_answer": block_answer,
            "groups": {"default": {"mark": 1, "closed": ["gaming"], "permit": ["it.example"], "forbid": []}},
        }
        generation = next(self._generations)
        lists = [
            NamedList("corner/gaming", "gaming", hashlib.sha256(LIST).hexdigest(), entries),
            NamedList("corner/mark", "dating", "0" * 64, [f"generation{generation}.example"]),
        ]
        document["groups"]["default"]["closed"].append("dating")
        publish(self.worker.state, compile_snapshot(document, lists, generation))

        def in_force() -> bool:  # by its own category, as what the upstream plays may lead to the other one
            said = self.worker.ask(f"generation{generation}.example").options
            return [str(each.text) for each in said if hasattr(each, "text")] == ["dating"]

        wait_for(in_force)

    def plays(self, play: Play) -> None:
        """What the upstream does from now on."""
        self.upstream.play = play
        self.upstream.asked.clear()

    def tells(self, *answer: str, **options: object) -> None:
        """The upstream answers everything with these records; `@` is the name that was asked for."""

        def play(packet: bytes, by_tcp: bool) -> list[bytes]:
            asked = str(dns.message.from_wire(packet).question[0].name)
            return [respond(packet, *(text.replace("@", asked) for text in answer), **options)]  # type: ignore[arg-type]

        self.plays(play)

    def name(self) -> str:
        """A name that nobody has asked for."""
        return f"n{next(self._numbers)}.fresh.example"

    def ask(self, name: object, rtype: str = "A", **options: object) -> dns.message.Message:
        """What the worker answers."""
        return self.worker.ask(name, rtype, **options)  # type: ignore[arg-type]

    def send(self, packet: bytes, timeout_s: float = 2.0) -> bytes | None:
        """The raw answer to one datagram; None when there is none."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.worker.port))
            client.settimeout(timeout_s)
            client.send(packet)
            try:
                return client.recv(65535)
            except TimeoutError:
                return None

    def send_by_tcp(self, packet: bytes) -> bytes:
        """The raw answer by TCP; empty when the connection was closed instead."""
        with socket.create_connection(("127.0.0.1", self.worker.port), timeout=3) as connection:
            connection.sendall(len(packet).to_bytes(2, "big") + packet)
            stream = connection.makefile("rb")
            return stream.read(int.from_bytes(stream.read(2), "big"))


def codes(message: dns.message.Message) -> list[int]:
    """The Extended DNS Errors in a message."""
    return [int(option.code) for option in message.options if hasattr(option, "code")]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    assert made.worker.stop() == 0
    made.upstream.close()
    text = made.worker.stderr.read_text()
    assert "Traceback" not in text, text
    assert "please report" not in text, text
    assert ".example" not in text, "a query was logged"


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> None:
    """Each test begins with an upstream that has nothing to tell."""
    if "stage" in request.fixturenames:
        stage = request.getfixturevalue("stage")
        stage.plays(lambda packet, by_tcp: [respond(packet, authority=("example. 60 SOA a. b. 1 2 3 4 5",))])
