"""As witness of other logs: requests on their way to the holder of the key, and what was cosigned last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.log_models import WitnessedLog, WitnessRequest

MAX_WAITING = 100


def ask(session: Session, owner_id: str, body: bytes, now: datetime) -> str | None:
    """Hand a request to the sealer; its id, or None when too many wait already."""
    waiting = select(func.count()).select_from(WitnessRequest).where(WitnessRequest.owner_id == owner_id)
    if (session.scalar(waiting) or 0) >= MAX_WAITING:
        return None
    row = WitnessRequest(owner_id=owner_id, body=body, requested_at=now, status=None, answer=None)
    session.add(row)
    session.flush()
    announce(session, "leaves")
    return row.id


def answer(session: Session, request_id: str) -> tuple[int, str] | None:
    """(status, body) of the answer; None while it waits."""
    row = session.get(WitnessRequest, request_id)
    return (row.status, row.answer or "") if row is not None and row.status is not None else None


def forget(session: Session, request_id: str) -> None:
    """The request has been answered, or given up."""
    session.execute(delete(WitnessRequest).where(WitnessRequest.id == request_id))


def waiting(session: Session, owner_id: str) -> Sequence[WitnessRequest]:
    """The requests without an answer, the oldest first."""
    return session.scalars(
        select(WitnessRequest)
        .where(WitnessRequest.owner_id == owner_id, WitnessRequest.status.is_(None))
        .order_by(WitnessRequest.requested_at, WitnessRequest.id)
    ).all()


def forget_before(session: Session, owner_id: str, moment: datetime) -> None:
    """Drop requests whose console has gone."""
    session.execute(
        delete(WitnessRequest).where(WitnessRequest.owner_id == owner_id, WitnessRequest.requested_at < moment)
    )


def cosigned_last(session: Session, owner_id: str, origin: str) -> str | None:
    """The checkpoint of the log `origin` that was cosigned last. The caller holds the head."""
    row = session.get(WitnessedLog, (owner_id, origin), populate_existing=True)
    return row.note if row is not None else None


def cosigned(session: Session, owner_id: str, origin: str, note: str, now: datetime) -> None:
    """Write down what is cosigned now."""
    session.merge(WitnessedLog(owner_id=owner_id, origin=origin, note=note, cosigned_at=now))
    session.flush()
