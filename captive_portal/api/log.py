"""The log over JSON: entry by entry in words and as it stands, with the verdict on its proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import Day, b64, day_text
from captive_portal.api.paging import Page, Paged, answered, no_cursor, read_cursor, shown_after
from captive_portal.api.problems import not_shown, refused
from captive_portal.console.evidence import leaf_words, proof, timeline
from captive_portal.console.evidence.leaf_view import SeenLeaf, see
from captive_portal.console.evidence.periods import read_period
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.audit.inspection import inspect

ROOT, ROOM = "/api/v1/log", "evidence"
NO_ENTRY = "there is no such entry in the sealed log"


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


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    entry = f"{ROOT}/{{index}}"
    return (
        Call("GET", ROOT, "auditor", log, "read", EntriesAsked, Entries, "The log", ROOM),
        Call("GET", entry, "auditor", one, "read", None, Proved, "An entry, and whether it is proved", ROOM),
        Call(
            "GET", f"{entry}/entry", "auditor", raw, "read", None, None, "The exact bytes of an entry", ROOM,
        ),
        Call(
            "GET", f"{entry}/proof", "auditor", receipt, "read", None, None,
            "The proof of an entry as a file (c2sp.org/tlog-proof)", ROOM, media_type="text/plain",
        ),
    )  # fmt: skip


def log(visit: Visit) -> Response:
    """GET /api/v1/log"""
    after, asked = read_cursor(visit, 1), visit.asked
    if isinstance(after, Response):
        return after
    if asked.type and asked.type not in leaf_words.TITLES:
        return refused({"type": f"there is no type {asked.type!r}"})
    period = read_period(day_text(asked.first), day_text(asked.last))
    if period.problems:
        return refused(period.problems)
    table = replace(timeline.LOG, size=asked.limit, rewinds=False)
    order = table.read({"after": after[0] if after is not None else ""})
    if after is not None and order.place is None:
        return no_cursor()
    part = timeline.entries(visit, (asked.type,) if asked.type else (), period, order)
    shown = order.shown(part, lambda leaf: (leaf.index, leaf.index))
    rows = see(visit.session, shown.rows, visit.member.scope)
    return answered(Entries, {"entries": [_entry(visit, row) for row in rows], "next": shown_after(visit, shown)})


def one(visit: Visit) -> Response:
    """GET /api/v1/log/{index}"""
    found = proof.find(visit)
    if isinstance(found, HTTPStatus):
        return not_shown(visit, found, NO_ENTRY)
    seen, kept = found
    verdict = inspect(seen.leaf.entry, kept, seen.shown, proof.trusted_keys(visit), visit.services.place.log_origin)
    return answered(
        Proved,
        _entry(visit, seen)
        | {
            "proved": verdict.proved,
            "signed_by": "" if verdict.signed_by is None else str(verdict.signed_by),
            "size": verdict.checkpoint.size,
            "leaf_hash": b64(verdict.leaf),
            "root": b64(verdict.checkpoint.root),
        },
    )


def raw(visit: Visit) -> Response:
    """GET /api/v1/log/{index}/entry"""
    found = proof.find(visit)
    if isinstance(found, HTTPStatus):
        return not_shown(visit, found, NO_ENTRY)
    return Response(found[0].leaf.entry, media_type="application/json")


def receipt(visit: Visit) -> Response:
    """GET /api/v1/log/{index}/proof"""
    found = proof.find(visit)
    if isinstance(found, HTTPStatus):
        return not_shown(visit, found, NO_ENTRY)
    return Response(found[1].encode(), media_type="text/plain; charset=utf-8")


def _entry(visit: Visit, seen: SeenLeaf) -> dict[str, Any]:
    translate, document = visit.look.translator(visit.language), dict(seen.document)
    return {
        "index": seen.leaf.index,
        "type": document["type"],
        "at": seen.leaf.at,
        "site": document["site"],
        "title": leaf_words.title(translate, document["type"]),
        "sentence": leaf_words.sentence(translate, document, visit.group_names.with_key),
        "document": document,
        "values": [{"name": each.name, "value": each.value, "salt": each.salt} for each in seen.shown],
        "withheld": seen.withheld,
        "erased": seen.erased,
    }
