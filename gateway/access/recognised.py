"""A guest whom the product knows: back on the same device, with another device, or with a new address of an old one.

Each acceptance made here is one of its own, with its leaf, and says by what the person was recognised. What they wrote
the first time is taken from the live tables, so nothing comes back of whom has been erased. The caller commits.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from gateway.access import courses
from gateway.access.accept import Accepted, Known, Refused, accept
from gateway.access.courses import Sought
from gateway.access.extension import Durations
from gateway.access.grants import end_by_guest
from gateway.access.three_words import COUNT
from gateway.link.neighbours import Neighbour
from gateway.settings import FormField, Portal, Settings
from gateway.storage import device_words, grants, places
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.models import Acceptance, Device, DeviceWords, Grant, Visitor
from gateway.storage.places import Place

WORDS_LAST = timedelta(minutes=10)
WRITTEN = frozenset({"name", "organisation", "contact"})


@dataclass(frozen=True)
class Terms:
    """What the municipality permits: `within` an acceptance a person is recognised; `devices` at once for each. In
    `host_groups` nobody comes in without a host's word or a course. `required` says what the form of a group requires.
    """

    durations: Durations
    within: timedelta
    devices: int
    host_groups: frozenset[str] = frozenset()
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Which fields guests of a group are asked for; "" is every other group. Nothing else is taken over from before."""
    required: Callable[[str], Collection[FormField]] = lambda _group: ()
    """The fields that the form of a group requires."""

    def asked_in(self, group_key: str) -> frozenset[str]:
        """The fields that are asked for in the group."""
        return self.asked.get(group_key, self.asked.get("", WRITTEN))


def terms_of(settings: Settings) -> Terms:
    """The terms as configured."""
    sessions = settings.sessions
    by_group = {group: timedelta(hours=hours) for group, hours in sessions.hours_by_group.items()}
    usual, longest = timedelta(hours=settings.portal.grant_hours), timedelta(hours=sessions.longest_hours)
    durations, within = Durations(usual, by_group, longest), timedelta(days=sessions.return_days)
    asked = {group_key: _asked(settings.portal, group_key) for group_key in ("", *settings.portal.groups)}

    def required(group_key: str) -> Collection[FormField]:
        return [field for field, need in settings.portal.asked(group_key).items() if need == "required"]

    return Terms(durations, within, sessions.devices_per_person, frozenset(settings.hosts.groups), asked, required)


def _asked(portal: Portal, group_key: str) -> frozenset[str]:
    return frozenset(name for name, need in portal.asked(group_key).items() if need != "no" and name in WRITTEN)


@dataclass(frozen=True)
class Reading:
    """What was shown to whoever accepts, from which address, when."""

    version_id: str
    language: str
    address: str
    now: datetime


@dataclass(frozen=True)
class NotRecognised:
    """Why nothing was written: no such words, receipt or earlier acceptance that can be used now; the network asks for
    more than what the person has given; or they have as many devices online as are permitted.
    """

    reason: Literal["unknown", "more_asked", "too_many"]


Outcome = Accepted | Refused | NotRecognised


def earlier(
    session: Session, place: Place, neighbour: Neighbour, within: timedelta, now: datetime
) -> Acceptance | None:
    """The newest acceptance on this device that still lets it back in, with its visitor and version of the rules."""
    return device_words.newest_acceptance(session, place.owner_id, neighbour.mac, now - within) if within else None


def known_by(
    session: Session, place: Place, neighbour: Neighbour, within: timedelta, now: datetime
) -> Acceptance | None:
    """The acceptance that the device is online by on this network; else as `earlier`, and where there is none, the one
    that it is online by elsewhere.
    """
    asked = (session, place.owner_id, neighbour.mac, now)
    here = device_words.open_acceptance(*asked, place.gateway_id, neighbour.interface)
    return here or earlier(session, place, neighbour, within, now) or device_words.open_acceptance(*asked)


def course_again(session: Session, place: Place, before: Acceptance, now: datetime) -> Course | None:
    """The course that the acceptance had a seat in, while it is open to guests: who comes back by it is there again."""
    course_id = device_words.course_of(session, before.id)
    if course_id is None:
        return None
    found = courses.find(session, place, Sought(course_id=course_id, is_shared=True), now)
    return found if isinstance(found, Course) else None


def may_return(
    session: Session,
    place: Place,
    neighbour: Neighbour,
    before: Acceptance,
    terms: Terms,
    now: datetime,
    sought: Sought | None = None,
) -> bool:
    """Whether whoever made `before` may come back by it here: with all that the form would require, and where a host's
    word or a code is needed, only into its course or the one that is `sought`, or while the device has access here.
    """
    theirs, sought = _open_on(session, before, now), sought or _sought_again(session, place, before, now)
    return _may_enter(session, place, neighbour, before.visitor, sought, theirs, terms)


