"""Signed checkpoints, as readers page through them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from gateway.storage.engine import Session
from gateway.storage.keyset import Cut, Part, Place, beyond, in_order, part
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
    if since is not None:
        query = query.where(Checkpoint.signed_at >= since)
    if until is not None:
        query = query.where(Checkpoint.signed_at < until)

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[Checkpoint]:
        rest = query.where(*beyond(Checkpoint.signed_at, Checkpoint.size, place, descending=descending))
        ordered = rest.order_by(*in_order(Checkpoint.signed_at, Checkpoint.size, descending=descending))
        return session.scalars(ordered.limit(limit)).all()

    return part(cut, fetch)


def of_size(session: Session, owner_id: str, size: int) -> Checkpoint | None:
    """The checkpoint of the tree with `size` leaves, if one was signed."""
    return session.get(Checkpoint, (owner_id, size))
