"""Restores found: that the database holds less, or another history, than was signed; and their acknowledgement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import LogRestore, StagedLeaf


def open_restore(session: Session, owner_id: str) -> LogRestore | None:
    """The restore that waits to be acknowledged; None when there is none."""
    return session.scalars(
        select(LogRestore)
        .where(LogRestore.owner_id == owner_id, LogRestore.leaf_id.is_(None))
        .order_by(LogRestore.known_size.desc())
        .limit(1)
    ).first()


def report(
    session: Session,
    owner_id: str,
    *,
    size: int,
    root: str,
    known_size: int,
    known_root: str,
    known_from: str,
    now: datetime,
) -> None:
    """Write down what was found, in place of what was found before and not acknowledged."""
    standing = open_restore(session, owner_id)
    if standing is not None:
        if (standing.size, standing.known_size, standing.known_root) == (size, known_size, known_root):
            return
        session.delete(standing)
    session.add(
        LogRestore(
            owner_id=owner_id,
            size=size,
            root=root,
            known_size=known_size,
            known_root=known_root,
            known_from=known_from,
            detected_at=now,
            leaf_id=None,
        )
    )
    session.flush()


def acknowledge(session: Session, restore: LogRestore, leaf_id: str) -> None:
    """It is known and recorded by this leaf, which the sealer orders before all others."""
    restore.leaf_id = leaf_id
    session.flush()
    announce(session, "leaves")


def withdraw(session: Session, owner_id: str) -> None:
    """The database holds again what was signed: nothing is left to acknowledge."""
    standing = open_restore(session, owner_id)
    if standing is not None:
        session.delete(standing)
        session.flush()


def acknowledged_size(session: Session, owner_id: str) -> int:
    """Up to which size checkpoints of a lost history have been acknowledged; 0: none."""
    found = session.scalar(
        select(func.max(LogRestore.known_size)).where(LogRestore.owner_id == owner_id, LogRestore.leaf_id.is_not(None))
    )
    return found or 0


def staged_acknowledgements(session: Session, owner_id: str) -> Sequence[tuple[int, int]]:
    """(id of the staged leaf, size that it acknowledges) of the acknowledging leaves that are not ordered yet."""
    rows = session.execute(
        select(StagedLeaf.id, LogRestore.known_size)
        .join(LogRestore, LogRestore.leaf_id == StagedLeaf.leaf_id)
        .where(StagedLeaf.owner_id == owner_id)
        .order_by(StagedLeaf.id)
    )
    return [(leaf, size) for leaf, size in rows]
