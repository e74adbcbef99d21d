"""Writing thousands of rows of the log, and reading dozens of nodes, in one statement past the object mapper.

For rows of the log, whose columns are text, numbers, octets and aware moments; names of tables and columns are the
program's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.storage.engine import Session
from gateway.storage.types import sqlite_moment


def insert_many(session: Session, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows, in the session's own transaction. Raises: as any statement of the session does."""
    if not rows:
        return
    connection = session.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        for at in [number for number, column in enumerate(columns) if _TYPES[column] == "timestamptz"]:
            rows = [(*row[:at], sqlite_moment(row[at]), *row[at + 1 :]) for row in rows]
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))  # noqa: S608
        return
    arrays = ", ".join(f"%s::{_TYPES[column]}[]" for column in columns)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})",  # noqa: S608
        tuple(list(column) for column in zip(*rows, strict=True)),
    )


def delete_many(session: Session, table: str, ids: Sequence[int]) -> None:
    """Delete the rows whose `id` is one of these, in the session's own transaction."""
    if not ids:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE id = ?", [(each,) for each in ids])  # noqa: S608
    else:
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE id = ANY(%s::bigint[])", (list(ids),))  # noqa: S608


def read_nodes(session: Session, owner_id: str, places: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int, bytes]]:
    """(level, index, hash) of those of the complete nodes (level, index) that there are; at most 400 at once.

    Each is found by the primary key: for `(level, node_index) IN (…)` SQLite would walk the whole tree.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        wanted = ", ".join(["(?, ?)"] * len(places))
        found = connection.exec_driver_sql(
            f"WITH wanted (l, i) AS (VALUES {wanted}) SELECT level, node_index, hash"  # noqa: S608
            " FROM wanted CROSS JOIN tree_node ON owner_id = ? AND level = l AND node_index = i",
            (*(number for place in places for number in place), owner_id),
        )
    else:
        levels, indexes = ([place[part] for place in places] for part in (0, 1))
        found = connection.exec_driver_sql(
            "SELECT level, node_index, hash FROM unnest(%s::integer[], %s::bigint[]) AS wanted (l, i)"
            " JOIN tree_node ON owner_id = %s AND level = l AND node_index = i",
            (levels, indexes, owner_id),
        )
    return [(level, index, bytes(hash_)) for level, index, hash_ in found]


_TYPES = {
    "owner_id": "text",
    "leaf_index": "bigint",
    "leaf_id": "text",
    "entry": "bytea",
    "level": "integer",
    "node_index": "bigint",
    "hash": "bytea",
    "type": "text",
    "at": "timestamptz",
    "site": "text",
    "name": "text",
    "salt": "text",
    "value": "text",
}