def come_back(
    session: Session,
    place: Place,
    neighbour: Neighbour,
    acceptance_id: str,
    reading: Reading,
    terms: Terms,
    sought: Sought | None = None,
) -> Outcome:
    """Accept again on the same device, as whoever made the acceptance `acceptance_id` on it: the one that the device is
    `known_by`, or has been until this very form was sent before.

    With `sought` into that course, also from access that the device has, which ends where the new one begins; a course
    that refuses leaves it as it is.
    """
    before = known_by(session, place, neighbour, terms.within, reading.now)
    # asked after `before`: where the same form was taken between the two, that acceptance is found, and not another one
    if (standing := _standing(session, place, neighbour, reading, sought)) is not None:
        return standing
    if before is None or before.id != acceptance_id:
        return NotRecognised("unknown")
    if not may_return(session, place, neighbour, before, terms, reading.now, sought):
        return NotRecognised("unknown")
    known, sought = Known(before.visitor, "known_device"), sought or _sought_again(session, place, before, reading.now)
    return _accept(session, place, neighbour, known, reading, terms, instead_of={before.device_id}, sought=sought)


def show_words(
    session: Session,
    place: Place,
    neighbour: Neighbour,
    grant_id: str,
    terms: Terms,
    now: datetime,
    choose: Callable[[], int] = lambda: secrets.randbelow(COUNT),
) -> DeviceWords | NotRecognised:
    """Words for a second device, for ten minutes; those that the device shows already, while they last.

    `grant_id` is the grant that the device's page was made for: one that stands on an acceptance.
    """
    grant = device_words.accepted_grant(session, grant_id, now)
    if grant is None or grant.device.mac != neighbour.mac or grant.device.owner_id != place.owner_id:
        return NotRecognised("unknown")
    assert grant.acceptance is not None
    grants.lock_device(session, place.owner_id, neighbour.mac, now)
    if _full(session, grant.acceptance.visitor, terms, now, leaving=()):
        return NotRecognised("too_many")
    standing = device_words.shown(session, grant.id, now)
    return standing or device_words.add(session, place.owner_id, grant.id, choose, now + WORDS_LAST, now)


def add_by_words(
    session: Session,
    place: Place,
    neighbour: Neighbour,
    number: int,
    reading: Reading,
    terms: Terms,
    *,
    same_device: bool = False,
) -> Outcome:
    """Accept on a second device as the person whose device shows these words, which are then used up.

    `same_device`: it is the one that showed them, with a new address: what the old address has ends. Refused words are
    not used up.
    """
    words = device_words.hold(session, place.owner_id, number, reading.now)
    if (standing := _standing(session, place, neighbour, reading)) is not None:
        return standing
    giving = device_words.accepted_grant(session, words.grant_id, reading.now) if words is not None else None
    if words is None or giving is None or giving.acceptance is None:
        return NotRecognised("unknown")
    gone = giving.id if same_device and giving.device.mac != neighbour.mac else None
    known = Known(giving.acceptance.visitor, "device_words", giving.group_key, leaving=gone)
    leaving = {giving.device_id} if same_device else set()
    sought = Sought(course_id=giving.course_id, is_shared=True) if giving.course_id else None
    if not _may_enter(session, place, neighbour, known.visitor, sought, [giving], terms):
        return NotRecognised("more_asked")
    outcome = _accept(session, place, neighbour, known, reading, terms, instead_of=leaving, sought=sought)
    if isinstance(outcome, Accepted) and not outcome.repeated:
        device_words.spend(session, words)
        if same_device:
            _release(session, place, known.visitor, giving.device, neighbour, reading.now)
    return outcome


def add_by_receipt(
    session: Session, place: Place, neighbour: Neighbour, code: str, reading: Reading, terms: Terms
) -> Outcome:
    """Accept as the person who has this receipt, whose device has a new address: what its old one has ends."""
    if (standing := _standing(session, place, neighbour, reading)) is not None:
        return standing
    before = device_words.acceptance_by_code(session, place.owner_id, code)
    if before is None or not terms.within or before.accepted_at <= reading.now - terms.within:
        return NotRecognised("unknown")
    if not may_return(session, place, neighbour, before, terms, reading.now):
        return NotRecognised("more_asked")
    sought, old = _sought_again(session, place, before, reading.now), _open_on(session, before, reading.now)
    course_id = sought.course_id if sought is not None else None
    shared = next((grant.group_key for grant in old if grant.course_id == course_id), None)
    gone = old[0].id if old and before.device.mac != neighbour.mac else None
    known = Known(before.visitor, "receipt_code", shared, leaving=gone)
    outcome = _accept(session, place, neighbour, known, reading, terms, instead_of={before.device_id}, sought=sought)
    if isinstance(outcome, Accepted) and not outcome.repeated:
        _release(session, place, known.visitor, before.device, neighbour, reading.now)
    return outcome


