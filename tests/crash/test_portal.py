"""The portal itself, killed while a guest accepts: after a restart the same form works, and there is one acceptance."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.clock import utc_now
from gateway.installation import prepare
from gateway.settings import Settings
from tests.crash import invariants, killing
from tests.crash.operations import seal_all

pytestmark = [pytest.mark.usefixtures("strace"), pytest.mark.timeout(180)]
START_LIMIT_S = 60
LOOPBACK = "00:00:00:00:00:00"
ROOT = Path(__file__).parents[2]
PROGRAM = """
from gateway.cli import main
from tests.crash.killing import let_be_traced
let_be_traced()
main()
"""
STRIKES = {
    "at its first write": ("pwrite64:signal=KILL:when=1", 0),
    "between two writes": ("pwrite64:signal=KILL:when=6", 0),
    "written, but not synced": ("fdatasync:signal=KILL:when=1", 1),
}
"""Where the portal is killed in the transaction of an acceptance, and how many acceptances a reader sees then.

What has been written is there for whoever reads it through the same kernel; only a machine that stops could lose it.
"""


@contextmanager
def portal(settings: Settings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The service, when it answers; it lets itself be traced."""
    config = settings.state / "portal.toml"
    config.write_text(f"[portal]\nport = {port}\n")
    command = [sys.executable, "-c", PROGRAM, "--config", str(config), "--state", str(settings.state), "portal"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            assert process.poll() is None, "the portal ended"
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def form(port: int) -> dict[str, str]:
    page = httpx.get(f"http://127.0.0.1:{port}/", headers={"Accept-Language": "nb"}).text
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None, page
    return {"token": found[1], "name": "Kari Nordmann"}


def post(port: int, fields: dict[str, str]) -> int | None:
    """The status of the answer; None when there was none."""
    try:
        return httpx.post(f"http://127.0.0.1:{port}/accept", data=fields, timeout=30).status_code
    except httpx.TransportError:
        return None


def accepted(settings: Settings) -> int:
    """How many acceptances of this machine a reader sees."""
    with closing(sqlite3.connect(f"file:{settings.state / 'gjestenett.sqlite3'}?mode=ro", uri=True)) as database:
        [[count]] = database.execute(
            "SELECT count(*) FROM acceptance JOIN device ON device.id = device_id WHERE mac = ?", (LOOPBACK,)
        )
    return int(count)


def until_it_has_beaten(settings: Settings) -> None:
    """Until the portal has said that it works; it writes nothing of its own for half a minute after that."""
    deadline = time.monotonic() + START_LIMIT_S
    with closing(sqlite3.connect(f"file:{settings.state / 'gjestenett.sqlite3'}?mode=ro", uri=True)) as database:
        while not database.execute("SELECT 1 FROM service_beat WHERE service = 'portal'").fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def check_after_restart(settings: Settings, port: int, fields: dict[str, str]) -> None:
    with portal(settings, port):
        assert post(port, fields) == 303, "the same form, pressed once more"
    services = prepare(settings, utc_now)
    invariants.check(services)
    seal_all(services)
    invariants.check(services)
    services.database.close()
    assert accepted(settings) == 1


@pytest.mark.parametrize("strike", STRIKES)
def test_killed_while_it_writes_the_acceptance(
    installation: Callable[[], Settings], free_port: int, tmp_path: Path, strike: str
) -> None:
    settings, (tamper, count) = installation(), STRIKES[strike]
    with portal(settings, free_port) as process:
        until_it_has_beaten(settings)
        fields = form(free_port)
        with killing.attached(process.pid, tmp_path / "log", calls=("pwrite64", "fdatasync"), tamper=tamper):
            assert post(free_port, fields) is None, "the guest is told nothing"
            assert process.wait(20) == -signal.SIGKILL
    assert accepted(settings) == count
    check_after_restart(settings, free_port, fields)


def test_killed_as_soon_as_the_guest_has_been_told(installation: Callable[[], Settings], free_port: int) -> None:
    settings = installation()
    with portal(settings, free_port) as process:
        fields = form(free_port)
        assert post(free_port, fields) == 303
        process.kill()
        process.wait(20)
    assert accepted(settings) == 1
    check_after_restart(settings, free_port, fields)


def test_killed_as_soon_as_the_acceptance_can_be_seen(installation: Callable[[], Settings], free_port: int) -> None:
    settings = installation()
    with portal(settings, free_port) as process:
        fields = form(free_port)
        body = httpx.Request("POST", "http://x/accept", data=fields).content
        head = (
            f"POST /accept HTTP/1.1\r\nHost: 127.0.0.1:{free_port}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        with closing(socket.create_connection(("127.0.0.1", free_port))) as guest:
            guest.sendall(head.encode() + body)
            deadline = time.monotonic() + 30
            while not accepted(settings):
                assert time.monotonic() < deadline
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    check_after_restart(settings, free_port, fields)


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
