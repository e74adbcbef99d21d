"""The two texts of the witness protocol: a request to cosign and its answer (c2sp.org/tlog-witness, `add-checkpoint`).

A request is `old N`, at most 63 lines of a consistency proof, an empty line, and the checkpoint verbatim. The answer
to a
good one is one signature line or more; that of a witness which stands elsewhere is the size it cosigned last, as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit import note
from gateway.audit.checkpoint import parse_checkpoint, parse_decimal
from gateway.audit.errors import NoteError
from gateway.audit.merkle import HASH_BYTES

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_PROOF_LINES = 63
MAX_REQUEST_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size that the witness cosigned last, the proof from there on, and the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """The request's body. Raises: NoteError for more than 63 hashes."""
        if len(self.proof) > MAX_PROOF_LINES:
            raise NoteError(f"a witness takes at most {MAX_PROOF_LINES} proof lines")
        lines = [f"old {self.old}", *map(note.encode_base64, self.proof)]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint


def parse_request(data: bytes) -> AddCheckpoint:
    """Read a request strictly; nothing is verified. Raises: NoteError."""
    if len(data) > MAX_REQUEST_BYTES:
        raise NoteError(f"the request is larger than {MAX_REQUEST_BYTES} bytes")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise NoteError("the request has no empty line before its checkpoint")
    lines = _ascii(head).split("\n")
    word, _, size = lines.pop(0).partition(" ")
    if word != "old":
        raise NoteError("the request does not begin with `old SIZE`")
    if len(lines) > MAX_PROOF_LINES:
        raise NoteError(f"the request has more than {MAX_PROOF_LINES} proof lines")
    proof = tuple(note.decode_base64(line) for line in lines)
    if any(len(value) != HASH_BYTES for value in proof):
        raise NoteError("a proof line of the request is not a SHA-256 hash")
    parse_checkpoint(checkpoint)
    return AddCheckpoint(parse_decimal(size), proof, checkpoint)


def encode_answer(signatures: Sequence[note.Signature]) -> bytes:
    """The body of a 200: the witness's signature lines."""
    return "".join(signature.line() for signature in signatures).encode()


def parse_answer(data: bytes) -> tuple[note.Signature, ...]:
    """Read the body of a 200: one signature line or more. Raises: NoteError."""
    if len(data) > MAX_ANSWER_BYTES:
        raise NoteError("the witness's answer is too long")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise NoteError("the witness's answer is not UTF-8") from None
    if lines.pop() != "" or not lines:
        raise NoteError("the witness's answer does not end with a signature line and a newline")
    return tuple(note.parse_signature(line) for line in lines)


def encode_size(size: int) -> bytes:
    """The body of a 409."""
    return f"{size}\n".encode()


def parse_size(data: bytes) -> int:
    """The size that a 409 tells. Raises: NoteError."""
    text = _ascii(data[:100])
    if not text.endswith("\n"):
        raise NoteError("the witness's size does not end with a newline")
    return parse_decimal(text[:-1])


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise NoteError("a size or proof line is not plain text") from None
