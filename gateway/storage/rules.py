"""Published versions of the rules."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from gateway.storage.engine import Session
from gateway.storage.models import RulesVersion


def version_in_force(session: Session, owner_id: str) -> RulesVersion | None:
    """The version published last, with its texts."""
    return session.scalars(
        select(RulesVersion)
        .where(RulesVersion.owner_id == owner_id)
        .order_by(RulesVersion.published_at.desc(), RulesVersion.id.desc())
        .limit(1)
    ).one_or_none()


def versions(session: Session, owner_id: str) -> Sequence[RulesVersion]:
    """Every version, newest first."""
    return session.scalars(
        select(RulesVersion)
        .where(RulesVersion.owner_id == owner_id)
        .order_by(RulesVersion.published_at.desc(), RulesVersion.id.desc())
    ).all()


def version_labelled(session: Session, owner_id: str, label: str) -> RulesVersion | None:
    """The version with this label."""
    return session.scalars(
        select(RulesVersion).where(RulesVersion.owner_id == owner_id, RulesVersion.label == label)
    ).one_or_none()
