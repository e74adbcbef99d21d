"""Accepting the rules: one transaction writes the acceptance, its leaf and the grant, or nothing.

The caller commits. The enforcer sees the grant through the change feed and lets the device through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gateway.access.receipts import new_receipt_code
from gateway.audit.record import record
from gateway.link.neighbours import Neighbour
from gateway.storage import accepting, generations, places, rules
from gateway.storage.engine import Session
from gateway.storage.feed import announce
from gateway.storage.places import Place
from gateway.storage.types import new_id


@dataclass(frozen=True)
class Applicant:
    """What the guest typed; empty where nothing was asked or given."""

    name: str
    organisation: str = ""
    contact: str = ""
    course_code: str = ""


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

    reason: Literal["rules_changed", "no_rules", "unknown_network", "no_policy", "form_used"]


def accept(  # noqa: PLR0911 - each return is one way to be refused
    session: Session,
    place: Place,
    neighbour: Neighbour,
    applicant: Applicant,
    *,
    version_id: str,
    language: str,
    address: str,
    duration: timedelta,
    now: datetime,
    shown_at: datetime | None = None,
) -> Accepted | Refused:
    """Record that `applicant` accepted the version shown to them, and grant their device `duration` online.

    A device that is already granted under the same version gets that grant again, so that two submissions of one
    form leave one acceptance. `version_id` and `language` are what the page showed; `address` the device's IP address.
    `shown_at`: when it was shown; a form that was used, and whose access has ended since, is no acceptance once more.
    """
    version = rules.version_in_force(session, place.owner_id)
    if version is None:
        return Refused("no_rules")
    text = next((text for text in version.texts if text.language == language), None)
    if version.id != version_id or text is None:
        return Refused("rules_changed")
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    if network is None:
        return Refused("unknown_network")
    mark = generations.mark_of(session, place.owner_id, network.group_key)
    if mark is None:
        return Refused("no_policy")

    device_id = accepting.hold_device(session, place.owner_id, neighbour.mac, now)
    standing = accepting.accepted_standing(session, device_id, network.id, now)
    if standing is not None and standing.version_id == version.id:
        return Accepted(
            standing.acceptance_id, standing.grant_id, standing.receipt_code, standing.ends_at, repeated=True
        )

    if standing is None and shown_at is not None and accepting.accepted_since(session, device_id, shown_at):
        return Refused("form_used")

    receipt_code = new_receipt_code()
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
            },
            "identified_by": "self_declared",
        },
        {
            "name": applicant.name,
            "organisation": applicant.organisation,
            "contact": applicant.contact,
            "course_code": applicant.course_code,
            "mac": neighbour.mac,
            "address": address,
            "receipt": receipt_code,
        },
        now,
    )
    visitor_id, acceptance_id, grant_id, ends_at = new_id(), new_id(), new_id(), now + duration
    if standing is not None:  # the rules have changed since: the old grant ends where the new one begins
        accepting.end_grant(session, standing.grant_id, "new acceptance", now)
    accepting.add_acceptance(
        session,
        visitor={
            "id": visitor_id,
            "owner_id": place.owner_id,
            "name": applicant.name,
            "organisation": applicant.organisation,
            "contact": applicant.contact,
            "created_at": now,
        },
        acceptance={
            "id": acceptance_id,
            "owner_id": place.owner_id,
            "site_id": place.site_id,
            "visitor_id": visitor_id,
            "device_id": device_id,
            "rules_version_id": version.id,
            "language": language,
            "text_sha256": text.text_sha256,
            "identified_by": "self_declared",
            "accepted_at": now,
            "receipt_code": receipt_code,
            "leaf_id": leaf_id,
        },
        grant={
            "id": grant_id,
            "network_id": network.id,
            "device_id": device_id,
            "acceptance_id": acceptance_id,
            "group_key": network.group_key,
            "mark": mark,
            "starts_at": now,
            "ends_at": ends_at,
        },
    )
    announce(session, "grants")
    return Accepted(acceptance_id, grant_id, receipt_code, ends_at, repeated=False)
