"""Which categories hosts may open for their courses, over JSON: in the draft, and published with it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api import policy_draft
from captive_portal.api.fields import Category
from captive_portal.api.paging import Asked, answered
from captive_portal.api.policy_draft import ROOM, etag, locked
from captive_portal.api.problems import quoted, refused
from captive_portal.console.policy.host_categories import NEVER
from captive_portal.console.policy.room import Room, change, open_room
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from policies.categories import CATEGORIES
from policies.model import NEVER_BY_HOSTS

ROOT = f"{policy_draft.ROOT}/host-categories"


class HostCategories(BaseModel):
    """The categories that hosts may open by the draft, and those that they never may."""

    categories: list[str]
    never: Annotated[list[str], Field(examples=[["malware"]])]


class HostCategoriesAsked(Asked):
    """Exactly the categories that hosts may open."""

    categories: Annotated[list[Category], Field(max_length=len(CATEGORIES), examples=[["gaming"]])]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    return (
        Call("GET", ROOT, "it", show, "read", None, HostCategories, "What hosts may open, in the draft", ROOM),
        Call(
            "PUT", ROOT, "it", keep, "write", HostCategoriesAsked, HostCategories, "Choose what hosts may open", ROOM,
            precondition="optional",
        ),
    )  # fmt: skip


def show(visit: Visit) -> Response:
    """GET /api/v1/policy/host-categories"""
    return _answer(open_room(visit))


def keep(visit: Visit) -> Response:
    """PUT /api/v1/policy/host-categories"""
    wanted, room = set(visit.asked.categories), locked(visit)
    if isinstance(room, Response):
        return room
    if wanted & NEVER_BY_HOSTS:
        return refused({"categories": NEVER})
    told = change(
        visit, lambda document: draft_edits.with_host_categories(document, [key for key in CATEGORIES if key in wanted])
    )
    return refused({}, told) if told else _answer(open_room(visit))


def _answer(room: Room) -> Response:
    chosen = [key for key in CATEGORIES if key in room.policy.host_categories]
    facts = {"categories": chosen, "never": sorted(NEVER_BY_HOSTS)}
    return answered(HostCategories, facts, ETag=quoted(etag(room)))
