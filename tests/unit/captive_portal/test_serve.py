"""Serving: HTTP and HTTPS in one process, bounded heads, a clean and quick stop, clear words when it can't start."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
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
from gateway.readiness import VARIABLE, Ear
from gateway.settings import Console

PROGRAM = """
import asyncio, sys
from pathlib import Path
from captive_portal.serve import Listener, serve

async def app(scope, receive, send):
    if scope["path"] == "/slow":
        await asyncio.sleep(60)
    status = 405 if scope["method"] == "CONNECT" else 200
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": scope["scheme"][:2].encode()})

def door(data, address):
    if data.startswith(b"GET /stranger"):
        return b"HTTP/1.1 302 Found\\r\\nlocation: /" + address.encode() + b"\\r\\ncontent-length: 0\\r\\n\\r\\n"
    return b"" if data.startswith(b"GET /mad") else None

import captive_portal.seats as module
http, https, certificate, key, *quick = sys.argv[1:]
if quick:
    module.HANDSHAKE_S = module.HEAD_S = module.BODY_S = module.FLUSH_S = float(quick[0])
sys.exit(serve([
    Listener(app, "127.0.0.1", int(http), answer=door),
    Listener(app, "127.0.0.1", int(https), Path(certificate), Path(key)),
]))
"""


@contextlib.contextmanager
def _started(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    certificate = ensure_certificate(folder, Console(), datetime.now(UTC))
    ports = _free_ports()
    process = subprocess.Popen(
        [
            "prlimit",
            "--nofile=1024:",
            sys.executable,
            "-c",
            PROGRAM,
            *map(str, ports),
            str(certificate.certificate),
            str(certificate.key),
            *options,
        ],
        stderr=subprocess.PIPE,
    )
    for port in ports:
        _wait_for(port)
    try:
        yield process, *ports
    finally:
        process.kill()
        _, errors = process.communicate()
    assert b"Traceback" not in errors or b"graceful shutdown exceeded" in errors, errors.decode()
    assert b"never retrieved" not in errors, errors.decode()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    with _started(tmp_path) as started:
        yield started


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


BESIDE = """
import sys
from captive_portal.serve import Listener, serve

async def app(scope, receive, send):
    pass

