"""Databases at the newest migration: migrated once a run, copied for each test."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from gateway.storage import schema
from gateway.storage.engine import open_database
from tests.postgres import Cluster


def put_sqlite(path: Path) -> None:
    """Lay an empty, migrated SQLite file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o660)  # as `schema.upgrade` makes it
    path.write_bytes(_sqlite())


def create_postgresql(cluster: Cluster) -> str:
    """Make an empty, migrated database; returns its name."""
    return cluster.create(_template(cluster))


@cache
def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/migrated.sqlite3")
        schema.upgrade(database)
        database.close()
        return database.sqlite_path.read_bytes()


@cache
def _template(cluster: Cluster) -> str:
    name = cluster.create()
    database = open_database(cluster.url(name))
    schema.upgrade(database)
    database.close()
    return name
