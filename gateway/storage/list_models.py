"""The tables of the lists: sources, refreshes and what asked for them, and uploaded files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Id, Key
from gateway.storage.models import Gateway, Owner
from gateway.storage.types import new_id


class ListSource(Base):
    """A source of a list that somebody has switched on or added; the catalogue itself is not in the database."""

    __tablename__ = "list_source"

    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    category: Mapped[str] = mapped_column(Key)
    title: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(Text, default="")
    format: Mapped[str] = mapped_column(String(20))
    options: Mapped[dict[str, Any]]
    licence: Mapped[str] = mapped_column(Text, default="")
    interval_s: Mapped[int]
    internal: Mapped[bool]
    enabled: Mapped[bool]
    added_by: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]


class ListRefresh(Base):
    """One try to refresh a source on one gateway, and what came of it."""

    __tablename__ = "list_refresh"
    __table_args__ = (
        CheckConstraint("outcome IN ('updated', 'unchanged', 'refused', 'failed')", name="outcome"),
        Index("ix_list_refresh_source", "owner_id", "gateway_id", "source_key", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id))
    gateway_id: Mapped[str] = mapped_column(ForeignKey(Gateway.id))
    source_key: Mapped[str] = mapped_column(String(60))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    entries: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    details: Mapped[dict[str, Any]]
    request_id: Mapped[str] = mapped_column(Id, default="", server_default="")
    """The request that stood when it began; empty: none did."""


class ListRequest(Base):
    """That staff wants a source refreshed now; every gateway does it that has no refresh which saw this request.

    Not by times, which are of several machines' clocks. `accept`: even when the list shrank or grew beyond belief.
    """

    __tablename__ = "list_request"

    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id), primary_key=True)
    source_key: Mapped[str] = mapped_column(String(60), primary_key=True)
    request_id: Mapped[str] = mapped_column(Id, default=new_id, server_default="")
    requested_at: Mapped[datetime]
    requested_by: Mapped[str] = mapped_column(Text)
    accept: Mapped[bool]


class ListUpload(Base):
    """The file behind a source without an address, as it was uploaded: every gateway takes it in from here."""

    __tablename__ = "list_upload"

    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id), primary_key=True)
    source_key: Mapped[str] = mapped_column(String(60), primary_key=True)
    file_name: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str] = mapped_column(Text)
