"""Migrations bring an empty database to what the models say, once, and triggers guard what is written once."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from gateway.errors import GatewayError
from gateway.storage import generations, leaves, schema
from gateway.storage.base import Base
from gateway.storage.engine import Database, StorageUnavailableError, open_database
from gateway.storage.places import Place
from gateway.storage.policy_models import PolicyGeneration
from gateway.storage.types import new_id
from tests.contract.storage.records import NOW, add_rules, scalar
from tests.postgres import Cluster

WRITTEN_ONCE = {
    "leaf": "entry",
    "tree_node": "hash",
    "checkpoint": "note",
    "rules_version": "label",
    "rules_text": "markdown",
    "policy_generation": "note",
}


def test_an_empty_database_is_brought_to_the_newest_schema_and_stays_there(empty_url: str) -> None:
    database = open_database(empty_url)
    schema.upgrade(database)
    assert schema.is_current(database)
    assert schema.differences(database) == []
    tables = {name for name in inspect(database.engine).get_table_names() if not name.startswith("visitor_trigram")}
    assert tables == {*Base.metadata.tables, "alembic_version"}
    schema.upgrade(database)
    assert schema.is_current(database)
    database.close()


def test_a_missing_migration_is_seen(database: Database) -> None:
    with database.write() as session:
        session.execute(text("ALTER TABLE visitor DROP COLUMN contact"))
    assert schema.differences(database) != []


def test_a_database_of_a_later_release_is_refused_with_what_to_do(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(GatewayError, match="later release") as caught:
        schema.upgrade(database)
    assert "\n" not in str(caught.value)
    assert not schema.is_current(database)


def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    database = open_database(empty_url)
    if database.is_sqlite:
        database.sqlite_path.parent.mkdir()
        database.sqlite_path.touch()
    with database.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE visitor (id INTEGER)")
    with pytest.raises(StorageUnavailableError) as caught:
        schema.upgrade(database)
    assert "\n" not in str(caught.value)
    assert set(inspect(database.engine).get_table_names()) == {"visitor"}
    database.close()


def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    code = "import sys; from gateway.storage import engine, schema; schema.upgrade(engine.open_database(sys.argv[1]))"
    starting = [
        subprocess.Popen([sys.executable, "-c", code, empty_url], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    outcomes = [process.communicate(timeout=60)[1] for process in starting]
    assert [process.returncode for process in starting] == [0, 0, 0], outcomes
    database = open_database(empty_url)
    assert schema.differences(database) == []
    database.close()


def test_a_migration_waits_while_another_gateway_migrates(empty_url: str) -> None:
    database = open_database(empty_url)
    if database.is_sqlite:
        database.sqlite_path.parent.mkdir()
        database.sqlite_path.touch()
    with ThreadPoolExecutor(1) as pool:
        with database.engine.execution_options(writes=True).begin() as other:
            if not database.is_sqlite:
                other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema.ADVISORY_LOCK})
            waiting = pool.submit(schema.upgrade, database)
            assert not wait([waiting], timeout=0.5).done
            assert inspect(other).get_table_names() == []
        waiting.result(timeout=20)
    assert schema.is_current(database)
    database.close()


def test_a_database_out_of_reach_is_said_in_one_line(backend: str, tmp_path: Path, postgres: Cluster) -> None:
    (tmp_path / "file").write_text("")
    out_of_reach = f"sqlite:///{tmp_path}/file/x" if backend == "sqlite" else postgres.url("nowhere")
    database = open_database(out_of_reach)
    for call in (schema.upgrade, schema.is_current, schema.differences):
        with pytest.raises(StorageUnavailableError) as caught:
            call(database)
        assert "\n" not in str(caught.value)


def test_a_fresh_sqlite_file_is_not_readable_by_others(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'new' / 'g.sqlite3'}")
    schema.upgrade(database)
    for path in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO == 0, path.name
    database.close()


@pytest.fixture
def filled(database: Database, place: Place) -> Database:
    """A database with one row in every table that is written once, and one staged leaf."""
    with database.write() as session:
        add_rules(session, place)
        session.add(
            PolicyGeneration(
                owner_id=place.owner_id, generation=1, document={}, sha256="c" * 64, published_by="x", published_at=NOW
            )
        )
        for _ in range(2):
            leaves.stage(session, place.owner_id, new_id(), b"{}", {}, NOW)
        head = leaves.lock_head(session, place.owner_id)
        leaves.append(session, head, leaves.staged(session, place.owner_id, 1), [(0, 0, b"h" * 32)], "note", NOW)
    return database


@pytest.mark.parametrize(
    "statement",
    [
        *(
            f"UPDATE {table} SET {column} = {column}"
            for table, column in WRITTEN_ONCE.items()
            if table != "policy_generation"
        ),
        *(
            f"UPDATE policy_generation SET {change}"
            for change in ("note = 'x'", "published_by = 'y'", "sha256 = 'x'", "document = '[]'", "generation = 9")
        ),
        *(f"DELETE FROM {table}" for table in WRITTEN_ONCE),
        "UPDATE staged_leaf SET entry = entry",
        "DELETE FROM tree_head",
    ],
)
def test_what_is_written_once_can_not_be_changed(filled: Database, statement: str) -> None:
    table = statement.split()[2 if statement.startswith("DELETE") else 1]
    with pytest.raises(IntegrityError, match="is written once"), filled.write() as session:
        session.execute(text(statement))
    assert scalar(filled, f"SELECT count(*) FROM {table}") != 0


@pytest.mark.parametrize("table", sorted(WRITTEN_ONCE))
def test_what_is_written_once_can_not_be_emptied_or_replaced(filled: Database, table: str) -> None:
    statement = (
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" if filled.is_sqlite else f"TRUNCATE {table} CASCADE"
    )
    with pytest.raises(IntegrityError, match="is written once"), filled.write() as session:
        session.execute(text(statement))


def test_a_log_never_shrinks(filled: Database) -> None:
    with pytest.raises(IntegrityError, match=r"shrinks|written once"), filled.write() as session:
        session.execute(text("UPDATE tree_head SET size = size - 1"))
    with filled.write() as session:
        session.execute(text("UPDATE tree_head SET size = size + 1"))


def test_a_staged_leaf_may_be_taken_away_by_the_sealer(filled: Database) -> None:
    with filled.write() as session:
        session.execute(text("DELETE FROM staged_leaf"))
    assert scalar(filled, "SELECT count(*) FROM staged_leaf") == 0


def test_the_next_generation_can_be_added(filled: Database, place: Place) -> None:
    with filled.write() as session:
        session.add(
            PolicyGeneration(
                owner_id=place.owner_id, generation=2, document={}, sha256="d" * 64, published_by="x", published_at=NOW
            )
        )
    with filled.read() as session:
        found = generations.in_force(session, place.owner_id)
        assert found is not None
        assert found.generation == 2


def test_who_published_a_policy_can_be_forgotten_and_nothing_else(filled: Database) -> None:
    with filled.write() as session:
        session.execute(text("UPDATE policy_generation SET note = '', published_by = ''"))
    with filled.read() as session:
        rows = session.execute(text("SELECT note, published_by FROM policy_generation")).all()
    assert set(rows) == {("", "")}
