"""Staff let a device be online for longer than its grant says, within what the municipality permits, as a leaf."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.access.admission import LONGEST
from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.storage import courses, grants
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import Grant
from gateway.storage.places import Place


@dataclass(frozen=True, slots=True)
class NotLengthened:
    """Why nothing was written: no such grant in force; not longer than it is; or later than it may last."""

    reason: Literal["no_grant", "not_longer", "too_long"]


def latest(
    starts_at: datetime, course_ends_at: datetime | None, *, admitted: bool, longest: timedelta, now: datetime
) -> datetime:
    """Until when a grant may last at most. An admission: `LONGEST` from now. An acceptance: `longest` after it, then
    the rules are to be accepted again, and never past its course's end, which is the course's to change.
    """
    if admitted:
        return now + LONGEST
    until = starts_at + longest
    return until if course_ends_at is None else min(until, course_ends_at)


def latest_of(session: Session, place: Place, grant: Grant, longest: timedelta, now: datetime) -> datetime:
    """`latest` of a grant as it is stored."""
    course = courses.course(session, place.owner_id, grant.course_id) if grant.course_id is not None else None
    admitted, ends_at = grant.admission_leaf_id is not None, course.over_at if course is not None else None
    return latest(grant.starts_at, ends_at, admitted=admitted, longest=longest, now=now)


def lengthen(
    session: Session, place: Place, grant_id: str, until: datetime, *, by: str, longest: timedelta, now: datetime
) -> datetime | NotLengthened:
    """Let the grant last until `until` on behalf of staff member `by`, as a leaf of the log; when it ends then."""
    grant = grants.grant_by_code(session, place.owner_id, grant_id)
    if grant is None or grant.id != grant_id or grant.revoked_at is not None:
        return NotLengthened("no_grant")
    if not grant.starts_at <= now < grant.ends_at:
        return NotLengthened("no_grant")
    if until <= grant.ends_at:
        return NotLengthened("not_longer")
    if until > latest_of(session, place, grant, longest, now):
        return NotLengthened("too_long")
    grant.ends_at = until
    session.flush()
    fields = {"grant": grant.id, "until": format_utc(until)}
    record(session, place, "grant_extended", fields, {"by": by, "mac": grant.device.mac}, now)
    announce(session, "grants")
    return until
