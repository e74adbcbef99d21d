"""The database: how it is opened, and the two kinds of transaction, one that reads and one that writes.

SQLite runs in WAL with `synchronous=FULL`, `secure_delete` and foreign keys on. Writers begin with `BEGIN IMMEDIATE`:
a deferred transaction that later wants to write fails with "database is locked" as soon as two of them meet.
A missing file is an error here, never a new empty database; `schema.upgrade` alone creates it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.errors import GatewayError, UsageError

__all__ = [
    "DataError",
    "Database",
    "IntegrityError",
    "Session",
    "StorageUnavailableError",
    "is_writing",
    "open_database",
    "storage_errors",
]

BUSY_TIMEOUT_MS = 3000  # how long a writer waits for another: SQLite's busy time-out, PostgreSQL's lock_timeout
POOL_TIMEOUT_S = 5
TURN_TIMEOUT_S = 15  # among the threads of one process on SQLite: a guest rather waits than is turned away
PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",  # else INSERT OR REPLACE deletes a row without firing its DELETE trigger
)


_COMMON: dict[str, Any] = {
    "pool_size": 5,
    "max_overflow": 10,
    "pool_timeout": POOL_TIMEOUT_S,
    "hide_parameters": True,  # INVARIANT: what a person typed reaches no log by way of an error's text
}


class StorageUnavailableError(GatewayError):
    """The database is locked, full, read-only or gone. Nothing was written; trying again may help."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn a database that does not answer into StorageUnavailableError; a refused value stays what it is."""
    try:
        yield
    except (IntegrityError, DataError):
        raise  # two writers met on a unique key, or a bug: the caller knows which; trying again does not help
    except (DatabaseError, InterfaceError) as error:
        reason = " ".join(str(error.orig).split())
        if "not a database" in reason or "malformed" in reason:
            raise StorageUnavailableError(f"the database file is damaged ({reason}); restore its backup") from error
        raise StorageUnavailableError(f"the database did not answer ({reason}); try again shortly") from error
    except PoolTimeoutError as error:
        raise StorageUnavailableError("every database connection is busy; try again shortly") from error


def is_writing(session: Session) -> bool:
    """Whether this is a session of `Database.write()`; PostgreSQL refuses row locks in any other."""
    return bool(session.get_bind().get_execution_options().get("writes", False))


class Database:
    """One database and its pool. `write()` and `read()` are the only ways to a session."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(writes=True)
        self._reader = engine
        # SQLite's own waiting is to try again after longer and longer naps, in no order: eight threads of a portal that
        # did so would starve one another. So the writers of one process take turns here, and of several there.
        self._turn: threading.Lock | None = threading.Lock() if self.is_sqlite else None
        if not self.is_sqlite:
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def sqlite_path(self) -> Path:
        """The file of an SQLite database."""
        return Path(str(self.engine.url.database))

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits when the block ends and rolls back when it raises.

        Raises: StorageUnavailableError when the database can't take it; then nothing was written.
        """
        with self._writers_turn(), storage_errors(), Session(self._writer, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that can only read, in one consistent view. Raises: StorageUnavailableError."""
        with storage_errors(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _writers_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=TURN_TIMEOUT_S):
            raise StorageUnavailableError("other writers kept the database busy; try again shortly")
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open the database at an SQLAlchemy URL: `sqlite:///path` or `postgresql://…`.

    Raises: UsageError when the URL can't be understood. Connecting happens on first use.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return Database(_sqlite_engine(parsed))
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return Database(_postgres_engine(parsed))
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError("database.url is not understood; use sqlite:///path or postgresql://user@host/name") from error


def _postgres_engine(url: URL) -> Engine:
    arguments: dict[str, Any] = {"connect_timeout": 3}
    if "options" not in url.query:
        # A page of fifty rows is found sooner than helpers for it are started: 2.4 s with them, 0.3 without, when busy.
        # Nor does it gain by machine code that is made for it: 300 ms of processor time with it, 260 without.
        # At 4, as delivered, it read a million acceptances for a rare name; at 2, too much for those who wait.
        plans = "-c max_parallel_workers_per_gather=0 -c jit=off -c random_page_cost=3"
        arguments["options"] = f"-c lock_timeout={BUSY_TIMEOUT_MS} {plans}"
    return create_engine(url, pool_pre_ping=True, connect_args=arguments, **_COMMON)


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ArgumentError("an SQLite database needs a path")
    path = Path(url.database).absolute()

    def connect() -> sqlite3.Connection:
        # autocommit, because the driver's own BEGIN comes too late and is never IMMEDIATE
        uri = f"{path.as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    engine = create_engine(url, creator=connect, **_COMMON)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        for pragma in PRAGMAS:
            connection.execute(pragma)
        record.info["file"] = file_identity(path)

    @event.listens_for(engine, "checkout")
    def reopen_if_replaced(_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        # SQLite goes on writing to a file that was deleted or restored over, and says that it committed
        if record.info["file"] != file_identity(path):
            raise DisconnectionError("the database file was replaced")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def file_identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at `path`; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
