"""Downloads over real TLS: connected to the address that was looked at, with the certificate of the name."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.lists.download import DownloadLimits, Fetched, fetch
from gateway.lists.errors import DownloadError

TEXT = b"a.no\nb.no\n"
QUICK = DownloadLimits(max_bytes=100_000, total_s=3, connect_s=2, read_s=1)


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, name: str = "test authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._build(self.name, self.key, x509.BasicConstraints(ca=True, path_length=0)).sign(
            self.key, hashes.SHA256()
        )

    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.certificate.public_bytes(Encoding.PEM).decode())

    def serve(self, folder: Path, *names: str, valid_until: datetime | None = None) -> ssl.SSLContext:
        """A server's context with a certificate for these names (or addresses)."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives: list[x509.GeneralName] = [
            x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        leaf = (
            self._build(x509.Name([]), key, x509.BasicConstraints(ca=False, path_length=None), valid_until)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        path = folder / "server.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + leaf.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, basic: x509.BasicConstraints,
        valid_until: datetime | None = None,
    ) -> x509.CertificateBuilder:  # fmt: skip
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(valid_until or now + timedelta(days=30))
            .add_extension(basic, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )


class TlsServer:
    """An HTTPS server on 127.0.0.1 with one answer to every request. `asked` are the names of each handshake."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.asked: list[str | None] = []
        self.requests: list[bytes] = []
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(TEXT) + TEXT
        context.sni_callback = lambda _connection, name, _context: self.asked.append(name)
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            plain.settimeout(3)
            try:
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self.requests.append(connection.recv(65536))
                    connection.sendall(self.answer)
            except OSError:
                plain.close()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def running() -> Iterator[list[TlsServer]]:
    servers: list[TlsServer] = []
    yield servers
    for each in servers:
        each.close()


async def pinned(host: str) -> list[str]:
    return {"lists.example": ["127.0.0.1"]}[host]


def start(running: list[TlsServer], context: ssl.SSLContext) -> TlsServer:
    running.append(TlsServer(context))
    return running[-1]


@pytest.fixture(autouse=True)
def loopback_is_out_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for a public address here."""
    monkeypatch.setattr("gateway.lists.addresses.is_public", lambda address: address == "127.0.0.1")


def test_the_certificate_is_that_of_the_name_though_the_connection_goes_to_the_address(
    authority: Authority, running: list[TlsServer], tmp_path: Path
) -> None:
    server = start(running, authority.serve(tmp_path, "lists.example"))
    url = f"https://lists.example:{server.port}/list"
    got = fetch(url, tmp_path / "got", pinned, limits=QUICK, trust=authority.trusted())
    assert isinstance(got, Fetched)
    assert (tmp_path / "got").read_bytes() == TEXT
    assert server.asked == ["lists.example"]
    assert f"host: lists.example:{server.port}".encode() in server.requests[0].lower()


@pytest.mark.parametrize("what", ["another name", "the address", "another authority", "ran out"])
def test_a_certificate_that_is_not_the_names_gives_no_list(
    authority: Authority, running: list[TlsServer], tmp_path: Path, what: str
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    context = {
        "another name": lambda: authority.serve(tmp_path, "other.example"),
        "the address": lambda: authority.serve(tmp_path, "127.0.0.1"),
        "another authority": lambda: Authority("stranger").serve(tmp_path, "lists.example"),
        "ran out": lambda: authority.serve(tmp_path, "lists.example", valid_until=yesterday),
    }[what]()
    server = start(running, context)
    with pytest.raises(DownloadError) as caught:
        fetch(
            f"https://lists.example:{server.port}/list", tmp_path / "got", pinned, limits=QUICK,
            trust=authority.trusted(),
        )  # fmt: skip
    assert caught.value.reason == "connection"
    assert "certificate" in str(caught.value).lower()
    assert server.requests == []
    assert not (tmp_path / "got").exists()


def test_by_default_a_certificate_of_no_known_authority_gives_no_list(
    authority: Authority, running: list[TlsServer], tmp_path: Path
) -> None:
    server = start(running, authority.serve(tmp_path, "lists.example"))
    with pytest.raises(DownloadError) as caught:
        fetch(f"https://lists.example:{server.port}/list", tmp_path / "got", pinned, limits=QUICK)
    assert caught.value.reason == "connection"
    assert server.requests == []


def test_from_https_no_redirect_to_plain_http_is_followed(
    authority: Authority, running: list[TlsServer], tmp_path: Path
) -> None:
    server = start(running, authority.serve(tmp_path, "lists.example"))
    server.answer = (
        b"HTTP/1.1 302 Found\r\nLocation: http://lists.example/list\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    with pytest.raises(DownloadError) as caught:
        fetch(
            f"https://lists.example:{server.port}/list", tmp_path / "got", pinned, limits=QUICK,
            trust=authority.trusted(),
        )  # fmt: skip
    assert caught.value.reason == "redirects"
