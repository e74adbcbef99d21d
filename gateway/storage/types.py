"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC. Naive datetimes are refused, whatever the database would make of them."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database; pass an aware one")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def sqlite_moment(moment: datetime) -> str:
    """An aware moment as `UtcDateTime` stands in SQLite, for statements past the object mapper."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def new_id() -> str:
    """A fresh identifier: 32 hexadecimal digits, 122 random bits, meaningless outside the database."""
    return uuid4().hex
