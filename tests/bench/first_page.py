"""The page that a phone's login window opens on: time to its first byte, and what it takes over the wire.

A real portal process on loopback, set up as it is delivered, with the starter lists compiled. Each request comes on a
new connection, one after another: the time is from before connecting to the first byte of the answer.
"""

from __future__ import annotations

import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.clock import utc_now
from gateway.installation import prepare
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.settings import load
from gateway.storage import generations

HOST = "127.0.0.1"
WARM, MEASURED = 20, 200
APART_S = 0.05  # a device that asks faster is told to slow down
PAGES = {"GET / (the welcome page with the form)": "/", "GET /form": "/form"}
WANTED_MS, WANTED_BYTES, WANTED_ASSETS = 30, 60_000, 2
_LOADED = re.compile(rb'(?:href|src)="(/static/[^"]+)"')
_PATIENCE_S = 60.0


def ask(port: int, path: str) -> tuple[float, bytes]:
    """Milliseconds to the first byte, and all bytes of the answer as they came. Raises: OSError."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", "Accept-Encoding: gzip", "Accept-Language: nb"]
    request = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
    begun = time.perf_counter()
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(request)
        answer = connection.recv(65536)
        first_ms = 1000 * (time.perf_counter() - begun)
        while part := connection.recv(65536):
            answer += part
    return first_ms, answer


def load_page(port: int, path: str) -> tuple[int, dict[str, int]]:
    """The bytes of a page over the wire, and those of each asset that it loads."""
    answer = _found(ask(port, path)[1])
    assets = dict.fromkeys(each.decode() for each in _LOADED.findall(answer))
    return len(answer), {each: len(_found(ask(port, each)[1])) for each in assets}


def main(_options: Sequence[str] = ()) -> int:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        config = Path(folder) / "gjestenett.toml"
        config.write_text(f'state = "{folder}/state"\n[portal]\nport = {port}\n')
        _set_up(config)
        command = [sys.executable, "-m", "gateway.cli", "--config", str(config), "portal"]
        portal = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _await(port)
            for name, path in PAGES.items():
                _measure(port, name, path)
        finally:
            portal.terminate()
            portal.wait(20)
    return 0


def _measure(port: int, name: str, path: str) -> None:
    took = []
    for number in range(WARM + MEASURED):
        time.sleep(APART_S)
        first_ms, answer = ask(port, path)
        _found(answer)
        if number >= WARM:
            took.append(first_ms)
    median, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    page, assets = load_page(port, path)
    parts = ", ".join([f"the page {page:,}", *(f"{each} {size:,}" for each, size in assets.items())])
    print(
        f"{name}: first byte of {MEASURED} median {median:.1f} ms, p99 {p99:.1f} ms (wanted <= {WANTED_MS}), longest"
        f" {max(took):.1f} ms; {page + sum(assets.values()):,} bytes over the wire (wanted <= {WANTED_BYTES:,}) with"
        f" {len(assets)} assets (wanted <= {WANTED_ASSETS}): {parts}",
        flush=True,
    )


def _found(answer: bytes) -> bytes:
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the portal did not give the page: {answer[:200]!r}")
    return answer


def _set_up(config: Path) -> None:
    services = prepare(load(config), utc_now)
    with services.database.read() as session:
        standing = generations.in_force(session, services.place.owner_id)
    assert standing is not None
    publish(services.settings.state, compile_policy(standing.document, standing.generation))
    services.database.close()


def _await(port: int) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            ask(port, "/rules")
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port: int = taken.getsockname()[1]
        return port
