"""Which categories hosts may open for their courses: ticked in the draft, and published with it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from captive_portal.console.look import N_
from captive_portal.console.policy.room import MEANWHILE, change, digest, open_room, shared
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from policies.categories import CATEGORIES
from policies.host_opening import MAX_HOURS
from policies.model import NEVER_BY_HOSTS

NEVER = N_("Adult sites, malware and phishing are never opened by hosts.")


def show(visit: Visit) -> Response:
    """GET /policy/hosts"""
    return _page(visit)


def keep(visit: Visit) -> Response:
    """POST /policy/hosts: exactly the categories that are ticked, if the draft still is what the form was made of."""
    wanted = set(visit.form.all("category"))
    if wanted & NEVER_BY_HOSTS:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems={"": NEVER})
    met: list[bool] = []

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        if visit.form.get("seen") != digest(document.get("host_categories", [])):
            met.append(True)
            return document
        return draft_edits.with_host_categories(document, [key for key in CATEGORIES if key in wanted])

    problem = change(visit, edit)
    if met:
        return _page(visit, HTTPStatus.CONFLICT, problems={"": MEANWHILE})
    if problem:
        return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, problems={"": problem})
    return visit.go("/policy/hosts?notice=kept")


def _page(visit: Visit, status: int = HTTPStatus.OK, *, problems: Mapping[str, str] | None = None) -> Response:
    room = open_room(visit)
    return visit.page(
        "policy_hosts.html",
        status,
        choices=[each for each in CATEGORIES.values() if each.key not in NEVER_BY_HOSTS],
        never=[each for each in CATEGORIES.values() if each.key in NEVER_BY_HOSTS],
        chosen=room.policy.host_categories,
        seen=digest(room.document.get("host_categories", [])),
        hours=MAX_HOURS,
        problems=problems or {},
        notice=visit.query.get("notice", ""),
        **shared(room),
    )
