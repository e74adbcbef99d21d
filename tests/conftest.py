"""Fixtures that every kind of test may use."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.context import Services
from gateway.installation import prepare
from gateway.settings import Settings, load
from tests.migrated import put_sqlite


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing may be left out for a missing tool; only published lists, which are not ours, may be absent."""
    report = yield
    if report.skipped and os.environ.get("CI") and item.get_closest_marker("published_lists") is None:
        report.outcome = "failed"
        report.longrepr = f"left out, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Nor may a whole module be left out in CI."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"left out, which CI does not allow: {report.longrepr}"
    return report


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
    put_sqlite(settings.state / "gjestenett.sqlite3")
    prepared = prepare(settings, clock)
    yield prepared
    prepared.database.close()
