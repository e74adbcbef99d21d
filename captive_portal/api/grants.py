"""Devices online over JSON: found, one of them moved, extended or ended, and the access of all that are meant ended."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment, line
from captive_portal.api.paging import (
    Asked,
    Page,
    Paged,
    answered,
    following,
    moment_place,
    no_content,
    read_cursor,
)
from captive_portal.api.problems import refused, unknown
from captive_portal.console.devices import ending, extending, online, question
from captive_portal.console.evidence.search import MAX_CHARS
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.access import grants as access
from gateway.access.lengthening import NotLengthened
from gateway.storage import console_queries, online_page, traffic
from gateway.storage import online as stored
from gateway.storage.keyset import Cut, Part
from gateway.storage.models import Grant

ROOT, ROOM = "/api/v1/grants", "devices"
ALL = "say which devices: the access of all of them is not ended at once"
Word = Annotated[str, line(100), Field(examples=["5e:10:00:01"])]
Name = Annotated[str, line(64)]
Kind = Literal["", "accepted", "admitted"]
State = Literal["", "through", "waiting"]


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


class Meant(Asked):
    """Those that a word means: a name, a course, an address (MAC) or an IP address; in a group, on a network (an
    interface), of a course (its id), accepted or admitted, let through or waiting.
    """

    find: Word = ""
    group: Name = ""
    network: Name = ""
    course: Annotated[Name, Field(examples=["019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3"])] = ""
    kind: Kind = ""
    state: State = ""


class FindAsked(Paged, Meant):
    """All of them, or those that are meant."""


class GrantChanged(Asked):
    """Another group, a later end, or both."""

    group: Annotated[str | None, Field(max_length=40)] = None
    until: Moment | None = None


class EndAsked(Meant):
    """Which devices, by the words that they are found by, at least one; and why, which the log keeps."""

    reason: Annotated[str, line(MAX_CHARS)] = ""


class Ended(BaseModel):
    """How many accesses were ended: the oldest first, at most 500 at a time; and how many are left of those meant."""

    ended: int
    left: Annotated[int, Field(examples=[0])]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    one = f"{ROOT}/{{grant}}"
    return (
        Call("GET", ROOT, "it", every, "read", FindAsked, Accesses, "Devices with access", ROOM),
        Call("GET", one, "it", show, "read", None, Access, "One device's access", ROOM),
        Call("PATCH", one, "it", alter, "write", GrantChanged, Access, "Move a device, or extend its access", ROOM),
        Call(
            "DELETE", one, "it", end, "write", None, None, "End a device's access", ROOM,
            status=HTTPStatus.NO_CONTENT,
        ),
        Call(
            "POST", f"{ROOT}/end", "it", end_all, "write", EndAsked, Ended, "End the access of all that are meant", ROOM
        ),
    )  # fmt: skip


def every(visit: Visit) -> Response:
    """GET /api/v1/grants"""
    session, owner_id = visit.session, visit.services.place.owner_id
    asked = question.Question(**visit.asked.model_dump(exclude={"limit", "cursor"}))
    place = moment_place(read_cursor(visit, 2))
    if isinstance(place, Response):
        return place
    cut = Cut("since", descending=True, limit=visit.asked.limit, place=place, rewinds=False)
    page = question.found(visit, asked, cut)
    ids = page.rows
    grants, count = stored.whole(session, ids), stored.count(session, owner_id, visit.now)
    more = following(visit, Part(grants, page.is_first, page.is_last), lambda grant: (grant.starts_at, grant.id))
    states = online.states(visit, grants)
    counted = traffic.of_grants(session, ids)
    facts = [_facts(grant, states[grant.id], counted.get(grant.id)) for grant in grants]
    return answered(Accesses, {"grants": facts, "online": count, "next": more})


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


def end_all(visit: Visit) -> Response:
    """POST /api/v1/grants/end"""
    asked = question.Question(**visit.asked.model_dump(exclude={"reason"}))
    if not asked.is_narrowed:
        return refused({"find": ALL})
    ended = ending.ended(visit, asked, visit.asked.reason)
    visit.session.flush()
    left = online_page.count(visit.session, visit.services.place.owner_id, asked.query, visit.now)
    return answered(Ended, {"ended": ended, "left": left})


def _grant(visit: Visit) -> Grant | None:
    owner_id = visit.services.place.owner_id
    return console_queries.grant_in_force(visit.session, owner_id, online.grant_id(visit), visit.now)


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
