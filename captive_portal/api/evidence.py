"""The evidence over JSON: acceptances searched as on the page, the log entry by entry with proofs, and checkpoints."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Day
from captive_portal.api.paging import Page, Paged, address, answered, no_cursor, read_cursor
from captive_portal.api.problems import problem, refused, unknown
from captive_portal.console.evidence import checkpoints as checkpoint_pages
from captive_portal.console.evidence import leaf_words, proof, search, timeline
from captive_portal.console.evidence.leaf_view import SeenLeaf, see
from captive_portal.console.evidence.periods import read_period
from captive_portal.console.gate import Call
from captive_portal.console.tables import Shown
from captive_portal.console.visit import Visit
from gateway.audit.inspection import inspect
from gateway.storage import checkpoints
from gateway.storage import search as stored
from gateway.storage.models import Acceptance as AcceptanceRow

ROOT, ROOM = "/api/v1", "evidence"
OUTSIDE = "this is outside what your account may see"
Word = Annotated[str, Field(max_length=search.MAX_CHARS)]


class Acceptance(BaseModel):
    """That somebody accepted a version of the rules. Null: withheld from your account; "": erased."""

    id: str
    accepted_at: datetime
    name: str | None
    organisation: str | None
    contact: str | None
    mac: str | None
    receipt: str | None
    version: str
    language: str
    identified_by: Annotated[str, Field(examples=["self_declared"])]


class Acceptances(Page):
    """Acceptances, the newest first."""

    acceptances: list[Acceptance]


class AcceptancesAsked(Paged):
    """As the form of the page: days in Norwegian time, both included; at least three characters of a name, the last
    four of a device's address, a whole receipt code.
    """

    first: Annotated[Day | None, Field(description="The first day.")] = None
    last: Annotated[Day | None, Field(description="The last day.")] = None
    name: Word = ""
    device: Word = ""
    course: Word = ""
    receipt: Word = ""
    version: Word = ""
    site: Word = ""


class SealedAcceptance(Acceptance):
    """An acceptance, with the number of its entry in the log; null while it waits to be sealed."""

    entry: Annotated[int | None, Field(examples=[17])]


class Value(BaseModel):
    """A personal value of an entry, with the salt that binds it to the digest in the entry."""

    name: str
    value: str
    salt: Annotated[str, Field(examples=["c2FsdHNhbHRzYWx0c2FsdA"])]


class Entry(BaseModel):
    """An entry of the log: what happened, in the reader's words and as it stands (`document`), with the personal values
    that your account may see.
    """

    index: Annotated[int, Field(examples=[17])]
    type: Annotated[str, Field(examples=["acceptance"])]
    at: datetime
    site: str
    title: str
    sentence: str
    document: dict[str, Any]
    values: list[Value]
    withheld: int
    erased: int


class Entries(Page):
    """Entries, the newest first."""

    entries: list[Entry]


class EntriesAsked(Paged):
    """Entries of a type, of a period in Norwegian days."""

    type: Annotated[str, Field(max_length=40, examples=["acceptance"])] = ""
    first: Annotated[Day | None, Field(description="The first day.")] = None
    last: Annotated[Day | None, Field(description="The last day.")] = None


class Proved(Entry):
    """An entry with the verdict on its proof, as calculated here. `signed_by`: the key that signed the checkpoint."""

    proved: bool
    signed_by: str
    size: int
    leaf_hash: str
    root: str


class Checkpoint(BaseModel):
    """A signed head of the log; `valid`: a key that this machine trusts has signed it."""

    size: int
    root: str
    signed_at: datetime
    valid: bool
    note: str


class Checkpoints(Page):
    """Checkpoints, the largest first."""

    checkpoints: list[Checkpoint]


class Target(BaseModel):
    """Where copies of checkpoints go, and how that went last; `alarm`: it fails, or has had nothing for a day."""

    name: str
    kind: str
    succeeded_at: datetime | None
    size: int | None
    failed_at: datetime | None
    failures: int
    reason: str
    alarm: bool


class Targets(BaseModel):
    """Every target."""

    targets: list[Target]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    entry = f"{ROOT}/log/{{index}}"
    return (
        Call(
            "GET", f"{ROOT}/acceptances", "auditor", acceptances, "read", AcceptancesAsked, Acceptances,
            "Search acceptances", ROOM,
        ),
        Call(
            "GET", f"{ROOT}/acceptances/{{acceptance}}", "auditor", acceptance, "read", None, SealedAcceptance,
            "One acceptance, and its entry in the log", ROOM,
        ),
        Call("GET", f"{ROOT}/log", "auditor", log, "read", EntriesAsked, Entries, "The log", ROOM),
        Call("GET", entry, "auditor", one, "read", None, Proved, "An entry, and whether it is proved", ROOM),
        Call(
            "GET", f"{entry}/entry", "auditor", raw, "read", None, None, "The exact bytes of an entry", ROOM,
        ),
        Call(
            "GET", f"{entry}/proof", "auditor", receipt, "read", None, None,
            "The proof of an entry as a file (c2sp.org/tlog-proof)", ROOM, media_type="text/plain",
        ),
        Call(
            "GET", f"{ROOT}/checkpoints", "auditor", heads, "read", Paged, Checkpoints, "Signed checkpoints", ROOM
        ),
        Call(
            "GET", f"{ROOT}/checkpoints/{{size}}", "auditor", head, "read", None, None, "A checkpoint as a file", ROOM,
            media_type="text/plain",
        ),
        Call(
            "GET", f"{ROOT}/checkpoint-targets", "auditor", targets, "read", None, Targets,
            "Where copies of checkpoints go", ROOM,
        ),
    )  # fmt: skip


def acceptances(visit: Visit) -> Response:
    """GET /api/v1/acceptances"""
    after, asked = read_cursor(visit, 1), visit.asked
    if isinstance(after, Response):
        return after
    query = {name: getattr(asked, name) for name in search.NEEDS} | {
        "version": asked.version, "site": asked.site, "first": _text(asked.first), "last": _text(asked.last),
        "after": after[0] if after is not None else "",
    }  # fmt: skip
    hidden = [name for name, field in search.NEEDS.items() if query[name] and not visit.member.scope.shows(field)]
    if hidden:
        return refused(dict.fromkeys(hidden, "you can't search for what is withheld"))
    found = search.find(replace(visit, query=query), asked.limit, rewinds=False)
    if found.problems:
        return refused(found.problems)
    if after is not None and found.shown.asked.place is None:
        return no_cursor()
    rows = [_acceptance(visit, row) for row in found.shown.rows]
    more = _more(visit, found.shown)
    return answered(Acceptances, {"acceptances": rows, "next": more})


def acceptance(visit: Visit) -> Response:
    """GET /api/v1/acceptances/{acceptance}"""
    found = proof.find_acceptance(visit, visit.params["acceptance"])
    if isinstance(found, HTTPStatus):
        return _missing(visit, found, "there is no such acceptance")
    row, index = found
    if not visit.member.scope.includes(stored.site_of(visit.session, row), row.accepted_at):
        return problem(HTTPStatus.FORBIDDEN, OUTSIDE)
    return answered(SealedAcceptance, _acceptance(visit, row) | {"entry": index})


def log(visit: Visit) -> Response:
    """GET /api/v1/log"""
    after, asked = read_cursor(visit, 1), visit.asked
    if isinstance(after, Response):
        return after
    if asked.type and asked.type not in leaf_words.TITLES:
        return refused({"type": f"there is no type {asked.type!r}"})
    period = read_period(_text(asked.first), _text(asked.last))
    if period.problems:
        return refused(period.problems)
    table = replace(timeline.LOG, size=asked.limit, rewinds=False)
    order = table.read({"after": after[0] if after is not None else ""})
    if after is not None and order.place is None:
        return no_cursor()
    part = timeline.entries(visit, (asked.type,) if asked.type else (), period, order)
    shown = order.shown(part, lambda leaf: (leaf.index, leaf.index))
    rows = see(visit.session, shown.rows, visit.member.scope)
    return answered(Entries, {"entries": [_entry(visit, row) for row in rows], "next": _more(visit, shown)})


def one(visit: Visit) -> Response:
    """GET /api/v1/log/{index}"""
    found = proof.find(visit)
    if isinstance(found, HTTPStatus):
        return _missing(visit, found, "there is no such entry in the sealed log")
    seen, kept = found
    verdict = inspect(seen.leaf.entry, kept, seen.shown, proof.trusted_keys(visit), visit.services.place.log_origin)
    return answered(
        Proved,
        _entry(visit, seen)
        | {
            "proved": verdict.proved,
            "signed_by": "" if verdict.signed_by is None else str(verdict.signed_by),
            "size": verdict.checkpoint.size,
            "leaf_hash": _b64(verdict.leaf),
            "root": _b64(verdict.checkpoint.root),
        },
    )


def raw(visit: Visit) -> Response:
    """GET /api/v1/log/{index}/entry"""
    found = proof.find(visit)
    if isinstance(found, HTTPStatus):
        return _missing(visit, found, "there is no such entry in the sealed log")
    return Response(found[0].leaf.entry, media_type="application/json")


def receipt(visit: Visit) -> Response:
    """GET /api/v1/log/{index}/proof"""
    found = proof.find(visit)
    if isinstance(found, HTTPStatus):
        return _missing(visit, found, "there is no such entry in the sealed log")
    return Response(found[1].encode(), media_type="text/plain; charset=utf-8")


def heads(visit: Visit) -> Response:
    """GET /api/v1/checkpoints"""
    after, limit = read_cursor(visit, 1), visit.asked.limit
    if isinstance(after, Response):
        return after
    below = _size(after[0]) if after is not None else None
    rows = checkpoints.newest(visit.session, visit.services.place.owner_id, below=below, limit=limit + 1)
    keys = proof.trusted_keys(visit)
    seen = [checkpoint_pages.look_at(visit, row, keys) for row in rows[:limit]]
    facts = [
        {
            "size": each.checkpoint.size,
            "root": _b64(each.checkpoint.root),
            "signed_at": each.signed_at,
            "valid": each.is_signed,
            "note": each.note,
        }
        for each in seen
    ]
    more = address(visit, (str(seen[-1].checkpoint.size),)) if len(rows) > limit else None
    return answered(Checkpoints, {"checkpoints": facts, "next": more})


def head(visit: Visit) -> Response:
    """GET /api/v1/checkpoints/{size}"""
    size = _size(visit.params["size"])
    row = None if size is None else checkpoints.of_size(visit.session, visit.services.place.owner_id, size)
    if row is None:
        return unknown(visit, "there is no checkpoint of that size")
    return Response(row.note, media_type="text/plain; charset=utf-8")


def targets(visit: Visit) -> Response:
    """GET /api/v1/checkpoint-targets"""
    names = list(Target.model_fields)
    rows = [{name: getattr(each, name) for name in names} for each in checkpoint_pages.targets(visit)]
    return answered(Targets, {"targets": rows})


def _more(visit: Visit, shown: Shown[Any]) -> str | None:
    """The address of the next page: its cursor is the place that the table's own link names."""
    place = dict(parse_qsl(urlsplit(shown.after).query)).get("after", "")
    return address(visit, (place,)) if place else None


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _size(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _missing(visit: Visit, status: HTTPStatus, detail: str) -> Response:
    return problem(status, OUTSIDE) if status == HTTPStatus.FORBIDDEN else unknown(visit, detail)


def _acceptance(visit: Visit, row: AcceptanceRow) -> dict[str, Any]:
    shows = visit.member.scope.shows
    personal = {
        "name": row.visitor.name,
        "organisation": row.visitor.organisation,
        "contact": row.visitor.contact,
        "mac": row.device.mac,
        "receipt": row.receipt_code,
    }
    return {name: value if shows(name) else None for name, value in personal.items()} | {
        "id": row.id,
        "accepted_at": row.accepted_at,
        "version": row.rules_version.label,
        "language": row.language,
        "identified_by": row.identified_by,
    }


def _entry(visit: Visit, seen: SeenLeaf) -> dict[str, Any]:
    translate, document = visit.look.translator(visit.language), dict(seen.document)
    return {
        "index": seen.leaf.index,
        "type": document["type"],
        "at": seen.leaf.at,
        "site": document["site"],
        "title": leaf_words.title(translate, document["type"]),
        "sentence": leaf_words.sentence(translate, document),
        "document": document,
        "values": [{"name": each.name, "value": each.value, "salt": each.salt} for each in seen.shown],
        "withheld": seen.withheld,
        "erased": seen.erased,
    }
