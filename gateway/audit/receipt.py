"""Receipts: one entry's place in the log as a text that verifies offline (c2sp.org/tlog-proof).

`c2sp.org/tlog-proof@v1`, an optional `extra BASE64` line, `index N`, one base64 hash a line from the leaf's sibling
to the root's child, a blank line, the checkpoint verbatim. File name extension `.tlog-proof`. This log's receipts carry
the entry itself as `extra`: without it there is nothing to compute the leaf's hash from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit import merkle, note
from gateway.audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, parse_decimal
from gateway.audit.errors import NoteError

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_HASHES = 63


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's `index`, the inclusion `proof`, and the signed `checkpoint` it leads to. `extra` proves nothing."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def encode(self) -> bytes:
        """The receipt's bytes."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {note.encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [note.encode_base64(value) for value in self.proof]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint


def make_receipt(
    index: int, size: int, node: merkle.NodeSource, checkpoint: bytes, extra: bytes | None = None
) -> Receipt:
    """The receipt of leaf `index` under the signed checkpoint of a tree of `size` leaves.

    Raises: ProofError for an index outside the tree; NoteError when the checkpoint has another size.
    """
    if parse_checkpoint(checkpoint)[0].size != size:
        raise NoteError("the checkpoint is of a tree of another size")
    return Receipt(index, merkle.inclusion_proof(index, size, node), checkpoint, extra)


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt strictly; nothing is verified. Raises: NoteError."""
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise NoteError("the receipt has no blank line before its checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteError("the receipt's proof lines are not plain text") from None
    if lines.pop(0) != HEADER:
        raise NoteError(f"a receipt starts with the line {HEADER}")
    extra = note.decode_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise NoteError("the receipt has no index line")
    index = parse_decimal(lines.pop(0)[6:])
    if len(lines) > MAX_PROOF_HASHES:
        raise NoteError(f"the receipt has more than {MAX_PROOF_HASHES} proof lines")
    proof = tuple(note.decode_base64(line) for line in lines)
    if any(len(value) != merkle.HASH_BYTES for value in proof):
        raise NoteError("a proof line of the receipt is not a SHA-256 hash")
    parse_checkpoint(checkpoint)
    return Receipt(index, proof, checkpoint, extra)


def verify_receipt(
    receipt: Receipt, entry: bytes, keys: Sequence[note.VerifierKey], origin: str | None = None
) -> Checkpoint:
    """The verified checkpoint under which exactly the bytes `entry` are leaf `receipt.index`.

    Raises: NoteError when the checkpoint is not a trusted log's or the proof does not lead to its root.
    """
    checkpoint = open_checkpoint(receipt.checkpoint, keys, origin)
    leaf = merkle.leaf_hash(entry)
    if not merkle.verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.proof, checkpoint.root):
        raise NoteError("the proof does not lead from this entry to the checkpoint's root")
    return checkpoint
