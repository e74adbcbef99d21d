"""Devices over JSON: who is online, letting one in, ending, moving and extending; the help desk; and the network."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment, line
from captive_portal.api.paging import Asked, Page, Paged, address, answered, no_content, no_cursor, read_cursor
from captive_portal.api.problems import conflict, refused, unknown
from captive_portal.console import network
from captive_portal.console.devices import admitting, desk, extending, online, question
from captive_portal.console.evidence.search import DEVICE_PROBLEM
from captive_portal.console.gate import Call
from captive_portal.console.visit import Visit
from gateway.access import grants as access
from gateway.access.admission import Device, NotAdmitted, parse_mac
from gateway.access.lengthening import NotLengthened
from gateway.announcement import announcement
from gateway.certificates import ends_at
from gateway.storage import console_queries, traffic
from gateway.storage import online as stored
from gateway.storage.keyset import Cut
from gateway.storage.models import Grant

GRANTS, ROOM = "/api/v1/grants", "devices"
GRANT_ID = re.compile(r"[0-9A-Za-z]{1,64}")
Line = Annotated[str, line(admitting.MAX_CHARS)]


class Access(BaseModel):
    """A device with access: who has it, in which group, until when. `state`: through, waiting (for the gateway), or
    unenforced where no network is controlled; `admitted`: by IT, without the rules having been accepted. `sent` and
    `received` are octets to and from the internet, null where nothing was counted.
    """

    id: str
    mac: str
    holder: str
    organisation: str
    interface: str
    course: str | None
    group: str
    starts_at: datetime
    ends_at: datetime
    state: str
    admitted: bool
    sent: Annotated[int | None, Field(examples=[181_000])]
    received: Annotated[int | None, Field(examples=[24_100_000])]


class Accesses(Page):
    """Devices with access now, the newest first; `online` in all."""

    grants: list[Access]
    online: int


class FindAsked(Paged):
    """All of them, or those that a word means: a name, a course, an address (MAC) or an IP address."""

    find: Annotated[str, line(100), Field(examples=["5e:10:00:01"])] = ""


class GrantChanged(Asked):
    """Another group, a later end, or both."""

    group: Annotated[str | None, Field(max_length=40)] = None
    until: Moment | None = None


class DeviceAdmitted(Asked):
    """A device without a browser: its address, the unit that answers for it, what for, and until when; the network can
    be left out where there is one, and the group is the network's own by default.
    """

    mac: Annotated[str, Field(max_length=40)]
    unit: Annotated[str, line(admitting.MAX_CHARS, required=True)]
    reason: Annotated[str, line(admitting.MAX_CHARS, required=True)]
    until: Moment
    group: Line = ""
    interface: Line = ""


class Admitted(BaseModel):
    """The device has access."""

    id: str
    mac: str
    group: str
    ends_at: datetime


class DeskAsked(Asked):
    """The last digits of the device's address, at least four; without any, those heard in the last ten minutes."""

    device: Annotated[str, Field(max_length=100, examples=["0001"])] = ""


class Seen(BaseModel):
    """A device that was found. `stage` is how far it has come, `aloud` what to say to whoever calls, by language."""

    mac: str
    interface: str
    stage: str
    addresses: list[str]
    heard_s: int | None
    ends_at: datetime | None
    ended_at: datetime | None
    aloud: dict[str, str]


class Found(BaseModel):
    """Devices, at most as many as the help desk shows; `readable`: whether the kernel could be asked who is there."""

    devices: list[Seen]
    readable: bool


