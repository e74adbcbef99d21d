"""Each kind of target beside the real thing at its other end: what it has taken, and how to take it away."""

from __future__ import annotations

import email
import email.policy
import http.server
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gateway.audit import merkle, note
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from gateway.audit.cosignature import CosignerKey
from gateway.audit.sealing import seal
from gateway.audit.targets.directory import DirectoryTarget
from gateway.audit.targets.email import EmailTarget
from gateway.audit.targets.https import HttpsTarget
from gateway.audit.targets.seam import Package, Target
from gateway.audit.targets.witness import WitnessTarget
from gateway.audit.witness_text import SIZE_TYPE, encode_answer, encode_size, parse_request
from gateway.audit.witnessing import Cosign, judge
from tests.contract.audit.targets.authority import make_authority

ORIGIN = "log.example.no/kommune"
SIGNER = note.SignerKey(ORIGIN, bytes(32))
COSIGNER = CosignerKey("witness.example.no/w", bytes(range(32)))
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOKEN = "a token that only the service knows"


def package(size: int, name: str = "entry", signer: note.SignerKey = SIGNER) -> Package:
    """The signed head of a tree of `size` entries."""
    sealed = seal((), 0, [f"{name} {number}".encode() for number in range(size)])
    nodes = {(node.level, node.index): node.hash for node in sealed.nodes}
    checkpoint = Checkpoint(ORIGIN, size, sealed.root)
    return Package(
        checkpoint,
        sign_checkpoint(checkpoint, signer),
        f"gjestenett erasure list v1\n{ORIGIN}\nsize {size}\n".encode(),
        (SIGNER.verifier,),
        lambda old: merkle.consistency_proof(old, size, lambda level, index: nodes[level, index]),
    )


class Kind:
    """A target and its other end."""

    target: Target

    def taken(self) -> list[tuple[bytes, bytes]]:
        """(checkpoint, erasure list) of everything that the other end keeps, in order."""
        raise NotImplementedError

    def take_away(self) -> None:
        """From now on nothing can be sent."""
        raise NotImplementedError


class Directory(Kind):
    def __init__(self, folder: Path) -> None:
        self.path = folder / "share"
        self.path.mkdir()
        self.target = DirectoryTarget("t", self.path, ORIGIN)

    def taken(self) -> list[tuple[bytes, bytes]]:
        files = sorted(self.path.rglob("*.checkpoint")), sorted(self.path.rglob("*.erased"))
        return [(one.read_bytes(), other.read_bytes()) for one, other in zip(*files, strict=True)]

    def take_away(self) -> None:
        self.path.rename(self.path.with_name("unmounted"))


class Server(Kind):
    """An HTTPS server with a certificate by the tests' own authority."""

    def __init__(self, folder: Path) -> None:
        make_authority(folder)
        self.ca_file = folder / "ca.pem"
        self.status: int | None = None
        self.seen: list[tuple[bytes, bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, kind, answer = outer.answer(self.headers.get("Authorization", ""), body)
                self.send_response(outer.status or status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.url = f"https://localhost:{self.server.server_port}/gjestenett"

    def answer(self, authorization: str, body: bytes) -> tuple[int, str, bytes]:
        raise NotImplementedError

    def taken(self) -> list[tuple[bytes, bytes]]:
        return self.seen

    def take_away(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Https(Server):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.token_file = folder / "token"
        self.token_file.write_text(TOKEN + "\n")
        self.target = HttpsTarget("t", self.url, self.token_file, self.ca_file)

    def answer(self, authorization: str, body: bytes) -> tuple[int, str, bytes]:
        if authorization != f"Bearer {TOKEN}":
            return 401, "text/plain", b""
        document = json.loads(body)
        sent = document["checkpoint"].encode(), document["erasure_list"].encode()
        assert parse_checkpoint(sent[0])[0].size == document["size"]
        if sent not in self.seen:
            self.seen.append(sent)
        return 204, "text/plain", b""


class Witness(Server):
    """Another implementation's place: the specification's own order of checks over the pure judge."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.last: Checkpoint | None = None
        self.target = WitnessTarget("t", self.url, COSIGNER.verifier, self.ca_file)

    def answer(self, authorization: str, body: bytes) -> tuple[int, str, bytes]:
        request = parse_request(body)
        verdict = judge(request, {ORIGIN: (SIGNER.verifier,)}, self.last)
        if not isinstance(verdict, Cosign):
            size = encode_size(verdict.size) if verdict.size is not None else b""
            return verdict.status, SIZE_TYPE, size
        self.last = verdict.checkpoint
        if (request.checkpoint, b"") not in self.seen:
            self.seen.append((request.checkpoint, b""))
        return 200, "text/plain", encode_answer([COSIGNER.cosign(verdict.text, int(NOW.timestamp()))])


class Mail(Kind):
    def __init__(self, folder: Path, security: str) -> None:
        make_authority(folder)
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", Path(__file__).with_name("mail_server.py"), folder, security],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.password_file = folder / "password"
        self.password_file.write_text("hemmelig\n")
        self.options = {
            "to": ("revisor@example.no", "arkiv@example.no"),
            "sender": "gjestenett@example.no",
            "host": "localhost",
            "port": self.port,
            "security": security,
            "username": "gjest",
            "password_file": self.password_file,
            "ca_file": folder / "ca.pem",
        }
        self.target = self.with_()

    def with_(self, **changed: object) -> EmailTarget:
        return EmailTarget("t", **{**self.options, **changed})  # type: ignore[arg-type]

    def taken(self) -> list[tuple[bytes, bytes]]:
        found = []
        for path in sorted(self.folder.glob("*.eml"), key=lambda each: int(each.stem)):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            sent = tuple(part.get_content() for part in message.iter_attachments())
            if sent not in found:
                found.append(sent)
        return found

    def take_away(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def open_kind(kind: str, folder: Path) -> Iterator[Kind]:
    """The target of this kind and its other end, for the length of a test."""
    made: Kind = {
        "directory": lambda: Directory(folder),
        "https": lambda: Https(folder),
        "witness": lambda: Witness(folder),
        "email-starttls": lambda: Mail(folder, "starttls"),
        "email-tls": lambda: Mail(folder, "tls"),
    }[kind]()
    yield made
    if isinstance(made, Mail | Server):
        made.take_away()


def hanging_port() -> socket.socket:
    """A listening socket that nobody accepts from."""
    return socket.create_server(("127.0.0.1", 0))


def is_root() -> bool:
    """Whether file modes hold nobody back."""
    return os.geteuid() == 0
