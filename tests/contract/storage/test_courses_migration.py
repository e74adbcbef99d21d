"""Migration 0016 keeps accounts and what hangs on them, and grants; SQLite has to copy the table of accounts."""

from __future__ import annotations

import warnings

from alembic import command
from sqlalchemy import text

from gateway.storage import schema
from gateway.storage.engine import open_database

BEFORE = (
    "INSERT INTO owner (id, key, name, log_origin, created_at) VALUES ('o', 'k', 'N', 'l', '2026-11-22 12:00:00')",
    "INSERT INTO staff (id, owner_id, username, role, created_at, totp_step)"
    " VALUES ('s', 'o', 'kari', 'it', '2026-11-22 12:00:00', 7)",
    "INSERT INTO recovery_code (staff_id, code_sha256) VALUES ('s', 'c')",
    "INSERT INTO setup_link (token_sha256, staff_id, expires_at) VALUES ('t', 's', '2026-11-22 12:00:00')",
    "INSERT INTO staff_session (token_sha256, staff_id, created_at, seen_at, expires_at)"
    " VALUES ('t', 's', '2026-11-22 12:00:00', '2026-11-22 12:00:00', '2026-11-22 12:00:00')",
)


def test_accounts_their_links_codes_and_sessions_stay(empty_url: str) -> None:
    database = open_database(empty_url)
    if database.is_sqlite:
        database.sqlite_path.parent.mkdir()
        database.sqlite_path.touch()
    with database.engine.execution_options(writes=True).begin() as connection, warnings.catch_warnings():
        command.upgrade(schema._config(connection), "0014")
        for statement in BEFORE:
            connection.execute(text(statement))
    schema.upgrade(database)
    assert schema.differences(database) == []
    with database.write() as session:
        assert session.execute(text("SELECT username, role, unit, totp_step FROM staff")).all() == [
            ("kari", "it", "", 7)
        ]
        for table in ("recovery_code", "setup_link", "staff_session"):
            assert session.execute(text(f"SELECT staff_id FROM {table}")).all() == [("s",)], table
        session.execute(
            text(
                "INSERT INTO staff (id, owner_id, username, role, unit, created_at)"
                " VALUES ('h', 'o', 'vert', 'host', 'Nybø', '2026-11-22 12:00:00')"
            )
        )
    database.close()
