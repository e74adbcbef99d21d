"""The tables and the marks: what was measured, as ratios to ours and to the C responder, beside what is wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.bench.dns.load import Load, Single
from tests.bench.dns.peers import OURS, RESPONDER, Server

READY_S, MEMORY_MB = 0.3, 60.0
SPEEDS = (
    ("mixed", "dnsdist", 1.2),
    ("mixed", "dnsdist-batches", 1.2),
    ("mixed", "unbound", 2.0),
    ("distinct", "unbound", 1.2),
    ("cold", "unbound", 1.3),
    ("cold", "dnsdist", 0.5),
    ("cold", "dnsdist-batches", 0.5),
)
"""Wanted: our answers a second to a peer's, at least. Before every recursor we are to be with `cold` anyhow."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything about one server. `hit` and `miss` are None where they were not measured."""

    server: Server
    ready_s: float
    """From start to the first right answer to a blocked name."""
    complete_s: float
    """To the right answers to all that are checked (BIND answers while its zone is still being read)."""
    loads: dict[str, Load]
    hit: Single | None
    miss: Single | None
    rss_mb: float
    pss_mb: float


@dataclass(frozen=True, slots=True)
class Direct:
    """The upstream asked one question at a time, without a server between: on the asker's core, and on the server's,
    as every server is asked.
    """

    beside: Single
    across: Single


@dataclass(slots=True)
class Mark:
    """One wanted property: what stands beside it, and whether it holds."""

    what: str
    measured: str
    wanted: str
    holds: bool


@dataclass(slots=True)
class Marks:
    """What the run says about the marks; those that it can't speak about are not there."""

    servers: dict[str, Measured]
    direct: Direct
    rows: list[Mark] = field(default_factory=list)

    def all(self) -> list[Mark]:
        """Every mark that the measured servers and workloads allow."""
        ours = self.servers.get(OURS.key)
        if ours is None:
            return []
        for workload in ("blocked", "hot"):
            self._cheapest(ours, workload)
        recursors = [each.server.key for each in self.servers.values() if each.server.reviews and each is not ours]
        for workload, peer, factor in (*SPEEDS, *(("cold", key, 1.0) for key in recursors)):
            self._speed(ours, workload, peer, factor)
        self._singles(ours)
        self._add("ready with the list compiled", f"{ours.ready_s:.3f} s", f"<= {READY_S} s", ours.ready_s <= READY_S)
        self._add(
            "memory of a worker after the runs",
            f"{ours.rss_mb:.0f} MB RSS, {ours.pss_mb:.0f} PSS",
            f"<= {MEMORY_MB:.0f} MB",
            ours.rss_mb <= MEMORY_MB,
        )
        return self.rows

    def _cheapest(self, ours: Measured, workload: str) -> None:
        peers = [
            each for each in self.servers.values() if each.server not in (OURS, RESPONDER) and workload in each.loads
        ]
        if workload not in ours.loads:
            return
        for kind, among in (("", [each for each in peers if not each.server.tuned]), (" tuned", peers)):
            if not among or (among is peers and not any(each.server.tuned for each in peers)):
                continue
            best = min(among, key=lambda each: each.loads[workload].cpu_us)
            fastest = max(among, key=lambda each: each.loads[workload].per_s)
            cost = ours.loads[workload].cpu_us / best.loads[workload].cpu_us
            speed = ours.loads[workload].per_s / fastest.loads[workload].per_s
            title = f"{workload}: CPU per answer to the best{kind} peer's ({best.server.title})"
            self._add(title, f"{cost:.2f}", "<= 0.90", cost <= 0.9)
            title = f"{workload}: answers/s to the fastest{kind} peer's ({fastest.server.title})"
            self._add(title, f"{speed:.2f}", ">= 1.00", speed >= 1)

    def _speed(self, ours: Measured, workload: str, peer: str, factor: float) -> None:
        other = self.servers.get(peer)
        if other is None or workload not in other.loads or workload not in ours.loads:
            return
        ratio = ours.loads[workload].per_s / other.loads[workload].per_s
        title = f"{workload}: answers/s to {other.server.title}'s"
        self._add(title, f"{ratio:.2f}", f">= {factor:.2f}", ratio >= factor)

    def _singles(self, ours: Measured) -> None:
        floor = self.servers.get(RESPONDER.key)
        if ours.hit is not None and floor is not None and floor.hit is not None:
            ratio = ours.hit.median_us / floor.hit.median_us
            self._add("one at a time, hit: median to the C responder's", f"{ratio:.2f}", "<= 1.30", ratio <= 1.3)
        if ours.miss is not None:
            added, all_added = (
                ours.miss.median_us - each.median_us for each in (self.direct.across, self.direct.beside)
            )
            self._add(
                "one at a time, miss: added to the upstream's across cores (on one core)",
                f"{added:.0f} ({all_added:.0f}) µs",
                "<= 150 µs",
                added <= 150,
            )

    def _add(self, what: str, measured: str, wanted: str, holds: bool) -> None:
        self.rows.append(Mark(what, measured, wanted, holds))


