"""Blocked devices over JSON: those that are kept out, keeping one out, and letting it in again."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment, line
from captive_portal.api.paging import Asked, Page, Paged, answered, no_content, part
from captive_portal.api.problems import refused, unknown
from captive_portal.console.devices import admitting, blocking
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access import blocking as access
from gateway.access.admission import parse_mac
from gateway.storage import blocks as stored
from gateway.storage.control_models import DeviceBlock

ROOT, ROOM = "/api/v1/blocks", "devices"
Why = Annotated[str, line(blocking.MAX_CHARS, required=True), Field(examples=["sends spam"])]
Told = Annotated[str, line(blocking.MAX_CHARS), Field(examples=["Ring IKT"])]


class Block(BaseModel):
    """A device that is kept out until `ends_at`; `told` is what its guest reads, `private` that it has made its address
    up and may make up another.
    """

    mac: str
    reason: Annotated[str, Field(examples=["sends spam"])]
    told: Annotated[str, Field(examples=["Ring IKT"])]
    blocked_at: datetime
    ends_at: datetime
    blocked_by: Annotated[str, Field(examples=["kari"])]
    private: bool


class Blocks(Page):
    """Devices that are kept out, those blocked last first."""

    blocks: list[Block]


class BlockAsked(Asked):
    """Which device, why, what its guest is told, and until when; without an end for as long as acceptances are kept."""

    mac: Annotated[str, Field(max_length=40)]
    reason: Why
    told: Told = ""
    until: Moment | None = None


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    return (
        Call("GET", ROOT, "it", every, "read", Paged, Blocks, "Devices that are blocked", ROOM),
        Call(
            "POST", ROOT, "it", add, "write", BlockAsked, Block, "Block a device, or change its block", ROOM,
            status=HTTPStatus.CREATED,
        ),
        Call(
            "DELETE", f"{ROOT}/{{mac}}", "it", lift, "write", None, None, "Let a blocked device in again", ROOM,
            status=HTTPStatus.NO_CONTENT,
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/blocks"""
    rows = stored.in_force(visit.session, visit.services.place.owner_id, visit.now)
    found = part(rows, visit, lambda row: (row.blocked_at.isoformat(), row.device_id), parts=2, newest_first=True)
    if isinstance(found, Response):
        return found
    return answered(Blocks, {"blocks": [_facts(row) for row in found[0]], "next": found[1]})


def add(visit: Visit) -> Response:
    """POST /api/v1/blocks"""
    asked, mac = visit.asked, parse_mac(visit.asked.mac)
    if mac is None:
        return refused({"mac": admitting.MAC})
    done = blocking.blocked(visit, access.Wish(mac, asked.reason, asked.told, asked.until))
    if isinstance(done, access.NotBlocked):
        return refused({"until": blocking.REFUSED[done.reason]})
    rows = stored.in_force(visit.session, visit.services.place.owner_id, visit.now)
    facts = next(_facts(row) for row in rows if row.device.mac == mac)
    return answered(Block, facts, status=HTTPStatus.CREATED, Location=f"{ROOT}/{mac}")


def lift(visit: Visit) -> Response:
    """DELETE /api/v1/blocks/{mac}"""
    mac, place = parse_mac(visit.params["mac"][: blocking.MAX_CHARS]), visit.services.place
    if mac is None or not access.unblock(visit.session, place, mac, visit.member.username, visit.now):
        return unknown(visit, "this device is not blocked")
    return no_content()


def _facts(row: DeviceBlock) -> dict[str, Any]:
    names = ("reason", "told", "blocked_at", "ends_at", "blocked_by")
    mac = row.device.mac
    return {name: getattr(row, name) for name in names} | {"mac": mac, "private": blocking.is_private(mac)}
