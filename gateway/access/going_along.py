"""What goes along when a guest's access goes over into a new one: the exemption of their own, where the rules stay.

Such an exemption is a group like the one that the guest was in (`docs/decisions/0040-guests-of-courses.md`). To be like
another one it would have to be published anew, and a guest's button publishes no policy.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gateway.audit.record import record
from gateway.storage import accepting, exemption_requests, generations
from gateway.storage.accepting import Standing
from gateway.storage.engine import Session
from gateway.storage.places import Place


@dataclass(frozen=True, slots=True)
class Along:
    """The group and mark of a new access, its course, the group that it would have had, and the person's access that
    goes over into it, if any.
    """

    group_key: str
    mark: int
    course_id: str | None
    instead_of: str
    before: Standing | None


def is_own(group_key: str) -> bool:
    """Whether the group stands for one guest's exemption."""
    return group_key.startswith(exemption_requests.SESSION_PREFIX)


def has_own_exemption(session: Session, owner_id: str, group_key: str, now: datetime) -> bool:
    """Whether whoever is in the group has an exemption for themselves alone now, and not one that is over."""
    return is_own(group_key) and generations.has_exemption(session, owner_id, group_key, now)


def shared_rules(session: Session, owner_id: str, group_key: str | None) -> str | None:
    """The group whose rules a device gets that shares somebody's group: of one guest's own the one that it is like."""
    if group_key is None or not is_own(group_key):
        return group_key
    return generations.like_of(session, owner_id, group_key) or group_key


def standings(
    session: Session, device_id: str, network_id: str, leaving: str | None, now: datetime
) -> tuple[Standing | None, Standing | None]:
    """The access that the device has on the network by an acceptance, and the grant `leaving` of another device that
    ends with the new one. What has been asked for under them is held, and then the grants.
    """
    standing = accepting.accepted_standing(session, device_id, network_id, now)
    ending = {*([standing.grant_id] if standing is not None else []), *([leaving] if leaving is not None else [])}
    is_asked = bool(ending) and exemption_requests.hold(session, ending)
    # INVARIANT: read after the requests are held, as whoever grants one moves the grant; and the grant is held, as the
    # host of its course may make the group that goes along like the course's
    if standing is not None and (is_asked or is_own(standing.group_key)):
        standing = accepting.accepted_standing(session, device_id, network_id, now, hold=True)
    return standing, accepting.hold_standing(session, leaving, now) if leaving is not None else None


def along(
    session: Session,
    owner_id: str,
    group_key: str,
    mark: int,
    before: Standing | None,
    shared: str | None,
    course_id: str | None,
    now: datetime,
) -> Along:
    """How an access begins that would be in `group_key`: in the group that the person is in by `before`, or that they
    share, where that has the rules of `group_key` in the policy in force, and its exemption is not over.

    INVARIANT: a guest's own group never reaches from one course into another, or out of it. It has one set of rules,
    and what the host of a course opens for whoever is at it would be open for their other device, too.
    """
    own = shared if shared is not None and is_own(shared) else before.group_key if before is not None else ""
    if has_own_exemption(session, owner_id, own, now) and generations.like_of(session, owner_id, own) == group_key:
        own_mark = generations.mark_of(session, owner_id, own)
        ending: Collection[str] = [before.grant_id] if before is not None else []
        is_elsewhere = exemption_requests.elsewhere(session, [own], course_id, now, but=ending)
        if own_mark is not None and not is_elsewhere:
            return Along(own, own_mark, course_id, group_key, before)
    return Along(group_key, mark, course_id, group_key, before)


def hand_over(session: Session, place: Place, gone: Along, grant_id: str, mac: str, now: datetime) -> None:
    """Give the new access what has been asked for with the one before, and say in the log where it begins in a group of
    the guest's own.
    """
    if gone.before is not None:
        is_same = gone.group_key == gone.before.group_key
        exemption_requests.hand_over(session, gone.before.grant_id, grant_id, gone.course_id, granted=is_same)
    if gone.group_key != gone.instead_of:
        fields = {"grant": grant_id, "from_group": gone.instead_of, "to_group": gone.group_key}
        record(session, place, "grant_moved", fields, {"by": "guest", "mac": mac}, now)
