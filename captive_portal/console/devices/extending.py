"""Letting a device be online for longer than its grant says: asked with how long it may be, then done."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.devices.online import grant_id
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.access import lengthening
from gateway.access.course_plan import local_moment, local_text
from gateway.storage import console_queries
from gateway.storage.models import Grant

UNREADABLE = N_("Give the day and time when the access ends")
NOT_LONGER = N_("The access lasts until then already. Choose a later time, or end it.")
TOO_LONG = N_("That is later than it may last. Choose an earlier time.")
STEP = timedelta(hours=2)


def ask(visit: Visit) -> Response:
    """GET /devices/{grant}/extend: extends nothing yet."""
    grant = _grant(visit)
    if grant is None:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="ended")
    latest = lengthening.latest_of(visit.session, visit.services.place, grant, _longest(visit), visit.now)
    return _page(visit, grant, local_text(min(grant.ends_at + STEP, latest)), {})


def extend(visit: Visit) -> Response:
    """POST /devices/{grant}/extend"""
    grant = _grant(visit)
    if grant is None:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="ended")
    typed = visit.form.get("until").strip()
    until = local_moment(typed) if len(typed) == len("2026-11-22T12:00") else None
    if until is None:
        return _page(visit, grant, "", {"until": UNREADABLE})
    done = lengthened(visit, grant, until)
    if not isinstance(done, lengthening.NotLengthened):
        return visit.go("/devices?notice=extended")
    if done.reason == "no_grant":
        return visit.failed(HTTPStatus.NOT_FOUND, reason="ended")
    said = TOO_LONG if done.reason == "too_long" else NOT_LONGER
    return _page(visit, grant, local_text(until), {"until": said})


def lengthened(visit: Visit, grant: Grant, until: datetime) -> datetime | lengthening.NotLengthened:
    """Let the device be online until then."""
    place, by = visit.services.place, visit.member.username
    return lengthening.lengthen(visit.session, place, grant.id, until, by=by, longest=_longest(visit), now=visit.now)


def _grant(visit: Visit) -> Grant | None:
    return console_queries.grant_in_force(visit.session, visit.services.place.owner_id, grant_id(visit), visit.now)


def _longest(visit: Visit) -> timedelta:
    return timedelta(hours=visit.services.settings.sessions.longest_hours)


def _page(visit: Visit, grant: Grant, typed: str, problems: dict[str, str]) -> Response:
    latest = lengthening.latest_of(visit.session, visit.services.place, grant, _longest(visit), visit.now)
    return visit.page(
        "extend.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        grant=grant,
        typed=typed,
        problems=problems,
        latest=latest,
        possible=latest > grant.ends_at,
    )
