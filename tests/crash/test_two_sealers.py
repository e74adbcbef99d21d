"""Two sealers, each a process of its own, on one PostgreSQL, one of them killed again and again: no gap and no fork."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from gateway.audit import merkle
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.sealing import seal
from gateway.context import Services
from gateway.installation import open_signing_key, prepare
from gateway.settings import load
from gateway.storage import leaves, log_restores
from gateway.storage.feed import announce
from gateway.storage.log_models import Checkpoint, StagedLeaf
from gateway.storage.types import new_id
from tests.postgres import Cluster, postgres

__all__ = ["postgres"]

TOTAL = 10_000
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def services(postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    name = postgres.create()
    monkeypatch.setenv("GJESTENETT_DATABASE__URL", postgres.url(name))
    prepared = prepare(load(state=tmp_path / "state"), lambda: NOW)
    yield prepared
    prepared.database.close()
    postgres.drop(name)


def start(services: Services, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        command = [sys.executable, "-m", "gateway.cli", "--state", str(services.settings.state), "sealer"]
        return subprocess.Popen(command, stderr=file)


def stage(services: Services, count: int) -> list[str]:
    ids = [new_id() for _ in range(count)]
    owner_id = services.place.owner_id
    rows = [
        {"owner_id": owner_id, "leaf_id": leaf_id, "entry": b"entry " + leaf_id.encode(), "staged_at": NOW}
        for leaf_id in ids
    ]
    with services.database.write() as session:
        session.execute(insert(StagedLeaf), rows)
        announce(session, "leaves")
    return ids


def size(services: Services) -> int:
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
        return head.size if head is not None else 0


@pytest.mark.timeout(300)
def test_ten_thousand_leaves_without_gap_or_fork(services: Services, tmp_path: Path) -> None:
    with services.database.read() as session:
        first = len(leaves.staged(session, services.place.owner_id, 100))
    chance, logs = random.Random(1), (tmp_path / "one", tmp_path / "two")
    running = [start(services, log) for log in logs]
    killed, staged, deadline = 0, list[str](), time.monotonic() + 240
    try:
        while size(services) < first + TOTAL:
            assert time.monotonic() < deadline, (size(services), len(staged), [log.read_text() for log in logs])
            if len(staged) < TOTAL:
                staged += stage(services, 250)
            if len(staged) % 1500 == 0 and killed < 6:
                os.kill(running[killed % 2].pid, signal.SIGKILL)
                running[killed % 2].wait()
                running[killed % 2] = start(services, logs[killed % 2])
                killed += 1
            time.sleep(chance.random() * 0.2)
    finally:
        for process in running:
            process.terminate()
        codes = [process.wait(20) for process in running]
    assert set(codes) <= {0, -signal.SIGTERM}  # one that was started last may not have begun yet
    assert killed >= 5
    with services.database.read() as session:
        owner_id = services.place.owner_id
        head = leaves.find_head(session, owner_id)
        assert head is not None
        rows = list(leaves.entries(session, owner_id, 0, head.size))
        assert [index for index, _, _ in rows] == list(range(first + TOTAL))
        assert sorted(leaf_id for _, leaf_id, _ in rows[first:]) == sorted(staged)
        assert not leaves.is_staged(session, owner_id)
        assert log_restores.open_restore(session, owner_id) is None
        checkpoints = session.query(Checkpoint).order_by(Checkpoint.size).all()
    key = open_signing_key(services).verifier
    edge: merkle.Edge = ()
    done = 0
    for each in checkpoints:  # every head that was ever signed is one of the same history
        signed = open_checkpoint(each.note.encode(), [key], services.place.log_origin)
        sealed = seal(edge, done, [entry for _, _, entry in rows[done : signed.size]])
        assert (sealed.size, sealed.root) == (signed.size, signed.root)
        edge, done = sealed.edge, sealed.size
    assert done == len(rows)
