"""Fixtures that every kind of test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.context import Services
from gateway.installation import prepare
from gateway.settings import Settings, load


class StoppedClock:
    """A clock that a test moves by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(datetime(2026, 11, 22, 8, 55, tzinfo=UTC))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The defaults, with a state directory of the test's own."""
    monkeypatch.delenv("GJESTENETT_CONFIG", raising=False)
    return load(state=tmp_path / "state")


@pytest.fixture
def services(settings: Settings, clock: StoppedClock) -> Iterator[Services]:
    """A freshly prepared installation on SQLite."""
    prepared = prepare(settings, clock)
    yield prepared
    prepared.database.close()
