"""The draft of the policy over JSON: what it would change, whole or by cells, and publishing it."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Category, Key, line
from captive_portal.api.paging import Asked, answered, no_content
from captive_portal.api.problems import changed, conflict, quoted, refused
from captive_portal.console.policy import draft as pages
from captive_portal.console.policy.room import NOTE_MAX_CHARS, Room, change, open_room
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.lists import draft_edits
from gateway.storage import places
from policies import matrix
from policies.categories import CATEGORIES
from policies.document import default_document, parse_document, write_document
from policies.document_toml import parse_toml, write_toml
from policies.names import PolicyError

MEANWHILE = "the draft, or what is in force, was changed since the edition that If-Match names: look at it again"
ROOT, ROOM = "/api/v1/policy", "policy"
Document = Annotated[
    dict[str, Any],
    Field(
        description="The whole policy, as `gjestenett policy export --json` prints it.", examples=[default_document()]
    ),
]
Sentences = Annotated[list[str], Field(examples=[["Group default: online games are closed."]])]


class PolicyDraft(BaseModel):
    """The draft (else what is in force), and each thing that publishing it would change, in words.

    `generation` is in force, 0 when nothing is; `stale`: the draft was begun before that was published, and would take
    back what was changed since; `broken`: it can't be read, and what is shown is in force.
    """

    generation: int
    changes: Sentences
    stale: bool
    broken: bool
    changed_by: str
    changed_at: datetime | None
    document: Document


class Replace(Asked):
    """The whole draft anew: as JSON, or as the TOML that `gjestenett policy export` prints."""

    document: Document | None = None
    toml: Annotated[str | None, Field(max_length=1_000_000, examples=[None])] = None


class PublishPolicy(Asked):
    """With which note; `over`: that you know that a stale draft takes back what was published after it was begun."""

    note: Annotated[str, line(NOTE_MAX_CHARS)] = ""
    over: bool = False


class Now(BaseModel):
    """The generation that is in force from now on."""

    generation: Annotated[int, Field(examples=[3])]


class Cell(BaseModel):
    """How a category stands for a group in the draft and in force: open, closed, report (open, and counted) or by
    schedule; `in_force` is null for a group that is not in force.
    """

    group: str
    category: str
    state: Literal["open", "closed", "report", "schedule"]
    in_force: Literal["open", "closed", "report", "schedule"] | None


class Matrix(BaseModel):
    """Every category for every group."""

    cells: list[Cell]


class CellChange(Asked):
    """One cell; hours are set apart from this."""

    group: Key
    category: Category
    state: Literal["open", "closed", "report"]


class MatrixAsked(Asked):
    """Cells of the draft to change; the others stay."""

    cells: Annotated[list[CellChange], Field(min_length=1, max_length=1500)]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    draft = f"{ROOT}/draft"
    return (
        Call("GET", draft, "it", show, "read", None, PolicyDraft, "The draft, and what it would change", ROOM),
        Call(
            "PUT", draft, "it", replace, "write", Replace, PolicyDraft, "Replace the whole draft (import)", ROOM,
            precondition="required",
        ),
        Call(
            "DELETE", draft, "it", discard, "write", None, None, "Discard the draft", ROOM,
            status=HTTPStatus.NO_CONTENT, precondition="required",
        ),
        Call(
            "GET", f"{draft}/toml", "it", toml, "read", None, None, "The draft as TOML, for review in git (export)",
            ROOM, media_type="application/toml",
        ),
        Call(
            "POST", f"{draft}/publish", "it", publish, "write", PublishPolicy, Now, "Publish the draft", ROOM,
            precondition="required",
        ),
        Call("GET", f"{ROOT}/matrix", "it", cells, "read", None, Matrix, "Categories × groups", ROOM),
        Call(
            "PATCH", f"{ROOT}/matrix", "it", set_cells, "write", MatrixAsked, Matrix,
            "Open or close categories for groups, in the draft", ROOM, precondition="optional",
        ),
    )  # fmt: skip


def show(visit: Visit) -> Response:
    """GET /api/v1/policy/draft"""
    return _draft(open_room(visit))


def replace(visit: Visit) -> Response:
    """PUT /api/v1/policy/draft"""
    document, text = visit.asked.document, visit.asked.toml
    if (document is None) == (text is None):
        return refused({"document": "send either `document` or `toml`"})
    try:
        wanted = write_document(parse_document(document) if text is None else parse_toml(text))
    except PolicyError as error:
        return refused({"document" if text is None else "toml": str(error)}, "the policy is not right")
    return guarded(visit, lambda _: wanted)


def discard(visit: Visit) -> Response:
    """DELETE /api/v1/policy/draft"""
    room = locked(visit)
    if isinstance(room, Response):
        return room
    return no_content() if pages.discarded(visit, room.etag) else changed(MEANWHILE)


def toml(visit: Visit) -> Response:
    """GET /api/v1/policy/draft/toml"""
    return Response(write_toml(write_document(open_room(visit).policy)), media_type="application/toml")


def publish(visit: Visit) -> Response:
    """POST /api/v1/policy/draft/publish: what was looked at, and nothing else."""
    room = locked(visit)
    if isinstance(room, Response):
        return room
    asked = visit.asked
    done = pages.put_in_force(visit, str(room.generation), room.etag, asked.note, seen=asked.over)
    if not isinstance(done, pages.NotPublished):
        return answered(Now, {"generation": done})
    told = {"over" if field == "seen" else field: text for field, text in done.problems.items()}
    return conflict(told[""]) if done.status == HTTPStatus.OK else refused(told)


def cells(visit: Visit) -> Response:
    """GET /api/v1/policy/matrix"""
    return _matrix(open_room(visit))


def set_cells(visit: Visit) -> Response:
    """PATCH /api/v1/policy/matrix"""
    wanted = {(each.group, each.category): each.state for each in visit.asked.cells}
    room = locked(visit)
    if isinstance(room, Response):
        return room
    told = change(visit, lambda document: draft_edits.with_cells(document, wanted))
    return refused({"cells": told}) if told else _matrix(open_room(visit))


def etag(room: Room) -> str:
    """The edition of a draft over what is in force: what is published is what was seen, over what was seen."""
    return f"{room.generation}-{room.etag}"


def locked(visit: Visit) -> Room | Response:
    """The draft, held until the transaction ends, if it is the edition that was seen, or none was named."""
    places.lock_owner(visit.session, visit.services.place.owner_id)
    room = open_room(visit)
    return room if visit.if_match in ("", "*", etag(room)) else changed(MEANWHILE, etag(room))


def guarded(visit: Visit, edit: Any) -> Response:
    """Change the draft, if it is the edition that was seen; the answer is the draft as it is then."""
    room = locked(visit)
    if isinstance(room, Response):
        return room
    told = change(visit, edit)
    return refused({}, told) if told else _draft(open_room(visit))


def _draft(room: Room) -> Response:
    names = ("generation", "changes", "stale", "broken", "changed_by", "changed_at", "document")
    return answered(PolicyDraft, {name: getattr(room, name) for name in names}, ETag=quoted(etag(room)))


def _matrix(room: Room) -> Response:
    standing = room.standing.document["groups"] if room.standing is not None else {}
    ruled = draft_edits.ruled_groups({"groups": standing})
    found = [
        {
            "group": key,
            "category": category,
            "state": matrix.state(group, category),
            "in_force": matrix.state(standing[key], category) if key in ruled else None,
        }
        for key in draft_edits.ruled_groups(room.document)
        for group in [room.document["groups"][key]]
        for category in CATEGORIES
    ]
    return answered(Matrix, {"cells": found}, ETag=quoted(etag(room)))
