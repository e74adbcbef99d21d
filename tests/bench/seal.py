"""The sealer's pace on SQLite and on PostgreSQL, both writing to disk at each commit, and proofs in a log of ten
millions.

Leaves are acceptances as a guest makes them, staged beforehand; the sealer is the product's own, with its memory
file. The
ten million leaves are hashes only, since a proof needs no entry.
"""

from __future__ import annotations

import hashlib
import random
import secrets
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from gateway.audit import entry, merkle
from gateway.audit.sealer import Sealer
from gateway.context import Services
from gateway.installation import open_signing_key, prepare, sealer_memory
from gateway.settings import Database, Settings
from gateway.storage import leaves
from gateway.storage.engine import open_database
from gateway.storage.log_models import StagedLeaf
from gateway.storage.types import new_id
from tests.postgres import binaries, missing, running_cluster

LEAVES = 50_000
LARGE = 10_000_000
PROOFS = 1000
MARK_PER_S = 5000
MARK_MS = 5.0
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def main() -> None:
    """Print both measurements."""
    with tempfile.TemporaryDirectory() as folder:
        _print_pace("SQLite", Settings(state=Path(folder) / "state"))
    lacking, programs = missing(), binaries()
    if lacking is None and programs is not None:
        with running_cluster(programs, durable=True) as running, tempfile.TemporaryDirectory() as folder:
            url = running.url(running.create())
            _print_pace("PostgreSQL", Settings(state=Path(folder) / "state", database=Database(url=url)))
    else:
        print(f"  PostgreSQL not measured: {lacking}")
    print(f"  wanted: {MARK_PER_S:,} leaves/s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _print_proofs(Path(folder))


def _print_pace(name: str, settings: Settings) -> None:
    services = prepare(settings, lambda: NOW)
    _stage(services, LEAVES)
    sealer = Sealer(
        services.database,
        services.place.owner_id,
        services.place.log_origin,
        open_signing_key(services),
        lambda: NOW,
        memory=sealer_memory(settings),
    )
    before, spent = time.perf_counter(), time.process_time()
    rounds = 1
    while sealer.round():
        rounds += 1
    took, spent = time.perf_counter() - before, time.process_time() - spent
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
        size = head.size if head is not None else 0
    services.database.close()
    if size < LEAVES:
        raise AssertionError(f"{size} leaves were sealed of {LEAVES}")
    print(
        f"  {name:<11} {size:,} leaves in {took:.1f} s: {size / took:,.0f} leaves/s"
        f" ({rounds} signatures, {spent / size * 1e6:.0f} µs of our processor a leaf)",
        flush=True,
    )


def _stage(services: Services, count: int) -> None:
    place = services.place
    rules = {"version": "2026-1", "language": "nb", "text_sha256": "a" * 64, "html_sha256": "b" * 64}
    personal = {name: f"value of {name}" for name in ("name", "organisation", "mac", "address", "receipt")}
    for start in range(0, count, 1000):
        with services.database.write() as session:
            rows = []
            for _ in range(min(1000, count - start)):
                built = entry.build(
                    "acceptance",
                    at=NOW,
                    owner=place.owner_key,
                    site=place.site_key,
                    fields={"rules": rules, "identified_by": "self_declared"},
                    personal=personal,
                    salt=lambda: secrets.token_bytes(16),
                )
                rows.append({"owner_id": place.owner_id, "leaf_id": new_id(), "entry": built.entry, "staged_at": NOW})
            session.execute(insert(StagedLeaf), rows)


def _print_proofs(folder: Path) -> None:
    settings = Settings(state=folder / "state")
    services = prepare(settings, lambda: NOW)
    owner_id, path = services.place.owner_id, services.database.sqlite_path
    services.database.close()
    before = time.perf_counter()
    root = _build(path, owner_id, LARGE)
    size_gb = path.stat().st_size / 1e9
    print(f"  a tree of {LARGE:,} leaves built in {time.perf_counter() - before:.0f} s, {size_gb:.1f} GB", flush=True)
    database = open_database(f"sqlite:///{path}")
    chance = random.Random(1)
    took_ms = []
    for _ in range(PROOFS):
        index = chance.randrange(LARGE)
        before = time.perf_counter()
        with database.read() as session:
            proof = leaves.prefetched(session, owner_id, lambda node, at=index: merkle.inclusion_proof(at, LARGE, node))
        took_ms.append((time.perf_counter() - before) * 1e3)
        if not merkle.verify_inclusion(_leaf(index), index, LARGE, proof, root):
            raise AssertionError(f"the proof of {index} does not hold")
    database.close()
    took_ms.sort()
    print(
        f"  proof of a leaf: median {statistics.median(took_ms):.2f} ms, 99 of 100 within"
        f" {took_ms[PROOFS * 99 // 100]:.2f} ms, longest {took_ms[-1]:.2f} ms (wanted: {MARK_MS:.0f} ms)"
    )


def _leaf(index: int) -> bytes:
    return hashlib.sha256(index.to_bytes(8, "big")).digest()


def _build(path: Path, owner_id: str, size: int) -> bytes:
    """Fill `tree_node` with a tree of made-up leaves; returns its root. Level by level, in the order of the key."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    hashes = bytearray()
    for index in range(size):
        hashes += _leaf(index)
    level, tops = 0, {}
    sha256 = hashlib.sha256

    def rows(level: int, hashes: bytearray) -> Iterator[tuple[str, int, int, bytes]]:
        for index in range(len(hashes) // 32):
            yield owner_id, level, index, bytes(hashes[index * 32 : index * 32 + 32])

    while hashes:
        connection.executemany(
            "INSERT INTO tree_node (owner_id, level, node_index, hash) VALUES (?, ?, ?, ?)", rows(level, hashes)
        )
        count = len(hashes) // 32
        tops[level] = (count - 1, bytes(hashes[-32:]))
        above = bytearray()
        for start in range(0, count // 2 * 64, 64):
            above += sha256(b"\1" + hashes[start : start + 64]).digest()
        hashes = above
        level += 1
    connection.execute("COMMIT")
    connection.close()
    edge = [tops[level][1] for level, _ in merkle.aligned(0, size)]
    return merkle.root(edge)
