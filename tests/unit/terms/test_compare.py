"""Comparing texts: nothing is lost on either side, what is marked the same is the same, equal texts have no marks."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.compare import Piece, Row, compare

WORDS = st.lists(st.sampled_from(["a", "bb", "ære", "x.", "<b>", "\n", "\n\n", "  ", "c,d"]), max_size=12).map("".join)


def paragraphs(text: str) -> list[str]:
    return [part.strip("\n") for part in re.split(r"\n[ \t]*\n", text) if part.strip()]


@given(WORDS, WORDS)
def test_each_side_is_whole_and_what_is_the_same_is_on_both(old: str, new: str) -> None:
    rows = compare(old, new)
    assert ["".join(piece.text for piece in row.old) for row in rows if row.old] == paragraphs(old)
    assert ["".join(piece.text for piece in row.new) for row in rows if row.new] == paragraphs(new)
    for row in rows:
        assert [piece.text for piece in row.old if piece.kind == "same"] == [
            piece.text for piece in row.new if piece.kind == "same"
        ]
        assert {piece.kind for piece in row.old} <= {"same", "removed"}
        assert {piece.kind for piece in row.new} <= {"same", "added"}
    assert any(row.differs for row in rows) == (paragraphs(old) != paragraphs(new))


def test_a_word_is_marked_not_its_paragraph() -> None:
    assert compare("Vær grei.\n\nSlutt", "Vær snill.\n\nNytt\n\nSlutt") == [
        Row(
            (Piece("same", "Vær "), Piece("removed", "grei"), Piece("same", ".")),
            (Piece("same", "Vær "), Piece("added", "snill"), Piece("same", ".")),
        ),
        Row((), (Piece("added", "Nytt"),)),
        Row((Piece("same", "Slutt"),), (Piece("same", "Slutt"),)),
    ]


def test_a_very_long_paragraph_is_compared_as_a_whole() -> None:
    rows = compare("ord " * 4000, "ord " * 4000 + "nytt")
    assert [piece.kind for row in rows for piece in (*row.old, *row.new)] == ["removed", "added"]
