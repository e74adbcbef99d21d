"""An installation with some history, made once and copied for each strike."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.clock import utc_now
from gateway.installation import prepare
from gateway.lists.jobs import compile_in_force
from gateway.settings import Settings, load
from tests.crash import killing
from tests.crash.operations import PREPARED_GUESTS, accept_one, seal_all
from tests.postgres import postgres

__all__ = ["postgres"]


@pytest.fixture(scope="session")
def strace() -> None:
    """Skips where nothing can be traced, and fails in CI."""
    lacking = killing.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{lacking}; CI must have it")
        pytest.skip(lacking)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of an installation on SQLite with a sealed and a staged half, and a snapshot in force."""
    patch = pytest.MonkeyPatch()
    patch.delenv("GJESTENETT_CONFIG", raising=False)
    state = tmp_path_factory.mktemp("template") / "state"
    services = prepare(load(state=state), utc_now)
    patch.undo()
    for number in range(PREPARED_GUESTS):
        accept_one(services, f"02:00:00:00:00:{number:02x}")
        if number == PREPARED_GUESTS // 2:
            seal_all(services)
    compile_in_force(services.database, services.place, state, ("gjest.example.no",))
    services.database.close()
    return state


@pytest.fixture
def installation(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Settings]]:
    """Gives a fresh copy of the installation at each call, in place of the one before."""
    monkeypatch.delenv("GJESTENETT_CONFIG", raising=False)
    state = tmp_path / "state"

    def fresh() -> Settings:
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(template, state)
        return load(state=state)

    yield fresh
    shutil.rmtree(state, ignore_errors=True)
