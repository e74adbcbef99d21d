"""Moments come back as the same moment, aware and in UTC, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from gateway.storage import schema
from gateway.storage.engine import Database, open_database
from gateway.storage.models import Owner
from gateway.storage.types import new_id, sqlite_moment

OSLO_SUMMER = timezone(timedelta(hours=2))
MOMENTS = [
    datetime(2026, 7, 1, 0, 30, 0, 1, tzinfo=OSLO_SUMMER),
    datetime(2026, 11, 22, 12, 0, 0, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 59, 59, 999999, tzinfo=UTC),
]


def add_owner(database: Database, moment: datetime, key: str = "a") -> None:
    with database.write() as session:
        session.add(Owner(key=key, name=key, log_origin=key, created_at=moment))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_comes_back_the_same_and_in_utc(database: Database, moment: datetime) -> None:
    add_owner(database, moment)
    with database.read() as session:
        if not database.is_sqlite:
            session.execute(text("SET LOCAL TIME ZONE 'Asia/Tokyo'"))
        found = session.scalars(select(Owner.created_at)).one()
        assert session.scalars(select(Owner.key).where(Owner.created_at == moment)).one() == "a"
    assert found == moment
    assert found.tzinfo is UTC


def test_moments_sort_by_time_whatever_their_zone_was(database: Database) -> None:
    for number, moment in enumerate(MOMENTS):
        add_owner(database, moment, str(number))
    with database.read() as session:
        assert session.scalars(select(Owner.created_at).order_by(Owner.created_at)).all() == sorted(MOMENTS)


@pytest.mark.parametrize("moment", MOMENTS)
def test_past_the_mapper_a_moment_stands_the_same_on_sqlite(tmp_path: Path, moment: datetime) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'moments.sqlite3'}")
    schema.upgrade(database)
    add_owner(database, moment)
    with database.read() as session:
        assert session.scalar(text("SELECT created_at FROM owner")) == sqlite_moment(moment)
    database.close()


def test_a_naive_moment_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        add_owner(database, datetime(2026, 11, 22))  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"), database.read() as session:
        session.scalars(select(Owner).where(Owner.created_at < datetime(2026, 1, 1))).all()  # noqa: DTZ001


def test_identifiers_are_32_digits_and_differ() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in made)
