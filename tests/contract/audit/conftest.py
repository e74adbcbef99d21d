"""A prepared installation on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.context import Services
from gateway.installation import prepare
from gateway.settings import load
from tests.conftest import StoppedClock
from tests.migrated import create_postgresql, put_sqlite
from tests.postgres import Cluster, postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def services(
    request: pytest.FixtureRequest, tmp_path: Path, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    """The whole installation, on SQLite and on PostgreSQL."""
    name = None
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        name = create_postgresql(cluster)
        monkeypatch.setenv("GJESTENETT_DATABASE__URL", cluster.url(name))
    else:
        put_sqlite(tmp_path / "state" / "gjestenett.sqlite3")
    prepared = prepare(load(state=tmp_path / "state"), clock)
    yield prepared
    prepared.database.close()
    if name is not None:
        cluster.drop(name)
