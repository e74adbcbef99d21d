"""Serving: HTTP and HTTPS in one process, bounded heads, a clean and quick stop, clear words when it can't start."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from captive_portal.auth.certificate import ensure_certificate
from captive_portal.serve import Listener, serve
from gateway.errors import UsageError
from gateway.settings import Console

PROGRAM = """
import asyncio, sys
from pathlib import Path
from captive_portal.serve import Listener, serve

async def app(scope, receive, send):
    if scope["path"] == "/slow":
        await asyncio.sleep(60)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": scope["scheme"][:2].encode()})

http, https, certificate, key = sys.argv[1:]
sys.exit(serve([
    Listener(app, "127.0.0.1", int(http)),
    Listener(app, "127.0.0.1", int(https), Path(certificate), Path(key)),
]))
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    certificate = ensure_certificate(tmp_path, Console(), datetime.now(UTC))
    ports = _free_ports()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, ports), str(certificate.certificate), str(certificate.key)],
        stderr=subprocess.PIPE,
    )
    for port in ports:
        _wait_for(port)
    yield process, *ports
    process.kill()
    process.communicate()


def test_http_and_https_from_one_process(running: tuple[subprocess.Popen[bytes], int, int]) -> None:
    process, http, https = running
    assert _ask(http, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"\r\n\r\nht")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", https), timeout=5)) as secure:
        secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = secure.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"server:" not in answer.lower()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0


def test_a_head_that_is_too_large_is_refused(running: tuple[subprocess.Popen[bytes], int, int]) -> None:
    _, http, _ = running
    answer = _ask(http, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_soon_though_a_request_hangs(
    running: tuple[subprocess.Popen[bytes], int, int], number: signal.Signals
) -> None:
    process, http, _ = running
    with socket.create_connection(("127.0.0.1", http)) as hanging:
        hanging.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        started = time.monotonic()
        process.send_signal(number)
        assert process.wait(6) == 0
        assert time.monotonic() - started < 4


def test_an_address_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match=r"can't listen on 127\.0\.0\.1 port"):
            serve([Listener(_nothing, "127.0.0.1", taken.getsockname()[1])])


def test_a_missing_certificate_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"certificate .* can't be used"):
        serve([Listener(_nothing, "127.0.0.1", _free_ports()[0], tmp_path / "none.pem", tmp_path / "none.key")])


async def _nothing(_scope: object, _receive: object, _send: object) -> None: ...


def _ask(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        try:
            plain.sendall(request)
            answer = b""
            while part := plain.recv(65536):
                answer += part
        except ConnectionError:
            return b""
    return answer


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")
