"""Two whole installations that witness each other over HTTPS, and a rewritten and a restored history being refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.audit import note
from gateway.audit.cosignature import cosignatures, parse_witness_key


class Gateway:
    """An installation in a directory of its own, run by `gjestenett up`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.state = self.folder / "state"
        self.origin = f"{name}.example.no/gjestenett"
        self.ports = _free_ports(3)
        self.process: subprocess.Popen[bytes] | None = None
        self.settings("")

    def settings(self, audit: str) -> None:
        portal, console, dns = self.ports
        (self.folder / "settings.toml").write_text(
            f'state = "{self.state}"\n[owner]\nkey = "{self.name}"\nlog_origin = "{self.origin}"\n'
            f'[portal]\nport = {portal}\n[console]\nport = {console}\nhostname = "localhost"\n'
            f"[dns]\nport = {dns}\n{audit}"
        )

    def witness_settings(self, other: Gateway) -> None:
        """We know the other one's log, and it cosigns ours."""
        vkey = json.dumps((other.state / "log.vkey").read_text().strip())
        self.settings(
            f'[[audit.witnessed]]\norigin = "{other.origin}"\nvkeys = [{vkey}]\n'
            f'[[audit.targets]]\nname = "nabo"\nkind = "witness"\nurl = "https://localhost:{other.ports[1]}/witness"\n'
            f'vkey = "{other.run("audit", "witness-key").stdout.strip()}"\nca_file = "{other.state}/tls/console.pem"\n'
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway.cli", "--config", str(self.folder / "settings.toml"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> None:
        command = [sys.executable, "-m", "gateway.cli", "--config", str(self.folder / "settings.toml"), "up"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self._answers(self.ports[1]), f"{self.name} is up", self.log)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def target(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.run("audit", "targets", "--json").stdout)[0]
        return found

    def database(self) -> Path:
        return self.state / "gjestenett.sqlite3"

    @staticmethod
    def _answers(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(count: int) -> list[int]:
    holding = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in holding]
    for each in holding:
        each.close()
    return ports


def wait_until(condition: Callable[[], object], what: str, tell: Callable[[], str], timeout_s: float = 240) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}\n{tell()[-3000:]}"
        time.sleep(0.5)


@pytest.fixture
def gateways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gateway, Gateway]]:
    monkeypatch.delenv("GJESTENETT_CONFIG", raising=False)
    both = Gateway(tmp_path, "storvik"), Gateway(tmp_path, "lillevik")
    yield both
    for each in both:
        each.stop()


def back_up(source: Path, target: Path) -> None:
    one, other = sqlite3.connect(source), sqlite3.connect(target)
    with one, other:
        one.backup(other)
    one.close()
    other.close()


@pytest.mark.timeout(1200)
def test_two_gateways_witness_each_other_and_refuse_a_rewritten_history(gateways: tuple[Gateway, Gateway]) -> None:
    for each in gateways:
        each.start()  # makes the keys and certificates
        wait_until(lambda each=each: each.run("audit", "checkpoint").returncode == 0, "sealed", each.log)
        each.stop()
    one, two = gateways
    one.witness_settings(two)
    two.witness_settings(one)
    for each in gateways:
        each.start()
    for each, other in ((one, two), (two, one)):
        wait_until(lambda each=each: each.target()["last_success"] != "never", "cosigned by itself", each.log)
        whole = note.parse(each.run("audit", "checkpoint", "--cosigned").stdout.encode())
        key = parse_witness_key(other.run("audit", "witness-key").stdout.strip())
        assert len(cosignatures(whole.text, whole.signatures, [key])) == 1
        note.verified_by(whole, note.parse_verifiers((each.state / "log.vkey").read_text()))

    back_up(one.database(), one.folder / "yesterday")
    assert one.run("audit", "rotate-key", "--reason", "lab").returncode == 0
    new_key = (one.state / "log.vkey").read_text().splitlines()[-1]
    wait_until(lambda: _head_key(one) == new_key, "signed by the new key", one.log)
    refused = one.run("audit", "push")
    assert refused.returncode == 1
    assert "does not know the key" in refused.stdout
    two.stop()
    _trust(two, one)
    two.start()
    wait_until(lambda: one.run("audit", "push").returncode == 0, "cosigned with the new key", two.log)

    one.stop()  # now somebody puts yesterday's database back, and everything that remembers is lost but the neighbour
    for suffix in ("-wal", "-shm"):
        one.database().with_name(one.database().name + suffix).unlink(missing_ok=True)
    shutil.copy(one.folder / "yesterday", one.database())
    os.unlink(one.state / "keys" / "log.key.memory")
    one.start()
    wait_until(
        lambda: any(word in str(one.target()["reason"]) for word in ("restored", "rewritten")),
        "the neighbour refuses the other history",
        one.log,
    )
    assert re.search(r"as witness of storvik\S+: refused \(4(09|22)\)", two.log()), two.log()


def _trust(witness: Gateway, other: Gateway) -> None:
    """The witness's operator writes every key of the other log into the settings."""
    known = ", ".join(json.dumps(vkey) for vkey in (other.state / "log.vkey").read_text().splitlines())
    path = witness.folder / "settings.toml"
    path.write_text(re.sub(r"vkeys = \[.*\]", lambda _: f"vkeys = [{known}]", path.read_text()))


def _head_key(gateway: Gateway) -> str:
    whole = note.parse(gateway.run("audit", "checkpoint").stdout.encode())
    keys = note.parse_verifiers((gateway.state / "log.vkey").read_text())
    return str(note.verified_by(whole, keys)[0])
