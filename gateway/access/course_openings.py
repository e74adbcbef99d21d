"""A host opens a category for one course: an exemption of that course alone, published at once and ended early at will.

An exemption names a group, so a course that needs one gets a group with a mark of its own, which has the rules of the
group that the course was given, whatever they become (`policies.model.Group.like`), and its guests are put in it. The
group stays until the course is over. The policy in force is the only place where an opening is kept, so what a host has
opened is what DNS reads, and going back to an earlier policy ends it
(`docs/decisions/0034-what-hosts-open.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gateway.access.course_plan import OPENS_BEFORE
from gateway.lists import draft_edits, generations
from gateway.storage import courses, exemption_requests, places
from gateway.storage import generations as published
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.places import Place
from policies.document import DEFAULT_GROUP, DocumentError, parse_document, write_document
from policies.host_opening import choices, end_of
from policies.model import Exemption, Policy

PREFIX = "course-"
"""Keys of groups that stand for one course begin with this."""
MAX_COURSES = 10_000
TITLE = {"nb": "Unntak for ett kurs", "nn": "Unntak for eitt kurs", "en": "Exemption for one course"}
OPENED = "opened by a host for one course: {category}"
CLOSED = "closed again by a host for one course: {category}"
FOLLOWED = "what hosts have opened follows the course"


@dataclass(frozen=True, slots=True)
class Opened:
    """The category is open for the course until `until`, by this generation of the policy."""

    generation: int
    until: datetime


@dataclass(frozen=True, slots=True)
class NotOpened:
    """Why nothing was opened: the course is not there, over, or does not let guests in yet; the category is not one for
    hosts, or open already; it would last too long.
    """

    reason: Literal["unknown", "over", "not_yet", "no_policy", "not_listed", "hours"]


def own_group(course: Course) -> str:
    """The key of the group that the course has of its own, once something was opened for it."""
    return f"{PREFIX}{course.id[:12]}"


def guests_group(session: Session, owner_id: str, course: Course) -> str:
    """The key of the group that the course's guests are in: its own, else the one it was given."""
    own = own_group(course)
    return course.group_key if published.mark_of(session, owner_id, own) is None else own


def policy_in_force(session: Session, owner_id: str) -> Policy | None:
    """The policy as published last; None where there is none that this release can read."""
    standing = published.in_force(session, owner_id)
    try:
        return None if standing is None else parse_document(standing.document)
    except DocumentError:
        return None


def is_stranded(policy: Policy, course: Course) -> bool:
    """Whether a policy has no group for the course, so that nobody gets in by its code."""
    return own_group(course) not in policy.groups and course.group_key not in policy.groups


def stranded(session: Session, place: Place, policy: Policy, now: datetime) -> list[Course]:
    """The courses that are not over and that a policy has no group for, the first to begin first."""
    found = courses.of_owner(session, place.owner_id, over_since=now, limit=MAX_COURSES)
    return sorted((each for each in found if is_stranded(policy, each)), key=lambda each: (each.starts_at, each.id))


def choosable(policy: Policy, course: Course, now: datetime) -> tuple[str, ...]:
    """The categories that a host may open for the course now; none before its guests get in, or after its end."""
    group = policy.groups.get(own_group(course)) or policy.groups.get(course.group_key)
    if group is None or not course.starts_at - OPENS_BEFORE <= now < course.over_at:
        return ()
    return choices(policy, group, now)


def openings(policy: Policy, course: Course, now: datetime) -> tuple[Exemption, ...]:
    """What is open for the course alone, the first to end first."""
    own = own_group(course)
    found = [each for each in policy.exemptions if each.group == own and each.start <= now < each.end]
    return tuple(sorted(found, key=lambda each: (each.end, each.id)))


def open_category(  # noqa: PLR0911 - each return is one way to be refused
    session: Session, place: Place, course_id: str, category: str, hours: int, *, reason: str, by: str, now: datetime
) -> Opened | NotOpened:
    """Open a category for a course for some hours, until its end at the latest. `reason` is one line, kept with it.

    Raises: UsageError when the policy in force can't be changed.
    """
    course = courses.lock_course(session, place.owner_id, course_id)
    if course is None:
        return NotOpened("unknown")
    if course.over_at <= now:
        return NotOpened("over")
    if now < course.starts_at - OPENS_BEFORE:
        return NotOpened("not_yet")
    until = end_of(now, hours, course.over_at)
    if until is None:
        return NotOpened("hours")
    places.lock_owner(session, place.owner_id)
    policy = policy_in_force(session, place.owner_id)
    if policy is None or course.group_key not in policy.groups:
        return NotOpened("no_policy")
    if category not in choosable(policy, course, now):
        return NotOpened("not_listed")
    own, mark = own_group(course), _mark(session, place, course, policy)
    alone = _with_exemptions_alone(session, place, course, now)
    # the same in a draft that somebody works on
    identity = f"{own}-{published.newest(session, place.owner_id) + 1}"

    def edit(document: dict[str, Any]) -> None:
        changed = _without_courses_that_are_over(session, place, document, now)
        changed["groups"].setdefault(
            own, {"mark": mark, "names": dict(TITLE), "closed": [], "permit": [], "forbid": []}
        )["like"] = _followed(changed, course)
        for key in alone & changed["groups"].keys():
            changed["groups"][key]["like"] = own
        changed, _ = draft_edits.with_exemption(
            changed, own, [category], now, until, approved_by=by, reason=reason, identity=identity
        )
        _put(document, changed)

    generation = generations.publish_change(session, place, edit, by, OPENED.format(category=category), now)
    _move_guests(session, course, own, mark, now)
    return Opened(generation, until)


