"""The few numbers that the console's first page is made of, each found by an index and none of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, func, select

from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.grants import in_force
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Acceptance, AppliedGrant, Gateway, Grant, Network, Site


@dataclass(frozen=True)
class Online:
    """How many devices have access in a group; of a course, which has an id and a title, or of none."""

    group: str
    course_id: str | None
    course: str | None
    devices: int


def online(session: Session, owner_id: str, now: datetime) -> Sequence[Online]:
    """The devices that have access now, by group and course, those of no course first in each group."""
    rows = session.execute(
        select(Grant.group_key, Grant.course_id, Course.title, func.count())
        .outerjoin(Course, Course.id == Grant.course_id)
        .where(_of_owner(owner_id), in_force(now))
        .group_by(Grant.group_key, Grant.course_id, Course.title)
    )
    found = [Online(group, course_id, title, devices) for group, course_id, title, devices in rows]
    return sorted(found, key=lambda each: (each.group, each.course or "", each.course_id or ""))


def held_up(session: Session, gateway_id: str, since: datetime, now: datetime) -> int:
    """How many devices of a gateway have had access since before `since`, and are not let through by it."""
    networks = select(Network.id).where(Network.gateway_id == gateway_id)
    applied = select(AppliedGrant.grant_id).where(
        AppliedGrant.gateway_id == gateway_id,
        AppliedGrant.grant_id == Grant.id,
        AppliedGrant.removed_at.is_(None),
    )
    query = (
        select(func.count())
        .select_from(Grant)
        .where(Grant.network_id.in_(networks), in_force(now), Grant.starts_at < since, ~applied.exists())
    )
    return session.scalar(query) or 0


def acceptances_between(session: Session, owner_id: str, bounds: Sequence[datetime]) -> list[int]:
    """How many acceptances there are from each of `bounds`, which rise, until the next."""
    counts = [
        select(func.count())
        .select_from(Acceptance)
        .where(Acceptance.owner_id == owner_id, Acceptance.accepted_at >= start, Acceptance.accepted_at < end)
        .scalar_subquery()
        for start, end in pairwise(bounds)
    ]
    return list(session.execute(select(*counts)).one()) if counts else []


def oldest_staged(session: Session, owner_id: str) -> datetime | None:
    """Since when the oldest entry has waited to be sealed; None when none waits."""
    return session.scalar(
        select(StagedLeaf.staged_at).where(StagedLeaf.owner_id == owner_id).order_by(StagedLeaf.id).limit(1)
    )


def _of_owner(owner_id: str) -> ColumnElement[bool]:
    networks = (
        select(Network.id)
        .join(Gateway, Gateway.id == Network.gateway_id)
        .join(Site, Site.id == Gateway.site_id)
        .where(Site.owner_id == owner_id)
    )
    return Grant.network_id.in_(networks)
