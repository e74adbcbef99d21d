"""Sets each server up on loopback, one after the other, measures it, and prints the tables and the marks.

The server has one core, dnsperf and the upstream another. `--keep DIR` keeps the lists and questions for the next run.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from string import Template
from typing import NoReturn

from gateway.dns.config import from_settings
from gateway.lists.publish import publish
from gateway.settings import load as load_settings
from tests.bench.dns import checks, lists, load, questions, report
from tests.bench.dns.checks import BenchError
from tests.bench.dns.peers import OURS, RESPONDER, SERVERS, Server
from tests.bench.dns.processes import Cores, Process
from tests.bench.dns.report import Direct, Measured

SOURCES = Path(__file__).parent
READY_LIMIT_S = 120.0
CHECKED = 200
_CHECKED_FROM = 900_000_000  # names that no workload asks for
_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def main(arguments: list[str]) -> int:
    """0 when every wanted server that is installed was measured, 1 when one failed, 2 when nothing can be measured."""
    wanted = _arguments(arguments)
    os.environ["PATH"] = _PATH
    cores = sorted(os.sched_getaffinity(0))
    absent = [program for program in ("cc", "dnsperf", "taskset", "setpriv") if shutil.which(program) is None]
    if absent or len(cores) < 2:
        print("needs two cores" if not absent else f"not installed: {', '.join(absent)}; `make bench-dns` installs")
        return 2
    signal.signal(signal.SIGTERM, _stop)
    with ExitStack() as stack:
        folder = wanted.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-dns-")))
        cached = folder / str(wanted.names)
        cached.mkdir(parents=True, exist_ok=True)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=folder)))
        for source in ("responder", "upstream", "ask"):
            subprocess.run(["cc", "-O2", "-o", scratch / source, SOURCES / f"{source}.c"], check=True, timeout=60)
        try:
            return Bench(wanted, cached, scratch, Cores(cores[0], cores[1], wanted.prefer)).run()
        except BenchError as problem:
            print(problem, file=sys.stderr)
            return 1


class Bench:
    """One run over the wanted servers."""

    def __init__(self, wanted: argparse.Namespace, cached: Path, scratch: Path, cores: Cores) -> None:
        self._wanted, self._cached, self._scratch, self._cores = wanted, cached, scratch, cores
        self._questions = questions.write(cached, wanted.names)

    def run(self) -> int:
        """Measure and print."""
        measured: list[Measured] = []
        failed = False
        asking = f"{load.CLIENTS} clients, {load.OUTSTANDING} questions under way"
        ours = f"CPython {platform.python_version()} ({platform.python_compiler()})"
        print(f"{self._wanted.names:,} names, {self._wanted.seconds} s a run, DNSSEC validation off; {ours}")
        print(_versions())
        print(
            f"server on core {self._cores.server}; upstream and dnsperf ({asking}) on core {self._cores.load}",
            flush=True,
        )
        port, across = free_port(), free_port()
        with self._upstream(port, self._cores.load) as upstream:
            asker = load.Asker(self._cores, self._scratch, upstream, self._wanted.seconds)
            with self._upstream(across, self._cores.server) as other:
                checks.upstream_right(upstream, port)
                checks.upstream_right(other, across)
                direct = Direct(_ask_upstream(asker, port), _ask_upstream(asker, across))
            for server in SERVERS:
                if server.key not in self._wanted.only:
                    continue
                if server.program and shutil.which(server.program) is None:
                    print(f"  {server.title}: not installed (package {server.package})", flush=True)
                    continue
                try:
                    measured.append(self._measure(server, asker, port))
                except (BenchError, OSError, subprocess.SubprocessError) as problem:  # also one that died meanwhile
                    failed = True
                    print(f"  {server.title}: not measured: {problem}", flush=True)
        report.print_all(measured, direct, self._wanted.workloads)
        return 1 if failed else 0

    def _upstream(self, port: int, core: int) -> Process:
        command = [str(self._scratch / "upstream"), str(port)]
        return Process(self._cores.on(core, command), self._scratch / f"upstream{core}.log")

    def _measure(self, server: Server, asker: load.Asker, upstream: int) -> Measured:
        port = free_port()
        folder = self._scratch / f"server-{server.key}"
        folder.mkdir()
        command = self._prepare(server, folder, port, upstream)
        blocked = questions.blocked_sample(self._wanted.names, CHECKED)
        with Process(self._cores.on(self._cores.server, command), folder / "output") as process:
            ready_s = checks.first_answer(process, port, server.block_rcode, blocked[0], READY_LIMIT_S)
            complete_s = ready_s
            if server is not RESPONDER:
                permitted = list(questions.permitted(_CHECKED_FROM, 20))
                complete_s += checks.all_right(port, server.block_rcode, blocked, permitted, READY_LIMIT_S)
            loads = {}
            for workload in server.workloads or questions.WORKLOADS:
                if workload in self._wanted.workloads:
                    asked = self._questions[workload]
                    loads[workload] = asker.measure(server, process, port, workload, asked)
                    print(report.progress(server, workload, loads[workload]), flush=True)
            hit = miss = None
            if self._wanted.single:
                asker.single(port, questions.single("hit"))  # until it is warm
                hit = asker.single(port, questions.single("hit"))
                miss = asker.single(port, questions.single("miss")) if server is not RESPONDER else None
            return Measured(server, ready_s, complete_s, loads, hit, miss, *process.memory_mb())

    def _prepare(self, server: Server, folder: Path, port: int, upstream: int) -> list[str]:
        listed = lists.file(self._cached, server.list_format, self._wanted.names) if server.list_format else Path()
        values = {"port": port, "upstream": upstream, "list": listed, "dir": folder, "build": self._scratch}
        if server is OURS:
            values |= {"python": sys.executable, "config": _our_config(folder, port, upstream, listed)}
        for name, template in server.files.items():
            (folder / name).write_text(Template(template).substitute(values))
        return [Template(word).substitute(values) for word in server.command]


def _ask_upstream(asker: load.Asker, port: int) -> load.Single:
    asker.single(port, questions.single("miss"))  # until it is warm
    return asker.single(port, questions.single("miss"))


def _our_config(folder: Path, port: int, upstream: int, snapshot: Path) -> str:
    """What `gjestenett dns` hands to the lean worker, from a settings file, with the snapshot published."""
    state, settings = folder / "state", folder / "settings.toml"
    publish(state, snapshot.read_bytes())
    settings.write_text(f'[dns]\nport = {port}\nworkers = 1\nupstreams = ["127.0.0.1:{upstream}"]\n')
    return from_settings(load_settings(settings, state)).to_json()


def _versions() -> str:
    """What Debian calls the versions of what is installed."""
    packages = sorted({server.package for server in SERVERS if server.package} | {"dnsperf"})
    if shutil.which("dpkg-query") is None:
        return "versions unknown"
    command = ["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *packages]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip(", ")


def free_port() -> int:
    """A port of loopback that neither UDP nor TCP has in use."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _arguments(arguments: list[str]) -> argparse.Namespace:
    keys = [server.key for server in SERVERS]

    def some_of(known: list[str]) -> Callable[[str], list[str]]:
        def parse(text: str) -> list[str]:
            chosen = text.split(",")
            if unknown := [each for each in chosen if each not in known]:
                raise argparse.ArgumentTypeError(f"no {unknown[0]!r}; there are: {', '.join(known)}")
            return chosen

        return parse

    parser = argparse.ArgumentParser(prog="python -m tests.bench dns", description=__doc__)
    workloads = list(questions.WORKLOADS)
    parser.add_argument("--only", type=some_of(keys), default=keys, help=f"some of {','.join(keys)}")
    parser.add_argument(
        "--workloads", type=some_of(workloads), default=workloads, help=f"some of {','.join(workloads)}"
    )
    parser.add_argument("--seconds", type=int, default=5, help="a timed run, at most (default 5)")
    parser.add_argument("--names", type=int, default=1_000_000, help="length of the list (default 1,000,000)")
    parser.add_argument("--no-single", dest="single", action="store_false", help="leave one question at a time out")
    parser.add_argument("--prefer", action="store_true", help="before all else that runs on this machine (as root)")
    parser.add_argument(
        "--keep",
        type=Path,
        default=os.environ.get("BENCH_DNS_DIR"),
        help="keep lists and questions there (or $BENCH_DNS_DIR)",
    )
    wanted = parser.parse_args(arguments)
    wanted.keep = wanted.keep and Path(wanted.keep).absolute()
    return wanted


def _stop(*_: object) -> NoReturn:
    raise SystemExit(143)
