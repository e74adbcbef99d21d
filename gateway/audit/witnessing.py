"""What a witness answers to a request: pure, in the order of the checks of c2sp.org/tlog-witness.

The caller reads what was cosigned last and writes down what is cosigned now in one transaction, before anybody is
answered; else two requests at once could roll a log back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.audit import merkle, note
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint
from gateway.audit.errors import NoteError
from gateway.audit.witness_text import AddCheckpoint

KnownLogs = Mapping[str, Sequence[note.VerifierKey]]


@dataclass(frozen=True, slots=True)
class Cosign:
    """The checkpoint extends what was cosigned last: write it down, then cosign its text."""

    checkpoint: Checkpoint
    text: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Not cosigned. `size`, where a 409 has one, is what was cosigned last; `reason` is for people."""

    status: Literal[400, 403, 404, 409, 422]
    reason: str
    size: int | None = None


def is_known(request: AddCheckpoint, logs: KnownLogs) -> Refused | None:
    """Whether the request is of a log that is witnessed here, signed with a key of it; else the refusal: 404, 403,
    400.
    """
    checkpoint, signed = parse_checkpoint(request.checkpoint)
    keys = [key for key in logs.get(checkpoint.origin, ()) if key.name == checkpoint.origin]
    if not keys:
        return Refused(404, f"the log {checkpoint.origin} is not witnessed here")
    try:
        note.verified_by(signed, keys)
    except NoteError:
        return Refused(403, f"the checkpoint is not signed with a known key of {checkpoint.origin}")
    if request.old > checkpoint.size:
        return Refused(400, "old is larger than the checkpoint")
    return None


def judge(request: AddCheckpoint, logs: KnownLogs, last: Checkpoint | None) -> Cosign | Refused:
    """The answer to a request about a log of which `last` was cosigned last; None: nothing was."""
    refused = is_known(request, logs)
    if refused is not None:
        return refused
    checkpoint, signed = parse_checkpoint(request.checkpoint)
    size, root = (last.size, last.root) if last is not None else (0, merkle.EMPTY_ROOT)
    if request.old != size:
        return Refused(409, f"{size} entries were cosigned last, not {request.old}", size)
    if checkpoint.size == size and checkpoint.root != root:
        return Refused(409, f"another tree of {size} entries was cosigned: the history was rewritten", size)
    if not merkle.verify_consistency(size, root, checkpoint.size, checkpoint.root, request.proof):
        return Refused(422, f"the proof does not lead from the {size} entries that were cosigned to this checkpoint")
    return Cosign(checkpoint, signed.text)
