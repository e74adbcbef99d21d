"""Copies of the database: SQLite by its backup interface, PostgreSQL by `pg_dump` and `pg_restore`.

A copy is one file of mode 0600. It holds personal data and the log, and no key: those lie outside the database.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL

from gateway import durable
from gateway.errors import GatewayError, UsageError
from gateway.storage.engine import Database, storage_errors

SQLITE_HEADER = b"SQLite format 3\0"
POSTGRES_HEADER = b"PGDMP"
_BATCH_PAGES = 4096
_SIDE_FILES = ("-wal", "-shm", "-journal")


class BackupError(GatewayError):
    """A copy can't be made or put back; the message says why. Nothing in use was changed."""


def backup(database: Database, out: Path) -> None:
    """Write a consistent copy to the new file `out` while everything goes on. Raises: BackupError, OSError."""
    partial = out.with_name(f".{out.name}.part")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        if database.is_sqlite:
            _copy_sqlite(database.sqlite_path, partial)
        else:
            _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}"], database)
        _sync(partial)
        os.link(partial, out)  # fails where something stands, unlike rename
    except FileExistsError:
        raise UsageError(f"{out} exists and is not overwritten; choose another name") from None
    finally:
        partial.unlink(missing_ok=True)
        for end in _SIDE_FILES:
            partial.with_name(partial.name + end).unlink(missing_ok=True)


def check_backup(database: Database, copy: Path) -> None:
    """Refuse what is no whole copy of such a database. Raises: BackupError, OSError."""
    wanted = SQLITE_HEADER if database.is_sqlite else POSTGRES_HEADER
    with copy.open("rb") as file:
        if file.read(len(wanted)) != wanted:
            kind = "SQLite" if database.is_sqlite else "PostgreSQL (pg_dump, custom format)"
            raise BackupError(f"{copy} is no backup of a database of {kind}, which is what the settings name")
    if not database.is_sqlite:
        _run(["pg_restore", "--list", str(copy)], database)
        return
    with _damaged(copy), closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as found:
        problems = [row[0] for row in found.execute("PRAGMA quick_check(1)")]
        if problems != ["ok"]:
            raise BackupError(f"{copy} is damaged ({problems[0]}); use another backup")
        if not found.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]:
            raise BackupError(f"{copy} is a database of something else")


def stage_sqlite(copy: Path, beside: Path) -> None:
    """Copy a checked backup to `beside`, as a database that can be opened. Raises: OSError."""
    discard_sqlite(beside)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
    with copy.open("rb") as source, os.fdopen(descriptor, "wb") as target:
        shutil.copyfileobj(source, target)


def put_sqlite(database: Database, fresh: Path) -> Path | None:
    """Put `fresh` in the place of the database; returns where the one before is kept, None when there was none.

    Raises: BackupError when a service has the database open; OSError.
    """
    path = database.sqlite_path
    kept = path.with_name(f"{path.name}.before-restore")
    _merge_log(fresh)
    _sync(fresh)
    if path.exists():
        with in_use(path):
            discard_sqlite(kept)
        path.replace(kept)
    for end in _SIDE_FILES:
        path.with_name(path.name + end).unlink(missing_ok=True)
    fresh.replace(path)
    durable.sync_folder(path.parent)
    return kept if kept.exists() else None


def restore_postgres(database: Database, copy: Path) -> None:
    """Replace everything in the database by the copy, in one transaction. Raises: BackupError."""
    _run(
        ["pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
         "--exit-on-error", f"--dbname={database.engine.url.database}", str(copy)],
        database,
    )  # fmt: skip


def refuse_in_use(database: Database) -> None:
    """Refuse to go on while somebody else has the database open. Raises: BackupError, StorageUnavailableError."""
    if database.is_sqlite:
        if database.sqlite_path.exists():
            with in_use(database.sqlite_path):
                pass
        return
    with storage_errors(), database.engine.connect() as connection:
        others = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )
    if others:
        raise BackupError(f"{others} connections to the database are open; stop every service first")


@contextlib.contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Hold an SQLite database alone, with its write-ahead log in the file. Raises: BackupError when others have it."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            try:
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("COMMIT")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError as error:
                if "locked" in str(error) or "busy" in str(error):
                    raise BackupError("a service has the database open; stop every service first") from None
                raise
            yield
    except sqlite3.DatabaseError:
        yield  # what is damaged is what is to be replaced


def discard_sqlite(path: Path) -> None:
    """Delete a database file and what SQLite keeps beside it."""
    for end in ("", *_SIDE_FILES):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _copy_sqlite(path: Path, out: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(out)) as target,
        ):
            source.backup(target, pages=_BATCH_PAGES)
            target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"the database could not be copied ({error})") from error


def _merge_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in _SIDE_FILES:
        path.with_name(path.name + end).unlink(missing_ok=True)


@contextlib.contextmanager
def _damaged(copy: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BackupError(f"{copy} is damaged ({error}); use another backup") from error


def _run(command: list[str], database: Database) -> None:
    try:
        done = subprocess.run(
            command, env=_environment(database.engine.url), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise BackupError(f"{command[0]} is not installed (Debian: postgresql-client)") from None
    if done.returncode != 0:
        raise BackupError(f"{command[0]} failed: {' '.join(done.stderr.split())[:400]}")


def _environment(url: URL) -> dict[str, str]:
    """How the PostgreSQL programs find the database: never by their arguments, which everybody on the machine sees."""
    found = {
        "PGHOST": url.query.get("host", url.host),
        "PGPORT": url.query.get("port", url.port),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
        "PGSSLROOTCERT": url.query.get("sslrootcert"),
    }
    return dict(os.environ) | {name: str(value) for name, value in found.items() if value}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
