"""Migration 0015 keeps every acceptance and grant, with what refers to them, and lets the new ways in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gateway.storage import schema
from gateway.storage.engine import Database, open_database
from gateway.storage.types import new_id

BEFORE, AFTER = "0014", "0015"
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROWS = {
    "owner": {"id": "o", "key": "nybo", "name": "Nybø", "log_origin": "example.org/nybo", "created_at": AT},
    "site": {"id": "s", "owner_id": "o", "key": "hus"},
    "gateway": {"id": "g", "site_id": "s", "key": "gw"},
    "network": {"id": "n", "gateway_id": "g", "interface": "lo", "group_key": "default"},
    "device": {"id": "d", "owner_id": "o", "mac": "02:00:00:00:00:01", "first_seen_at": AT, "last_seen_at": AT},
    "visitor": {
        "id": "v", "owner_id": "o", "name": "Kari", "organisation": "", "contact": "", "created_at": AT,
    },
    "rules_version": {
        "id": "r", "owner_id": "o", "label": "1", "adopting_body": "", "case_number": "", "binding_language": "nb",
        "published_at": AT,
    },
    "acceptance": {
        "id": "a", "owner_id": "o", "site_id": "s", "visitor_id": "v", "device_id": "d", "rules_version_id": "r",
        "language": "nb", "text_sha256": "0" * 64, "identified_by": "self_declared", "accepted_at": AT,
        "receipt_code": "7QK2M0ZD", "leaf_id": "l",
    },
    "access_grant": {
        "id": "x", "network_id": "n", "device_id": "d", "acceptance_id": "a", "group_key": "default", "mark": 1,
        "starts_at": AT, "ends_at": AT,
    },
    "applied_grant": {"gateway_id": "g", "grant_id": "x", "applied_at": AT},
}  # fmt: skip


def _contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as session:
        return {table: [tuple(row) for row in session.execute(text(f"SELECT * FROM {table}"))] for table in ROWS}


def _indexes(database: Database) -> set[str]:
    """Those of acceptances; SQLAlchemy can't read one of an expression from SQLite."""
    known = (
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'acceptance' AND sql IS NOT NULL"
        if database.is_sqlite
        else "SELECT indexname FROM pg_indexes WHERE tablename = 'acceptance'"
    )
    with database.read() as session:
        return set(session.scalars(text(known)))


def test_what_stands_is_kept_and_the_new_ways_are_let_in(empty_url: str) -> None:
    database = open_database(empty_url)
    if database.is_sqlite:
        database.sqlite_path.parent.mkdir()
        database.sqlite_path.touch()
    with database.engine.execution_options(writes=True).begin() as connection:
        command.upgrade(schema._config(connection), BEFORE)  # as `schema.upgrade`, but not so far
        for table, row in ROWS.items():
            values = {
                name: value.isoformat(" ") if isinstance(value, datetime) else value for name, value in row.items()
            }
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"), values)
    before = _contents(database)
    indexes = _indexes(database)
    with database.engine.execution_options(writes=True).begin() as connection:
        command.upgrade(schema._config(connection), AFTER)
    assert _contents(database) == before
    assert _indexes(database) == indexes
    assert "ix_acceptance_short_code" in indexes
    schema.upgrade(database)
    assert schema.differences(database) == []
    change = "UPDATE acceptance SET identified_by = :way"
    for way in ("known_device", "device_words", "receipt_code", "oidc"):
        with database.write() as session:
            session.execute(text(change), {"way": way})
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(text(change), {"way": "guess"})
    with pytest.raises(IntegrityError), database.write() as session:  # it still refers to what it did
        session.execute(text("DELETE FROM acceptance"))
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(
            text("INSERT INTO device_words (grant_id, owner_id, number, expires_at) VALUES (:id, 'o', 1, :at)"),
            {"id": new_id(), "at": AT.isoformat(" ")},
        )
    database.close()
