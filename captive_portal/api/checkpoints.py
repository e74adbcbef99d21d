"""Checkpoints over JSON: the signed heads of the log, one as a file, and where copies of them go."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import Response

from captive_portal.api.fields import b64
from captive_portal.api.paging import Page, Paged, address, answered, read_cursor
from captive_portal.api.problems import unknown
from captive_portal.console.evidence import checkpoints as pages
from captive_portal.console.evidence import proof
from captive_portal.console.route import Call
from captive_portal.console.visit import Visit
from gateway.storage import checkpoints

ROOT, ROOM = "/api/v1/checkpoints", "evidence"


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

    name: Annotated[str, Field(examples=["county"])]
    kind: Annotated[str, Field(examples=["witness"])]
    succeeded_at: datetime | None
    size: int | None
    failed_at: datetime | None
    failures: int
    reason: Annotated[str, Field(examples=["it answered 503"])]
    alarm: bool


class Targets(BaseModel):
    """Every target."""

    targets: list[Target]


def calls() -> tuple[Call, ...]:
    """The table of the calls."""
    return (
        Call(
            "GET", ROOT, "auditor", heads, "read", Paged, Checkpoints, "Signed checkpoints", ROOM
        ),
        Call(
            "GET", f"{ROOT}/{{size}}", "auditor", head, "read", None, None, "A checkpoint as a file", ROOM,
            media_type="text/plain",
        ),
        Call(
            "GET", "/api/v1/checkpoint-targets", "auditor", targets, "read", None, Targets,
            "Where copies of checkpoints go", ROOM,
        ),
    )  # fmt: skip


def heads(visit: Visit) -> Response:
    """GET /api/v1/checkpoints"""
    after, limit = read_cursor(visit, 1), visit.asked.limit
    if isinstance(after, Response):
        return after
    below = _size(after[0]) if after is not None else None
    rows = checkpoints.newest(visit.session, visit.services.place.owner_id, below=below, limit=limit + 1)
    keys = proof.trusted_keys(visit)
    seen = [pages.look_at(visit, row, keys) for row in rows[:limit]]
    facts = [
        {
            "size": each.checkpoint.size,
            "root": b64(each.checkpoint.root),
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
    rows = [{name: getattr(each, name) for name in names} for each in pages.targets(visit)]
    return answered(Targets, {"targets": rows})


def _size(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
