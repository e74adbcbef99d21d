"""Settings that IT has changed while everything runs: reading, setting and giving them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from gateway.storage.engine import Session
from gateway.storage.operational_models import OperationalSetting


def all_of(session: Session, owner_id: str) -> Mapping[str, OperationalSetting]:
    """What an owner has changed, by key."""
    rows = session.scalars(select(OperationalSetting).where(OperationalSetting.owner_id == owner_id))
    return {row.key: row for row in rows}


def put(session: Session, owner_id: str, key: str, value: Any, by: str, now: datetime) -> None:
    """Keep a value over that of the file."""
    row = session.get(OperationalSetting, (owner_id, key))
    if row is None:
        row = OperationalSetting(owner_id=owner_id, key=key)
        session.add(row)
    row.value, row.changed_by, row.changed_at = value, by, now
    session.flush()


def give_back(session: Session, owner_id: str, key: str) -> None:
    """Let the file's value hold again."""
    row = session.get(OperationalSetting, (owner_id, key))
    if row is not None:
        session.delete(row)
        session.flush()
