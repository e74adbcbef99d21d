"""Signed checkpoints of the log: the newest, verified here, and those before it, each as a file to keep elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.evidence.periods import read_period
from captive_portal.console.evidence.proof import NO_STORE, trusted_keys
from captive_portal.console.look import N_
from captive_portal.console.tables import Column, Table
from captive_portal.console.visit import Visit
from gateway.audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from gateway.audit.errors import AuditError
from gateway.audit.note import VerifierKey
from gateway.audit.standing import TargetStanding, log_standing
from gateway.storage import checkpoints
from gateway.storage.keyset import Part
from gateway.storage.log_models import Checkpoint as Kept

TABLE = Table("/checkpoints", (Column("signed", N_("Signed"), "moment"),), own="number")
KINDS = {"directory": N_("directory"), "https": N_("web address"), "email": N_("e-mail"), "witness": N_("witness")}


@dataclass(frozen=True)
class SeenCheckpoint:
    """A checkpoint; `is_signed` when a key that this machine trusts has signed it."""

    note: str
    signed_at: datetime
    checkpoint: Checkpoint
    is_signed: bool


def show(visit: Visit) -> Response:
    """GET /checkpoints: the newest and where copies of it are stand above the first page alone."""
    owner_id = visit.services.place.owner_id
    period = read_period(visit.query.get("first", ""), visit.query.get("last", ""))
    asked = TABLE.read(visit.query, {"first": period.first, "last": period.last})
    part: Part[Kept] = Part((), is_first=True, is_last=True)
    if not period.problems:
        part = checkpoints.page_of_checkpoints(visit.session, owner_id, period.since, period.until, asked.cut)
    keys, is_whole = trusted_keys(visit), part.is_first and not any(asked.kept.values())
    newest = checkpoints.newest(visit.session, owner_id, below=None, limit=1) if is_whole else ()
    return visit.page(
        "checkpoints.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if period.problems else HTTPStatus.OK,
        shown=asked.shown(part, lambda row: (row.signed_at, row.size)),
        rows=[look_at(visit, row, keys) for row in part.rows],
        newest=look_at(visit, newest[0], keys) if newest else None,
        is_whole=is_whole,
        period=period,
        keys=[str(key) for key in keys],
        kinds=KINDS,
        targets=targets(visit) if is_whole else (),
    )


def look_at(visit: Visit, row: Kept, keys: Sequence[VerifierKey]) -> SeenCheckpoint:
    """The checkpoint, verified here."""
    checkpoint, _ = parse_checkpoint(row.note.encode())
    try:
        open_checkpoint(row.note.encode(), keys, visit.services.place.log_origin)
        is_signed = True
    except AuditError:
        is_signed = False
    return SeenCheckpoint(row.note, row.signed_at, checkpoint, is_signed)


def targets(visit: Visit) -> tuple[TargetStanding, ...]:
    """Where copies of checkpoints go."""
    chosen = visit.services.settings.audit.targets
    return log_standing(visit.session, visit.services.place.owner_id, chosen, visit.now).targets


def download(visit: Visit) -> Response:
    """GET /checkpoints/{size}"""
    size = read_size(visit.params["size"])
    row = None if size is None else checkpoints.of_size(visit.session, visit.services.place.owner_id, size)
    if row is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    name = f"checkpoint-{row.size}.txt"
    return Response(
        row.note,
        media_type="text/plain; charset=utf-8",
        headers={**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


def read_size(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
