"""The tables by which staff intervene on a guest network: devices kept out, networks switched, and octets counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.storage.base import Base
from gateway.storage.models import Device, Network


class DeviceBlock(Base):
    """That a device is kept out of its owner's guest networks until `ends_at`; one a device.

    It is kept no longer than acceptances are, and goes when it is lifted: the log keeps that it was. `told` is what IT
    lets the guest read; `reason` is for staff.
    """

    __tablename__ = "device_block"

    device_id: Mapped[str] = mapped_column(ForeignKey("device.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    told: Mapped[str] = mapped_column(Text, default="", server_default="")
    blocked_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    blocked_by: Mapped[str] = mapped_column(Text)
    device: Mapped[Device] = relationship(lazy="raise")


class NetworkOutage(Base):
    """That a guest network is not as usual until `ends_at`; one a network. Its guests are shown `notices`, by language.

    `closed`: nobody is let through. `rules_only`: everybody is, without accepting, under the policy of the network's
    own group. `applied_at`: since when its gateway says that this is so.
    """

    __tablename__ = "network_outage"
    __table_args__ = (CheckConstraint("mode IN ('closed', 'rules_only')", name="mode"),)

    network_id: Mapped[str] = mapped_column(ForeignKey("network.id"), primary_key=True)
    mode: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    notices: Mapped[dict[str, Any]]
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime | None]
    network: Mapped[Network] = relationship(lazy="raise")


class GrantTraffic(Base):
    """How many octets a device has sent to the internet and received from it under a grant, as its gateway counted."""

    __tablename__ = "grant_traffic"
    __table_args__ = (
        Index("ix_grant_traffic_octets", text("(sent + received)")),
        Index("ix_grant_traffic_counted", "counted_at"),
    )

    grant_id: Mapped[str] = mapped_column(ForeignKey("access_grant.id"), primary_key=True)
    sent: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]
