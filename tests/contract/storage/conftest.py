"""The databases under test: every test of the suite runs on a fresh SQLite file and on a fresh PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.storage.engine import Database, open_database
from gateway.storage.places import Place, add_place
from tests.contract.storage.records import NOW
from tests.migrated import create_postgresql, put_sqlite
from tests.postgres import Cluster, postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database in which nothing is yet."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'state' / 'gjestenett.sqlite3'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database of this test's own."""
    if backend == "sqlite":
        path = tmp_path / "state" / "gjestenett.sqlite3"
        put_sqlite(path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = create_postgresql(cluster)
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def place(database: Database) -> Place:
    """An owner with a site, a gateway and the guest network `lo`."""
    with database.write() as session:
        return add_place(
            session,
            owner_key="nybo",
            owner_name="Nybø kommune",
            log_origin="example.org/nybo",
            site_key="hovedbygg",
            gateway_key="gateway-1",
            interfaces=["lo"],
            now=NOW,
        )
