"""A host's yes: a guest accepts the rules and asks a host, who answers by a link; the yes makes the acceptance.

The caller commits. An acceptance by way of a host stands in the log from the moment the host has said yes; when the
guest pressed the button stands in the `host_answered` leaf beside it, as does which host it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from gateway.access.accept import Accepted, Applicant, Refused, accept
from gateway.access.extension import Durations
from gateway.audit.record import record
from gateway.clock import format_utc
from gateway.link.neighbours import Neighbour
from gateway.storage import host_requests, places, rules
from gateway.storage.course_models import HostRequest
from gateway.storage.engine import Session
from gateway.storage.places import Place

HOUR = timedelta(hours=1)
OF_A_DEVICE, TO_A_HOST, IN_ALL = 5, 20, 200  # requests an hour: mail that guests cause must not become a nuisance


@dataclass(frozen=True, slots=True)
class Host:
    """Whom the guest asks: the address, and the name where the municipality has given one."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request stands; `repeated`: it stood already."""

    request_id: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Why nobody was asked."""

    reason: Literal["rules_changed", "no_rules", "unknown_network", "too_many"]


@dataclass(frozen=True, slots=True)
class Answered:
    """The host's answer stands, and with a yes the guest's acceptance."""

    answer: Literal["approved", "denied"]
    grant_id: str


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """Why the answer changed nothing: no such request, answered before, too late, or the guest has to ask again."""

    reason: Literal["unknown", "answered", "expired", "ask_again"]


def ask(
    session: Session,
    place: Place,
    neighbour: Neighbour,
    applicant: Applicant,
    host: Host,
    *,
    version_id: str,
    language: str,
    address: str,
    wait: timedelta,
    now: datetime,
) -> Asked | NotAsked:
    """Put the request down; `jobs` mails it. A device has one at a time: another host's link ends with a new one."""
    network = places.network_on(session, place.gateway_id, neighbour.interface)
    group_key = network.group_key if network is not None else ""
    version = rules.version_in_force(session, place.owner_id, group_key, now=now)
    if version is None:
        return NotAsked("no_rules")
    if version.id != version_id or language not in {text.language for text in version.texts}:
        return NotAsked("rules_changed")
    if network is None:
        return NotAsked("unknown_network")
    before = host_requests.newest_of(session, place.owner_id, neighbour.mac, now - HOUR)
    open_before = before is not None and before.answer == "" and before.expires_at > now
    if before is not None and open_before and before.host_email == host.email and before.rules_version_id == version_id:
        return Asked(before.id, repeated=True)
    owner, since = place.owner_id, now - HOUR
    if (
        host_requests.asked_since(session, owner, since, mac=neighbour.mac) >= OF_A_DEVICE
        or host_requests.asked_since(session, owner, since, host_email=host.email) >= TO_A_HOST
        or host_requests.asked_since(session, owner, since) >= IN_ALL
    ):
        return NotAsked("too_many")
    if before is not None and open_before:
        before.expires_at = now
        _forget_details(before)
    made = HostRequest(
        owner_id=place.owner_id,
        gateway_id=place.gateway_id,
        interface=neighbour.interface,
        mac=neighbour.mac,
        address=address,
        name=applicant.name,
        organisation=applicant.organisation,
        contact=applicant.contact,
        rules_version_id=version_id,
        language=language,
        host_email=host.email,
        host_name=host.name,
        asked_at=now,
        expires_at=now + wait,
        mailed_at=None,
        mail_tries=0,
        mail_error="",
        answer="",
        answered_at=None,
    )
    session.add(made)
    session.flush()
    return Asked(made.id, repeated=False)


def waiting(session: Session, place: Place, request_id: str, now: datetime) -> HostRequest | NotAnswered:
    """The request as it waits for its answer, or why it does not."""
    found = host_requests.request(session, place.owner_id, request_id)
    return _open(found, now)


def answer(
    session: Session,
    place: Place,
    request_id: str,
    said: Literal["approved", "denied"],
    *,
    durations: Durations,
    now: datetime,
) -> Answered | NotAnswered:
    """Write the host's answer down, once. A yes makes the acceptance and the grant, as if on the guest's device."""
    found = _open(host_requests.lock_request(session, place.owner_id, request_id), now)
    if isinstance(found, NotAnswered):
        return found
    grant_id = ""
    if said == "approved":
        done = _accept(session, place, found, durations, now)
        if isinstance(done, Refused):  # the rules have changed since, or the network is gone
            found.expires_at = now
            _forget_details(found)
            return NotAnswered("ask_again")
        grant_id = done.grant_id
    found.answer, found.answered_at = said, now
    record(
        session,
        place,
        "host_answered",
        {"answer": said, "asked": format_utc(found.asked_at), "grant": grant_id},
        {"by": found.host_email, "mac": found.mac},
        now,
    )
    _forget_details(found)
    session.flush()
    return Answered(said, grant_id)


def _accept(
    session: Session, place: Place, asked: HostRequest, durations: Durations, now: datetime
) -> Accepted | Refused:
    there = replace(place, **places.of_gateway(session, asked.gateway_id))
    return accept(
        session,
        there,
        Neighbour(asked.interface, asked.mac),
        Applicant(asked.name, asked.organisation, asked.contact),
        version_id=asked.rules_version_id,
        language=asked.language,
        address=asked.address,
        duration=durations.usual,
        by_group=durations.by_group,
        now=now,
        identified_by="host_approved",
    )


def _open(found: HostRequest | None, now: datetime) -> HostRequest | NotAnswered:
    if found is None:
        return NotAnswered("unknown")
    if found.answer:
        return NotAnswered("answered")
    return found if found.expires_at > now else NotAnswered("expired")


def _forget_details(request: HostRequest) -> None:
    """What the guest wrote is with the acceptance now, or nowhere."""
    request.name = request.organisation = request.contact = request.address = ""
