"""The supervisor with real processes: restart, back-off, a clean stop, and no orphan."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DRIVER = """
import sys
from gateway.supervisor import Service, Supervisor
shell = ["sh", "-c"]
sys.exit(Supervisor([Service(str(n), [*shell, script]) for n, script in enumerate(sys.argv[1:])]).run())
"""


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
            f"echo $$ > $T/{n}.pid; trap 'echo bye > $T/{n}.bye; exit 0' TERM; while :; do sleep 0.05; done"
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


def test_a_service_that_has_run_is_started_again_whatever_it_ends_with(supervise, tmp_path):
    process = supervise("date +%s >> $T/starts; [ $(wc -l < $T/starts) -gt 1 ] && exec sleep 60; sleep 3.5; exit 2")
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
