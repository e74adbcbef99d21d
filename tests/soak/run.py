"""One soak: dnsperf at a bounded rate, a new policy every few seconds, and a look at memory and latency meanwhile."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.message

from tests.contract.dns.conftest import Worker, ask, free_port, wait_for

LISTED, HOT, WARM = 20_000, 300, 6_000
FIRST_MINUTE_S = 60.0
FILL_RATE = 10_000
_PROBE_EVERY_S = 0.05
_PROBE_LOST_S = 2.0
_LOOK_EVERY_S = 1.0
_FIELD = re.compile(r"^\s*(Queries \w+|Average Latency \(s\)|Queries per second):\s+([\d.]+)(?:.*max ([\d.]+))?", re.M)


class SoakError(Exception):
    """The soak could not be run; the message says what to do."""


@dataclass
class Result:
    """What came of it. Latencies in ms: dnsperf's mean, and those of a question each 50 ms beside it."""

    sent: int = 0
    lost: int = 0
    dropped_by_buffer: int = 0
    per_s: float = 0.0
    mean_ms: float = 0.0
    max_ms: float = 0.0
    reloads: int = 0
    in_force: int = 0
    probes_ms: list[float] = field(default_factory=list)
    probes_lost: int = 0
    memory_kb: list[tuple[float, int]] = field(default_factory=list)
    """(seconds since the start, anonymous memory of all workers together)."""

    @property
    def lost_by_us(self) -> int:
        """What no socket buffer dropped, and yet got no answer."""
        return max(0, self.lost - self.dropped_by_buffer)

    def memory_at(self, moment_s: float) -> int:
        """Memory (kB) at the last look before that moment."""
        return next((kb for at, kb in reversed(self.memory_kb) if at <= moment_s), self.memory_kb[0][1])

    def percentile_ms(self, share: float) -> float:
        """A percentile of the questions asked beside the load."""
        return statistics.quantiles(self.probes_ms, n=1000)[int(share * 1000) - 1]


def missing() -> str | None:
    """Which program is missing, or None."""
    absent = [each for each in ("dnsperf", "unbound") if _program(each) is None]
    return f"missing programs: {', '.join(absent)}; apt-get install {' '.join(absent)}" if absent else None


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def soak(
    folder: Path, seconds: float, rate: int, reload_every_s: float, workers: int = 1, fill_s: float = 0.0,
    beside: Callable[[Worker], None] | None = None,
) -> Result:  # fmt: skip
    """Run it in an empty folder; for `fill_s` before, a higher rate fills the caches. `beside` is called once, from
    another thread, when the load has begun.

    Raises: SoakError.
    """
    questions = folder / "questions"
    _write(questions, int(rate * (seconds + 10)), "cold")
    result = Result()
    with _upstream(folder) as upstream, _worker(folder, upstream, workers) as worker:
        started = time.monotonic()
        end = threading.Event()
        drops = _drops(worker.port)
        companions: list[Callable[[], None]] = [
            lambda: _reload(worker, result, reload_every_s, end),
            lambda: _probe(worker.port, result, end),
            lambda: _look(worker, result, started, end),
        ]
        if beside is not None:
            companions.append(lambda: beside(worker))
        threads = [threading.Thread(target=each) for each in companions]
        for thread in threads:
            thread.start()
        try:
            if fill_s:
                filling = folder / "filling"
                _write(filling, int(FILL_RATE * fill_s), "early")
                _dnsperf(worker.port, filling, fill_s, FILL_RATE)
                drops = _drops(worker.port)
            said = _dnsperf(worker.port, questions, seconds, rate)
        finally:
            end.set()
            for thread in threads:
                thread.join()
        result.dropped_by_buffer = _drops(worker.port) - drops
        result.in_force = worker.stderr.read_text().count("in force")
    _read(said, result)
    return result


def _write(file: Path, count: int, once: str) -> None:
    with file.open("w") as lines:
        lines.writelines(f"{each}\n" for each in _questions(count, once))


def _questions(count: int, once: str) -> Iterator[str]:
    """20 % listed, 70 % of a few names that many ask for, 5 % of those that come up every half minute or so, 5 % asked
    only once, with names that begin with `once`.
    """
    dice = random.Random(once)
    for number in range(count):
        kind = dice.random()
        if kind < 0.2:
            yield f"www.l{dice.randrange(LISTED)}.game.example {dice.choice(('A', 'AAAA', 'HTTPS'))}"
        elif kind < 0.9:
            yield f"hot{dice.randrange(HOT)}.soak.example A"
        elif kind < 0.95:
            yield f"warm{number % WARM}.soak.example A"
        else:
            yield f"{once}{number}.soak.example A"


