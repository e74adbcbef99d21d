"""Octets that devices have sent and received under their grants: added up while a grant is open, then forgotten."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, or_, select, update

from gateway.storage.control_models import GrantTraffic
from gateway.storage.engine import Session
from gateway.storage.keyset import aside
from gateway.storage.models import Device, Grant

BATCH_IDS = 500


class Octets(NamedTuple):
    """Octets that a device has sent to the internet, and received from it."""

    sent: int
    received: int


def add(session: Session, counted: Mapping[str, Octets], now: datetime) -> None:
    """Add what was counted to what stands, by grant. A grant that has been erased meanwhile is passed over."""
    ids = sorted(counted)
    for start in range(0, len(ids), BATCH_IDS):
        some = ids[start : start + BATCH_IDS]
        known = set(session.scalars(select(GrantTraffic.grant_id).where(GrantTraffic.grant_id.in_(some))))
        new = [grant_id for grant_id in some if grant_id not in known]
        standing = session.scalars(
            select(Grant.id).where(Grant.id.in_(new)).with_for_update(read=True, key_share=True)
        ).all()
        session.add_all(
            GrantTraffic(grant_id=each, sent=counted[each].sent, received=counted[each].received, counted_at=now)
            for each in standing
        )
        for grant_id in sorted(known):  # a row that has been erased meanwhile is not there to be updated
            session.execute(
                update(GrantTraffic)
                .where(GrantTraffic.grant_id == grant_id)
                .values(
                    sent=GrantTraffic.sent + counted[grant_id].sent,
                    received=GrantTraffic.received + counted[grant_id].received,
                    counted_at=now,
                )
                .execution_options(synchronize_session=False)
            )
    session.flush()


def of_grants(session: Session, grant_ids: Collection[str]) -> dict[str, Octets]:
    """What stands for each of these grants that anything was counted for."""
    found: dict[str, Octets] = {}
    ids = list(grant_ids)
    for start in range(0, len(ids), BATCH_IDS):
        rows = session.execute(
            select(GrantTraffic.grant_id, GrantTraffic.sent, GrantTraffic.received).where(
                GrantTraffic.grant_id.in_(ids[start : start + BATCH_IDS])
            )
        )
        found |= {row[0]: Octets(row[1], row[2]) for row in rows}
    return found


def of_course(session: Session, course_id: str, now: datetime) -> Octets | None:
    """What the devices of a course that have access now have sent and received; None where nothing was counted."""
    row = session.execute(
        select(func.sum(GrantTraffic.sent), func.sum(GrantTraffic.received))
        .join(Grant, Grant.id == GrantTraffic.grant_id)
        .where(Grant.course_id == course_id, Grant.revoked_at.is_(None), Grant.ends_at > now)
    ).one()
    return None if row[0] is None else Octets(int(row[0]), int(row[1]))


def forget_ended(session: Session, owner_id: str, before: datetime) -> int:
    """Delete what was counted under the owner's grants that were over at `before`, of `BATCH_IDS` at most; returns of
    how many.

    A grant that was over then has not been counted since, so that what is kept is not looked through each time.
    """
    over = session.scalars(
        select(GrantTraffic.grant_id)
        .join(Grant, Grant.id == aside(GrantTraffic.grant_id))
        .join(Device, Device.id == aside(Grant.device_id))
        .where(
            GrantTraffic.counted_at <= before,
            aside(Device.owner_id) == owner_id,
            or_(Grant.ends_at <= before, Grant.revoked_at <= before),
        )
        .order_by(GrantTraffic.counted_at)
        .limit(BATCH_IDS)
        .with_for_update(skip_locked=True, of=GrantTraffic)  # what another gateway forgets, or adds to, is its own
    ).all()
    session.execute(
        delete(GrantTraffic).where(GrantTraffic.grant_id.in_(over)).execution_options(synchronize_session=False)
    )
    return len(over)
