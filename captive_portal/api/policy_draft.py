"""The policy over JSON: what is in force, the draft with what it would change, publishing, history and going back."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Category, Key, Moment, line
from captive_portal.api.paging import Asked, Page, Paged, address, answered, no_content, read_cursor
from captive_portal.api.problems import changed, conflict, quoted, refused, unknown
from captive_portal.console.gate import Call
from captive_portal.console.policy import draft as pages
from captive_portal.console.policy.room import NOTE_MAX_CHARS, Room, change, open_room, words
from captive_portal.console.visit import Visit
from gateway.errors import UsageError
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.storage import generations, places
from gateway.storage.models import PolicyGeneration
from policies import matrix
from policies.categories import CATEGORIES
from policies.document import default_document, parse_document, write_document
from policies.document_toml import parse_toml, write_toml
from policies.names import PolicyError

MEANWHILE = "the draft, or what is in force, was changed since the edition that If-Match names: look at it again"
ROOT, ROOM = "/api/v1/policy", "policy"
GENERATION_MAX = 2**31 - 1
Document = Annotated[
    dict[str, Any],
    Field(
        description="The whole policy, as `gjestenett policy export --json` prints it.", examples=[default_document()]
    ),
]
Sentences = Annotated[list[str], Field(examples=[["Group default: online games are closed."]])]
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


class RollbackAsked(Asked):
    """With which note."""

    note: Annotated[str, line(NOTE_MAX_CHARS)] = ""


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


class CompareAsked(Asked):
    """From which generation to which."""

    from_: Annotated[Number, Field(alias="from")]
    to: Number


class Compared(BaseModel):
    """What changed, a sentence for each thing."""

    changes: Sentences


class ThenAsked(Asked):
    """At which moment; now by default."""

    at: Moment | None = None


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    draft, numbered = f"{ROOT}/draft", f"{ROOT}/generations/{{generation}}"
    return (
        Call("GET", ROOT, "it", in_force, "read", None, Whole, "The policy in force", ROOM),
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
