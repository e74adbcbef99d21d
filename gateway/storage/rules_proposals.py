"""Proposals of rules: at most one for each group and one for everybody, until somebody publishes or withdraws it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from gateway.storage.engine import Session
from gateway.storage.rules_wait_models import RulesProposal


def find(session: Session, owner_id: str, group_key: str) -> RulesProposal | None:
    """The proposal for a group, as it is now; it may have expired."""
    return session.get(RulesProposal, (owner_id, group_key), populate_existing=True)


def all_of(session: Session, owner_id: str) -> Sequence[RulesProposal]:
    """Every proposal, everybody's first."""
    return session.scalars(
        select(RulesProposal).where(RulesProposal.owner_id == owner_id).order_by(RulesProposal.group_key)
    ).all()


def save(session: Session, proposal: RulesProposal) -> None:
    """Keep `proposal` in place of the one of its owner and group, if there is one."""
    session.merge(proposal)
    session.flush()


def drop(session: Session, owner_id: str, group_key: str) -> None:
    """Forget the proposal, as after publishing it."""
    session.execute(
        delete(RulesProposal).where(RulesProposal.owner_id == owner_id, RulesProposal.group_key == group_key)
    )
    session.flush()


def forget(session: Session, owner_id: str, before: datetime) -> None:
    """Forget the proposals that expired before a moment: they name people."""
    session.execute(delete(RulesProposal).where(RulesProposal.owner_id == owner_id, RulesProposal.expires_at < before))
