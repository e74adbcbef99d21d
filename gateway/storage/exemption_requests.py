"""Guests' requests for exemptions: those of a device, those that wait, and letting them go when they are old."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, case, delete, func, select, update
from sqlalchemy.orm import aliased

from gateway.storage.engine import Session
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.grants import SHOWN
from gateway.storage.keyset import Cut, Part, Place, beyond, in_order, part
from gateway.storage.models import Acceptance, Device, Grant

KEPT_DAYS = 30
KEPT = timedelta(days=KEPT_DAYS)
SESSION_PREFIX = "session-"
"""Keys of groups that stand for one guest's session begin with this."""
_ID_CHARS = 12


class Asked(NamedTuple):
    """A request and the grant it was asked under, with the device, the network and who has it."""

    request: ExemptionRequest
    grant: Grant


def session_group(request_id: str) -> str:
    """The key of the group that a granted request gives its guest alone."""
    return f"{SESSION_PREFIX}{request_id[:_ID_CHARS]}"


def origin(session: Session, owner_id: str, group_key: str) -> str:
    """The group that a session's own is like; any other group is its own. A request that is forgotten does not
    tell.
    """
    if not group_key.startswith(SESSION_PREFIX):
        return group_key
    found = session.scalars(
        select(ExemptionRequest.group_key).where(
            ExemptionRequest.owner_id == owner_id,
            ExemptionRequest.id.startswith(group_key.removeprefix(SESSION_PREFIX), autoescape=True),
        )
    ).first()
    return group_key if found is None else found


def of_grant(session: Session, grant_id: str) -> Sequence[ExemptionRequest]:
    """The requests asked under a grant, newest first."""
    return session.scalars(_OF_GRANT, {"grant": grant_id}).all()


_OF_GRANT = (
    select(ExemptionRequest)
    .where(ExemptionRequest.grant_id == bindparam("grant"))
    .order_by(ExemptionRequest.asked_at.desc(), ExemptionRequest.id)
)


def ended_with_the_one_before(session: Session, grant_id: str) -> Sequence[ExemptionRequest]:
    """What the same person had been granted with the access that ended where this grant began, newest first."""
    return session.scalars(_BEFORE, {"grant": grant_id}).all()


_HERE, _BY = aliased(Grant), aliased(Acceptance)
_BEFORE = (
    select(ExemptionRequest)
    .join(Grant, Grant.id == ExemptionRequest.grant_id)
    .join(Acceptance, Acceptance.id == Grant.acceptance_id)
    .join(_BY, _BY.visitor_id == Acceptance.visitor_id)
    .join(_HERE, _HERE.acceptance_id == _BY.id)
    .where(
        _HERE.id == bindparam("grant"),
        Grant.revoked_at == _HERE.starts_at,
        ExemptionRequest.decision == "granted",
    )
    .order_by(ExemptionRequest.asked_at.desc(), ExemptionRequest.id)
)


def of_grants(session: Session, grant_ids: Collection[str]) -> Sequence[ExemptionRequest]:
    """The requests asked under any of these grants, oldest first."""
    return session.scalars(
        select(ExemptionRequest)
        .where(ExemptionRequest.grant_id.in_(list(grant_ids)))
        .order_by(ExemptionRequest.asked_at, ExemptionRequest.id)
    ).all()


def asked_since(session: Session, device_id: str, since: datetime) -> Sequence[ExemptionRequest]:
    """What a device has asked since a moment, under whichever grant."""
    return session.scalars(
        select(ExemptionRequest)
        .join(Grant, Grant.id == ExemptionRequest.grant_id)
        .where(Grant.device_id == device_id, ExemptionRequest.asked_at > since)
    ).all()


def waiting(session: Session, owner_id: str, course_id: str | None = None) -> Sequence[Asked]:
    """The requests that nobody has decided, oldest first; with `course_id`, those of that course."""
    query = _shown(owner_id).where(ExemptionRequest.decision == "").order_by(ExemptionRequest.asked_at)
    if course_id is not None:
        query = query.where(ExemptionRequest.course_id == course_id)
    return [Asked(row[0], row[1]) for row in session.execute(query)]


def page_of_requests(session: Session, owner_id: str, decisions: Collection[str], cut: Cut) -> Part[Asked]:
    """A part of the requests that were decided so ("": not yet). `cut.by` is `asked`, or, of those that are decided,
    `decided`; a place is (that moment, id).
    """
    column: Any = ExemptionRequest.asked_at if cut.by == "asked" else ExemptionRequest.decided_at

    def fetch(place: Place | None, descending: bool, limit: int) -> Sequence[Asked]:
        found: list[Asked] = []
        for decision in decisions:  # one walk each, along the index
            rest = _shown(owner_id).where(ExemptionRequest.decision == decision)
            rest = rest.where(*beyond(column, ExemptionRequest.id, place, descending=descending))
            ordered = rest.order_by(*in_order(column, ExemptionRequest.id, descending=descending)).limit(limit)
            found += [Asked(row[0], row[1]) for row in session.execute(ordered)]
        return sorted(found, key=lambda each: place_of(each, cut.by), reverse=descending)[:limit]

    return part(cut, fetch)


