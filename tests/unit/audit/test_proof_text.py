"""Proofs as text: round trip and strictness."""

import pytest

from gateway.audit.errors import NoteError
from gateway.audit.merkle import RangeProof
from gateway.audit.proof_text import ConsistencyText, RangeText, parse_consistency, parse_range

RANGE = RangeText(3, 5, 9, RangeProof((bytes(32), b"\x01" * 32), (b"\x02" * 32,)))
CONSISTENCY = ConsistencyText(3, 9, (bytes(32), b"\x03" * 32))


def test_round_trip() -> None:
    assert parse_range(RANGE.encode()) == RANGE
    assert parse_consistency(CONSISTENCY.encode()) == CONSISTENCY
    assert RANGE.encode().startswith(b"gjestenett-range-proof/v1\nsize 9\nfirst 3\nlast 5\nleft 2\n")


@pytest.mark.parametrize("change", [
    (b"v1", b"v2"), (b"size 9", b"size 09"), (b"left 2", b"left 3"), (b"left 2", b"left 1"), (b"right 1", b"right 9"),
    (b"\n", b"\r\n"), (b"first", b"last"), (b"AA=", b"AB="), (b"AgI=\n", b"AgI="), (b"AgI=\n", b"AgI=\n\n"),
    (b"left 2", b"left -2"),
    (b"size", b"s\xc3\xb8ze"),
])  # fmt: skip
def test_other_spellings_are_refused(change: tuple[bytes, bytes]) -> None:
    data = RANGE.encode().replace(*change)
    assert data != RANGE.encode()
    with pytest.raises(NoteError):
        parse_range(data)


@pytest.mark.parametrize(
    "data", [b"", b"gjestenett-consistency/v1\n", CONSISTENCY.encode()[:-1], CONSISTENCY.encode() * 2]
)
def test_cut_or_repeated_text_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        parse_consistency(data)
