"""Asking: dnsperf for the load, `ask.c` for one question at a time."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.dns.checks import BenchError
from tests.bench.dns.peers import NOERROR, NXDOMAIN, Server
from tests.bench.dns.processes import Cores, Process, finished_cpu_s, machine_cpu_s
from tests.bench.dns.questions import REPEATING, Questions

CLIENTS = 8
OUTSTANDING = 100
LOST_AFTER_S = 2
WARM_S = 3
WATCHED_S = 1
_TICK_S = 0.01  # the kernel counts in these: less was not measured
RCODES = {NOERROR: "NOERROR", NXDOMAIN: "NXDOMAIN"}
_ANSWERED = re.compile(r"^> [A-Z]{2,} \S+ A (\d+\.\d+)$", re.MULTILINE)  # a lost one is `> T name A`
_COUNT = re.compile(r"(\w+) (\d+) \(")


@dataclass(frozen=True, slots=True)
class Load:
    """One workload on one server. Latencies in milliseconds as dnsperf saw them; `wrong` answers had another rcode."""

    per_s: float
    cpu_us: float
    mean_ms: float
    p99_ms: float
    lost: int
    wrong: int
    server_core: float
    load_core: float
    """Shares of their cores that the server, and dnsperf with the upstream, used: near 1 is what held the run back."""
    others: float
    """The share of the machine that others used meanwhile."""


@dataclass(frozen=True, slots=True)
class Single:
    """One question at a time: median and 99th percentile in microseconds."""

    median_us: float
    p99_us: float
    lost: int


class Asker:
    """Asks one server after the other from the core of the load."""

    def __init__(self, cores: Cores, build: Path, upstream: Process, seconds: int) -> None:
        self._cores, self._build, self._upstream, self._seconds = cores, build, upstream, seconds

    def measure(self, server: Server, process: Process, port: int, workload: str, asked: Questions) -> Load:
        """Warm up, time, then watch latencies in a shorter run, in which dnsperf writes every answer down.

        Raises: BenchError.
        """
        if asked.warm is not None:
            self._dnsperf(port, asked.warm, WARM_S, "-n", "4")
        endless = () if workload in REPEATING else ("-n", "1")
        began_s, server_s, load_s, all_s = time.monotonic(), process.cpu_s(), self._load_cpu_s(), machine_cpu_s()
        said = self._dnsperf(port, asked.timed, self._seconds, *endless)
        server_s, load_s, all_s = process.cpu_s() - server_s, self._load_cpu_s() - load_s, machine_cpu_s() - all_s
        others = (all_s - server_s - load_s) / (time.monotonic() - began_s) / (os.cpu_count() or 1)
        completed, took_s = int(value(said, "Queries completed")), value(said, r"Run time \(s\)")
        if not completed or process.ended:
            raise BenchError(f"{workload}: no answers, or no longer: {process.last_words()}")
        watched = self._dnsperf(port, asked.watched, WATCHED_S, "-v", *endless)
        return Load(
            per_s=value(said, "Queries per second"),
            cpu_us=max(server_s, _TICK_S) / completed * 1e6,
            mean_ms=value(said, r"Average Latency \(s\)") * 1e3,
            p99_ms=p99_ms(watched),
            lost=int(value(said, "Queries lost")),
            wrong=wrong(said, workload, server.block_rcode),
            server_core=server_s / took_s,
            load_core=load_s / took_s,
            others=max(0.0, others),
        )

    def single(self, port: int, packets: bytes) -> Single:
        """Latency with one question under way at a time. Raises: BenchError."""
        done = self._run([str(self._build / "ask"), str(port)], 60, packets)
        took = [int(line) for line in done.split()]
        answered = sorted(each / 1e3 for each in took if each)
        if len(answered) < 2:
            raise BenchError("one question at a time: no answers")
        return Single(statistics.median(answered), answered[len(answered) * 99 // 100], len(took) - len(answered))

    def _dnsperf(self, port: int, questions: Path, seconds: int, *more: str) -> str:
        command = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(questions), "-l", str(seconds)]
        command += ["-c", str(CLIENTS), "-q", str(OUTSTANDING), "-t", str(LOST_AFTER_S), *more]
        return self._run(command, seconds + LOST_AFTER_S + 30)

    def _run(self, command: list[str], limit_s: int, given: bytes = b"") -> str:
        pinned = self._cores.on(self._cores.load, command)
        done = subprocess.run(
            pinned, input=given, capture_output=True, timeout=limit_s, check=False, start_new_session=True
        )
        if done.returncode:
            last = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-1:]
            raise BenchError(f"{command[0]} ended with {done.returncode}: {' '.join(last)}")
        return done.stdout.decode()

    def _load_cpu_s(self) -> float:
        return self._upstream.cpu_s() + finished_cpu_s()


def value(said: str, label: str) -> float:
    """A figure of dnsperf's summary. Raises: BenchError."""
    found = re.search(rf"{label}:\s+([\d.]+)", said)
    if found is None:
        raise BenchError(f"dnsperf said nothing of {label!r}")
    return float(found[1])


def wrong(said: str, workload: str, block_rcode: int) -> int:
    """Answers whose rcode is none that the workload can have."""
    right = {"hot": (NOERROR,), "cold": (NOERROR,), "mixed": (NOERROR, block_rcode)}.get(workload, (block_rcode,))
    line = next(line for line in said.splitlines() if "Response codes:" in line)
    known = {RCODES[code] for code in right}
    return sum(int(count) for code, count in _COUNT.findall(line) if code not in known)


def p99_ms(said: str) -> float:
    """Of the answers that `dnsperf -v` wrote down; nan when there are none."""
    took = sorted(float(seconds) for seconds in _ANSWERED.findall(said))
    return took[len(took) * 99 // 100] * 1e3 if took else float("nan")
