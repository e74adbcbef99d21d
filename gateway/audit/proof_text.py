"""The two proofs of a bundle as text: `range-proof.txt` and `consistency.txt`.

Lines end in LF; numbers are plain decimals; hashes are standard base64 of 32 bytes, one a line, left to right in the
tree (consistency: in the order of RFC 9162 §2.1.4.1).

    gjestenett-range-proof/v1        gjestenett-consistency/v1
    size 109482                      old 90000
    first 1200                       size 109482
    last 1300                        proof 2
    left 4                           BASE64
    BASE64 (4 lines)                 BASE64
    right 9
    BASE64 (9 lines)

`first` and `last` are the half-open range [first, last). `left` are the maximal complete nodes that cover [0, first),
`right` those that cover [last, size): appended in turn, with the leaf hashes of the entries between them, to an empty
compact range, they give the root of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit.checkpoint import parse_decimal
from gateway.audit.errors import NoteError
from gateway.audit.merkle import HASH_BYTES, RangeProof
from gateway.audit.note import decode_base64, encode_base64

RANGE_HEADER = "gjestenett-range-proof/v1"
CONSISTENCY_HEADER = "gjestenett-consistency/v1"


@dataclass(frozen=True, slots=True)
class RangeText:
    """A range proof with the range [first, last) and the tree size it is about."""

    first: int
    last: int
    size: int
    proof: RangeProof

    def encode(self) -> bytes:
        """The file's bytes."""
        head = [RANGE_HEADER, f"size {self.size}", f"first {self.first}", f"last {self.last}"]
        left = [f"left {len(self.proof.left)}", *map(encode_base64, self.proof.left)]
        right = [f"right {len(self.proof.right)}", *map(encode_base64, self.proof.right)]
        return ("\n".join(head + left + right) + "\n").encode()


@dataclass(frozen=True, slots=True)
class ConsistencyText:
    """A consistency proof from the tree of `old` leaves to that of `size` leaves."""

    old: int
    size: int
    proof: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The file's bytes."""
        head = [CONSISTENCY_HEADER, f"old {self.old}", f"size {self.size}", f"proof {len(self.proof)}"]
        return ("\n".join([*head, *map(encode_base64, self.proof)]) + "\n").encode()


def parse_range(data: bytes) -> RangeText:
    """Read `range-proof.txt` strictly. Raises: NoteError."""
    lines = _lines(data, RANGE_HEADER)
    size, first, last = (_number(lines, name) for name in ("size", "first", "last"))
    left = _hashes(lines, _number(lines, "left"))
    right = _hashes(lines, _number(lines, "right"))
    _end(lines)
    return RangeText(first, last, size, RangeProof(left, right))


def parse_consistency(data: bytes) -> ConsistencyText:
    """Read `consistency.txt` strictly. Raises: NoteError."""
    lines = _lines(data, CONSISTENCY_HEADER)
    old, size = _number(lines, "old"), _number(lines, "size")
    proof = _hashes(lines, _number(lines, "proof"))
    _end(lines)
    return ConsistencyText(old, size, proof)


def _lines(data: bytes, header: str) -> list[str]:
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteError("a proof is plain ASCII text") from None
    if lines.pop() != "" or not lines or lines.pop(0) != header:
        raise NoteError(f"the proof does not begin with {header} or does not end with a newline")
    lines.reverse()  # so that reading on is pop()
    return lines


def _number(lines: list[str], name: str) -> int:
    word, _, text = lines.pop().partition(" ") if lines else ("", "", "")
    if word != name:
        raise NoteError(f"the proof has no line `{name} NUMBER` where it belongs")
    return parse_decimal(text)


def _hashes(lines: list[str], count: int) -> tuple[bytes, ...]:
    if count > len(lines):
        raise NoteError("the proof has fewer hashes than it says")
    hashes = tuple(decode_base64(lines.pop()) for _ in range(count))
    if any(len(value) != HASH_BYTES for value in hashes):
        raise NoteError("a line of the proof is not a SHA-256 hash")
    return hashes


def _end(lines: Sequence[str]) -> None:
    if lines:
        raise NoteError("the proof has more lines than it says")
