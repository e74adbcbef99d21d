"""Generations of the policy over JSON: what is in force, was, and changed between two; and going back to one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Moment, line
from captive_portal.api.paging import Asked, Page, Paged, address, answered, read_cursor
from captive_portal.api.policy_draft import MEANWHILE, ROOM, ROOT, Document, Now, Sentences
from captive_portal.api.problems import changed, conflict, quoted, refused, unknown
from captive_portal.console.policy.room import NOTE_MAX_CHARS, words
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.errors import UsageError
from gateway.lists import generations as publishing
from gateway.storage import generations, places
from gateway.storage.policy_models import PolicyGeneration
from policies.document import parse_document
from policies.names import PolicyError

GENERATION_MAX = 2**31 - 1
Number = Annotated[int, Field(ge=1, le=GENERATION_MAX, examples=[2])]


class Published(BaseModel):
    """A generation: what was published, by whom, with which note."""

    generation: int
    published_at: datetime
    published_by: str
    note: str
    sha256: str


class Whole(Published):
    """A generation with all that it says."""

    document: Document


class Generations(Page):
    """Generations, the newest first."""

    generations: list[Published]


class RollbackAsked(Asked):
    """With which note."""

    note: Annotated[str, line(NOTE_MAX_CHARS)] = ""


class CompareAsked(Asked):
    """From which generation to which."""

    from_: Annotated[Number, Field(alias="from")]
    to: Number


class Compared(BaseModel):
    """What changed, a sentence for each thing."""

    changes: Sentences


class ThenAsked(Asked):
    """At which moment, exactly: without seconds, as the minute begins. Now by default."""

    at: Moment | None = None


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    numbered = f"{ROOT}/generations/{{generation}}"
    return (
        Call("GET", ROOT, "it", in_force, "read", None, Whole, "The policy in force", ROOM),
        Call(
            "GET", f"{ROOT}/generations", "it", history, "read", Paged, Generations, "What was published", ROOM
        ),
        Call("GET", numbered, "it", one, "read", None, Whole, "One generation, with its document", ROOM),
        Call(
            "POST", f"{numbered}/rollback", "it", rollback, "write", RollbackAsked, Now,
            "Put a generation in force again", ROOM, precondition="optional",
        ),
        Call(
            "GET", f"{ROOT}/compare", "it", compare, "read", CompareAsked, Compared,
            "What changed between two generations, in words", ROOM,
        ),
        Call(
            "GET", f"{ROOT}/then", "auditor", then, "read", ThenAsked, Whole, "What was in force at a moment",
            "evidence",
        ),
    )  # fmt: skip


def in_force(visit: Visit) -> Response:
    """GET /api/v1/policy"""
    standing = generations.in_force(visit.session, visit.services.place.owner_id)
    return unknown(visit, "nothing is published yet") if standing is None else _whole(standing)


def history(visit: Visit) -> Response:
    """GET /api/v1/policy/generations"""
    after, limit = read_cursor(visit, 1), visit.asked.limit
    if isinstance(after, Response):
        return after
    before = number(after[0]) if after is not None else None
    rows = generations.history(visit.session, visit.services.place.owner_id, limit + 1, before)
    more = address(visit, (str(rows[limit - 1].generation),)) if len(rows) > limit else None
    return answered(Generations, {"generations": [_facts(row) for row in rows[:limit]], "next": more})


def one(visit: Visit) -> Response:
    """GET /api/v1/policy/generations/{generation}"""
    row = _row(visit, visit.params["generation"])
    return unknown(visit, "there is no such generation") if row is None else _whole(row)


def rollback(visit: Visit) -> Response:
    """POST /api/v1/policy/generations/{generation}/rollback"""
    row = _row(visit, visit.params["generation"])
    if row is None:
        return unknown(visit, "there is no such generation")
    places.lock_owner(visit.session, visit.services.place.owner_id)
    standing = generations.newest(visit.session, visit.services.place.owner_id)
    if visit.if_match not in ("", str(standing)):
        return changed(MEANWHILE, str(standing))
    try:
        done = publishing.rollback(
            visit.session, visit.services.place, row.generation, visit.member.username, visit.asked.note, visit.now
        )
    except (UsageError, PolicyError) as error:
        return conflict(str(error))
    return answered(Now, {"generation": done})


def compare(visit: Visit) -> Response:
    """GET /api/v1/policy/compare"""
    rows = [_row(visit, str(each)) for each in (visit.asked.from_, visit.asked.to)]
    if rows[0] is None or rows[1] is None:
        return unknown(visit, "there is no such generation")
    try:
        told = words(visit, parse_document(rows[0].document), parse_document(rows[1].document))
    except PolicyError:
        return refused({}, "one of the two was published by a release that allowed more, and can't be compared")
    return answered(Compared, {"changes": told})


def then(visit: Visit) -> Response:
    """GET /api/v1/policy/then"""
    at = visit.asked.at or visit.now
    if at > visit.now:
        return refused({"at": "nobody knows yet what will be in force then"})
    row = generations.in_force_at(visit.session, visit.services.place.owner_id, at)
    return unknown(visit, "nothing was published by then") if row is None else _whole(row)


def number(text: str) -> int:
    """The number of a generation; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _row(visit: Visit, text: str) -> PolicyGeneration | None:
    return generations.by_number(visit.session, visit.services.place.owner_id, number(text))


def _facts(row: PolicyGeneration) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Published.model_fields}


def _whole(row: PolicyGeneration) -> Response:
    facts = _facts(row) | {"document": row.document}
    return answered(Whole, facts, ETag=quoted(str(row.generation)))
