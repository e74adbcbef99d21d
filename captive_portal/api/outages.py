"""The outage switch over JSON: guest networks and how each stands, switching one, and having it as usual again."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment, line
from captive_portal.api.paging import Asked, Page, Paged, answered, no_content, part
from captive_portal.api.problems import conflict, refused, unknown
from captive_portal.console import outage as pages
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access import outages as access
from gateway.storage import outages as stored
from gateway.storage.outages import Mode

ROOT, ROOM = "/api/v1/networks", "devices"
NOTICES = {"nb": "Nettet er stengt til klokka 14.", "en": "The network is closed until 2 p.m."}
NO_NETWORK, AS_USUAL = "there is no such guest network", "the network is as usual"
Notice = Annotated[str, line(pages.MAX_NOTICE_CHARS)]


class Outage(BaseModel):
    """What a network is switched to, until when, what guests are told by language, and since when its gateway does it
    (null: not yet).
    """

    mode: Mode
    reason: Annotated[str, Field(examples=["water in the cellar"])]
    notices: Annotated[dict[str, str], Field(examples=[NOTICES])]
    began_at: datetime
    ends_at: datetime
    set_by: Annotated[str, Field(examples=["kari"])]
    applied_at: datetime | None


class GuestNetwork(BaseModel):
    """A guest network; `outage` is null where it is as usual."""

    id: str
    interface: str
    gateway: Annotated[str, Field(examples=["gateway-1"])]
    site: str
    group: str
    outage: Outage | None


class GuestNetworks(Page):
    """The guest networks, by site, gateway and interface."""

    networks: list[GuestNetwork]


class OutageAsked(Asked):
    """`closed`, at most 60 days, or `rules_only`: everybody let through without accepting, at most 72 hours. `notices`
    has what guests are told, in one of their languages at least.
    """

    mode: Mode
    reason: Annotated[str, line(pages.MAX_CHARS, required=True), Field(examples=["water in the cellar"])]
    until: Moment
    notices: Annotated[dict[str, Notice], Field(examples=[NOTICES])]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    switch_path = f"{ROOT}/{{network}}/outage"
    return (
        Call("GET", ROOT, "it", every, "read", Paged, GuestNetworks, "Guest networks, and how each stands", ROOM),
        Call("PUT", switch_path, "it", switch, "write", OutageAsked, GuestNetwork, "Switch a guest network", ROOM),
        Call(
            "DELETE", switch_path, "it", restore, "write", None, None, "Have a guest network as usual again", ROOM,
            status=HTTPStatus.NO_CONTENT,
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/networks"""
    rows = stored.networks(visit.session, visit.services.place.owner_id, visit.now)
    found = part(rows, visit, lambda row: (row.site_key, row.gateway_key, row.interface), parts=3)
    if isinstance(found, Response):
        return found
    return answered(GuestNetworks, {"networks": [_facts(row) for row in found[0]], "next": found[1]})


def switch(visit: Visit) -> Response:
    """PUT /api/v1/networks/{network}/outage"""
    network, asked = pages.named(visit), visit.asked
    if network is None:
        return unknown(visit, NO_NETWORK)
    languages = visit.services.settings.portal.languages
    if not asked.notices.keys() <= set(languages):
        return refused({"notices": f"guests choose from these languages: {', '.join(languages)}"})
    if not any(asked.notices.values()):
        return refused({"notices": pages.NOTICE})
    notices: dict[str, str] = {language: asked.notices.get(language, "") for language in languages}
    problems = pages.switched(visit, network, access.Wish(asked.mode, asked.reason, asked.until, notices))
    if problems:
        return refused(problems)
    visit.session.expire_all()
    row = pages.named(visit)
    return unknown(visit, NO_NETWORK) if row is None else answered(GuestNetwork, _facts(row))


def restore(visit: Visit) -> Response:
    """DELETE /api/v1/networks/{network}/outage"""
    network, place, by = pages.named(visit), visit.services.place, visit.member.username
    if network is None:
        return unknown(visit, NO_NETWORK)
    done = access.restore(visit.session, place, network.id, by=by, now=visit.now)
    return no_content() if done else conflict(AS_USUAL)


def _facts(row: stored.NetworkRow) -> dict[str, Any]:
    names = ("mode", "reason", "notices", "began_at", "ends_at", "set_by", "applied_at")
    return {
        "id": row.id,
        "interface": row.interface,
        "gateway": row.gateway_key,
        "site": row.site_key,
        "group": row.group_key,
        "outage": None if row.outage is None else {name: getattr(row.outage, name) for name in names},
    }
