"""Withdrawing a version of the rules before it comes into force."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.rules.room import Room
from captive_portal.console.visit import Visit
from gateway.storage import rules
from gateway.storage.models import RulesVersion
from gateway.terms import coming


def ask(visit: Visit) -> Response:
    """GET /rules/versions/{version}/withdraw: withdraws nothing yet."""
    found = _named(visit, rules.waiting(visit.session, visit.services.place.owner_id))
    if found is None or found.in_force_from is None or found.in_force_from <= visit.now:
        return visit.failed(HTTPStatus.NOT_FOUND, reason="not-coming")
    return visit.page("rules_withdraw.html", version=found, room=Room(found.group_key, ""))


def withdraw(visit: Visit) -> Response:
    """POST /rules/versions/{version}/withdraw"""
    place = visit.services.place
    found = _named(visit, rules.versions(visit.session, place.owner_id))
    if found is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    if coming.withdraw(visit.session, place, found.label, visit.member.username, visit.now) != "done":
        return visit.failed(HTTPStatus.CONFLICT, reason="not-coming")
    return visit.go("/rules?notice=withdrawn")


def _named(visit: Visit, versions: Sequence[RulesVersion]) -> RulesVersion | None:
    return next((each for each in versions if each.id == visit.params["version"]), None)
