"""Where checkpoints are sent, and how that went: one row a target, so that everybody sees its last success."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from gateway.storage.engine import Session
from gateway.storage.log_models import LogTarget
from gateway.storage.types import new_id


def targets(session: Session, owner_id: str) -> Mapping[str, LogTarget]:
    """What is known of each target, by its name."""
    rows = session.scalars(select(LogTarget).where(LogTarget.owner_id == owner_id).order_by(LogTarget.name))
    return {row.name: row for row in rows}


def _row(session: Session, owner_id: str, name: str, kind: str) -> LogTarget:
    row = session.get(LogTarget, (owner_id, name))
    if row is None:
        row = LogTarget(owner_id=owner_id, name=name, kind=kind, failures=0)
        session.add(row)
    if row.kind != kind:  # another target took the name: what is known of the old one says nothing of it
        row.kind, row.succeeded_at, row.size, row.sent_sha256 = kind, None, None, ""
        row.failed_at, row.reason, row.failures, row.held_size, row.held_note = None, "", 0, None, ""
    return row


def request(session: Session, owner_id: str, wanted: Iterable[tuple[str, str]]) -> None:
    """Ask for the targets (name, kind) to be sent to now."""
    for name, kind in wanted:
        _row(session, owner_id, name, kind).request_id = new_id()
    session.flush()


def succeeded(
    session: Session,
    owner_id: str,
    name: str,
    kind: str,
    *,
    size: int,
    sent_sha256: str,
    request_id: str,
    now: datetime,
) -> None:
    """It holds the checkpoint of `size` now. `request_id` is the request that stood when sending began."""
    row = _row(session, owner_id, name, kind)
    row.succeeded_at, row.size, row.sent_sha256, row.served_request_id = now, size, sent_sha256, request_id
    row.failures, row.reason = 0, ""
    session.flush()


def failed(
    session: Session, owner_id: str, name: str, kind: str, *, reason: str, request_id: str, now: datetime
) -> int:
    """It did not take it, for `reason`. Returns for the how-manieth time in a row."""
    row = _row(session, owner_id, name, kind)
    row.failed_at, row.reason, row.failures = now, reason, row.failures + 1
    row.served_request_id = request_id  # it is tried again as failures are
    session.flush()
    return row.failures


def holds(session: Session, owner_id: str, name: str, kind: str, size: int, note: str) -> None:
    """The largest `size` that was found there, and the largest signed checkpoint, which may be smaller, or empty."""
    row = _row(session, owner_id, name, kind)
    row.held_size, row.held_note = size, note
    session.flush()


def held(session: Session, owner_id: str) -> Sequence[tuple[str, str, int, str]]:
    """(target, its kind, size, note) of what was found at the targets, as `holds` wrote it down."""
    rows = session.execute(
        select(LogTarget.name, LogTarget.kind, LogTarget.held_size, LogTarget.held_note).where(
            LogTarget.owner_id == owner_id, LogTarget.held_size.is_not(None)
        )
    )
    return [(name, kind, size, note) for name, kind, size, note in rows if size is not None]
