"""Answers kept for calls that are repeated with the same idempotency key: one transaction makes change and answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, delete, func, select

from gateway.storage.api_models import KeptAnswer
from gateway.storage.engine import Session
from gateway.storage.staff_models import Staff

KEPT = timedelta(hours=24)


def take(session: Session, staff_id: str, key: str) -> bool:
    """Hold the key until the transaction ends; False when another transaction holds it.

    On SQLite the writing transaction is alone anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return True
    number = int.from_bytes(sha256(f"api answer {staff_id} {key}".encode()).digest()[:8], "big", signed=True)
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(number))))


def find(session: Session, staff_id: str, key: str, now: datetime) -> KeptAnswer | None:
    """What was answered under the key in the last 24 hours."""
    row = session.get(KeptAnswer, (staff_id, key))
    return row if row is not None and row.kept_at > now - KEPT else None


def keep(
    session: Session,
    staff_id: str,
    key: str,
    *,
    asked_sha256: str,
    status: int,
    headers: str,
    body: bytes,
    now: datetime,
) -> None:
    """Keep an answer under the key, in place of one that is older than it is kept."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.staff_id == staff_id, KeptAnswer.key == key))
    session.add(
        KeptAnswer(
            staff_id=staff_id,
            key=key,
            asked_sha256=asked_sha256,
            status=status,
            headers=headers,
            body=body,
            kept_at=now,
        )
    )
    session.flush()


def count_old(session: Session, owner_id: str, now: datetime) -> int:
    """How many answers have been kept for long enough."""
    return session.scalar(select(func.count()).select_from(KeptAnswer).where(*_old(owner_id, now))) or 0


def forget(session: Session, owner_id: str, now: datetime) -> None:
    """Delete the answers that have been kept for long enough."""
    session.execute(delete(KeptAnswer).where(*_old(owner_id, now)).execution_options(synchronize_session=False))


def forget_all(session: Session, owner_id: str) -> None:
    """Delete every answer: they may name somebody who is being erased."""
    of_us = select(Staff.id).where(Staff.owner_id == owner_id)
    session.execute(
        delete(KeptAnswer).where(KeptAnswer.staff_id.in_(of_us)).execution_options(synchronize_session=False)
    )


def _old(owner_id: str, now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    of_us = select(Staff.id).where(Staff.owner_id == owner_id)
    return KeptAnswer.staff_id.in_(of_us), KeptAnswer.kept_at <= now - KEPT
