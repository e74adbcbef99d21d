"""Restores found: that the database holds less, or another history, than was signed; and their acknowledgement.

A row for each contradiction. Rows tell people, and which staged leaf to look at; what counts is what the leaf says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.leaves import Staged
from gateway.storage.log_models import Leaf, LeafHeading, LogRestore, StagedLeaf


@dataclass(frozen=True, slots=True)
class Found:
    """A head that `known_from` knows and the tree contradicts; `known_root` is empty where only a size is known."""

    known_size: int
    known_root: str
    known_from: str


def open_restores(session: Session, owner_id: str) -> Sequence[LogRestore]:
    """What waits to be acknowledged, the largest first."""
    return session.scalars(
        select(LogRestore)
        .where(LogRestore.owner_id == owner_id, LogRestore.leaf_id.is_(None))
        .order_by(LogRestore.known_size.desc(), LogRestore.known_root, LogRestore.known_from)
    ).all()


def open_restore(session: Session, owner_id: str) -> LogRestore | None:
    """The largest of them; None when nothing waits."""
    return next(iter(open_restores(session, owner_id)), None)


def report(session: Session, owner_id: str, *, size: int, root: str, found: Sequence[Found], now: datetime) -> None:
    """Write down what was found of the tree with this head, in place of what was found before and not acknowledged."""
    standing = open_restores(session, owner_id)
    rows = {(each.size, each.root, Found(each.known_size, each.known_root, each.known_from)) for each in standing}
    if rows == {(size, root, each) for each in found}:
        return
    for row in standing:
        session.delete(row)
    session.add_all(
        LogRestore(
            owner_id=owner_id,
            size=size,
            root=root,
            known_size=each.known_size,
            known_root=each.known_root,
            known_from=each.known_from,
            detected_at=now,
            leaf_id=None,
        )
        for each in found
    )
    session.flush()


def acknowledge(session: Session, restore: LogRestore, leaf_id: str) -> None:
    """It is known and recorded by this leaf, which the sealer orders before all others."""
    restore.leaf_id = leaf_id
    session.flush()
    announce(session, "leaves")


def withdraw(session: Session, owner_id: str) -> None:
    """The database holds again what was signed: nothing is left to acknowledge."""
    for row in open_restores(session, owner_id):
        session.delete(row)
    session.flush()


def staged_acknowledgements(session: Session, owner_id: str) -> Sequence[Staged]:
    """The staged leaves that are said to acknowledge something, in the order they were staged."""
    rows = session.execute(
        select(StagedLeaf.id, StagedLeaf.leaf_id, StagedLeaf.entry)
        .where(
            StagedLeaf.owner_id == owner_id,
            StagedLeaf.leaf_id.in_(select(LogRestore.leaf_id).where(LogRestore.leaf_id.is_not(None))),
        )
        .order_by(StagedLeaf.id)
    )
    return [Staged(*row) for row in rows]


def sealed_acknowledgements(session: Session, owner_id: str, size: int) -> Sequence[bytes]:
    """The entries of the first `size` leaves that are headed as acknowledgements of a restore."""
    return session.scalars(
        select(Leaf.entry)
        .join(LeafHeading, and_(LeafHeading.owner_id == Leaf.owner_id, LeafHeading.leaf_index == Leaf.leaf_index))
        .where(LeafHeading.owner_id == owner_id, LeafHeading.type == "restored", Leaf.leaf_index < size)
        .order_by(Leaf.leaf_index)
    ).all()