def progress(server: Server, workload: str, load: Load) -> str:
    """One line while the run goes on."""
    speed = f"{load.per_s / 1e3:7.1f} k/s  {load.cpu_us:7.2f} µs"
    busy = f"{load.server_core:4.0%} of its core, load {load.load_core:4.0%}, others {load.others:3.0%} of all"
    return f"  {server.title:<21} {workload:<9} {speed}  {busy}"


def print_all(measured: list[Measured], direct: Direct, workloads: list[str]) -> None:
    """All workloads in short, each in a table of its own, then starting, memory and single questions, and the marks."""
    by_key = {each.server.key: each for each in measured}
    _print_short(measured, workloads)
    for workload in workloads:
        _print_workload([each for each in measured if workload in each.loads], by_key, workload)
    _print_rest(measured, direct)
    shares = [load.others for each in measured for load in each.loads.values()]
    if shares:
        mean = sum(shares) / len(shares)
        print(f"\nOthers used {mean:.0%} of the machine during the timed runs, at most {max(shares):.0%}.")
    marks = Marks(by_key, direct).all()
    if marks:
        _print_head("mark", "measured", "wanted", "")
        for mark in marks:
            print(f"| {mark.what} | {mark.measured} | {mark.wanted} | {'holds' if mark.holds else '**falls short**'} |")


def _print_short(measured: list[Measured], workloads: list[str]) -> None:
    _print_head("k/s (CPU µs)", *workloads)
    for each in measured:
        loads = (each.loads.get(workload) for workload in workloads)
        cells = ("" if load is None else f"{load.per_s / 1e3:.1f} ({load.cpu_us:.1f})" for load in loads)
        print(f"| {each.server.title} | {' | '.join(cells)} |")


def _print_workload(measured: list[Measured], by_key: dict[str, Measured], workload: str) -> None:
    if not measured:
        return
    _print_head(
        workload,
        "k/s",
        "CPU µs",
        "mean ms",
        "p99 ms",
        "lost",
        "wrong",
        "% of its core, of the load's",
        "k/s, CPU to ours",
        "k/s, CPU to the C responder",
    )
    floor = by_key.get(RESPONDER.key)
    floor_load = None if floor is None else floor.loads.get(workload) or floor.loads.get("hot")
    ours = by_key.get(OURS.key)
    our_load = None if ours is None else ours.loads.get(workload)
    for each in measured:
        load = each.loads[workload]
        latency = f"{load.mean_ms:.2f} | {load.p99_ms:.2f}"
        busy = f"{load.server_core * 100:.0f}, {load.load_core * 100:.0f}"
        print(
            f"| {each.server.title} | {load.per_s / 1e3:.1f} | {load.cpu_us:.2f} | {latency}"
            f" | {load.lost} | {load.wrong} | {busy} | {_ratios(load, our_load)}"
            f" | {_ratios(load, floor_load)} |"
        )


def _ratios(load: Load, other: Load | None) -> str:
    if other is None:
        return ""
    return f"{load.per_s / other.per_s:.2f}, {load.cpu_us / other.cpu_us if other.cpu_us else math.nan:.2f}"


def _print_rest(measured: list[Measured], direct: Direct) -> None:
    hits, misses = "one at a time, hit: median, p99 µs", "miss: median, p99, added µs"
    _print_head("server", "ready s", "complete s", "RSS MB", "PSS MB", hits, misses)
    for each in measured:
        added = "" if each.miss is None else f", {each.miss.median_us - direct.across.median_us:+.0f}"
        start = f"{each.ready_s:.3f} | {each.complete_s:.3f} | {each.rss_mb:.0f} | {each.pss_mb:.0f}"
        print(f"| {each.server.title} | {start} | {_cell(each.hit)} | {_cell(each.miss)}{added} |")
    print(f"| the upstream, across cores | | | | | | {_cell(direct.across)} |")
    print(f"| the upstream, on one core | | | | | | {_cell(direct.beside)} |")


def _cell(found: Single | None) -> str:
    return "" if found is None else f"{found.median_us:.0f}, {found.p99_us:.0f}"


def _print_head(*titles: str) -> None:
    print(f"\n| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
