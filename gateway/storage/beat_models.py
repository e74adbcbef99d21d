"""The table of heartbeats."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base


class ServiceBeat(Base):
    """That a service of a gateway was at work at a moment: one row a service, written over."""

    __tablename__ = "service_beat"

    gateway_id: Mapped[str] = mapped_column(ForeignKey("gateway.id"), primary_key=True)
    service: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]
