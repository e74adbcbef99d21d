"""The tables of courses, and of guests who wait for a host to let them in.

A course's title, unit and maker are what staff wrote about their own work. A waiting guest's details stand in
`host_request` for as long as they wait and a day at most, and nowhere else until the host has said yes.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Id, Key
from gateway.storage.types import new_id


class Course(Base):
    """A course that a unit of the municipality has invited, at one site. Its guests get `group_key` until `ends_at`.

    `code` is in words with hyphens between them, `code_key` what is compared. `ended_at`: it was ended before its time.
    `offered`: whether the guests' form names it, and whether its guests then need the code.
    """

    __tablename__ = "course"
    __table_args__ = (
        UniqueConstraint("owner_id", "code_key"),
        Index("ix_course_site", "site_id", "ends_at"),
        Index("ix_course_ends", "owner_id", "ends_at", "id"),
        Index("ix_course_unit", "owner_id", "unit", "ends_at", "id"),
        CheckConstraint("offered IN ('code', 'title', 'hidden')", name="offered"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    title: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(String(60))
    code_key: Mapped[str] = mapped_column(String(60))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    group_key: Mapped[str] = mapped_column(Key)
    max_devices: Mapped[int] = mapped_column(Integer)
    offered: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None]

    @property
    def over_at(self) -> datetime:
        """When it is over: at its end, or when it was ended."""
        return self.ends_at if self.ended_at is None else min(self.ended_at, self.ends_at)


class HostRequest(Base):
    """A guest has accepted the rules and waits until the host at `host_email` answers a mail, or `expires_at`.

    What the guest wrote is here until then; the acceptance is made of it when the host says yes. `mailed_at` is None
    until the mail server has taken the mail, `mail_error` why it has not.
    """

    __tablename__ = "host_request"
    __table_args__ = (
        Index("ix_host_request_device", "owner_id", "mac", "asked_at"),
        Index("ix_host_request_open", "owner_id", "answer", "expires_at"),
        CheckConstraint("answer IN ('', 'approved', 'denied')", name="answer"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    gateway_id: Mapped[str] = mapped_column(ForeignKey("gateway.id"))
    interface: Mapped[str] = mapped_column(String(15))
    mac: Mapped[str] = mapped_column(String(17))
    address: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    organisation: Mapped[str] = mapped_column(Text)
    contact: Mapped[str] = mapped_column(Text)
    rules_version_id: Mapped[str] = mapped_column(ForeignKey("rules_version.id"))
    language: Mapped[str] = mapped_column(String(10))
    host_email: Mapped[str] = mapped_column(Text)
    host_name: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    mailed_at: Mapped[datetime | None]
    mail_tries: Mapped[int] = mapped_column(Integer, default=0)
    mail_error: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(String(10), default="")
    answered_at: Mapped[datetime | None]
