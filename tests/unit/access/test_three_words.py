"""The list of words is unmistakable, and what people type is read as they meant it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.three_words import COUNT, MAX_CHARS, WORDS, parse_words, spellings, words_of

NUMBERS = st.integers(0, COUNT - 1)


def test_three_words_are_at_least_thirty_bits() -> None:
    assert len(WORDS) == len(set(WORDS)) >= 1024
    assert COUNT >= 2**30


def test_the_words_are_short_and_of_norwegian_letters_and_sorted() -> None:
    assert [word for word in WORDS if not re.fullmatch("[a-zæøå]{3,8}", word)] == []
    assert list(WORDS) == sorted(WORDS, key=lambda word: min(spellings(word), key=lambda each: (-len(each), each)))


def test_no_word_begins_another_however_they_are_spelt() -> None:
    every = sorted(spelling for word in WORDS for spelling in spellings(word))
    assert [pair for pair in pairwise(every) if pair[1].startswith(pair[0])] == []


def test_one_letter_changed_missing_or_added_never_gives_another_word() -> None:
    """Words that are one edit apart share a form with one letter left out; those few are compared in full."""
    shortened: dict[str, set[str]] = {}
    for word in WORDS:
        for spelling in spellings(word):
            for form in {spelling, *(spelling[:at] + spelling[at + 1 :] for at in range(len(spelling)))}:
                shortened.setdefault(form, set()).add(word)
    suspects = {frozenset((one, other)) for words in shortened.values() for one in words for other in words - {one}}
    assert [sorted(pair) for pair in suspects if _one_edit_apart(*pair)] == []


def _one_edit_apart(first: str, second: str) -> bool:
    return any(_is_one_edit(one, other) for one in spellings(first) for other in spellings(second))


def _is_one_edit(one: str, other: str) -> bool:
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) <= 1
    shorter, longer = sorted((one, other), key=len)
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))


@given(NUMBERS, st.sampled_from([" ", "-", "", "  ", " - ", ". ", ", ", "\n", "\u00a0"]), st.booleans(), st.data())
def test_what_is_typed_is_what_was_shown(number: int, between: str, shouting: bool, data: st.DataObject) -> None:
    typed = between.join(
        data.draw(st.sampled_from([word, *sorted(spellings(word))]), label="spelt") for word in words_of(number)
    )
    assert parse_words(typed.upper() if shouting else typed) == number


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "fjord", "fjord ørn", "fjord elv berg berg", "fjord elv 7", "fjord elv <b>", "fjordd elv konsert",
        "x" * (MAX_CHARS + 1), "\ud800", "fjord\0elv konsert",
    ],
)  # fmt: skip
def test_what_is_not_three_words_is_nothing(text: str) -> None:
    assert parse_words(text) is None


def test_swedish_and_decomposed_letters_are_read_too() -> None:
    number = parse_words("åker ørken ærlig")
    assert number is not None
    assert words_of(number) == ("åker", "ørken", "ærlig")
    for typed in ("åker örken ärlig", "a\u030aker ørken ærlig", "AAKER-OERKEN-AERLIG", "aker.orken.arlig"):
        assert parse_words(typed) == number


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    number = parse_words(text)
    assert number is None or 0 <= number < COUNT
