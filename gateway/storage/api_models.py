"""The tables of the JSON API: tokens that staff give to programs, and answers kept for calls that are repeated."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.storage.base import Base, Id
from gateway.storage.staff_models import Staff
from gateway.storage.types import new_id


class ApiToken(Base):
    """A personal access token; only its SHA-256 is kept. `scopes` are words such as `policy:read`, between spaces.

    `last_used_at` and `last_used_address` are kept to the minute. A token that was revoked stays for a while, so that
    its list shows it.
    """

    __tablename__ = "api_token"
    __table_args__ = (Index("ix_api_token_sha256", "token_sha256", unique=True),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(ForeignKey(Staff.id), index=True)
    name: Mapped[str] = mapped_column(Text)
    token_sha256: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    last_used_address: Mapped[str] = mapped_column(Text, default="", server_default="")
    revoked_at: Mapped[datetime | None]
    staff: Mapped[Staff] = relationship(lazy="raise")


class KeptAnswer(Base):
    """What a call with an idempotency key was answered, for the same call again.

    Written in the transaction of the change that the call made. `asked_sha256` is of method, path and body.
    """

    __tablename__ = "api_answer"
    __table_args__ = (Index("ix_api_answer_kept_at", "kept_at"),)

    staff_id: Mapped[str] = mapped_column(ForeignKey(Staff.id), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    asked_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime]