class Network(BaseModel):
    """What DHCP and routers may announce (RFC 8910), or why not (`withheld`); when the portal's certificate ends."""

    uri: Annotated[str, Field(examples=["https://gjest.example/captive-portal/api"])]
    announced: bool
    withheld: str
    certificate_ends_at: datetime | None
    enforced: bool


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    one = f"{GRANTS}/{{grant}}"
    return (
        Call("GET", GRANTS, "it", every, "read", FindAsked, Accesses, "Devices with access", ROOM),
        Call("GET", one, "it", show, "read", None, Access, "One device's access", ROOM),
        Call("PATCH", one, "it", alter, "write", GrantChanged, Access, "Move a device, or extend its access", ROOM),
        Call(
            "DELETE", one, "it", end, "write", None, None, "End a device's access", ROOM,
            status=HTTPStatus.NO_CONTENT,
        ),
        Call("GET", "/api/v1/devices", "it", find, "read", DeskAsked, Found, "Find any device (help desk)", ROOM),
        Call(
            "POST", "/api/v1/devices", "it", admit, "write", DeviceAdmitted, Admitted,
            "Let in a device without a browser", ROOM, status=HTTPStatus.CREATED,
        ),
        Call("GET", "/api/v1/network", "it", show_network, "none", None, Network, "What may be announced", ROOM),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/grants"""
    after, asked = read_cursor(visit, 2), visit.asked
    if isinstance(after, Response):
        return after
    started = _moment(after[0]) if after is not None else None
    if after is not None and (started is None or not GRANT_ID.fullmatch(after[1])):
        return no_cursor()
    place = (started, after[1]) if after is not None else None
    cut = Cut("since", descending=True, limit=asked.limit, place=place, rewinds=False)
    part = question.found(visit, question.Question(asked.find), cut)
    grants = stored.whole(visit.session, part.rows)
    states = online.states(visit, grants)
    counted = traffic.of_grants(visit.session, [grant.id for grant in grants])
    facts = [_facts(grant, states[grant.id], counted.get(grant.id)) for grant in grants]
    everyone = stored.count(visit.session, visit.services.place.owner_id, visit.now)
    following = None if part.is_last else address(visit, (grants[-1].starts_at.isoformat(), grants[-1].id))
    return answered(Accesses, {"grants": facts, "online": everyone, "next": following})


def show(visit: Visit) -> Response:
    """GET /api/v1/grants/{grant}"""
    grant = _grant(visit)
    if grant is None:
        return _gone(visit)
    counted = traffic.of_grants(visit.session, [grant.id]).get(grant.id)
    return answered(Access, _facts(grant, online.states(visit, [grant])[grant.id], counted))


def alter(visit: Visit) -> Response:
    """PATCH /api/v1/grants/{grant}: all that is asked, or nothing."""
    grant, asked = _grant(visit), visit.asked
    if grant is None:
        return _gone(visit)
    if asked.group is not None:
        moved = access.move(
            visit.session, visit.services.place, grant.id, asked.group, visit.member.username, visit.now
        )
        if isinstance(moved, access.NotMoved) and moved.reason != "same_group":
            return _gone(visit) if moved.reason == "no_grant" else refused({"group": "there is no such group"})
    if asked.until is not None:
        done = extending.lengthened(visit, grant, asked.until)
        if isinstance(done, NotLengthened):
            said = {"not_longer": extending.NOT_LONGER, "too_long": extending.TOO_LONG}.get(done.reason)
            return _gone(visit) if said is None else refused({"until": said})
    return show(visit)


def end(visit: Visit) -> Response:
    """DELETE /api/v1/grants/{grant}"""
    place = visit.services.place
    done = access.revoke(visit.session, place, online.grant_id(visit), visit.member.username, visit.now)
    return no_content() if done else _gone(visit)


def find(visit: Visit) -> Response:
    """GET /api/v1/devices"""
    text = visit.asked.device.strip()
    digits = desk.hex_digits(text) if text else ""
    if digits is None:
        return refused({"device": DEVICE_PROBLEM})
    entries = desk.heard_now(visit)
    rows = [
        {
            "mac": caller.mac,
            "interface": caller.interface,
            "stage": caller.stage,
            "addresses": [str(address) for address in caller.addresses],
            "heard_s": None if caller.ago is None else int(caller.ago.total_seconds()),
            "ends_at": caller.ends_at,
            "ended_at": caller.ended_at,
            "aloud": dict(desk.sentences(visit, caller)),
        }
        for caller in desk.sought(visit, entries, digits)
    ]
    return answered(Found, {"devices": rows, "readable": entries is not None})


def admit(visit: Visit) -> Response:
    """POST /api/v1/devices"""
    asked, mac = visit.asked, parse_mac(visit.asked.mac)
    if mac is None:
        return refused({"mac": admitting.MAC})
    device = Device(mac, asked.unit, asked.reason)
    done = admitting.admitted(visit, device, asked.interface, asked.group, asked.until)
    if isinstance(done, NotAdmitted):
        field, said = admitting.REFUSED[done.reason]
        return conflict(said) if done.reason == "admitted" else refused({field: said})
    facts = {"id": done.grant_id, "mac": mac, "group": done.group, "ends_at": done.ends_at}
    return answered(Admitted, facts, status=HTTPStatus.CREATED, Location=f"{GRANTS}/{done.grant_id}")


def show_network(visit: Visit) -> Response:
    """GET /api/v1/network"""
    settings = visit.services.settings
    found = announcement(settings, visit.now)
    return answered(
        Network,
        {
            "uri": found.uri,
            "announced": found.withheld is None,
            "withheld": network.why(found),
            "certificate_ends_at": ends_at(settings.portal.tls_certificate),
            "enforced": settings.enforcement.enabled,
        },
    )


def _grant(visit: Visit) -> Grant | None:
    owner_id = visit.services.place.owner_id
    return console_queries.grant_in_force(visit.session, owner_id, online.grant_id(visit), visit.now)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _gone(visit: Visit) -> Response:
    return unknown(visit, "there is no such access, or it has ended")


def _facts(grant: Grant, state: str, counted: traffic.Octets | None) -> dict[str, Any]:
    return {
        "id": grant.id,
        "mac": grant.device.mac,
        "holder": grant.holder,
        "organisation": grant.acceptance.visitor.organisation if grant.acceptance is not None else "",
        "interface": grant.network.interface,
        "course": grant.course.id if grant.course is not None else None,
        "group": grant.group_key,
        "starts_at": grant.starts_at,
        "ends_at": grant.ends_at,
        "state": state,
        "admitted": grant.acceptance is None,
        "sent": counted.sent if counted is not None else None,
        "received": counted.received if counted is not None else None,
    }
