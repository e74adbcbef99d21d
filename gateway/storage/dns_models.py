"""The tables of counted DNS answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Key
from gateway.storage.models import Gateway, Owner


class DnsAnswers(Base):
    """How many DNS answers a gateway gave in an hour (its beginning), by group, outcome and category."""

    __tablename__ = "dns_answers"
    __table_args__ = (Index("ix_dns_answers_hour", "owner_id", "hour"),)

    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id), primary_key=True)
    gateway_id: Mapped[str] = mapped_column(ForeignKey(Gateway.id), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    group_key: Mapped[str] = mapped_column(Key, primary_key=True)
    outcome: Mapped[str] = mapped_column(String(20), primary_key=True)
    category: Mapped[str] = mapped_column(Key, primary_key=True)
    answers: Mapped[int] = mapped_column(BigInteger)


class DnsTopName(Base):
    """How often devices asked for a refused or judged name in an hour, where IT has that kept; 24 hours at most."""

    __tablename__ = "dns_top_name"

    owner_id: Mapped[str] = mapped_column(ForeignKey(Owner.id), primary_key=True)
    gateway_id: Mapped[str] = mapped_column(ForeignKey(Gateway.id), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    group_key: Mapped[str] = mapped_column(Key, primary_key=True)
    outcome: Mapped[str] = mapped_column(String(20), primary_key=True)
    category: Mapped[str] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(253), primary_key=True)
    asked: Mapped[int] = mapped_column(BigInteger)
