"""A guest asks for closed categories to be opened; IT, or the host of the course, grants or declines it.

Each decision is a leaf. Granting makes the exemption that the policy has (`policies.model.Exemption`), and publishes
it: for the group that the guest is in, such as a course's own, or for that guest's session alone, which then gets a
group with a mark of its own, like the one it was in (`docs/decisions/0040-guests-of-courses.md`). Neither the website's
name nor what the guest wrote gets into the policy or the log, which are kept for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.access import grants as access
from gateway.audit.record import record
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.storage import exemption_requests, grants, places
from gateway.storage import generations as published
from gateway.storage.engine import Session
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.models import Grant
from gateway.storage.places import Place
from gateway.storage.types import new_id
from policies.model import NEVER_EXEMPT

PURPOSE_MAX_CHARS = 300
ANSWER_MAX_CHARS = 300
WAITING_MAX = 3
A_DAY_MAX = 10
DAY = timedelta(days=1)
LONGEST = timedelta(days=400)
SESSION_PREFIX = exemption_requests.SESSION_PREFIX
SESSION_TITLE = {"nb": "Unntak for én gjest", "nn": "Unntak for éin gjest", "en": "Exemption for one guest"}
Scope = Literal["session", "group"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a guest asks for: the name that is closed (normal form), all categories that close it, and what for."""

    name: str
    categories: tuple[str, ...]
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request stands. `repeated`: it stood already."""

    request_id: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Why there is no request: the device has no access, asks too often, or it is what nobody may open."""

    reason: Literal["no_access", "too_many", "never"]


@dataclass(frozen=True, slots=True)
class Decided:
    """The request is decided; `generation` is the policy that grants it (0: declined)."""

    request_id: str
    generation: int = 0


@dataclass(frozen=True, slots=True)
class NotDecided:
    """Why nothing was decided: there is no such request, somebody decided it, the guest's access has ended, the moment
    lies in the past or too far ahead, nobody may open it, its group is gone, or a host has left it to IT.
    """

    reason: Literal["gone", "decided", "ended", "until", "never", "no_group", "passed_on"]


def ask(session: Session, place: Place, neighbour: Neighbour, wanted: Wanted, now: datetime) -> Asked | NotAsked:
    """Record a request of the device that the kernel knows as `neighbour`, with the course that its access is of. The
    same one twice is one request.

    A device has at most `WAITING_MAX` waiting and sends at most `A_DAY_MAX` a day.
    """
    if not wanted.categories or not NEVER_EXEMPT.isdisjoint(wanted.categories):
        return NotAsked("never")
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    known = grants.find_device(session, place.owner_id, neighbour.mac)
    if network is None or known is None:
        return NotAsked("no_access")
    device = grants.lock_device(session, place.owner_id, neighbour.mac, now)  # two submissions take turns
    grant = grants.open_grant(session, device.id, network.id, now)
    if grant is None:
        return NotAsked("no_access")
    before = exemption_requests.asked_since(session, device.id, now - DAY)
    for each in before:
        if each.decision == "" and each.name == wanted.name:
            return Asked(each.id, repeated=True)
    if len(before) >= A_DAY_MAX or sum(each.decision == "" for each in before) >= WAITING_MAX:
        return NotAsked("too_many")
    request = ExemptionRequest(
        id=new_id(),
        owner_id=place.owner_id,
        site_id=place.site_id,
        grant_id=grant.id,
        course_id=grant.course_id,
        name=wanted.name,
        categories=list(wanted.categories),
        group_key=grant.group_key,
        purpose=wanted.purpose,
        asked_at=now,
        decision="",
        decided_at=None,
        decided_by="",
        answer="",
        until=None,
    )
    session.add(request)
    session.flush()
    return Asked(request.id, repeated=False)


def decline(
    session: Session, place: Place, request_id: str, by: str, answer: str, now: datetime, *, by_host: bool = False
) -> Decided | NotDecided:
    """Decline a request, with a sentence to the guest. `by_host`: as in `grant`."""
    found = exemption_requests.find(session, place.owner_id, request_id, lock=True)
    if found is None:
        return NotDecided("gone")
    if (settled := _settled(found, by_host=by_host)) is not None:
        return NotDecided(settled)
    _settle(session, place, found, "declined", tuple(found.request.categories), by, answer, None, now)
    return Decided(request_id)


def pass_on(session: Session, place: Place, request_id: str, by: str, now: datetime) -> Decided | NotDecided:
    """Leave a request to IT, on behalf of the host `by` of the course: it goes on waiting, and IT alone decides it."""
    found = exemption_requests.find(session, place.owner_id, request_id, lock=True)
    if found is None:
        return NotDecided("gone")
    if (settled := _settled(found, by_host=True)) is not None:
        return NotDecided(settled)
    found.request.decided_at, found.request.decided_by = now, by
    session.flush()
    _record(session, place, found, "passed_on", tuple(found.request.categories), by, now)
    return Decided(request_id)


