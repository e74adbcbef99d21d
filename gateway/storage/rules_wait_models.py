"""The tables of what is decided of the rules and not in force yet: proposals, and how the wait of a version ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Id, Key
from gateway.storage.rules_draft_models import WrittenRules
from gateway.storage.staff_models import Staff


class RulesWait(Base):
    """That a version with a moment of its own waits no longer: it came into force, or was withdrawn before."""

    __tablename__ = "rules_wait"
    __table_args__ = (CheckConstraint("outcome IN ('in_force', 'withdrawn')", name="outcome"),)

    version_id: Mapped[str] = mapped_column(ForeignKey("rules_version.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(20))
    ended_at: Mapped[datetime]


class RulesProposal(WrittenRules, Base):
    """A version of the rules that one of IT proposes for a group ("": for everybody) and another may publish.

    Nothing of it changes until it is published, withdrawn or replaced by another. `edition` is the draft's that it was
    made of, `sha256` what `gateway.terms.proposing` makes of the rest.
    """

    __tablename__ = "rules_proposal"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    group_key: Mapped[str] = mapped_column(Key, primary_key=True)
    edition: Mapped[str] = mapped_column(Id)
    in_force_from: Mapped[datetime | None]
    ask_again: Mapped[bool]
    sha256: Mapped[str] = mapped_column(String(64))
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_by_id: Mapped[str] = mapped_column(ForeignKey(Staff.id))
    proposed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
