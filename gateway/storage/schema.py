"""The schema's version: bring a database to the newest migration, or say that it is not there."""

from __future__ import annotations

import warnings
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from gateway.errors import GatewayError
from gateway.storage import (  # every table is known once these are
    api_models,  # noqa: F401
    base,
    beat_models,  # noqa: F401
    control_models,  # noqa: F401
    dns_models,  # noqa: F401
    exemption_models,  # noqa: F401
    list_models,  # noqa: F401
    models,  # noqa: F401
    operational_models,  # noqa: F401
    passkey_models,  # noqa: F401
    policy_models,  # noqa: F401
    rules_draft_models,  # noqa: F401
    rules_wait_models,  # noqa: F401
    staff_models,  # noqa: F401
)
from gateway.storage.engine import Database, StorageUnavailableError, storage_errors
from gateway.storage.revision import NEWEST, is_current

__all__ = ["UnknownSchemaError", "differences", "is_current", "upgrade"]

ADVISORY_LOCK = 0x676A6573  # two gateways that start at once on one PostgreSQL migrate one after the other
STAGES = ("0028", "0029", NEWEST)
"""Migrations after which a transaction ends. Gateways of the release before work meanwhile: an index is built while
they read on, and one that was replaced is dropped apart from that, since a drop waits for those who wait to write.
"""


class UnknownSchemaError(GatewayError):
    """The database stands at a migration that this release does not know."""


def upgrade(database: Database) -> None:
    """Run every migration that is missing, up to each of `STAGES` in a transaction; create an SQLite file that nobody
    else can read.

    Raises: StorageUnavailableError; UnknownSchemaError when a later release has migrated the database.
    """
    if database.is_sqlite:
        _create_file(database.sqlite_path)
    if is_current(database):  # told in a millisecond; Alembic reads every migration before it says so
        return
    try:
        for stage in STAGES:
            with storage_errors(), database.engine.execution_options(writes=True).begin() as connection:
                if not database.is_sqlite:
                    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
                command.upgrade(_config(connection), stage)
    except CommandError as error:
        raise UnknownSchemaError(
            f"the database can't be migrated ({error}); a later release has written it: install that release"
        ) from error


def differences(database: Database) -> list[object]:
    """What the models say that the migrated database does not: empty when no migration is missing.

    Indexes of expressions are compared on PostgreSQL only: SQLAlchemy can't read them back from SQLite.
    """
    with storage_errors(), database.engine.connect() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*expression-based index")
        context = MigrationContext.configure(connection, opts={"include_name": _is_modelled})
        return list(compare_metadata(context, base.Base.metadata))


def _is_modelled(name: str | None, _type: str, _parents: object) -> bool:
    """Whether the models speak of what has this name: trigrams and the order of names differ by database."""
    return name is None or not name.startswith(("visitor_trigram", "visitor_name_order"))


def _create_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o660)  # personal data: never for others; SQLite gives -wal and -shm the same mode
    except OSError as error:
        raise StorageUnavailableError(f"the database file can't be made: {error}; check --state") from error


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["connection"] = connection
    return config
