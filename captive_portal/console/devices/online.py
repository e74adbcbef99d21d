"""Devices online: who they belong to, until when, under which policy; and moving them to another, or ending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal

from starlette.responses import Response

from captive_portal.console import network
from captive_portal.console.devices import question
from captive_portal.console.devices.question import TABLE
from captive_portal.console.octets import amount
from captive_portal.console.visit import Visit
from gateway.access import grants as access
from gateway.access.admission import parse_mac
from gateway.installation import guest_interfaces
from gateway.lists.draft_edits import ruled_groups
from gateway.storage import console_queries, generations, traffic
from gateway.storage import online as stored
from gateway.storage.keyset import Part
from gateway.storage.models import Grant

# What a gateway does about a grant; "unenforced" where this installation does not control any network.
State = Literal["through", "waiting", "unenforced"]
COUNTED = 25_000
"""Where more are online, the page says so, and does not count them."""


def show(visit: Visit) -> Response:
    """GET /devices: a page of them, as filtered and sorted."""
    asked, problems = question.read(visit.query)
    order = TABLE.read(visit.query, asked.filters)
    part = question.found(visit, asked, order.cut)
    rows = stored.whole(visit.session, part.rows)
    octets = traffic.of_grants(visit.session, part.rows)
    everyone = stored.count(visit.session, visit.services.place.owner_id, visit.now, most=COUNTED + 1)
    found = Part(rows, part.is_first, part.is_last)
    return visit.page(
        "devices.html",
        shown=order.shown(
            found,
            lambda grant: question.place_of(grant, order.cut.by, octets),
            total=None if asked.is_narrowed or everyone > COUNTED else everyone,
        ),
        asked=asked,
        problems=problems,
        online=everyone,
        counted=COUNTED,
        states=states(visit, rows),
        octets=octets,
        amount=amount,
        is_one_device=parse_mac,
        groups={key: visit.group_names(key) for key in groups_in_force(visit)},
        networks=guest_interfaces(visit.services.settings),
        courses=stored.courses(visit.session, visit.services.place.owner_id, visit.now),
        portal=visit.services.settings.public_url,
        notice=visit.query.get("notice", ""),
        ended=visit.query.get("ended", "0"),
        unannounced=network.warning(visit),
    )


def states(visit: Visit, rows: Sequence[Grant]) -> dict[str, State]:
    """What a gateway does about each grant."""
    applied = console_queries.applied_among(visit.session, [row.id for row in rows])
    enforced = visit.services.settings.enforcement.enabled
    return {row.id: _state(row.id in applied, enforced) for row in rows}


def ask(visit: Visit) -> Response:
    """GET /devices/{grant}/end: ends nothing yet."""
    grant = console_queries.grant_in_force(visit.session, visit.services.place.owner_id, grant_id(visit), visit.now)
    return visit.failed(HTTPStatus.NOT_FOUND, reason="ended") if grant is None else visit.page("end.html", grant=grant)


def end(visit: Visit) -> Response:
    """POST /devices/{grant}/end"""
    place = visit.services.place
    if access.revoke(visit.session, place, grant_id(visit), visit.member.username, visit.now):
        return visit.go("/devices?notice=ended")
    return visit.failed(HTTPStatus.NOT_FOUND, reason="ended")


def move(visit: Visit) -> Response:
    """POST /devices/{grant}/move: under the policy of another group, at once."""
    place, group = visit.services.place, visit.form.get("group")
    done = access.move(visit.session, place, grant_id(visit), group, visit.member.username, visit.now)
    if isinstance(done, access.Moved):
        return visit.go("/devices?notice=moved")
    if done.reason == "no_grant":
        return visit.failed(HTTPStatus.NOT_FOUND, reason="ended")
    return visit.go("/devices" if done.reason == "same_group" else "/devices?notice=no-group")


def groups_in_force(visit: Visit) -> Mapping[str, object]:
    """The groups of the policy in force that a device can be put in; a course's own is for its guests."""
    published = generations.in_force(visit.session, visit.services.place.owner_id)
    document = published.document if published is not None else {}
    return {key: document["groups"][key] for key in ruled_groups(document)}


def grant_id(visit: Visit) -> str:
    """The identifier in the address; "" for what can't be one (PostgreSQL refuses to compare with NUL)."""
    text = visit.params["grant"]
    return text if len(text) <= 64 and text.isascii() and text.isalnum() else ""


def _state(is_applied: bool, enforced: bool) -> State:
    return "through" if is_applied else "waiting" if enforced else "unenforced"
