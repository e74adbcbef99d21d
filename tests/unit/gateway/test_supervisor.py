"""The supervisor with real processes: restart, back-off, a clean stop, and no orphan."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.readiness import VARIABLE

DRIVER = """
import sys
from gateway.supervisor import Service, Supervisor
shell = ["sh", "-c"]
services = [Service(str(n), [*shell, script]) for n, script in enumerate(sys.argv[1:])]
sys.exit(Supervisor(services, lambda name: print("ready", name, file=sys.stderr, flush=True)).run())
"""
SAY_READY = f"{sys.executable} -c 'from gateway.readiness import say_ready; say_ready()'"


def until(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*scripts: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *scripts], cwd=os.getcwd(), stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.getcwd(), "T": str(tmp_path)},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_service_that_ends_is_started_again_ever_more_slowly(supervise, tmp_path):
    process = supervise("date +%s%N >> $T/starts; exit 1")
    until(lambda: len(lines(tmp_path / "starts")) >= 4)
    moments = [int(line) / 1e9 for line in lines(tmp_path / "starts")]
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert gaps[0] < gaps[1] < gaps[2]
    process.terminate()
    assert process.wait(10) == 0


def test_a_stop_reaches_every_service_and_waits_for_it(supervise, tmp_path):
    process = supervise(
        *[
            f"trap 'echo bye > $T/{n}.bye; exit 0' TERM; echo $$ > $T/{n}.pid; while :; do sleep 0.05; done"
            for n in range(2)
        ]
    )
    until(lambda: all((tmp_path / f"{n}.pid").exists() for n in range(2)))
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert all((tmp_path / f"{n}.bye").read_text() == "bye\n" for n in range(2))


def test_a_service_that_will_not_stop_is_killed(supervise, tmp_path):
    process = supervise("trap '' TERM; echo $$ > $T/pid; while :; do sleep 0.05; done")
    until(lambda: bool(lines(tmp_path / "pid")))
    process.terminate()
    assert process.wait(20) == 0
    assert not alive(lines(tmp_path / "pid")[0])


def test_a_service_started_wrongly_stops_everything(supervise, tmp_path):
    process = supervise("echo $$ > $T/pid; exec sleep 60", "sleep 0.3; exit 2")
    assert process.wait(10) == 1
    assert not alive(lines(tmp_path / "pid")[0])


def test_a_slow_machine_makes_no_difference_to_it(supervise, tmp_path):
    process = supervise("date +%s >> $T/starts; sleep 3.5; echo port 80 is taken >&2; exit 2")
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert len(lines(tmp_path / "starts")) == 1
    assert said.splitlines() == [
        "port 80 is taken", "0 can't be started as it is set up; everything is stopped",
    ]  # fmt: skip


def test_each_service_is_told_of_when_it_is_ready_and_only_then(supervise, tmp_path):
    process = supervise(
        f"until [ -e $T/go ]; do sleep 0.05; done; {SAY_READY}; date +%s >> $T/starts; sleep 0.5; exit 1",
        f"{SAY_READY}; touch $T/other; exec sleep 60",
        "exec sleep 60",
    )
    until((tmp_path / "other").exists, 20)
    (tmp_path / "go").touch()
    until(lambda: len(lines(tmp_path / "starts")) >= 2, 20)
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert sorted(line for line in said.splitlines() if line.startswith("ready")) == ["ready 0", "ready 1"]


def test_who_started_it_is_told_once_all_are_ready(supervise, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(tmp_path / "notify"))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        monkeypatch.setenv(VARIABLE, str(tmp_path / "notify"))
        late = f"until [ -e $T/go ]; do sleep 0.05; done; {SAY_READY}; exec sleep 60"
        process = supervise(f"{SAY_READY}; touch $T/first; exec sleep 60", late)
        until((tmp_path / "first").exists, 20)
        time.sleep(0.5)
        bound.setblocking(False)
        with pytest.raises(BlockingIOError):
            bound.recv(64)
        (tmp_path / "go").touch()
        bound.settimeout(20)
        said, about, _, _ = bound.recvmsg(64, socket.CMSG_SPACE(struct.calcsize("3i")))
    assert said == b"READY=1"
    assert struct.unpack("3i", about[0][2])[0] == process.pid, "systemd listens to the process it started"


def test_a_service_that_was_ready_is_started_again_whatever_it_ends_with(supervise, tmp_path):
    process = supervise(
        f"date +%s >> $T/starts; [ $(wc -l < $T/starts) -gt 1 ] && exec sleep 60; {SAY_READY}; sleep 0.3; exit 2"
    )
    until(lambda: len(lines(tmp_path / "starts")) >= 2, 15)
    assert process.poll() is None


def test_services_have_no_capability_and_can_not_gain_one(supervise, tmp_path):
    supervise("cp /proc/self/status $T/status; exec sleep 60")
    until(lambda: "NoNewPrivs" in "".join(lines(tmp_path / "status")))
    status = dict(line.split(":", 1) for line in (tmp_path / "status").read_text().splitlines() if ":" in line)
    assert {int(status[key], 16) for key in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert status["NoNewPrivs"].strip() == "1"


def test_kill_9_of_the_supervisor_leaves_no_orphan(supervise, tmp_path):
    process = supervise("echo $$ > $T/pid; exec sleep 60")
    until(lambda: bool(lines(tmp_path / "pid")))
    process.kill()
    process.wait(10)
    until(lambda: not alive(lines(tmp_path / "pid")[0]))
