"""A prepared installation on each database: prepared once, copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.context import Services
from gateway.installation import open_services, prepare
from gateway.settings import Settings, load
from tests.conftest import StoppedClock
from tests.postgres import Cluster, postgres

__all__ = ["postgres"]

BEGUN = datetime(2026, 11, 22, 8, 55, tzinfo=UTC)


def _load(state: Path, url: str = "") -> Settings:
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("GJESTENETT_CONFIG", raising=False)
        if url:
            patched.setenv("GJESTENETT_DATABASE__URL", url)
        return load(state=state)


@pytest.fixture(scope="session")
def sqlite_installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("sqlite") / "state"
    prepare(_load(state), StoppedClock(BEGUN)).database.close()
    return state


@pytest.fixture(scope="session")
def postgres_installation(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> tuple[Path, str]:
    state, name = tmp_path_factory.mktemp("postgresql") / "state", postgres.create()
    prepare(_load(state, postgres.url(name)), StoppedClock(BEGUN)).database.close()
    return state, name


@pytest.fixture(params=["sqlite", "postgresql"])
def services(request: pytest.FixtureRequest, tmp_path: Path, clock: StoppedClock) -> Iterator[Services]:
    """The whole installation, on SQLite and on PostgreSQL."""
    state = tmp_path / "state"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("sqlite_installation"), state)
        opened = open_services(_load(state), clock)
        yield opened
        opened.database.close()
        return
    folder, template = request.getfixturevalue("postgres_installation")
    cluster: Cluster = request.getfixturevalue("postgres")
    shutil.copytree(folder, state)
    name = cluster.create(template)
    opened = open_services(_load(state, cluster.url(name)), clock)
    yield opened
    opened.database.close()
    cluster.drop(name)
