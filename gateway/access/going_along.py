"""What goes along when a guest's access goes over into a new one: the exemption of their own, where the rules stay.

Such an exemption is a group like the one that the guest was in (`docs/decisions/0040-guests-of-courses.md`). To be like
another one it would have to be published anew, and a guest's button publishes no policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.audit.record import record
from gateway.storage import exemption_requests, generations
from gateway.storage.accepting import Standing
from gateway.storage.engine import Session
from gateway.storage.places import Place


@dataclass(frozen=True, slots=True)
class Along:
    """The group and mark of a new access, the group that it would have had, and the person's access that goes over into
    it, if any.
    """

    group_key: str
    mark: int
    instead_of: str
    before: Standing | None


def along(
    session: Session, owner_id: str, group_key: str, mark: int, before: Standing | None, shared: str | None
) -> Along:
    """How an access begins that would be in `group_key`: in the group that the person is in by `before`, or that they
    share, where that is one guest's alone and has the rules of `group_key` in the policy in force.
    """
    own = shared or (before.group_key if before is not None else "")
    if own.startswith(exemption_requests.SESSION_PREFIX) and generations.like_of(session, owner_id, own) == group_key:
        own_mark = generations.mark_of(session, owner_id, own)
        if own_mark is not None:
            return Along(own, own_mark, group_key, before)
    return Along(group_key, mark, group_key, before)


def hand_over(
    session: Session, place: Place, gone: Along, grant_id: str, course_id: str | None, mac: str, now: datetime
) -> None:
    """Give the new access what has been asked for with the one before, and say in the log where it begins in a group of
    the guest's own.
    """
    if gone.before is not None:
        is_same = gone.group_key == gone.before.group_key
        exemption_requests.hand_over(session, gone.before.grant_id, grant_id, course_id, granted=is_same)
    if gone.group_key != gone.instead_of:
        fields = {"grant": grant_id, "from_group": gone.instead_of, "to_group": gone.group_key}
        record(session, place, "grant_moved", fields, {"by": "guest", "mac": mac}, now)
