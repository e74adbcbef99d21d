"""Signed checkpoints of the log: the newest, verified here, and those before it, each as a file to keep elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from starlette.responses import Response

from captive_portal.console.evidence.proof import NO_STORE, trusted_keys
from captive_portal.console.look import N_
from captive_portal.console.visit import Visit
from gateway.audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from gateway.audit.errors import AuditError
from gateway.audit.standing import TargetStanding, log_standing
from gateway.storage import checkpoints
from gateway.storage.log_models import Checkpoint as Row

PAGE_SIZE = 50
KINDS = {"directory": N_("directory"), "https": N_("web address"), "email": N_("e-mail"), "witness": N_("witness")}


@dataclass(frozen=True)
class SeenCheckpoint:
    """A checkpoint; `is_signed` when a key that this machine trusts has signed it."""

    note: str
    signed_at: datetime
    checkpoint: Checkpoint
    is_signed: bool


def show(visit: Visit) -> Response:
    """GET /checkpoints"""
    owner_id, below = visit.services.place.owner_id, read_size(visit.query.get("below", ""))
    rows = checkpoints.newest(visit.session, owner_id, below=below, limit=PAGE_SIZE + 1)
    keys, seen = trusted_keys(visit), [look_at(visit, row) for row in rows[:PAGE_SIZE]]
    return visit.page(
        "checkpoints.html",
        rows=seen,
        newest=seen[0] if seen and below is None else None,
        is_first=below is None,
        older=seen[-1].checkpoint.size if len(rows) > PAGE_SIZE else None,
        keys=[str(key) for key in keys],
        kinds=KINDS,
        targets=targets(visit) if below is None else (),
    )


def look_at(visit: Visit, row: Row) -> SeenCheckpoint:
    """The checkpoint, verified here."""
    checkpoint, _ = parse_checkpoint(row.note.encode())
    try:
        open_checkpoint(row.note.encode(), trusted_keys(visit), visit.services.place.log_origin)
        is_signed = True
    except AuditError:
        is_signed = False
    return SeenCheckpoint(row.note, row.signed_at, checkpoint, is_signed)


def targets(visit: Visit) -> tuple[TargetStanding, ...]:
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
