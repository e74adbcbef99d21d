"""Checkpoints: a log's size and root as a signed note (c2sp.org/tlog-checkpoint).

`origin LF size LF base64(root) LF`, blank line, signatures. The log's own signature has the origin as its key name.
Extension lines are refused: this log writes none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit import note
from gateway.audit.errors import NoteError
from gateway.audit.merkle import HASH_BYTES

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of log `origin`: its `size` in leaves and the 32 bytes of its `root`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """The three lines that are signed, with their final LF."""
        return f"{self.origin}\n{self.size}\n{note.encode_base64(self.root)}\n".encode()


def sign_checkpoint(checkpoint: Checkpoint, signer: note.SignerKey) -> bytes:
    """The signed checkpoint. Raises: NoteError when the key is not named as the origin."""
    if signer.name != checkpoint.origin:
        raise NoteError(f"the signing key is named {signer.name}, the log {checkpoint.origin}; they must be the same")
    return note.sign(checkpoint.text(), [signer])


def parse_checkpoint(data: bytes) -> tuple[Checkpoint, note.Note]:
    """Read a checkpoint strictly; the signatures are not verified. Raises: NoteError."""
    parsed = note.parse(data)
    lines = parsed.text.decode().split("\n")
    if len(lines) != 4:
        raise NoteError("a checkpoint of this log has exactly three lines: origin, size, root")
    origin, size, root_text, _ = lines
    note.check_name(origin)
    root = note.decode_base64(root_text)
    if len(root) != HASH_BYTES:
        raise NoteError("the checkpoint's root does not have 32 bytes")
    return Checkpoint(origin, parse_decimal(size), root), parsed


def open_checkpoint(data: bytes, keys: Sequence[note.VerifierKey], origin: str | None = None) -> Checkpoint:
    """Read a checkpoint that one of the log's `keys` has signed.

    Raises: NoteError when it is malformed, of another `origin`, or not signed by a trusted key of that name.
    """
    checkpoint, parsed = parse_checkpoint(data)
    if origin is not None and checkpoint.origin != origin:
        raise NoteError(f"the checkpoint is of the log {checkpoint.origin}, not of {origin}")
    note.verified_by(parsed, [key for key in keys if key.name == checkpoint.origin])
    return checkpoint


def parse_decimal(text: str) -> int:
    """A non-negative decimal number without leading zeroes, below 10^19. Raises: NoteError."""
    if not _DECIMAL.fullmatch(text):
        raise NoteError(f"{text[:30]!r} is not a plain decimal number")
    return int(text)
