"""What the DNS measurements are made of: lists, questions, and how what dnsperf says is read."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest

from policies.snapshot import open_snapshot
from tests.bench.dns import lists, load, questions, report
from tests.bench.dns.checks import BenchError
from tests.bench.dns.load import Load, Single
from tests.bench.dns.peers import NXDOMAIN, OURS, PEERS, RESPONDER, Server
from tests.bench.index import names

SIZE = 500
ANSWERED = """\
> NOERROR www.a.com A 0.000100
> NOERROR www.b.com A 0.000200
> T www.c.com A
> NXDOMAIN d.com A 0.003000
Statistics:

  Queries sent:         1004
  Queries completed:    1003 (99.90%)
  Queries lost:         1 (0.10%)

  Response codes:       NOERROR 700 (69.79%), SERVFAIL 3 (0.30%), NXDOMAIN 300 (29.91%)
  Average packet size:  request 31, response 47
  Run time (s):         1.000000
  Queries per second:   1003.000000

  Average Latency (s):  0.000250 (min 0.000010, max 0.003000)
"""


def wire(name: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"


def cdb_get(octets: bytes, key: bytes) -> bytes | None:
    """As cr.yp.to/cdb/cdb.txt says."""
    hashed = 5381
    for octet in key:
        hashed = ((hashed << 5) + hashed & 0xFFFFFFFF) ^ octet
    at, slots = struct.unpack_from("<II", octets, 8 * (hashed % 256))
    for step in range(slots):
        found, place = struct.unpack_from("<II", octets, at + 8 * ((hashed // 256 + step) % slots))
        if not place:
            return None
        key_bytes, value_bytes = struct.unpack_from("<II", octets, place)
        if found == hashed and octets[place + 8 : place + 8 + key_bytes] == key:
            return octets[place + 8 + key_bytes : place + 8 + key_bytes + value_bytes]
    return None


def test_every_format_holds_the_same_names(tmp_path: Path) -> None:
    made = list(names(0, SIZE))
    cdb = lists.file(tmp_path, "cdb", SIZE).read_bytes()
    assert all(cdb_get(cdb, wire(name)) == b"1" for name in made)
    assert not any(cdb_get(cdb, wire(name)) for name in questions.permitted(0, SIZE))
    zone = lists.file(tmp_path, "rpz", SIZE).read_text().splitlines()[4:]
    assert zone == [line for name in made for line in (f"{name} CNAME .", f"*.{name} CNAME .")]
    snapshot = open_snapshot(lists.file(tmp_path, "snapshot", SIZE).read_bytes())
    assert all(snapshot.lookup(name) for name in made)


def test_a_name_of_one_workload_is_in_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "TIMED", 400)
    monkeypatch.setattr(questions, "WATCHED", 90)
    asked = questions.write(tmp_path, SIZE)

    def of(path: Path) -> list[str]:
        return [line.removesuffix(" A") for line in path.read_text().splitlines()]

    blocked, hot = set(of(asked["blocked"].timed)), set(of(asked["hot"].timed))
    made = set(names(0, SIZE))
    assert blocked <= made
    distinct = of(asked["distinct"].timed) + of(asked["distinct"].watched)
    assert sorted(distinct) == sorted(made)
    fresh = of(asked["cold"].timed) + of(asked["cold"].watched)
    mixed = of(asked["mixed"].timed) + of(asked["mixed"].watched)
    fresh += [name for name in mixed if name not in blocked and name not in hot]
    assert len(set(fresh)) == len(fresh)
    assert not set(fresh) & (hot | made)
    shares = [sum(name in group for name in mixed) / len(mixed) for group in (blocked, hot)]
    assert shares == pytest.approx([0.2, 0.7], abs=0.08)


def test_what_dnsperf_says_is_read() -> None:
    assert load.wrong(ANSWERED, "mixed", NXDOMAIN) == 3
    assert load.wrong(ANSWERED, "hot", NXDOMAIN) == 303
    assert load.wrong(ANSWERED, "blocked", NXDOMAIN) == 703
    assert load.p99_ms(ANSWERED) == 3.0
    assert math.isnan(load.p99_ms("nothing"))
    assert load.value(ANSWERED, "Queries per second") == 1003.0
    assert load.value(ANSWERED, r"Average Latency \(s\)") == 0.00025
    with pytest.raises(BenchError):
        load.value("", "Queries lost")


def measured(server: Server, per_s: float, cpu_us: float, median_us: float = 100.0) -> report.Measured:
    loads = {
        workload: Load(per_s, cpu_us, 1.0, 2.0, lost=0, wrong=0, server_core=0.9, load_core=0.9, others=0.0)
        for workload in questions.WORKLOADS
    }
    one = Single(median_us, median_us, 0)
    return report.Measured(server, 0.2, 0.2, loads, one, one, rss_mb=60.0, pss_mb=50.0)


def test_marks_compare_with_the_best_peer_and_leave_out_what_was_not_measured() -> None:
    peers = {peer.key: peer for peer in PEERS}
    direct = report.Direct(Single(20.0, 20.0, 0), Single(30.0, 30.0, 0))
    everyone = {
        each.server.key: each
        for each in (
            measured(RESPONDER, 200.0, 1.0, 80.0),
            measured(OURS, 100.0, 3.6, 104.0),
            measured(peers["dnsdist"], 101.0, 4.0),
            measured(peers["dnsdist-batches"], 125.0, 3.0),
            measured(peers["unbound"], 80.0, 9.0),
        )
    }
    rows = [(row.what.partition(":")[0], row.measured, row.holds) for row in report.Marks(everyone, direct).all()]
    assert rows == [
        ("blocked", "0.90", True),
        ("blocked", "0.99", False),
        ("blocked", "1.20", False),
        ("blocked", "0.80", False),
        ("hot", "0.90", True),
        ("hot", "0.99", False),
        ("hot", "1.20", False),
        ("hot", "0.80", False),
        ("mixed", "0.99", False),
        ("mixed", "0.80", False),
        ("mixed", "1.25", False),
        ("distinct", "1.25", True),
        ("cold", "1.25", False),
        ("cold", "0.99", True),
        ("cold", "0.80", True),
        ("cold", "1.25", True),
        ("one at a time, hit", "1.30", True),
        ("one at a time, miss", "74 (84) µs", True),
        ("ready with the list compiled", "0.200 s", True),
        ("memory of a worker after the runs", "60 MB RSS, 50 PSS", True),
    ]
    assert report.Marks({"unbound": everyone["unbound"]}, direct).all() == []
    alone = [row.what.partition(":")[0] for row in report.Marks({"ours": everyone["ours"]}, direct).all()]
    assert alone == ["one at a time, miss", "ready with the list compiled", "memory of a worker after the runs"]
