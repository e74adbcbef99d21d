"""Devices over JSON: letting one in that has no browser; the help desk; and what the network may announce."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment, line
from captive_portal.api.grants import ROOM, ROOT
from captive_portal.api.paging import Asked, answered
from captive_portal.api.problems import conflict, refused
from captive_portal.console import network
from captive_portal.console.devices import admitting, desk
from captive_portal.console.evidence.search import DEVICE_PROBLEM
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access.admission import Device, NotAdmitted, parse_mac
from gateway.announcement import announcement
from gateway.certificates import ends_at

Line = Annotated[str, line(admitting.MAX_CHARS)]


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
    return (
        Call("GET", "/api/v1/devices", "it", find, "read", DeskAsked, Found, "Find any device (help desk)", ROOM),
        Call(
            "POST", "/api/v1/devices", "it", admit, "write", DeviceAdmitted, Admitted,
            "Let in a device without a browser", ROOM, status=HTTPStatus.CREATED,
        ),
        Call("GET", "/api/v1/network", "it", show_network, "none", None, Network, "What may be announced", ROOM),
    )  # fmt: skip


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
    return answered(Admitted, facts, status=HTTPStatus.CREATED, Location=f"{ROOT}/{done.grant_id}")


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
