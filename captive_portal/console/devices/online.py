"""Devices online: who they belong to, until when, under which policy; and moving them to another, or ending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal

from starlette.responses import Response

from captive_portal.console import network
from captive_portal.console.devices.search import address_in, matching
from captive_portal.console.evidence.search import CHARACTERS_PROBLEM, MAX_CHARS
from captive_portal.console.first_steps import first_steps
from captive_portal.console.forms import clean_line
from captive_portal.console.visit import Visit
from gateway.access import grants as access
from gateway.link.neighbours import resolve
from gateway.lists.draft_edits import ruled_groups
from gateway.storage import console_queries, generations, grants
from gateway.storage.models import Grant

# What a gateway does about a grant; "unenforced" where this installation does not control any network.
State = Literal["through", "waiting", "unenforced"]


def home(visit: Visit) -> Response:
    """GET /: the first page of whoever is signed in."""
    return visit.go({"it": "/devices", "host": "/courses"}.get(visit.member.role, "/acceptances"))


def show(visit: Visit) -> Response:
    """GET /devices"""
    everyone = grants.open_grants(visit.session, visit.services.place.owner_id, visit.now)
    find, problem = clean_line(visit.query.get("find", ""), MAX_CHARS)
    rows = found(everyone, find) if problem is None else everyone
    return visit.page(
        "devices.html",
        grants=rows,
        find=find,
        problems={} if problem is None else {"find": CHARACTERS_PROBLEM},
        online=len(everyone),
        states=states(visit, rows),
        groups=list(groups_in_force(visit)),
        portal=visit.services.settings.public_url,
        notice=visit.query.get("notice", ""),
        unannounced=network.warning(visit),
        steps=first_steps(visit),
    )


def found(everyone: Sequence[Grant], text: str) -> Sequence[Grant]:
    """Those of the devices online that `text` means; all when it says nothing."""
    return matching(everyone, text, _macs_at(text)) if text else everyone


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


def _macs_at(text: str) -> frozenset[str]:
    """The device that has the IP address written, as the kernel knows it now."""
    address = address_in(text)
    device = resolve(address) if address is not None else None
    return frozenset() if device is None else frozenset({device.mac})


def grant_id(visit: Visit) -> str:
    """The identifier in the address; "" for what can't be one (PostgreSQL refuses to compare with NUL)."""
    text = visit.params["grant"]
    return text if len(text) <= 64 and text.isascii() and text.isalnum() else ""


def _state(is_applied: bool, enforced: bool) -> State:
    return "through" if is_applied else "waiting" if enforced else "unenforced"