def place_of(asked: Asked, by: str) -> tuple[datetime, str]:
    """Where a request stands in the order of `page_of_requests`."""
    request = asked.request
    moment = request.asked_at if by == "asked" or request.decided_at is None else request.decided_at
    return moment, request.id


def find(session: Session, owner_id: str, request_id: str, *, lock: bool = False) -> Asked | None:
    """One request of the owner; with `lock` held until the transaction ends."""
    query = _shown(owner_id).where(ExemptionRequest.id == request_id)
    if lock:
        query = query.with_for_update(of=ExemptionRequest).execution_options(populate_existing=True)
    row = session.execute(query).one_or_none()
    return None if row is None else Asked(row[0], row[1])


def kept(session: Session, owner_id: str) -> frozenset[str]:
    """The ids of all requests that are not erased yet."""
    return frozenset(session.scalars(select(ExemptionRequest.id).where(ExemptionRequest.owner_id == owner_id)))


def count_waiting(session: Session, owner_id: str) -> int:
    """How many requests nobody has decided."""
    return session.scalar(_WAITING, {"owner": owner_id}) or 0


def waiting_by_course(session: Session, course_ids: Collection[str]) -> dict[str, int]:
    """How many requests wait for the host of each of these courses; those left to IT do not."""
    rows = session.execute(
        select(ExemptionRequest.course_id, func.count())
        .where(
            ExemptionRequest.course_id.in_(list(course_ids)),
            ExemptionRequest.decision == "",
            ExemptionRequest.decided_at.is_(None),
        )
        .group_by(ExemptionRequest.course_id)
    )
    return {str(course_id): count for course_id, count in rows}


def groups_in_use(session: Session, now: datetime) -> set[str]:
    """The policy groups of grants in force."""
    return set(
        session.scalars(select(Grant.group_key).where(Grant.revoked_at.is_(None), Grant.ends_at > now).distinct())
    )


def elsewhere(
    session: Session, group_keys: Collection[str], course_id: str | None, now: datetime, *, but: Collection[str] = ()
) -> set[str]:
    """Those of the groups that somebody who is not at the course (None: at one) has access in, now or soon; the grants
    (ids) `but` do not count.
    """
    return set(
        session.scalars(
            select(Grant.group_key)
            .where(
                Grant.group_key.in_(list(group_keys)),
                Grant.revoked_at.is_(None),
                Grant.ends_at > now,
                Grant.course_id.is_distinct_from(course_id),
                Grant.id.not_in(list(but)),
            )
            .distinct()
        )
    )


def hold(session: Session, grant_ids: Collection[str]) -> bool:
    """Hold the requests asked under these grants until the transaction ends, so that nobody decides one meanwhile;
    whether there are any.
    """
    held = session.scalars(
        select(ExemptionRequest.id)
        .where(ExemptionRequest.grant_id.in_(list(grant_ids)))
        .order_by(ExemptionRequest.id)
        .with_for_update()
    )
    return bool(held.all())


def forget(session: Session, owner_id: str, before: datetime, staff_before: datetime) -> int:
    """Delete the requests asked before a moment, and empty who decided those from before another; how many went."""
    gone = session.execute(
        delete(ExemptionRequest)
        .where(ExemptionRequest.owner_id == owner_id, ExemptionRequest.asked_at < before)
        .returning(ExemptionRequest.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(
        update(ExemptionRequest)
        .where(ExemptionRequest.owner_id == owner_id, ExemptionRequest.asked_at < staff_before)
        .values(decided_by="")
        .execution_options(synchronize_session=False)
    )
    return len(gone)


def hand_over(session: Session, from_grant: str, to_grant: str, course_id: str | None, *, granted: bool) -> None:
    """Give the requests asked under a grant to the one that takes its place, those that wait with its course; what was
    granted goes along only where the exemption does.
    """
    which = ExemptionRequest.grant_id == from_grant
    if not granted:
        which &= ExemptionRequest.decision != "granted"
    session.execute(
        update(ExemptionRequest)
        .where(which)
        .values(
            grant_id=to_grant,
            course_id=case((ExemptionRequest.decision == "", course_id), else_=ExemptionRequest.course_id),
        )
        .execution_options(synchronize_session=False)
    )


def withdraw(session: Session, grant_id: str, request_id: str) -> bool:
    """Delete a request that is not decided yet, if it was asked under this grant."""
    gone = session.execute(
        delete(ExemptionRequest)
        .where(
            ExemptionRequest.id == request_id,
            ExemptionRequest.grant_id == grant_id,
            ExemptionRequest.decision == "",
        )
        .returning(ExemptionRequest.id)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(gone)


_WAITING = select(func.count()).where(ExemptionRequest.owner_id == bindparam("owner"), ExemptionRequest.decision == "")


def _shown(owner_id: str) -> Select[ExemptionRequest, Grant]:
    return (
        select(ExemptionRequest, Grant)
        .join(Grant, Grant.id == ExemptionRequest.grant_id)
        .join(Device, Device.id == Grant.device_id)
        .options(*SHOWN)
        .where(ExemptionRequest.owner_id == owner_id)
    )