def end_other(session: Session, place: Place, neighbour: Neighbour, own_id: str, other_id: str, now: datetime) -> bool:
    """End the grant `other_id` of another device of the person, from the device that has `own_id`. False when it is not
    theirs, or not in force.
    """
    own = device_words.accepted_grant(session, own_id, now)
    if own is None or own.acceptance is None or own.device.mac != neighbour.mac:
        return False
    for grant in device_words.grants_of_visitor(session, own.acceptance.visitor_id, now):
        if grant.id == other_id and grant.device_id != own.device_id:
            end_by_guest(session, place, grant, grant.device.mac, "other_device", now)
            return True
    return False


def _standing(
    session: Session, place: Place, neighbour: Neighbour, reading: Reading, sought: Sought | None = None
) -> Accepted | None:
    """What a device has that accepted this version already, and is in the course that is `sought`: a form sent twice,
    or sent from two tabs.
    """
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    device = grants.find_device(session, place.owner_id, neighbour.mac)
    if network is None or device is None:
        return None
    grant = grants.accepted_grant(session, device.id, network.id, reading.now)
    if grant is None or grant.acceptance is None or grant.acceptance.rules_version_id != reading.version_id:
        return None
    course = courses.find(session, place, sought, reading.now) if sought is not None else None
    if sought is not None and (not isinstance(course, Course) or course.id != grant.course_id):
        return None
    return Accepted(grant.acceptance.id, grant.id, grant.acceptance.receipt_code, grant.ends_at, repeated=True)


def _accept(
    session: Session,
    place: Place,
    neighbour: Neighbour,
    known: Known,
    reading: Reading,
    terms: Terms,
    *,
    instead_of: Collection[str],
    sought: Sought | None,
) -> Outcome:
    """As `accept`; nothing is written, not even the device's address, of whom that refuses."""
    visitor = device_words.lock_visitor(session, known.visitor.id)
    if visitor is None:  # erased since it was read
        return NotRecognised("unknown")
    own = grants.find_device(session, place.owner_id, neighbour.mac)
    leaving = {*instead_of, *([own.id] if own is not None else [])}
    if _full(session, visitor, terms, reading.now, leaving=leaving):
        return NotRecognised("too_many")
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    return accept(
        session,
        place,
        neighbour,
        replace(known, asked=terms.asked_in(network.group_key if network is not None else "")),
        version_id=reading.version_id,
        language=reading.language,
        address=reading.address,
        duration=terms.durations.usual,
        by_group=terms.durations.by_group,
        longest=terms.durations.longest,
        now=reading.now,
        sought=sought,
        instead_of=instead_of,
    )


def _may_enter(
    session: Session,
    place: Place,
    neighbour: Neighbour,
    visitor: Visitor,
    sought: Sought | None,
    theirs: Collection[Grant],
    terms: Terms,
) -> bool:
    """Whether the person has given what a guest of this network must give. Who has access to one of its group, by
    `theirs`, has.
    """
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    if network is None or any(grant.network.group_key == network.group_key for grant in theirs):
        return True
    required = set(terms.required(network.group_key))
    if network.group_key in terms.host_groups or "course_code" in required:
        if sought is None:
            return False
        required.discard("course_code")
    return all(getattr(visitor, field) for field in required)


def _open_on(session: Session, before: Acceptance, now: datetime) -> list[Grant]:
    """What the person has open on the device of an acceptance of theirs."""
    theirs = device_words.grants_of_visitor(session, before.visitor_id, now)
    return [grant for grant in theirs if grant.device_id == before.device_id]


def _sought_again(session: Session, place: Place, before: Acceptance, now: datetime) -> Sought | None:
    course = course_again(session, place, before, now)
    return Sought(course_id=course.id, is_shared=True) if course is not None else None


def _full(session: Session, visitor: Visitor, terms: Terms, now: datetime, *, leaving: Collection[str]) -> bool:
    """Whether one device more would be too many, apart from those (ids) that it takes the place of."""
    online = {grant.device_id for grant in device_words.grants_of_visitor(session, visitor.id, now)}
    return len(online.difference(leaving)) >= terms.devices


def _release(
    session: Session, place: Place, visitor: Visitor, old: Device, neighbour: Neighbour, now: datetime
) -> None:
    """End what the person's old address has."""
    for grant in device_words.grants_of_visitor(session, visitor.id, now):
        if grant.device_id == old.id and old.mac != neighbour.mac:
            end_by_guest(session, place, grant, old.mac, "replaced", now)
