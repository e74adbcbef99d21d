"""Inserting thousands of rows at once, past the object mapper, in one statement.

For rows of the log, whose columns are text, numbers and octets; names of tables and columns are the program's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.storage.engine import Session


def insert_many(session: Session, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows, in the session's own transaction. Raises: as any statement of the session does."""
    if not rows:
        return
    connection = session.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))  # noqa: S608
        return
    arrays = ", ".join(f"%s::{_TYPES[column]}[]" for column in columns)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})",  # noqa: S608
        tuple(list(column) for column in zip(*rows, strict=True)),
    )


_TYPES = {
    "owner_id": "text",
    "leaf_index": "bigint",
    "leaf_id": "text",
    "entry": "bytea",
    "level": "integer",
    "node_index": "bigint",
    "hash": "bytea",
}
