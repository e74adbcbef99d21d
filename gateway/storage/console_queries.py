"""What only the console asks: links and sessions of an account, and the few numbers that stand on its pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from gateway.storage.engine import Session
from gateway.storage.grants import SHOWN
from gateway.storage.log_models import StagedLeaf, TreeHead
from gateway.storage.models import AppliedGrant, Device, Grant
from gateway.storage.policy_models import PolicyGeneration
from gateway.storage.staff_models import SetupLink, StaffSession


@dataclass(frozen=True)
class Figures:
    """Numbers of one owner at one moment."""

    open_grants: int
    staged_leaves: int
    tree_size: int
    policy_generation: int


def figures(session: Session, owner_id: str, now: datetime) -> Figures:
    """The owner's numbers; 0 where there is nothing yet."""
    grants = (
        select(func.count())
        .select_from(Grant)
        .join(Device, Device.id == Grant.device_id)
        .where(Device.owner_id == owner_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
    )
    staged = select(func.count()).select_from(StagedLeaf).where(StagedLeaf.owner_id == owner_id)
    size = select(TreeHead.size).where(TreeHead.owner_id == owner_id)
    generation = select(func.max(PolicyGeneration.generation)).where(PolicyGeneration.owner_id == owner_id)
    return Figures(
        session.scalar(grants) or 0,
        session.scalar(staged) or 0,
        session.scalar(size) or 0,
        session.scalar(generation) or 0,
    )


def applied_among(session: Session, grant_ids: Collection[str]) -> set[str]:
    """Those of `grant_ids` that some gateway holds in its kernel."""
    wanted, found = list(grant_ids), set[str]()
    for start in range(0, len(wanted), 500):
        found.update(
            session.scalars(
                select(AppliedGrant.grant_id).where(
                    AppliedGrant.grant_id.in_(wanted[start : start + 500]), AppliedGrant.removed_at.is_(None)
                )
            )
        )
    return found


def grant_in_force(session: Session, owner_id: str, grant_id: str, now: datetime) -> Grant | None:
    """The owner's grant with this id while it is in force, with what a page shows of it."""
    return session.scalars(
        select(Grant)
        .join(Device, Device.id == Grant.device_id)
        .options(*SHOWN)
        .where(Grant.id == grant_id, Device.owner_id == owner_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
    ).one_or_none()


def links_of(session: Session, staff_id: str) -> Sequence[SetupLink]:
    """Every set-up link ever made for an account that has not been used."""
    return session.scalars(select(SetupLink).where(SetupLink.staff_id == staff_id, SetupLink.used_at.is_(None))).all()


def end_sessions_of(session: Session, staff_id: str) -> None:
    """Sign an account out of every browser."""
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))
