"""The table of guests' requests for exemptions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Id, Key
from gateway.storage.types import new_id


class ExemptionRequest(Base):
    """That a guest asks for closed categories to be opened, for a site that they name, and what was decided.

    It belongs to the grant under which it was asked, or that has taken its place, and goes with either. `name` is the
    only name of a website that is ever kept of a guest: who sends the request has been told so, and it goes `KEPT_DAYS`
    after it was sent. `course_id` is the course that the guest attends. While `decision` is empty, `decided_at` and
    `decided_by` say that its host has left the request to IT, and who that was.
    """

    __tablename__ = "exemption_request"
    __table_args__ = (
        CheckConstraint("decision IN ('', 'granted', 'declined')", name="decision"),
        Index("ix_exemption_request_open", "owner_id", "decision", "asked_at"),
        Index("ix_exemption_request_decided", "owner_id", "decision", "decided_at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"))
    site_id: Mapped[str] = mapped_column(ForeignKey("site.id"))
    grant_id: Mapped[str] = mapped_column(ForeignKey("access_grant.id"), index=True)
    course_id: Mapped[str | None] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(253))
    categories: Mapped[list[str]] = mapped_column(JSON)
    group_key: Mapped[str] = mapped_column(Key)
    purpose: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime]
    decision: Mapped[str] = mapped_column(String(10), default="", server_default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(Text, default="", server_default="")
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    until: Mapped[datetime | None]
    """Until when what was granted lasts."""
