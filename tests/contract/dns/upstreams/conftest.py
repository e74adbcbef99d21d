"""The forwarder's outward side in a loop of its own, and servers by TCP and TLS that misbehave on purpose."""

from __future__ import annotations

import asyncio
import datetime
import gc
import ipaddress
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import dns.message
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.dns.upstreams.address import ServerAddress, parse_server
from gateway.dns.upstreams.exchange import NoAnswer, Outcome
from gateway.dns.upstreams.forwarder import Upstreams
from gateway.dns.upstreams.health import UpstreamReport
from gateway.dns.upstreams.tls import key_pin


def question(name: str, rtype: str = "A") -> bytes:
    return dns.message.make_query(name, rtype).to_wire()[12:].split(b"\0\0\x29")[0]


class Outside:
    """`ask` gives the addresses in the answer as text, or the `NoAnswer`."""

    def __init__(self, *servers: str | int, zones: dict[str, list[str]] | None = None, **options) -> None:
        self.callbacks = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        written = tuple(map(self._address, servers))
        of_zones = {zone: tuple(map(self._address, each)) for zone, each in (zones or {}).items()}
        try:
            self.upstreams = self._call(lambda: Upstreams(written, self._loop, zones=of_zones, **options))
        except BaseException:
            self._end()
            raise

    @staticmethod
    def _address(server: str | int) -> ServerAddress:
        return ServerAddress("127.0.0.1", server) if isinstance(server, int) else parse_server(server)

    def _call(self, what: Callable):
        done: Future = Future()

        def call() -> None:
            try:
                done.set_result(what())
            except BaseException as problem:
                done.set_exception(problem)

        self._loop.call_soon_threadsafe(call)
        return done.result(timeout=5)

    def start(self, *names: str, rtype: str = "A", by_tcp: bool = False) -> list[Future[Outcome]]:
        """Ask for all names in one turn of the loop."""
        futures: list[Future[Outcome]] = [Future() for _ in names]

        def got(future: Future[Outcome], outcome: Outcome) -> None:
            self.callbacks += 1
            future.set_result(outcome)  # raises when called twice

        def ask() -> None:
            for name, future in zip(names, futures, strict=True):
                key = (question(name, rtype), False, False)
                self.upstreams.ask(key, by_tcp, lambda outcome, future=future: got(future, outcome))

        self._call(ask)
        return futures

    def ask(self, name: str, rtype: str = "A", *, by_tcp: bool = False, within_s: float = 6.0) -> str | NoAnswer:
        (future,) = self.start(name, rtype=rtype, by_tcp=by_tcp)
        return shown(future.result(timeout=within_s))

    @property
    def reports(self) -> tuple[UpstreamReport, ...]:
        return self._call(self.upstreams.report)

    def failures(self, index: int = 0) -> dict[str, int]:
        return {kind: count for kind, count in self.reports[index].failures if count}

    def close(self) -> None:
        self._call(self.upstreams.close)
        self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(_goodbye())
        self._loop.close()


async def _goodbye() -> None:
    await asyncio.sleep(0.01)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def shown(outcome: Outcome) -> str | NoAnswer:
    if isinstance(outcome, NoAnswer):
        return outcome
    addresses = [socket.inet_ntoa(address) for record in outcome.records for address in record.addresses]
    return ",".join(addresses) or f"rcode {outcome.rcode}"


@pytest.fixture(autouse=True)
def _what_was_given_up_is_collected_here() -> Iterator[None]:
    """A connection that was given up while it was being made, when the loop ended, is left to the garbage collector.

    It is a worker's end, and costs nothing; but its warning must not reach whatever test comes by later.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Talk:
    """One accepted connection, message by message."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def read(self) -> bytes:
        """The next message; EOFError at the end."""
        return self._exactly(int.from_bytes(self._exactly(2), "big"))

    def _exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            part = self.connection.recv(size - len(got))
            if not part:
                raise EOFError
            got += part
        return got

    def write(self, *packets: bytes) -> None:
        self.connection.sendall(b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets))

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class StreamServer:
    """Each connection, in a thread of its own, is given to `behaviour` with its number, counted from 1."""

    def __init__(self, behaviour: Callable[[Talk, int], None], port: int, context: ssl.SSLContext | None) -> None:
        self.behaviour = behaviour
        self.accepted = 0
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run)]
        self._threads[0].start()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.accepted += 1
            thread = threading.Thread(target=self._serve, args=(connection, self.accepted))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(8)
        with connection:
            try:
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                with connection:
                    self.behaviour(Talk(connection), number)
            except (OSError, EOFError):
                pass

    def close(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()


@pytest.fixture
def stream_server() -> Iterator[Callable[..., StreamServer]]:
    made: list[StreamServer] = []

    def make(
        behaviour: Callable[[Talk, int], None], port: int = 0, context: ssl.SSLContext | None = None
    ) -> StreamServer:
        made.append(StreamServer(behaviour, port, context))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def outside(stream_server: object) -> Iterator[Callable[..., Outside]]:
    """Closed before the servers, which wait until their connections are."""
    made: list[Outside] = []

    def make(*servers: str | int, **options) -> Outside:
        made.append(Outside(*servers, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


class Authority:
    """A certificate authority for tests. `issue` writes a certificate and its key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        root = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / "ca.pem"
        self.file.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name, key, *extensions, days: int = 30):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())

    def issue(self, name: str, *, days: int = 30) -> tuple[Path, Path, str]:
        """The files of certificate and key, and the key's pin."""
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            holds: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            holds = x509.DNSName(name)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key, x509.SubjectAlternativeName([holds]), days=days)
        files = self._folder / f"{name}{days}.pem", self._folder / f"{name}{days}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return *files, key_pin(certificate.public_bytes(serialization.Encoding.DER))

    def context(self, name: str, **options) -> ssl.SSLContext:
        """For a server that shows such a certificate."""
        certificate, key, _ = self.issue(name, **options)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