def close_category(session: Session, place: Place, course: Course, opening: str, *, by: str, now: datetime) -> bool:
    """End what was opened for the course (by the exemption's id) before its time. False when it is not open any more.

    Raises: UsageError when the policy in force can't be changed.
    """
    places.lock_owner(session, place.owner_id)
    policy = policy_in_force(session, place.owner_id)
    found = [each for each in openings(policy, course, now) if each.id == opening] if policy is not None else []
    if not found:
        return False
    [ended] = found

    def edit(document: dict[str, Any]) -> None:
        _end(document, own_group(course), {ended.id: now}, now)

    note = CLOSED.format(category=" ".join(sorted(ended.categories)))
    generations.publish_change(session, place, edit, by, note, now)
    return True


def follow(session: Session, place: Place, course: Course, by: str, now: datetime) -> None:
    """After a change to the course: its own group follows the group that it now has, and nothing stays open after its
    end. Raises: UsageError when the policy in force can't be changed.
    """
    own = own_group(course)
    if published.mark_of(session, place.owner_id, own) is None:
        return
    places.lock_owner(session, place.owner_id)
    policy = policy_in_force(session, place.owner_id)
    if policy is None:
        return
    late = {each.id: course.over_at for each in policy.exemptions if each.group == own and each.end > course.over_at}
    late = {key: end for key, end in late.items() if _end_of(policy, key) > now}
    wanted = course.group_key if course.group_key in policy.groups else DEFAULT_GROUP
    if not late and policy.groups[own].like == wanted:
        return

    def edit(document: dict[str, Any]) -> None:
        if own in document["groups"]:
            document["groups"][own]["like"] = _followed(document, course)
        _end(document, own, late, now)

    generations.publish_change(session, place, edit, by, FOLLOWED, now)


def _end_of(policy: Policy, identity: str) -> datetime:
    return next(each.end for each in policy.exemptions if each.id == identity)


def _end(document: dict[str, Any], own: str, ends: Mapping[str, datetime], now: datetime) -> None:
    """Have the group's exemptions end then; those that would end now are taken out."""
    kept = []
    for each in document.get("exemptions", []):
        end = ends.get(each["id"]) if each["group"] == own else None
        if end is None:
            kept.append(each)
        elif end > now:
            kept.append({**each, "until": end.isoformat()})
    document["exemptions"] = kept


def _followed(document: Mapping[str, Any], course: Course) -> str:
    """The group whose rules the course has: the one it was given, else default, as for every group that is gone."""
    return course.group_key if course.group_key in draft_edits.ruled_groups(document) else DEFAULT_GROUP


def _mark(session: Session, place: Place, course: Course, policy: Policy) -> int:
    """The mark of the course's own group: the one that it has or once had, else a free one."""
    own = own_group(course)
    if own in policy.groups:
        return policy.groups[own].mark
    had = next((mark for mark, (key, _) in generations.marks(session, place).items() if key == own), None)
    return had or generations.free_mark(session, place, write_document(policy))


def _with_exemptions_alone(session: Session, place: Place, course: Course, now: datetime) -> set[str]:
    """The groups of guests of the course who have an exemption for themselves alone: they are to be like the course's
    own, but not those of guests whom staff had moved elsewhere, nor one that somebody is in who is not at the course.
    """
    # INVARIANT: held, so that no guest takes their group along into another course while it is made like this one's
    every = {each.group_key for each in courses.open_grants(session, course.id, now, hold=True)}
    found = {
        key
        for key in every
        if key.startswith(exemption_requests.SESSION_PREFIX)
        and exemption_requests.origin(session, place.owner_id, key) in (course.group_key, own_group(course))
    }
    return found - exemption_requests.elsewhere(session, found, course.id, now)


def _move_guests(session: Session, course: Course, own: str, mark: int, now: datetime) -> None:
    """Put the guests who are in the group that the course was given into its own, but nobody whom staff moved."""
    moved = False
    for grant in courses.open_grants(session, course.id, now):
        if grant.group_key == course.group_key:
            grant.group_key, grant.mark, moved = own, mark, True
    session.flush()
    if moved:
        announce(session, "grants")


def _without_courses_that_are_over(
    session: Session, place: Place, document: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The document without the groups of courses that are over, whose guests have no access any more."""
    running = {own_group(each) for each in courses.of_owner(session, place.owner_id, over_since=now, limit=MAX_COURSES)}
    changed = draft_edits.copied(document)
    for key in [key for key in changed["groups"] if key.startswith(PREFIX) and changed["groups"][key].get("like")]:
        if key not in running:
            changed = draft_edits.without_group(changed, key)
    return changed


def _put(document: dict[str, Any], changed: Mapping[str, Any]) -> None:
    document.clear()
    document.update(changed)
