"""Which leaves have been erased, and getting their bytes out of the database's files.

SQLite's `secure_delete` zeroes what is deleted, but when a page is split or merged it leaves copies of rows in the
free space of pages, which no later deletion finds (measured: about one erased person in 3000). Only VACUUM removes
those, and only an emptied write-ahead log is free of what stood in pages before.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.storage import leaves
from gateway.storage.engine import BUSY_TIMEOUT_MS, Database, Session
from gateway.storage.log_models import Erasure

TOUCHED = (
    "disclosure",
    "visitor",
    "device",
    "acceptance",
    "access_grant",
    "applied_grant",
    "policy_generation",
    "exemption_request",
)
_PAUSE_S = 0.2
_WAIT_MS = 300  # of the writers, while the log is being emptied
_CHUNK_BYTES = 1 << 20


def note(session: Session, owner_id: str, leaf_id: str, ranges: str, ground: str, now: datetime) -> None:
    """Write down, in the transaction that erases them, which leaves the leaf `leaf_id` says are erased."""
    session.add(Erasure(leaf_id=leaf_id, owner_id=owner_id, leaves=ranges, ground=ground, erased_at=now, wiped_at=None))
    session.flush()


def erased(session: Session, owner_id: str, grounds: Collection[str] | None = None) -> Sequence[str]:
    """The leaves of each erasure of the owner's log (on these grounds), as ranges (`3-5,9`)."""
    query = select(Erasure.leaves).where(Erasure.owner_id == owner_id)
    return session.scalars(query if grounds is None else query.where(Erasure.ground.in_(list(grounds)))).all()


def newest(session: Session, owner_id: str) -> tuple[int, datetime | None]:
    """How many erasures of the owner's log there have been, and when the last was: other figures after each."""
    row = session.execute(select(func.count(), func.max(Erasure.erased_at)).where(Erasure.owner_id == owner_id)).one()
    return row[0], row[1]


def unwiped(session: Session, owner_id: str) -> Sequence[tuple[str, datetime]]:
    """(leaf id, when) of erasures whose bytes may still stand in the database's files, oldest first."""
    return [
        (leaf_id, at)
        for leaf_id, at in session.execute(
            select(Erasure.leaf_id, Erasure.erased_at)
            .where(Erasure.owner_id == owner_id, Erasure.wiped_at.is_(None))
            .order_by(Erasure.erased_at)
        )
    ]


def mark_wiped(database: Database, leaf_ids: Sequence[str], now: datetime) -> None:
    """Write down that the bytes of these erasures are gone. Raises: StorageUnavailableError."""
    with database.write() as session:
        for start in range(0, len(leaf_ids), leaves.EXPORT_BATCH):
            some = list(leaf_ids[start : start + leaves.EXPORT_BATCH])
            session.execute(update(Erasure).where(Erasure.leaf_id.in_(some)).values(wiped_at=now))


def wipe(database: Database, marks: Sequence[bytes] | None = None, patience_s: float = 10.0) -> str | None:
    """Get the bytes of what was deleted out of the database's files; None when they are gone, else what is in the way.

    `marks` are some of the erased values: then SQLite's file is rewritten only if one of them still stands in it.
    On PostgreSQL the tables are vacuumed; its log and its backups go by their own periods.
    """
    return _wipe_sqlite(database, marks, patience_s) if database.is_sqlite else _vacuum_postgres(database)


def holds(path: str, marks: Sequence[bytes]) -> bool:
    """Whether a file holds one of these, each at most 1 MiB long. Raises: OSError."""
    overlap = max(map(len, marks), default=1) - 1
    tail = b""
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            window = tail + chunk
            if any(mark in window for mark in marks):
                return True
            tail = window[-overlap:] if overlap else b""
    return False


def _wipe_sqlite(database: Database, marks: Sequence[bytes] | None, patience_s: float) -> str | None:
    path = str(database.sqlite_path)
    deadline = time.monotonic() + patience_s
    try:
        with closing(_connect(path, BUSY_TIMEOUT_MS)) as connection:  # the pieces of names that the search knows
            connection.execute("INSERT INTO visitor_trigram (visitor_trigram) VALUES ('optimize')")
        if marks is not None:
            if (problem := _empty_log(path, deadline)) is not None:
                return problem
            if not holds(path, marks):
                return None
        with closing(_connect(path, BUSY_TIMEOUT_MS)) as connection:
            connection.execute("VACUUM")
        if (problem := _empty_log(path, deadline)) is not None:
            return problem
        return "a copy is still in the database's file" if marks is not None and holds(path, marks) else None
    except (sqlite3.Error, OSError) as error:
        return f"the database's file could not be rewritten ({error})"


def _empty_log(path: str, deadline: float) -> str | None:
    """Move the write-ahead log into the file and cut it to nothing, between what others read."""
    while True:
        with closing(_connect(path, _WAIT_MS)) as connection:
            try:
                [(busy, _, _)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                busy = 1
        if not busy:
            return None
        if time.monotonic() >= deadline:
            return "somebody reads the database, and its write-ahead log could not be emptied yet"
        time.sleep(_PAUSE_S)


def _connect(path: str, wait_ms: int) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None)
    for pragma in (f"busy_timeout={wait_ms}", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _vacuum_postgres(database: Database) -> str | None:
    try:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in TOUCHED:
                connection.execute(text(f"VACUUM {table}"))
    except SQLAlchemyError as error:
        return f"the tables could not be vacuumed ({' '.join(str(error).split())[:200]})"
    return None
