"""Accepting the rules: one transaction writes the acceptance, its leaf and the grant, or nothing.

The caller commits. The enforcer sees the grant through the change feed and lets the device through.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from gateway.access.course_openings import guests_group
from gateway.access.courses import NoSeat, Sought, seat
from gateway.access.extension import Durations
from gateway.access.going_along import along, hand_over, shared_rules, standings
from gateway.access.receipts import new_receipt_code
from gateway.audit.record import record
from gateway.link.neighbours import Neighbour
from gateway.storage import accepting, blocks, exemption_requests, generations, grants, outages, places, rules
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.models import Visitor
from gateway.storage.places import Place
from gateway.storage.types import new_id


@dataclass(frozen=True)
class Applicant:
    """What the guest typed; empty where nothing was asked or given."""

    name: str
    organisation: str = ""
    contact: str = ""
    course_code: str = ""
    """As typed: which course it is of, `sought` says."""


IdentifiedBy = Literal["self_declared", "course_code", "host_approved", "known_device", "device_words", "receipt_code"]


@dataclass(frozen=True)
class Known:
    """Whom the product knows from an earlier acceptance, and by what they were recognised.

    Of what they wrote then, the fields `asked` for here go into the new acceptance. `group_key` is that of the access
    they share, None for the network's own; `leaving` their grant of another device that is to end with this one.
    """

    visitor: Visitor
    identified_by: Literal["known_device", "device_words", "receipt_code"]
    group_key: str | None = None
    asked: frozenset[str] = frozenset({"name", "organisation", "contact"})
    leaving: str | None = None


@dataclass(frozen=True)
class Accepted:
    """The acceptance stands. `repeated`: it stood already, and nothing new was written."""

    acceptance_id: str
    grant_id: str
    receipt_code: str
    ends_at: datetime
    repeated: bool


@dataclass(frozen=True)
class Refused:
    """Why nothing was accepted."""

    reason: (
        Literal["rules_changed", "no_rules", "unknown_network", "no_policy", "form_used", "blocked", "closed"] | NoSeat
    )


def accept(  # noqa: PLR0911, PLR0912 - each return is one outcome
    session: Session,
    place: Place,
    neighbour: Neighbour,
    applicant: Applicant | Known,
    *,
    version_id: str,
    language: str,
    address: str,
    duration: timedelta,
    by_group: Mapping[str, timedelta] = MappingProxyType({}),
    longest: timedelta = timedelta(0),
    now: datetime,
    sought: Sought | None = None,
    identified_by: Literal["self_declared", "host_approved"] = "self_declared",
    shown_at: datetime | None = None,
    instead_of: Collection[str] = (),
) -> Accepted | Refused:
    """Record that `applicant` accepted the version shown to them, and grant their device `duration` online, or what
    `by_group` has for its policy group (for the group of a session, what the group has that it is a copy of).

    The rules are those of the group that the device's network belongs to, where it has its own, else everybody's.
    With `sought` they get the course's group until its end, but at most `longest` where that is more than the group's
    time, and count as one of its devices; whoever knew its code is identified by that, else as `identified_by` says.

    A device that is already granted under the same version gets that grant again, so that two submissions of one
    form leave one acceptance. `version_id` and `language` are what the page showed; `address` the device's IP address.
    `shown_at`: when it was shown; a form that was used, and whose access has ended since, is no acceptance once more.
    `instead_of`: devices (ids) whose seats in the course become free with this.

    A known person whose access goes over into this one, or is shared by it, keeps an exemption of their own where the
    rules are the same (`gateway.access.going_along`). What they have asked for goes along from access that ends with
    this, on the same device or as `leaving` says; a device that goes on beside this one keeps it.
    """
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    group_key = network.group_key if network is not None else ""
    version = rules.version_in_force(session, place.owner_id, group_key, now=now)
    if version is None:
        return Refused("no_rules")
    text = next((text for text in version.texts if text.language == language), None)
    if version.id != version_id or text is None:
        return Refused("rules_changed")
    if network is None:
        return Refused("unknown_network")
    outage = outages.on(session, place.gateway_id, neighbour.interface, now)
    if outage is not None and outage.mode == "closed":
        return Refused("closed")
    course = None
    if sought is not None:  # before the device: a course that refuses leaves nothing of it
        known = grants.find_device(session, place.owner_id, neighbour.mac)
        course = seat(session, place, sought, {*instead_of, *([known.id] if known is not None else [])}, now)
    if isinstance(course, str):
        return Refused(course)
    shared, leaving = (applicant.group_key, applicant.leaving) if isinstance(applicant, Known) else (None, None)
    group_key = (
        guests_group(session, place.owner_id, course)
        if course is not None
        else shared_rules(session, place.owner_id, shared) or network.group_key
    )
    mark = generations.mark_of(session, place.owner_id, group_key)
    if mark is None and course is None and shared is not None:  # the group has been removed meanwhile
        group_key = network.group_key
        mark = generations.mark_of(session, place.owner_id, group_key)
    if mark is None:
        return Refused("no_policy")

    device_id = accepting.hold_device(session, place.owner_id, neighbour.mac, now)
    if blocks.stands(session, device_id, now):  # INVARIANT: asked while the device is held, as blocking holds it
        return Refused("blocked")
    standing, left = standings(session, device_id, network.id, leaving, now)
    is_there = standing is not None and (course is None or standing.course_id == course.id)
    if standing is not None and standing.version_id == version.id and is_there:
        return Accepted(
            standing.acceptance_id, standing.grant_id, standing.receipt_code, standing.ends_at, repeated=True
        )

    if standing is None and shown_at is not None and accepting.accepted_since(session, device_id, shown_at):
        return Refused("form_used")

    visitor_id = applicant.visitor.id if isinstance(applicant, Known) else new_id()
    before = standing if standing is not None and standing.visitor_id == visitor_id else left
    begins = along(session, place.owner_id, group_key, mark, before, shared, course.id if course else None, now)
    identified = _identified(applicant, course, sought, identified_by)
    receipt_code = new_receipt_code()
    said = _said(applicant)
    leaf_id = record(
        session,
        place,
        "acceptance",
        {
            "rules": {
                "version": version.label,
                "language": language,
                "text_sha256": text.text_sha256,
                "html_sha256": text.html_sha256,
                **({"group": version.group_key} if version.group_key else {}),
            },
            "identified_by": identified,
        },
        {
            "name": said.name,
            "organisation": said.organisation,
            "contact": said.contact,
            "course_code": course.code if course is not None else said.course_code,
            "mac": neighbour.mac,
            "address": address,
            "receipt": receipt_code,
        },
        now,
    )
    acceptance_id, grant_id = new_id(), new_id()
    durations = Durations(duration, by_group, longest)
    if course is not None:
        ends_at = min(course.ends_at, now + durations.at_course(course.group_key))
    else:
        ends_at = now + durations.of(exemption_requests.origin(session, place.owner_id, begins.group_key))
    new_visitor = None
    if not isinstance(applicant, Known):
        new_visitor = {
            "id": visitor_id,
            "owner_id": place.owner_id,
            "name": said.name,
            "organisation": said.organisation,
            "contact": said.contact,
            "created_at": now,
        }
    accepting.add_acceptance(
        session,
        visitor=new_visitor,
        acceptance={
            "id": acceptance_id,
            "owner_id": place.owner_id,
            "site_id": place.site_id,
            "visitor_id": visitor_id,
            "device_id": device_id,
            "rules_version_id": version.id,
            "language": language,
            "text_sha256": text.text_sha256,
            "identified_by": identified,
            "accepted_at": now,
            "receipt_code": receipt_code,
            "leaf_id": leaf_id,
        },
        grant={
            "id": grant_id,
            "network_id": network.id,
            "device_id": device_id,
            "acceptance_id": acceptance_id,
            "course_id": begins.course_id,
            "group_key": begins.group_key,
            "mark": begins.mark,
            "starts_at": now,
            "ends_at": ends_at,
        },
    )
    hand_over(session, place, begins, grant_id, neighbour.mac, now)
    if standing is not None:  # of older rules, or of no course: the old grant ends where the new one begins
        # after the requests, as who decides one holds it first
        accepting.end_grant(session, standing.grant_id, "new acceptance", now)
    announce(session, "grants")
    return Accepted(acceptance_id, grant_id, receipt_code, ends_at, repeated=False)


def _identified(
    applicant: Applicant | Known, course: Course | None, sought: Sought | None, otherwise: IdentifiedBy
) -> IdentifiedBy:
    """By what the person is identified: as they were recognised, else by the code that they knew."""
    if isinstance(applicant, Known):
        return applicant.identified_by
    return "course_code" if course is not None and sought is not None and sought.code else otherwise


def _said(applicant: Applicant | Known) -> Applicant:
    """What the person wrote, now or then. A course code was for the course of that day."""
    if isinstance(applicant, Applicant):
        return applicant
    visitor = applicant.visitor
    return Applicant(
        visitor.name if "name" in applicant.asked else "",
        visitor.organisation if "organisation" in applicant.asked else "",
        visitor.contact if "contact" in applicant.asked else "",
    )
