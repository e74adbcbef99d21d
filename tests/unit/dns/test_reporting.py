"""Everything counted gets out exactly once, whenever somebody listens, and nobody who doesn't costs anything."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dns.counters import Cell, Counters
from gateway.dns.measured import read_parts
from gateway.dns.reporting import MAX_BYTES, NAMES_MAX, ROWS_MAX, Reporter
from gateway.dns.top_names import TopNames
from gateway.dns.upstreams.health import UpstreamReport
from gateway.telemetry import read_report


class Listener:
    """Somebody at the socket, until closed."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        folder = os.open(path.parent, os.O_PATH)
        self._socket.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)
        self._socket.setblocking(False)

    def read(self) -> list[dict]:
        found = []
        try:
            while True:
                octets = self._socket.recv(1 << 20)
                assert len(octets) <= MAX_BYTES
                found.append(json.loads(octets))
        except BlockingIOError:
            return found

    def close(self) -> None:
        self._socket.close()


def reporter(counters: Counters, path: Path, names: TopNames | None = None, every_s: float = 10.0) -> Reporter:
    loop = asyncio.new_event_loop()
    made = Reporter(counters, names or TopNames(time.monotonic), str(path), loop, every_s)
    made._timer.cancel()
    made._timer = None
    loop.close()
    made_here.append(made)
    return made


made_here: list[Reporter] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    for made in made_here:
        made._socket.close()
    made_here.clear()


def grown(reports: list[dict]) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for report in reports:
        for *key, count in report["counts"]:
            found[tuple(key)] = found.get(tuple(key), 0) + count
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=12))
def test_nothing_is_lost_or_doubled_while_the_collector_comes_and_goes(steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.sock"
        counters = Counters()
        sender, received, total = reporter(counters, path), [], 0
        for listening, events in [*steps, (True, 0)]:
            for _ in range(events):
                counters.add("cache", "miss")
            total += events
            listener = Listener(path) if listening else None
            assert sender.send() or not listening
            if listener is not None:
                received += listener.read()
                listener.close()
        assert grown(received).get(("cache", "miss"), 0) == total


def test_many_counters_go_in_several_datagrams_each_within_bounds(tmp_path: Path) -> None:
    counters = Counters()
    for number in range(ROWS_MAX * 3):
        counters.tally(f"{'g' * 35}{number:05}").count("judged_refused", "c" * 40, bytes(12))
    listener = Listener(tmp_path / "c.sock")
    assert reporter(counters, tmp_path / "c.sock").send()
    reports = listener.read()
    listener.close()
    assert len(reports) == 4
    assert sum(key[0] == "answers" for key in grown(reports)) == ROWS_MAX * 3


def test_a_full_queue_is_not_waited_for_and_the_rest_comes_later(tmp_path: Path) -> None:
    counters, path = Counters(), tmp_path / "c.sock"
    sender, listener = reporter(counters, path), Listener(path)
    sent = 0
    began = time.monotonic()
    for _ in range(3000):  # nobody reads
        counters.add("cache", "miss")
        sent += sender.send()
    assert sent < 3000
    assert time.monotonic() - began < 5
    got = grown(listener.read())["cache", "miss"]
    assert sender.send()
    assert got + grown(listener.read())["cache", "miss"] == 3000
    listener.close()


def test_the_longest_state_directory_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    counters = Counters()
    counters.add("unusable")
    listener = Listener(folder / "dns-counters.sock")
    assert reporter(counters, folder / "dns-counters.sock").send()
    assert grown(listener.read()) == {("unusable",): 1}
    listener.close()


def test_long_names_fit_and_go_once(tmp_path: Path) -> None:
    names = TopNames(time.monotonic, lambda source: source)
    for number in range(NAMES_MAX + 5):
        label = f"{number:03}" + "x" * 58
        for device in range(5):
            names.saw("g" * 40, "judged_refused", "c" * 40, ".".join([label] * 4), bytes((device,)), Cell())
    listener = Listener(tmp_path / "c.sock")
    sender = reporter(Counters(), tmp_path / "c.sock", names)
    assert sender.send()
    assert sum(len(report["names"]) for report in listener.read()) == NAMES_MAX + 5
    assert sender.send()
    assert listener.read() == []
    listener.close()


def test_it_sends_by_itself_and_what_is_left_at_the_end(tmp_path: Path) -> None:
    counters = Counters()
    listener = Listener(tmp_path / "c.sock")

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        sender = Reporter(counters, TopNames(time.monotonic), str(tmp_path / "c.sock"), loop, 0.02)
        counters.add("cache", "miss")
        await asyncio.sleep(0.1)
        assert grown(listener.read()) == {("cache", "miss"): 1}
        counters.add("cache", "miss")
        sender.close()

    asyncio.run(serve())
    assert grown(listener.read()) == {("cache", "miss"): 1}
    listener.close()


class Part:
    """Whatever has counts of its own."""

    cleared = evicted = 2
    counts = {"gambling": 3}  # noqa: RUF012
    kept_hits, misses, stale, prefetched = 11, 12, 13, 14

    def report(self) -> tuple[UpstreamReport, ...]:
        failures = (("timeout", 2), ("refused", 0))
        return (UpstreamReport("tls://192.0.2.1:853", "tls", "up", 9, 7, 6, 1, failures, 0.02, 3),)


def test_the_parts_own_totals_are_among_the_counters_and_a_collector_can_read_them() -> None:
    counters, part = Counters(), Part()
    read_parts(counters, part, part, part, part, part, lambda: 4)  # type: ignore[arg-type]
    totals = counters.totals()
    assert (totals["skipped_sends",], totals["judged_names", "gambling"]) == (4, 3)
    cache = {event: totals["cache", event] for event in ("kept_hit", "miss", "stale", "prefetched", "kept_evicted")}
    assert cache == {"kept_hit": 11, "miss": 12, "stale": 13, "prefetched": 14, "kept_evicted": 2}
    assert totals["upstream", "tls://192.0.2.1:853", "timeout"] == 2
    gauges = counters.gauges()
    assert gauges["upstream_up", "tls://192.0.2.1:853"] == 1
    rows = [[*key, total] for key, total in totals.items() if total]
    figures = [[*key, value] for key, value in gauges.items()]
    content = {"v": 1, "worker": "0" * 16, "counts": rows, "gauges": figures}
    report = read_report(json.dumps(content).encode())
    assert report is not None
    assert len(report.counts) == len(rows)
    assert report.gauges == gauges
