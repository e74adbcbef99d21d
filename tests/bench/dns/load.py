"""Asking: dnsperf for the load, `ask.c` for one question at a time, a socket for the first right answer."""

from __future__ import annotations

import re
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.dns.peers import NOERROR, Server
from tests.bench.dns.processes import Process
from tests.bench.dns.questions import REPEATING, Questions, packet

CLIENTS = 8
OUTSTANDING = 200
LOST_AFTER_S = 2
WARM_S = 3
WATCHED_S = 1
_RCODE_NAMES = {NOERROR: "NOERROR", 3: "NXDOMAIN"}
_ANSWERED = re.compile(r"^> [A-Z]{2,} \S+ A (\d+\.\d+)$", re.MULTILINE)  # a lost one is `> T name A`
_COUNT = re.compile(r"(\w+) (\d+) \(")


class LoadError(Exception):
    """A server that does not answer as it should, or a tool that failed."""


@dataclass(frozen=True, slots=True)
class Load:
    """One workload on one server. Latencies in milliseconds as dnsperf saw them; `wrong` answers had another rcode."""

    per_s: float
    cpu_us: float
    mean_ms: float
    p99_ms: float
    lost: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Single:
    """One question at a time: median and 99th percentile in microseconds."""

    median_us: float
    p99_us: float
    lost: int


def first_answer(server: Process, port: int, rcode: int, name: str, limit_s: float) -> float:
    """Seconds from now until `name` is answered as blocked; asked each 2 ms. Raises: LoadError."""
    started = time.monotonic()
    asked = packet(name, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        probe.settimeout(0.002)
        while (waited := time.monotonic() - started) < limit_s:
            if server.ended:
                raise LoadError(f"it ended: {server.last_words()}")
            try:
                probe.send(asked)
                if _is_block(probe.recv(4096), rcode):
                    return time.monotonic() - started
            except TimeoutError:
                continue
            except OSError:
                time.sleep(0.002)
    raise LoadError(f"no right answer within {waited:.0f} s: {server.last_words()}")


def all_right(port: int, rcode: int, blocked: list[str], permitted: list[str], limit_s: float) -> float:
    """Seconds until every one of these names gets the answer that it should. Raises: LoadError."""
    started = time.monotonic()
    wrong = ""
    while (waited := time.monotonic() - started) < limit_s:
        wrong = _first_wrong(port, rcode, blocked, permitted)
        if not wrong:
            return waited
        time.sleep(0.01)
    raise LoadError(wrong)


def _first_wrong(port: int, rcode: int, blocked: list[str], permitted: list[str]) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        probe.settimeout(2)
        for number, name in enumerate((*blocked, *permitted)):
            probe.send(packet(name, number))
            try:
                while (answer := probe.recv(4096))[:2] != number.to_bytes(2, "big"):
                    pass
            except OSError as problem:
                return f"no answer to {name}: {problem}"
            right = _is_block(answer, rcode) if number < len(blocked) else answer.endswith(UPSTREAM_ADDRESS)
            if not right:
                return f"wrong answer to {name}: {answer.hex()}"
    return ""


UPSTREAM_ADDRESS = bytes((198, 51, 100, 7))


def _is_block(answer: bytes, rcode: int) -> bool:
    if answer[3] & 15 != rcode:
        return False
    return rcode != NOERROR or b"\0\4\0\0\0\0" in answer[12:]


def measure(
    server: Server, process: Process, port: int, core: int, workload: str, asked: Questions, seconds: float
) -> Load:
    """Warm up, time, then watch latencies in a shorter run in which dnsperf writes every answer down. Raises: LoadError."""
    if asked.warm is not None:
        _dnsperf(port, core, asked.warm, WARM_S, "-n", "4")
    endless = () if workload in REPEATING else ("-n", "1")
    before_s = process.cpu_s()
    said = _dnsperf(port, core, asked.timed, seconds, *endless)
    cpu_s = process.cpu_s() - before_s
    completed = int(_value(said, "Queries completed"))
    if not completed:
        raise LoadError(f"{workload}: no answer at all")
    right = {"blocked": (server.block_rcode,), "distinct": (server.block_rcode,), "mixed": (server.block_rcode, NOERROR)}
    codes = [_RCODE_NAMES[code] for code in right.get(workload, (NOERROR,))]
    line = next(line for line in said.splitlines() if "Response codes:" in line)
    return Load(
        per_s=float(_value(said, "Queries per second")),
        cpu_us=cpu_s / completed * 1e6,
        mean_ms=float(_value(said, r"Average Latency \(s\)")) * 1e3,
        p99_ms=_p99_ms(_dnsperf(port, core, asked.watched, WATCHED_S, "-v", *endless)),
        lost=int(_value(said, "Queries lost")),
        wrong=sum(int(count) for code, count in _COUNT.findall(line) if code not in codes),
    )


def single(port: int, core: int, build: Path, packets: bytes) -> Single:
    """Latency with one question under way at a time. Raises: LoadError."""
    done = subprocess.run(
        ["taskset", "-c", str(core), str(build / "ask"), str(port)],
        input=packets,
        capture_output=True,
        timeout=60,
        check=False,
    )
    took = [int(line) for line in done.stdout.split()]
    answered = sorted(each / 1e3 for each in took if each)
    if done.returncode or len(answered) < 2:
        raise LoadError("one question at a time: no answers")
    return Single(statistics.median(answered), answered[len(answered) * 99 // 100], len(took) - len(answered))


def _dnsperf(port: int, core: int, questions: Path, seconds: float, *more: str) -> str:
    command = ["taskset", "-c", str(core), "dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(questions)]
    command += ["-l", f"{max(1, round(seconds))}", "-c", str(CLIENTS), "-q", str(OUTSTANDING), "-t", str(LOST_AFTER_S)]
    done = subprocess.run(
        [*command, *more], capture_output=True, text=True, timeout=seconds + LOST_AFTER_S + 30, check=False
    )
    if done.returncode:
        raise LoadError(f"dnsperf: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return done.stdout


def _value(said: str, label: str) -> str:
    found = re.search(rf"{label}:\s+([\d.]+)", said)
    if found is None:
        raise LoadError(f"dnsperf said nothing of {label!r}")
    return found[1]


def _p99_ms(said: str) -> float:
    took = sorted(float(seconds) for seconds in _ANSWERED.findall(said))
    return took[len(took) * 99 // 100] * 1e3 if took else float("nan")
