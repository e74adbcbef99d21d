"""The table of drafts of the rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.storage.base import Base, Id, Key


class WrittenRules:
    """What rules that are not published say: the columns that a draft and a proposal have in common."""

    texts: Mapped[dict[str, Any]]
    label: Mapped[str] = mapped_column(String(80))
    adopting_body: Mapped[str] = mapped_column(Text)
    adopted_on: Mapped[date | None] = mapped_column(Date)
    case_number: Mapped[str] = mapped_column(Text)
    binding_language: Mapped[str] = mapped_column(String(10))
    next_review_on: Mapped[date | None] = mapped_column(Date)


class RulesDraft(WrittenRules, Base):
    """The rules that IT is writing for a group ("": for everybody); at most one for each.

    `edition` changes with every save, so that nobody saves over what they have not seen. `texts` maps a language to its
    Markdown. `begun_from` is the version that was in force when the draft was begun, None when there was none.
    """

    __tablename__ = "rules_draft"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owner.id"), primary_key=True)
    group_key: Mapped[str] = mapped_column(Key, primary_key=True)
    edition: Mapped[str] = mapped_column(Id)
    begun_from: Mapped[str | None] = mapped_column(ForeignKey("rules_version.id"))
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime]
