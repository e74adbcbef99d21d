"""A transaction is written whole or not at all, and a database that can't take it is one kind of error."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from gateway.errors import UsageError
from gateway.storage import schema
from gateway.storage.engine import Database, StorageUnavailableError, open_database
from gateway.storage.models import Change, Owner
from gateway.storage.places import Place
from tests.contract.storage.records import at_once, scalar
from tests.migrated import put_sqlite
from tests.postgres import Cluster

only_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
NOBODY = 65534


def add_change(database: Database, topic: str = "x", seq: int = 0) -> None:
    with database.write() as session:
        session.add(Change(topic=topic, seq=seq))


def count(database: Database) -> object:
    return scalar(database, "SELECT count(*) FROM change")


def test_write_commits_when_its_block_ends(database: Database) -> None:
    add_change(database)
    assert count(database) == 1


def test_write_rolls_back_when_its_block_raises(database: Database) -> None:
    with pytest.raises(LookupError), database.write() as session:
        session.add(Change(topic="x", seq=1))
        session.flush()
        raise LookupError
    assert count(database) == 0


def test_objects_can_be_read_after_the_transaction(database: Database) -> None:
    with database.write() as session:
        row = Change(topic="x", seq=7)
        session.add(row)
    assert row.seq == 7


def test_a_broken_constraint_stays_an_integrity_error(database: Database) -> None:
    add_change(database)
    with pytest.raises(IntegrityError):
        add_change(database)
    assert count(database) == 1


def test_foreign_keys_are_held(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(text("INSERT INTO site (id, owner_id, key) VALUES ('a', 'nobody', 'k')"))


def test_read_gives_one_consistent_view(database: Database) -> None:
    add_change(database, "a")
    with database.read() as session:
        before = session.execute(text("SELECT count(*) FROM change")).scalar()
        add_change(database, "b")
        assert session.execute(text("SELECT count(*) FROM change")).scalar() == before == 1
    assert count(database) == 2


def test_read_refuses_to_write_instead_of_losing_it(database: Database) -> None:
    with pytest.raises(StorageUnavailableError, match=r"read-?only"), database.read() as session:
        session.add(Change(topic="x", seq=1))
        session.flush()
    add_change(database)  # and the same connection writes again afterwards
    assert count(database) == 1


def test_three_writers_that_read_modify_and_write_lose_nothing(database: Database) -> None:
    add_change(database, "counter", 0)

    def work(_number: int) -> None:
        for _ in range(50):
            with database.write() as session:
                row = session.get_one(Change, "counter", with_for_update=True)
                row.seq += 1

    at_once(3, work)
    assert scalar(database, "SELECT seq FROM change") == 150


@only_sqlite  # PostgreSQL has many writers at a time
def test_writers_of_one_process_take_turns_and_none_is_turned_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    event.listen(database.engine, "checkout", lambda raw, *_: raw.execute("PRAGMA busy_timeout=1"))

    def work(number: int) -> None:
        with database.write() as session:
            session.add(Change(topic=str(number), seq=1))
            session.flush()
            time.sleep(0.02)

    at_once(8, work)
    assert count(database) == 8
    monkeypatch.setattr("gateway.storage.engine.TURN_TIMEOUT_S", 0.05)
    told = pytest.raises(StorageUnavailableError, match="other writers")
    with database.write(), ThreadPoolExecutor(1) as pool, told:
        pool.submit(work, 9).result(10)
    assert count(database) == 8


def test_a_lock_held_too_long_is_said_and_nothing_is_written(database: Database, url: str, place: Place) -> None:
    released = threading.Event()
    held = threading.Event()

    def hold() -> None:
        other = open_database(url)  # as another process has one
        with other.write() as session:
            session.get_one(Owner, place.owner_id, with_for_update=True)
            held.set()
            released.wait(20)
        other.close()

    if database.is_sqlite:
        event.listen(database.engine, "checkout", lambda raw, *_: raw.execute("PRAGMA busy_timeout=200"))
    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(10)
        began = time.monotonic()
        with pytest.raises(StorageUnavailableError, match="lock"), database.write() as session:
            if not database.is_sqlite:
                session.execute(text("SET LOCAL lock_timeout = 200"))
            session.add(Change(topic="x", seq=1))
            session.flush()
            session.get_one(Owner, place.owner_id, with_for_update=True)
        assert 0.15 < time.monotonic() - began < 3
    finally:
        released.set()
        holder.join(20)
    assert count(database) == 0
    add_change(database)


def test_a_writer_waits_at_most_three_seconds_for_another(database: Database) -> None:
    statement = "PRAGMA busy_timeout" if database.is_sqlite else "SHOW lock_timeout"
    assert str(scalar(database, statement)) in {"3000", "3s"}


def test_a_used_up_pool_is_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.engine.pool, "_timeout", 0.1)
    with ExitStack() as stack:
        for _ in range(15):
            session = stack.enter_context(database.read())
            session.execute(text("SELECT 1"))
        with pytest.raises(StorageUnavailableError, match="busy"):
            count_in_session(database)
    assert count_in_session(database) == 0


def count_in_session(database: Database) -> object:
    with database.read() as session:
        return session.execute(text("SELECT count(*) FROM change")).scalar()


@only_sqlite
def test_sqlite_runs_with_the_pragmas_of_the_design(database: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "recursive_triggers": 1}
    with ExitStack() as stack:
        for _ in range(3):  # on every connection, not on the first only
            session = stack.enter_context(database.read())
            assert {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted
    with database.write() as session:
        assert session.execute(text("PRAGMA synchronous")).scalar() == 2


@only_postgresql
def test_postgresql_makes_no_preparations_that_short_questions_do_not_pay_for(database: Database) -> None:
    wanted = {
        "jit": "off", "max_parallel_workers_per_gather": "0", "random_page_cost": "3", "lock_timeout": "3s",
    }  # fmt: skip
    for kind in (database.read, database.write):
        with kind() as session:
            assert {name: session.execute(text(f"SHOW {name}")).scalar() for name in wanted} == wanted


@only_sqlite
def test_deleted_text_is_gone_from_the_file(database: Database) -> None:
    with database.write() as session:
        session.execute(text("INSERT INTO disclosure VALUES ('l', 'name', 's', 'Olav-Hemmelig')"))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
        assert b"Olav-Hemmelig" in database.sqlite_path.read_bytes()
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        connection.exec_driver_sql("DELETE FROM disclosure")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
    assert b"Olav-Hemmelig" not in database.sqlite_path.read_bytes()


@only_sqlite
def test_a_deleted_directory_is_unavailable_even_to_open_connections(database: Database) -> None:
    add_change(database)
    shutil.rmtree(database.sqlite_path.parent)
    for _ in range(2):
        with pytest.raises(StorageUnavailableError):
            add_change(database, "lost")
        with pytest.raises(StorageUnavailableError):
            count_in_session(database)
    assert not database.sqlite_path.exists()


@only_sqlite
def test_a_deleted_file_is_not_made_anew(database: Database) -> None:
    add_change(database)
    database.close()
    database.sqlite_path.unlink()
    with pytest.raises(StorageUnavailableError):
        add_change(database, "lost")
    assert not database.sqlite_path.exists()


@only_sqlite
def test_a_restored_file_is_taken_up_without_a_restart(database: Database) -> None:
    add_change(database)
    restored = database.sqlite_path.with_suffix(".restored")
    put_sqlite(restored)
    for suffix in ("-wal", "-shm"):
        Path(f"{database.sqlite_path}{suffix}").unlink()
    restored.replace(database.sqlite_path)
    assert count_in_session(database) == 0
    add_change(database, "new")
    with sqlite3.connect(database.sqlite_path) as connection:
        assert connection.execute("SELECT topic FROM change").fetchall() == [("new",)]
    connection.close()


@only_sqlite
def test_a_file_that_is_no_database_is_unavailable(database: Database) -> None:
    database.sqlite_path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageUnavailableError, match="not a database"):
        add_change(database)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write to read-only files; so give up root for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@only_sqlite
def test_a_read_only_file_refuses_writers_and_serves_readers(backend: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        path = Path(directory) / "g.sqlite3"
        put_sqlite(path)
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
            os.chown(path, NOBODY, NOBODY)
        path.chmod(0o444)
        with unprivileged():
            database = open_database(f"sqlite:///{path}")
            with pytest.raises(StorageUnavailableError, match="readonly"):
                add_change(database)
            assert count_in_session(database) == 0
            database.close()


@only_postgresql
def test_a_stopped_server_is_unavailable_and_taken_up_again(database: Database, postgres: Cluster) -> None:
    add_change(database)
    with pytest.raises(StorageUnavailableError), database.write() as session:
        session.add(Change(topic="half", seq=1))
        session.flush()
        postgres.stop()
    try:
        with pytest.raises(StorageUnavailableError) as caught:
            add_change(database, "lost")
        assert "\n" not in str(caught.value)
    finally:
        postgres.start()
    assert count_in_session(database) == 1
    add_change(database, "new")
    assert count(database) == 2


@pytest.mark.parametrize("url", ["", "nonsense", "oracle+nothing://x", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_is_not_understood_is_wrong_use(url: str) -> None:
    with pytest.raises(UsageError, match=r"database\.url"):
        open_database(url)


def test_a_database_that_was_never_migrated_is_unavailable(empty_url: str) -> None:
    database = open_database(empty_url)
    with pytest.raises(StorageUnavailableError):
        add_change(database)
    schema.upgrade(database)
    add_change(database)
    database.close()


def test_an_error_does_not_tell_what_was_typed(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.write() as session:
        for _ in range(2):
            session.execute(text("INSERT INTO change (topic, seq) VALUES (:topic, 1)"), {"topic": "Kari Nordmann"})
    assert "Nordmann" not in str(caught.value).replace(str(caught.value.orig), "")
