"""A draft of the rules: what it begins as, what it is called, and what it needs before it is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.draft import LABEL_MAX_CHARS, TEXT_MAX_BYTES, Draft, begin, hindrances, suggested_label, unify

TODAY = date(2026, 11, 22)
READY = Draft({"nb": "# Regler"}, "2026-1", "nb")


def test_it_begins_with_the_texts_in_languages_that_guests_can_choose_and_what_stays_the_same():
    draft = begin({"nb": "N", "de": "D"}, ("nb", "nn", "en"), "2026-2", binding="nb", adopting_body="Kommunestyret")
    assert draft == Draft({"nb": "N", "nn": "", "en": ""}, "2026-2", "nb", "Kommunestyret")
    assert draft.written == {"nb": "N"}
    assert begin({"nn": "N"}, ("nb", "nn"), "1").binding_language == "nn", "one that has a text"
    assert begin({"de": "D"}, ("nb", "nn"), "1", binding="de").binding_language == "nb"


@given(st.sets(st.integers(1, 20)), st.sampled_from(["", "library"]))
def test_the_label_that_is_suggested_is_free_and_the_first_such(numbers, group):
    start = "library-2026" if group else "2026"
    taken = {f"{start}-{number}" for number in numbers}
    label = suggested_label(taken, group, 2026)
    assert label not in taken
    assert {f"{start}-{number}" for number in range(1, int(label.rpartition("-")[2]))} <= taken


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({}, {}),
        ({"label": ""}, {"label": "missing"}),
        ({"label": "old"}, {"label": "taken"}),
        ({"label": "x" * (LABEL_MAX_CHARS + 1)}, {"label": "too_long"}),
        ({"adopted_on": TODAY}, {}),
        ({"adopted_on": TODAY + timedelta(days=1)}, {"adopted_on": "future"}),
        ({"next_review_on": TODAY}, {"next_review_on": "past"}),
        ({"next_review_on": TODAY + timedelta(days=1)}, {}),
        ({"binding_language": "en"}, {"binding_language": "no_text"}),
        ({"texts": {"nb": " \r\n"}}, {"binding_language": "no_text"}),
        ({"texts": {"nb": "a\0"}}, {"text_nb": "characters"}),
        ({"texts": {"nb": "a\tb\r\nc"}}, {}),
        ({"texts": {"nb": "x" * TEXT_MAX_BYTES}}, {}),
        ({"texts": {"nb": "x" * (TEXT_MAX_BYTES - 1) + "å"}}, {"text_nb": "too_long"}),
    ],
)
def test_what_hinders_publishing(changed, problems):
    assert hindrances(replace(READY, **changed), {"old"}, TODAY) == problems


@given(st.text(alphabet="a\r\n"))
def test_line_ends_are_told_apart_by_nobody(text):
    assert "\r" not in unify(text)
    assert unify(unify(text)) == unify(text)
    assert unify(unify(text).replace("\n", "\r\n")) == unify(text), "a browser sends it back as it got it"
