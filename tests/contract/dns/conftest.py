"""A worker process on loopback, a real unbound behind it, and upstreams that misbehave on purpose."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import pytest

from gateway.lists.publish import publish
from policies.snapshot import NamedList, compile_snapshot

LOCAL_DATA = (
    "ok.example. 120 IN A 198.51.100.7",
    "ok.example. 120 IN AAAA 2001:db8::7",
    "zero.example. 0 IN A 198.51.100.8",
    "inside.example. 120 IN A 192.168.1.1",
    "hint.example. 120 IN HTTPS 1 . ipv4hint=10.0.0.1",
    "hop.example. 120 IN CNAME www.game.example.",
    "alias.example. 120 IN HTTPS 0 www.game.example.",
    "www.game.example. 120 IN A 198.51.100.9",
    "forcesafesearch.google.com. 200 IN A 198.51.100.20",
    "forcesafesearch.google.com. 200 IN AAAA 2001:db8::20",
    "www.google.no. 200 IN A 198.51.100.66",
    "www.google.no. 200 IN HTTPS 1 . ipv4hint=198.51.100.66",
    *(f"many.example. 120 IN TXT {'x' * 200}{i}" for i in range(20)),
)


def free_port() -> int:
    """A port that nobody has by UDP or TCP, and that the next calls do not give again."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
        ):
            datagrams.bind(("127.0.0.1", 0))
            port = int(datagrams.getsockname()[1])
            try:
                stream.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _given:
                _given.append(port)
                return port


_given: deque[int] = deque(maxlen=50)


def wait_for(true: Callable[[], object], within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def ask(
    port: int, name: str, rtype: str = "A", *, tcp: bool = False, timeout_s: float = 6, host="127.0.0.1", **options
):
    query = dns.message.make_query(name, rtype, **({"use_edns": 0} | options))
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, host, port=port, timeout=timeout_s)


class Worker:
    """One DNS service as a process of its own."""

    def __init__(self, state: Path, upstreams: list[int], **changes: object) -> None:
        self.state = state
        self.port = free_port()
        config = {
            "listen": ["127.0.0.1", "::1"],
            "port": self.port,
            "workers": 1,
            "upstreams": [["127.0.0.1", port] for port in upstreams],
            "sources": [["127.0.0.0/8", "default"]],
            "private_zones": [],
            "portal_hostname": "gjest.internal",
            "portal_addresses": ["10.9.0.1"],
            "snapshot": str(state / "policy" / "current.snapshot"),
        }
        self.config = json.dumps(config | changes)
        self.processes = int(str(changes.get("workers", 1)))
        self.stderr = state / "dns.log"
        with self.stderr.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-P", "-m", "gateway.dns.worker", self.config], stderr=log)
        wait_for(self.answers)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.stderr.read_text()
        try:
            return bool(ask(self.port, "gjest.internal", timeout_s=0.2))
        except (dns.exception.Timeout, OSError):
            return False

    def ask(self, name: str, rtype: str = "A", **options):
        return ask(self.port, name, rtype, **options)

    @property
    def has_policy(self) -> bool:
        """Whether every one of its processes has a policy: the kernel deals questions out by their source port."""
        return all(self.ask("game.example").rcode() == 0 for _ in range(1 if self.processes == 1 else 24))

    def publish(self, generation: int = 1, closed: tuple[str, ...] = ("gaming",), more=None, **group) -> None:
        written = {"mark": 1, "closed": list(closed), **group}
        document = {"version": 2, "groups": {"default": written}, **(more or {})}
        lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
        publish(self.state, compile_snapshot(document, lists, generation))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=5)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start_one(upstreams: list[int], *, policy: bool = True, **changes: object) -> Worker:
        worker = Worker(tmp_path, upstreams, **changes)
        workers.append(worker)
        if policy:
            worker.publish()
            wait_for(lambda: worker.has_policy)
        return worker

    yield start_one
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait()
        text = worker.stderr.read_text()
        assert "Traceback" not in text, text
        assert ".example" not in text, "a query was logged"


@pytest.fixture(scope="session")
def unbound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = shutil.which("unbound") or "/usr/sbin/unbound"
    if not os.path.exists(program):
        if os.environ.get("CI"):
            pytest.fail("unbound is missing: apt-get install unbound")
        pytest.skip("unbound is not installed")
    folder = tmp_path_factory.mktemp("unbound")
    port = free_port()
    data = "".join(f"  local-data: '{line}'\n" for line in LOCAL_DATA)
    (folder / "unbound.conf").write_text(
        f"server:\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  use-syslog: no\n  chroot: ''\n  username: ''\n"
        f"  pidfile: ''\n  directory: '{folder}'\n  num-threads: 1\n  local-zone: . static\n"
        f"  local-data: '. 60 IN SOA a. b. 1 2 3 4 30'\n{data}"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", str(folder / "unbound.conf")], stderr=log)

    def answers() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            return bool(ask(port, "ok.example", timeout_s=0.2))
        except (dns.exception.Timeout, OSError):
            return False

    wait_for(answers)
    yield port
    process.terminate()
    process.wait(timeout=5)


class Scripted:
    """An upstream that answers each UDP question with whatever datagrams `behaviour` makes of it."""

    def __init__(self, behaviour: Callable[[bytes], list[bytes]]) -> None:
        self.behaviour = behaviour
        self.asked: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
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
            for answer in self.behaviour(packet):
                self._socket.sendto(answer, sender)

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def scripted() -> Iterator[Callable[[Callable[[bytes], list[bytes]]], Scripted]]:
    made: list[Scripted] = []

    def make(behaviour: Callable[[bytes], list[bytes]]) -> Scripted:
        made.append(Scripted(behaviour))
        return made[-1]

    yield make
    for each in made:
        each.close()


def true_answer(packet: bytes, address: str = "198.51.100.1") -> bytes:
    """The packet's question with one A record."""
    end = packet.index(b"\0", 12) + 5
    header = packet[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0)
    return header + packet[12:end] + b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(address)


@pytest.fixture
def answer_truly() -> Callable[[bytes], bytes]:
    return true_answer
