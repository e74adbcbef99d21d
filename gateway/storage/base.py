"""What all tables share: the declarative base, and the lengths of keys and identifiers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    MetaData,
    String,
    Table,
)
from sqlalchemy.orm import DeclarativeBase

from gateway.storage.types import UtcDateTime

Key = String(40)
Id = String(32)


class Base(DeclarativeBase):
    """Declarative base; constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON}  # noqa: RUF012 - SQLAlchemy's own form


def table_of(model: type[Base]) -> Table:
    """The table of a model, for statements that every guest waits for: of tables, they pass the object mapper by."""
    return cast("Table", model.__table__)