@contextmanager
def _upstream(folder: Path) -> Iterator[int]:
    program, port = _program("unbound"), free_port()
    assert program is not None
    (folder / "unbound.conf").write_text(
        f"server:\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  use-syslog: no\n  chroot: ''\n  username: ''\n"
        f"  pidfile: ''\n  directory: '{folder}'\n  num-threads: 1\n  local-zone: soak.example redirect\n"
        "  local-data: 'soak.example. 20 IN A 198.51.100.7'\n  local-zone: . static\n"
    )
    with (folder / "unbound.log").open("wb") as log:
        process = subprocess.Popen([program, "-d", "-c", str(folder / "unbound.conf")], stderr=log)
    try:
        wait_for(lambda: _answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(5)


def _answers(port: int) -> bool:
    try:
        return bool(ask(port, "a.soak.example", timeout_s=0.2).answer)
    except Exception:  # not yet
        return False


@contextmanager
def _worker(folder: Path, upstream: int, workers: int) -> Iterator[Worker]:
    compile_policy(folder, 1)
    worker = Worker(folder, [upstream], workers=workers)
    try:
        wait_for(lambda: str(worker.ask("www.l1.game.example").answer[0][0]) == "0.0.0.0")
        yield worker
    finally:
        worker.stop()


def compile_policy(folder: Path, generation: int) -> None:
    """Compile and publish in a process of its own, as in production."""
    command = [sys.executable, "-m", "tests.soak.policy", str(folder), str(generation), str(LISTED)]
    subprocess.run(["nice", *command], check=True, timeout=60)


def _reload(worker: Worker, result: Result, every_s: float, end: threading.Event) -> None:
    while not end.wait(every_s):
        compile_policy(worker.state, result.reloads + 2)
        result.reloads += 1


def _probe(port: int, result: Result, end: threading.Event) -> None:
    """One question at a time from a socket of its own, half of them for a listed name."""
    number = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        while not end.wait(_PROBE_EVERY_S):
            number += 1
            name = f"www.l{number % LISTED}.game.example" if number % 2 else f"probe{number}.soak.example"
            query = dns.message.make_query(name, "A", id=number & 0xFFFF).to_wire()
            asked = time.perf_counter()
            client.settimeout(_PROBE_LOST_S)
            client.send(query)
            try:
                while client.recv(1500)[:2] != query[:2]:
                    pass
            except TimeoutError:
                result.probes_lost += 1
                continue
            result.probes_ms.append(1000 * (time.perf_counter() - asked))


def _look(worker: Worker, result: Result, started: float, end: threading.Event) -> None:
    while True:
        result.memory_kb.append((time.monotonic() - started, memory_kb(worker.process.pid)))
        if end.wait(_LOOK_EVERY_S):
            return


def memory_kb(pid: int) -> int:
    """Anonymous memory (kB) of a process and its children: what a leak would grow, without the mapped policy."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for each in (str(pid), *children):
        try:
            status = Path(f"/proc/{each}/status").read_text()
        except OSError:  # it has just ended
            continue
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")), 0)
    return total


def _drops(port: int) -> int:
    """Datagrams that found the buffers of this port's sockets full, since those were opened."""
    total = 0
    for table in ("udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port:
                total += int(fields[-1])
    return total


def _dnsperf(port: int, questions: Path, seconds: float, rate: int) -> str:
    program = _program("dnsperf")
    assert program is not None
    done = subprocess.run(
        [program, "-s", "127.0.0.1", "-p", str(port), "-d", str(questions), "-l", str(int(seconds)), "-Q", str(rate),
         "-c", "8", "-q", "1000", "-t", "5"],
        capture_output=True, text=True, timeout=seconds + 60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SoakError(f"dnsperf ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _read(said: str, result: Result) -> None:
    found = {name: (float(value), maximum) for name, value, maximum in _FIELD.findall(said)}
    try:
        result.sent, result.lost = int(found["Queries sent"][0]), int(found["Queries lost"][0])
        result.per_s = found["Queries per second"][0]
        mean_s, max_s = found["Average Latency (s)"]
    except KeyError:
        raise SoakError(f"dnsperf said something else than expected:\n{said}") from None
    result.mean_ms, result.max_ms = 1000 * mean_s, 1000 * float(max_s or 0)
