"""Signed checkpoints, as readers page through them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, in_order, part, within
from gateway.storage.log_models import Checkpoint


def newest(session: Session, owner_id: str, *, below: int | None, limit: int) -> Sequence[Checkpoint]:
    """The checkpoints of the largest sizes, smaller than `below` where given, the largest first."""
    query = select(Checkpoint).where(Checkpoint.owner_id == owner_id).order_by(Checkpoint.size.desc()).limit(limit)
    if below is not None:
        query = query.where(Checkpoint.size < below)
    return session.scalars(query).all()


def page_of_checkpoints(
    session: Session, owner_id: str, since: datetime | None, until: datetime | None, cut: Cut
) -> Part[Checkpoint]:
    """A part of the checkpoints with `since` ≤ signed < `until`, by that time; a place is (signed, size)."""
    query = select(Checkpoint).where(Checkpoint.owner_id == owner_id)
    by = Checkpoint.signed_at, Checkpoint.size

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[Checkpoint]:
        rest = query.where(*within(*by, since, until, place, descending=descending))
        return session.scalars(rest.order_by(*in_order(*by, descending=descending)).limit(limit)).all()

    return part(cut, fetch)


def of_size(session: Session, owner_id: str, size: int) -> Checkpoint | None:
    """The checkpoint of the tree with `size` leaves, if one was signed."""
    return session.get(Checkpoint, (owner_id, size))
