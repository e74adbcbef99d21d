"""The tables of the policy: the draft that IT is working on, and what was published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base
from gateway.storage.models import Owner


class PolicyDraft(Base):
    """The policy document that IT is working on; one an owner.

    `base_generation`: the one whose document it began with, or has taken everything of (0: nothing was published);
    NULL in a draft of a release that did not know. `changed_by`: who changed it last.
    """

    __tablename__ = "policy_draft"

    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id), primary_key=True)
    document: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    base_generation: Mapped[int | None] = mapped_column(Integer)
    changed_by: Mapped[str] = mapped_column(Text, default="", server_default="")


class PolicyGeneration(Base):
    """A published policy; the highest generation is in force. Immutable, but that `published_by` and `note`, which
    name people, can be emptied.
    """

    __tablename__ = "policy_generation"
    __table_args__ = (Index("ix_policy_generation_published", "owner_id", "published_at", "generation"),)

    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id), primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    document: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(String(64))
    published_by: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    published_at: Mapped[datetime]
