"""The table of settings that IT has changed while everything runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base


class OperationalSetting(Base):
    """One setting of an owner, by its key as in the settings file, which it overrides."""

    __tablename__ = "operational_setting"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
