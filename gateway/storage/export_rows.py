"""The log read for an export: every leaf once, in order, with what is left of its personal fields.

The driver's own rows, not SQLAlchemy's: of a million leaves with five fields each the wrapping alone would take half
the time of the export.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from gateway.storage.engine import Session

BATCH_LEAVES = 500
_CACHE_KIB = 32 * 1024  # the upper part of the index of disclosures: a million leaves are looked up in it at random

_ENTRIES = "SELECT leaf_index, entry FROM leaf WHERE owner_id = ? AND leaf_index >= ? AND leaf_index < ? ORDER BY 1"
_DISCLOSURES = (
    "SELECT leaf.leaf_index, disclosure.salt, disclosure.name, disclosure.value FROM leaf"
    " JOIN disclosure ON disclosure.leaf_id = leaf.leaf_id"
    " WHERE leaf.owner_id = ? AND leaf.leaf_index >= ? AND leaf.leaf_index < ? ORDER BY 1, disclosure.name"
)
_index = itemgetter(0)
_fields = itemgetter(1, 2, 3)


def disclosed_leaves(
    session: Session, owner_id: str, first: int, end: int
) -> Iterator[tuple[int, bytes, list[tuple[str, str, str]]]]:
    """(index, entry, [(salt, name, value)]) of the leaves `[first, end)` in order, the fields by name, in batches of
    constant memory; of an erased leaf the list is empty.
    """
    connection = session.connection()
    cursor = connection.connection.cursor()
    entries, disclosures = _ENTRIES, _DISCLOSURES
    if connection.dialect.name == "postgresql":
        entries, disclosures = (query.replace("?", "%s") for query in (entries, disclosures))
        disclosures += ' COLLATE "C"'  # by code points, as SQLite orders
    else:
        cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    try:
        for start in range(first, end, BATCH_LEAVES):
            bounds = (owner_id, start, min(end, start + BATCH_LEAVES))
            cursor.execute(disclosures, bounds)
            known = {index: list(map(_fields, rows)) for index, rows in groupby(cursor.fetchall(), _index)}
            cursor.execute(entries, bounds)
            for index, entry in cursor.fetchall():
                yield index, entry.encode() if isinstance(entry, str) else bytes(entry), known.get(index, [])
    finally:
        if connection.dialect.name == "sqlite":
            cursor.execute("PRAGMA cache_size=-2000")  # SQLite's own; the connection goes back to the pool
        cursor.close()
