"""A database that gateways of the release before still work on is migrated: they go on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import text

from gateway.storage import schema
from gateway.storage.engine import Database, open_database
from tests.contract.storage.records import scalar

BEFORE = "0027"
ASKED_BY_IT = (
    "UPDATE gateway SET seen_at = NULL",
    "SELECT site_id, key, seen_at FROM gateway",
    "SELECT network_id FROM access_grant WHERE revoked_at IS NULL",
)
"""What the release before says to the tables that have changed since."""


@pytest.fixture
def earlier(empty_url: str) -> Database:
    """A database as the release before has made it."""
    database = open_database(empty_url)
    if database.is_sqlite:
        database.sqlite_path.parent.mkdir()
        database.sqlite_path.touch()
    with database.engine.execution_options(writes=True).begin() as connection:
        command.upgrade(schema._config(connection), BEFORE)
    return database


def test_what_the_release_before_asks_for_stays(earlier: Database) -> None:
    schema.upgrade(earlier)
    with earlier.write() as session:
        for statement in ASKED_BY_IT:
            session.execute(text(statement))
    earlier.close()


def test_indexes_are_built_while_somebody_reads(earlier: Database) -> None:
    """One who reads and then waits to write would wait for a build, and a drop after it for them: for ever."""
    with ThreadPoolExecutor(1) as pool:
        with earlier.engine.connect() as reader:
            reader.execute(text("SELECT count(*) FROM access_grant"))
            done, until = pool.submit(schema.upgrade, earlier), time.monotonic() + 20
            while scalar(earlier, "SELECT version_num FROM alembic_version") < "0029":  # type: ignore[operator]
                assert time.monotonic() < until
                time.sleep(0.05)
            reader.execute(text("SELECT count(*) FROM access_grant"))
        done.result(timeout=20)
    assert schema.is_current(earlier)
    earlier.close()