def grant(
    session: Session,
    place: Place,
    request_id: str,
    by: str,
    answer: str,
    *,
    scope: Scope,
    categories: tuple[str, ...] | None = None,
    until: datetime,
    now: datetime,
    by_host: bool = False,
) -> Decided | NotDecided:
    """Grant a request until a moment: publish an exemption for the guest's group, or for the guest's session alone.

    `categories` are those to open, as by what closes the name now; None: those that closed it when it was asked for.
    `by_host`: `by` is the host of the course, who decides nothing that has been left to IT.
    Raises: UsageError when the policy in force can't be changed.
    """
    found = exemption_requests.find(session, place.owner_id, request_id, lock=True)
    if found is None:
        return NotDecided("gone")
    lifted = categories if categories is not None else tuple(found.request.categories)
    problem = _settled(found, by_host=by_host) or _obstacle(found, lifted, scope, until, now)
    if problem is not None:
        return NotDecided(problem)
    places.lock_owner(session, place.owner_id)
    standing = published.in_force(session, place.owner_id)
    group = found.grant.group_key
    if standing is None or group not in standing.document["groups"]:
        return NotDecided("no_group")
    key, mark = group, 0
    if scope == "session" and not group.startswith(SESSION_PREFIX):
        key = exemption_requests.session_group(request_id)
        found.request.group_key = group  # what the session's group is like
        mark = generations.free_mark(session, place, standing.document)
    used = exemption_requests.groups_in_use(session, now)

    def edit(document: dict[str, Any]) -> None:
        if group not in document["groups"]:
            return  # in a draft of others, who have taken it out
        changed = without_ended_sessions(document, used, now)
        if key != group:
            rules = {"mark": mark, "names": dict(SESSION_TITLE), "closed": [], "permit": [], "forbid": []}
            changed["groups"].setdefault(key, rules | {"like": group})
        changed, _ = draft_edits.with_exemption(
            changed, key, lifted, now, until, approved_by=by, reason=f"exemption request {request_id}"
        )
        document.clear()
        document.update(changed)

    generation = generations.publish_change(session, place, edit, by, f"exemption request {request_id}", now)
    if key != group:
        access.move(session, place, found.grant.id, key, by, now)
    _settle(session, place, found, "granted", lifted, by, answer, until, now)
    return Decided(request_id, generation)


def without_ended_sessions(document: Mapping[str, Any], used: set[str], now: datetime) -> dict[str, Any]:
    """The document without the groups of sessions that are over: no grant in force is in them, and no exemption."""
    changed = draft_edits.copied(document)
    lasting = {
        each["group"] for each in document.get("exemptions", []) if datetime.fromisoformat(str(each["until"])) > now
    }
    for key in [key for key in document["groups"] if key.startswith(SESSION_PREFIX)]:
        if key not in used and key not in lasting:
            changed = draft_edits.without_group(changed, key)
    return changed


def _settled(found: exemption_requests.Asked, *, by_host: bool) -> Literal["decided", "passed_on"] | None:
    """Why there is nothing to decide any more. INVARIANT: asked while the request is held, so of a host and of IT who
    act at once one comes first.
    """
    if found.request.decision:
        return "decided"
    return "passed_on" if by_host and found.request.decided_at is not None else None


def _obstacle(
    found: exemption_requests.Asked, lifted: tuple[str, ...], scope: Scope, until: datetime, now: datetime
) -> Literal["ended", "until", "never"] | None:
    if not lifted or not NEVER_EXEMPT.isdisjoint(lifted):
        return "never"
    if not now < until <= now + LONGEST:
        return "until"
    if scope == "session" and not _is_open(found.grant, now):
        return "ended"
    return None


def _is_open(grant: Grant, now: datetime) -> bool:
    return grant.revoked_at is None and grant.starts_at <= now < grant.ends_at


def _settle(
    session: Session,
    place: Place,
    found: exemption_requests.Asked,
    decision: Literal["granted", "declined"],
    categories: tuple[str, ...],
    by: str,
    answer: str,
    until: datetime | None,
    now: datetime,
) -> None:
    request = found.request
    request.decision, request.decided_at, request.decided_by = decision, now, by
    request.answer, request.until = answer, until
    session.flush()
    _record(session, place, found, decision, categories, by, now, answer)


def _record(
    session: Session,
    place: Place,
    found: exemption_requests.Asked,
    decision: Literal["granted", "declined", "passed_on"],
    categories: tuple[str, ...],
    by: str,
    now: datetime,
    answer: str = "",
) -> None:
    record(
        session,
        place,
        "exemption_decided",
        {
            "request": found.request.id,
            "grant": found.grant.id,
            "decision": decision,
            "group": found.grant.group_key,
            "categories": sorted(categories),
        },
        {"by": by, "mac": found.grant.device.mac, "reason": answer},
        now,
    )
