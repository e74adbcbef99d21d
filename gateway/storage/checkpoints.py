"""Signed checkpoints, as readers page through them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from gateway.storage.engine import Session
from gateway.storage.log_models import Checkpoint


def newest(session: Session, owner_id: str, *, below: int | None, limit: int) -> Sequence[Checkpoint]:
    """The checkpoints of the largest sizes, smaller than `below` where given, the largest first."""
    query = select(Checkpoint).where(Checkpoint.owner_id == owner_id).order_by(Checkpoint.size.desc()).limit(limit)
    if below is not None:
        query = query.where(Checkpoint.size < below)
    return session.scalars(query).all()


def of_size(session: Session, owner_id: str, size: int) -> Checkpoint | None:
    """The checkpoint of the tree with `size` leaves, if one was signed."""
    return session.get(Checkpoint, (owner_id, size))
