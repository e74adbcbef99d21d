"""Which migration a database stands at, asked without loading Alembic: every service asks it when it starts."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from gateway.storage.engine import Database, storage_errors

NEWEST = "0030"  # INVARIANT: the head of migrations/versions


def is_current(database: Database) -> bool:
    """Whether the database stands at the newest migration. Raises: StorageUnavailableError."""
    with storage_errors(), database.engine.connect() as connection:
        try:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == NEWEST
        except (OperationalError, ProgrammingError) as error:
            if "alembic_version" in str(error.orig):  # the table is not there: nothing was ever migrated
                return False
            raise
