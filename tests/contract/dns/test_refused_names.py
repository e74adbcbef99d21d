"""Refused names of one device, asked of real workers: noted by every way there is, of nobody else, and not for long."""

from __future__ import annotations

import socket
from pathlib import Path

import dns.message
import dns.query
import pytest

from gateway.access.refused import refused_names

from .conftest import wait_for

KEY = "c" * 32


def asked_from(port: int, source: str, name: str, rtype: str = "A", *, tcp: bool = False, **options: object) -> None:
    query = dns.message.make_query(name, rtype, **({"use_edns": 0} | options))  # type: ignore[arg-type]
    (dns.query.tcp if tcp else dns.query.udp)(query, "127.0.0.1", port=port, timeout=6, source=source)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_device_is_refused_is_noted_while_it_is_asked_for(start, unbound, tmp_path: Path, workers: int) -> None:
    folder = tmp_path / "refused"
    worker = start([unbound], workers=workers, refused_folder=str(folder))
    wait_for(lambda: len(list(folder.glob("*.sock"))) == workers)
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.sock")} == {0o660}
    for _ in range(4):  # so that the answer is a finished one, which the hot path gives
        asked_from(worker.port, "127.0.0.2", "early.game.example", use_edns=False)

    assert refused_names(folder, KEY, ["127.0.0.2"], 60.0) == ()
    asked_from(worker.port, "127.0.0.2", "early.game.example", use_edns=False)
    asked_from(worker.port, "127.0.0.2", "WWW.Game.Example", "HTTPS")
    asked_from(worker.port, "127.0.0.2", "tcp.game.example", tcp=True)
    asked_from(worker.port, "127.0.0.2", "hop.example")  # an alias that upstream knows of
    asked_from(worker.port, "127.0.0.2", "ok.example")
    asked_from(worker.port, "127.0.0.3", "other.game.example", use_edns=False)

    found = refused_names(folder, KEY, ["127.0.0.2"], 60.0)
    assert found is not None
    assert {(each.name, each.listed, each.category) for each in found} == {
        ("early.game.example", "game.example", "gaming"),
        ("www.game.example", "game.example", "gaming"),
        ("tcp.game.example", "game.example", "gaming"),
        ("hop.example", "game.example", "gaming"),
    }
    assert refused_names(folder, "d" * 32, ["127.0.0.3"], 60.0) == ()  # another device's, which begins only now
    refused_names(folder, KEY, [], 0.0)
    assert refused_names(folder, KEY, ["127.0.0.2"], 60.0) == ()  # forgotten
    assert worker.ask("game.example").rcode() == 0

    worker.stop()
    assert list(folder.iterdir()) == []
    log = worker.stderr.read_text()
    assert "game.example" not in log
    assert "hop.example" not in log


def test_sockets_of_dead_workers_are_cleared_away_and_passed_over(start, unbound, tmp_path: Path) -> None:
    folder = tmp_path / "refused"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(folder / "1-dead.sock"))
    assert refused_names(folder, KEY, ["127.0.0.2"], 60.0) is None
    assert refused_names(tmp_path / "nowhere", KEY, ["127.0.0.2"], 60.0) is None
    start([unbound], refused_folder=str(folder))
    wait_for(lambda: refused_names(folder, KEY, ["127.0.0.2"], 60.0) == ())
    assert not (folder / "1-dead.sock").exists()


def test_what_is_no_request_gets_no_answer_and_does_no_harm(start, unbound, tmp_path: Path) -> None:
    folder = tmp_path / "refused"
    start([unbound], refused_folder=str(folder))
    wait_for(lambda: refused_names(folder, KEY, [], 0.0) == ())
    [path] = folder.glob("*.sock")
    for sent in (b"\n", b"GET / HTTP/1.1\r\n\r\n", b"[" * 100_000 + b"\n", b'{"v":1}\n'):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(6)
            connection.connect(str(path))
            try:
                connection.sendall(sent)
                assert connection.recv(100) == b""
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert refused_names(folder, KEY, ["127.0.0.2"], 60.0) == ()