sys.exit(serve([Listener(app, "127.0.0.1", int(sys.argv[1]))], lambda: print("at work", flush=True)))
"""


def test_it_says_when_it_listens_and_does_its_other_work_again_and_again() -> None:
    ear, port = Ear(), _free_ports()[0]
    with subprocess.Popen(
        [sys.executable, "-c", BESIDE, str(port)], stdout=subprocess.PIPE, env=os.environ | {VARIABLE: ear.address}
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"at work\n"] * 2
        assert ear.hears_ready()
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    ear.close()


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


@pytest.mark.parametrize("late", [False, True])
def test_what_the_door_answers_never_comes_to_the_application(
    running: tuple[subprocess.Popen[bytes], int, int], late: bool
) -> None:
    _, http, _ = running
    for path, begins in ((b"/stranger", b"HTTP/1.1 302 Found\r\nlocation: /127.0.0.1\r\n"), (b"/mad", b"")):
        with _connect(http) as plain:
            if late:  # it has a seat by now, as the connections of those who come after it are answered
                assert _ask(http, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").endswith(b"ht")
            plain.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while part := plain.recv(4096):
                answer += part
        assert answer.startswith(begins)
        assert bool(answer) == bool(begins)


def test_the_door_looks_at_the_first_bytes_only(running: tuple[subprocess.Popen[bytes], int, int]) -> None:
    _, http, _ = running
    with _connect(http) as plain:
        _get_and_stay(plain)
        plain.sendall(b"GET /stranger HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert plain.recv(4096).startswith(b"HTTP/1.1 200")


# --- clients that say nothing, or little ----------------------------------------------------------------------------

HALF_OPEN = 1200


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """As `running`, with deadlines of one second."""
    with _started(tmp_path, "1") as started:
        yield started


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many files for this process as it may have, for its side of the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * HALF_OPEN:
        pytest.skip("this process may not open enough files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize(
    ("secure", "begun"),
    [
        (False, b""),
        (False, b"GET / HTTP/1.1\r\nHost: x\r\nX: "),
        (False, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"),
        (False, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),  # answered, then kept open
        (True, b""),
        (True, b"\x16\x03\x01\x01\x00"),  # the beginning of a ClientHello
    ],
)
def test_half_sent_requests_of_one_client_keep_nobody_out(
    running: tuple[subprocess.Popen[bytes], int, int], secure: bool, begun: bytes
) -> None:
    process, http, https = running
    with contextlib.ExitStack() as held:
        for _ in range(HALF_OPEN):
            half = held.enter_context(socket.create_connection(("127.0.0.1", https if secure else http)))
            if begun:
                half.sendall(begun)
        for address in ("127.0.0.1", "127.0.0.2"):
            for port, answered in ((http, b"ht"), (https, b"ht")):
                started = time.monotonic()
                answer = _get(port, address, tls=port == https)
                assert answer.startswith(b"HTTP/1.1 200")
                assert answer.endswith(answered)
                assert time.monotonic() - started < 2
    assert process.poll() is None


@pytest.mark.usefixtures("many_files")
def test_the_client_with_most_connections_loses_one_not_the_one_that_waited_longest(
    running: tuple[subprocess.Popen[bytes], int, int],
) -> None:
    _, http, _ = running
    with contextlib.ExitStack() as held:
        patient = held.enter_context(socket.create_connection(("127.0.0.1", http), 5, ("127.0.0.3", 0)))
        patient.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(HALF_OPEN):
            held.enter_context(socket.create_connection(("127.0.0.1", http)))
        patient.sendall(b"Host: x\r\n\r\n")
        assert patient.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\nX: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nX: ",
    ],
)
@pytest.mark.parametrize("tls", [False, True])
def test_a_byte_now_and_then_does_not_move_the_deadline(
    quick: tuple[subprocess.Popen[bytes], int, int], begun: bytes, tls: bool
) -> None:
    _, http, https = quick
    with _connect(https if tls else http, tls=tls) as slow:
        started = time.monotonic()
        slow.sendall(begun)
        slow.settimeout(0.2)
        received = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while time.monotonic() - started < 4:
                if begun:
                    slow.sendall(b"a")
                try:
                    part = slow.recv(4096)
                except TimeoutError:
                    continue
                if not part:
                    break
                received += part
        assert 0.8 < time.monotonic() - started < 2.5
        assert received.count(b"HTTP/1.1 ") == begun.count(b"\r\n\r\nGET")
        assert b" 503 " not in received
        assert b" 408 " not in received


def test_a_handshake_that_never_ends_is_closed(quick: tuple[subprocess.Popen[bytes], int, int]) -> None:
    _, _, https = quick
    with socket.create_connection(("127.0.0.1", https), timeout=3) as silent:
        silent.sendall(b"\x16\x03\x01\x01\x00")
        with contextlib.suppress(ConnectionError):
            assert silent.recv(100) == b""


def test_an_answer_that_takes_long_and_a_request_after_a_pause_are_served(
    quick: tuple[subprocess.Popen[bytes], int, int],
) -> None:
    _, http, _ = quick
    with _connect(http) as waiting, _connect(http) as pausing:
        waiting.settimeout(2)
        waiting.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(4):
            _get_and_stay(pausing)
            time.sleep(0.5)
        with pytest.raises(TimeoutError):  # it is our turn for longer than any client has; nothing is cut
            waiting.recv(4096)


@pytest.mark.parametrize("tls", [False, True])
def test_stops_at_once_though_idle_and_half_open_connections_are_held(
    running: tuple[subprocess.Popen[bytes], int, int], tls: bool
) -> None:
    process, http, https = running
    port = https if tls else http
    with (
        _connect(port, tls=tls) as idle,
        _connect(port, tls=tls) as half,
        socket.create_connection(("127.0.0.1", https)),
    ):
        _get_and_stay(idle)
        half.sendall(b"GET / HT")
        time.sleep(0.1)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - started < 1
        assert idle.recv(100) == b""  # a proper end, over TLS too


def test_the_limit_of_open_files_is_raised(running: tuple[subprocess.Popen[bytes], int, int]) -> None:
    process, _, _ = running
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    soft, hard = line.split()[3:5]
    assert soft == hard


@pytest.mark.parametrize("method", [b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"QUX"])
def test_odd_methods_are_answered_and_head_without_a_body(
    running: tuple[subprocess.Popen[bytes], int, int], method: bytes
) -> None:
    _, http, _ = running
    answer = _ask(http, method + b" / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 ")
    assert answer.endswith(b"\r\n\r\n" if method == b"HEAD" else b"\r\n\r\nht")


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


def _connect(port: int, address: str = "127.0.0.1", *, tls: bool = False) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", port), 5, (address, 0))
    if not tls:
        return plain
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain)


def _get_and_stay(connection: socket.socket) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b"ht"):
        part = connection.recv(4096)
        assert part, answer
        answer += part
    assert answer.startswith(b"HTTP/1.1 200")


def _get(port: int, address: str, *, tls: bool) -> bytes:
    with _connect(port, address, tls=tls) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


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


def test_a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    with _started(tmp_path) as (process, _, https):
        first = _shown(https)
        folder = tmp_path / "tls"
        (folder / "console.key").write_bytes(b"half of a renewal")
        other = ensure_certificate(tmp_path / "other", Console(), datetime.now(UTC))
        assert process.stderr is not None
        assert b"can't be used" in process.stderr.readline()  # said at the second look
        assert _shown(https) == first
        for new, old in ((other.key, folder / "console.key"), (other.certificate, folder / "console.pem")):
            new.replace(old)
        deadline = time.monotonic() + 10
        while _shown(https) == first and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _shown(https) == other.sha256.replace(":", "").lower()
        assert process.poll() is None


def _shown(port: int) -> str:
    """SHA-256 of the certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=5)) as secure:
        certificate = secure.getpeercert(binary_form=True)
    assert certificate is not None
    return hashlib.sha256(certificate).hexdigest()
