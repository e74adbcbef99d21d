"""What is new in the rules is told paragraph by paragraph, without markup, in a language that the guest reads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.changes import changes, plain
from gateway.terms.compare import Piece

OLD = "# Regler\n\nIkke last ned **filer**.\n\n- Ikke spill\n- Vær snill mot [andre](https://example.no)\n"
NEW = "# Regler\n\nIkke last ned **programmer**.\n\n- Vær snill mot [andre](https://example.no)\n\nSpør først.\n"


def test_only_what_differs_is_told_without_markup() -> None:
    found = changes({"nb": OLD}, {"nb": NEW}, ["nb"])
    assert found is not None
    assert found.language == "nb"
    said = [("".join(piece.text for piece in row.old), "".join(piece.text for piece in row.new)) for row in found.rows]
    assert said == [("Ikke last ned filer.", "Ikke last ned programmer."), ("Ikke spill", ""), ("", "Spør først.")]
    assert Piece("removed", "filer") in found.rows[0].old
    assert Piece("added", "programmer") in found.rows[0].new


def test_the_guests_language_comes_first_then_the_others_that_both_have() -> None:
    old, new = {"nb": "a", "nn": "b"}, {"nb": "a", "nn": "c", "en": "d"}
    for wanted, language, count in ((["nn", "nb"], "nn", 1), (["en", "nb"], "nb", 0), (["xx"], "nb", 0)):
        found = changes(old, new, wanted)
        assert found is not None
        assert (found.language, len(found.rows)) == (language, count)
    assert changes({"nb": "a"}, {"en": "b"}, ["nb"]) is None


def test_plain_text_of_every_block() -> None:
    text = plain("## A *b*\n\nc\nd\\\ne\n\n> f\n\n1. g\n\n   h\n\n```\ni  j\n```\n\n<b>k</b>\n\n&amp; ![l](m.png)")
    assert text == "A b\n\nc d e\n\nf\n\ng\n\nh\n\ni j\n\n<b>k</b>\n\n& l"


@given(st.text(max_size=200))
def test_the_same_text_has_no_changes(text: str) -> None:
    found = changes({"nb": text}, {"nb": text}, ["nb"])
    assert found is not None
    assert found.rows == ()
