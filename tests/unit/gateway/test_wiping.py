"""Bytes of deleted rows: those that SQLite copies about when it splits pages are gone after wiping, too."""

from __future__ import annotations

import random
import sqlite3

import pytest

from gateway.storage import erasures
from gateway.storage.engine import open_database


@pytest.fixture
def deleted(tmp_path):
    """A database in which rows were written in no order and most deleted again, with `secure_delete`; their values."""
    path = tmp_path / "gjestenett.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE VIRTUAL TABLE visitor_trigram USING fts5(name_key, tokenize='trigram')")
    connection.execute("CREATE TABLE device (mac TEXT PRIMARY KEY, seen TEXT)")
    drawn = random.Random(7)
    macs = [drawn.randbytes(6).hex(":") for _ in range(6000)]
    connection.executemany("INSERT INTO device VALUES (?, 'now')", [(mac,) for mac in macs])
    gone = drawn.sample(macs, 5000)
    connection.executemany("DELETE FROM device WHERE mac = ?", [(mac,) for mac in gone])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path, [mac.encode() for mac in gone]


def remaining(path, marks):
    data = path.read_bytes()
    return sum(mark in data for mark in marks)


def test_wiping_removes_what_secure_delete_left(deleted):
    path, marks = deleted
    assert remaining(path, marks) > 0, "SQLite no longer leaves copies: VACUUM may not be needed any more"
    database = open_database(f"sqlite:///{path}")
    assert erasures.wipe(database, marks) is None
    database.close()
    assert remaining(path, marks) == 0
    assert (
        path.with_name(path.name + "-wal").stat().st_size == 0 if path.with_name(path.name + "-wal").exists() else True
    )


def test_wiping_without_marks_rewrites_the_file(deleted):
    path, marks = deleted
    database = open_database(f"sqlite:///{path}")
    assert erasures.wipe(database) is None
    database.close()
    assert remaining(path, marks) == 0


def test_a_file_is_rewritten_only_where_something_is_left(deleted):
    path, marks = deleted
    database = open_database(f"sqlite:///{path}")
    before = path.read_bytes()
    assert erasures.wipe(database, [b"stands nowhere"]) is None
    database.close()
    assert path.read_bytes() == before
    assert remaining(path, marks) > 0


def test_a_mark_across_two_reads_is_found(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * ((1 << 20) - 3) + b"mark" + b"y" * 10)
    assert erasures.holds(str(path), [b"mark", b"longer than that"])
    assert not erasures.holds(str(path), [b"marks"])
