"""Codes as people say and type them, periods by the municipality's clock, and what is wrong with a wish."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import three_words
from gateway.access.course_codes import TYPED_MAX_CHARS, WORDS, code_key, new_code
from gateway.access.course_plan import LONGEST, MAX_DEVICES, Wish, local_moment, local_text, problems, same_unit

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
GOOD = Wish("Excel for alle", "Voksenopplæringen", NOW, NOW + timedelta(hours=6), "default", 60)


def test_the_words_are_easy_and_none_begins_another() -> None:
    assert set(WORDS) < set(three_words.WORDS), "one list for devices and courses"
    assert len(WORDS) == len(set(WORDS))
    assert len(WORDS) ** 3 > 2**29
    assert all(word.isascii() and word.isalpha() and word.islower() and 2 <= len(word) <= 9 for word in WORDS)
    assert [(one, two) for one in WORDS for two in WORDS if one != two and two.startswith(one)] == []
    assert 3 * max(map(len, WORDS)) + 2 <= TYPED_MAX_CHARS


def test_a_code_is_three_words_drawn_evenly() -> None:
    last = len(WORDS) - 1
    drawn = iter((0, last, 7))
    assert new_code(lambda below: next(drawn) if below == last + 1 else -1) == f"{WORDS[0]}-{WORDS[last]}-{WORDS[7]}"
    assert len({new_code(secrets.randbelow) for _ in range(50)}) > 45


@given(st.lists(st.sampled_from(WORDS), min_size=3, max_size=3), st.lists(st.sampled_from(" -–_.,/\t"), max_size=4))
def test_case_and_what_stands_between_the_words_do_not_count(words: list[str], marks: list[str]) -> None:
    between = "".join(marks)
    typed = between.join(word.capitalize() for word in words)
    assert code_key(f" {typed}{between}") == code_key("-".join(words)) == "".join(words)


@given(st.text())
def test_any_text_has_a_key_of_bounded_length(text: str) -> None:
    key = code_key(text)
    assert len(key) <= TYPED_MAX_CHARS
    assert "\0" not in key
    assert code_key(key) == key


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01T09:00", datetime(2026, 12, 1, 8, 0, tzinfo=UTC)),
        ("2026-07-01T09:00", datetime(2026, 7, 1, 7, 0, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # comes twice; the first
        ("2027-03-28T02:30", None),  # summer time leaves it out
        ("2026-12-01", None),
        ("2026-02-30T09:00", None),
        ("0001-01-01T00:00", None),
        ("9" * 40, None),
        ("", None),
    ],
)
def test_moments_are_by_the_municipalitys_clock(text: str, moment: datetime | None) -> None:
    assert local_moment(text) == moment
    if moment is not None:
        assert local_text(moment) == text


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, {}),
        ({"title": ""}, {"title": "missing"}),
        ({"title": "–"}, {"title": "missing"}),
        ({"title": "a\u202eb"}, {"title": "characters"}),
        ({"title": "a\nb"}, {"title": "characters"}),
        ({"unit": "x" * 121}, {"unit": "too_long"}),
        ({"starts_at": None}, {"starts_at": "missing"}),
        ({"starts_at": NOW - timedelta(days=3)}, {}),
        ({"starts_at": NOW + LONGEST + timedelta(days=1), "ends_at": NOW + LONGEST + timedelta(days=2)},
         {"starts_at": "too_far"}),
        ({"ends_at": None}, {"ends_at": "missing"}),
        ({"ends_at": NOW}, {"ends_at": "past"}),
        ({"starts_at": NOW + timedelta(hours=6)}, {"ends_at": "order"}),
        ({"ends_at": NOW + LONGEST + timedelta(seconds=1)}, {"ends_at": "too_far"}),
        ({"group": "staff"}, {"group": "no_group"}),
        ({"max_devices": None}, {"max_devices": "count"}),
        ({"max_devices": 0}, {"max_devices": "count"}),
        ({"max_devices": MAX_DEVICES + 1}, {"max_devices": "count"}),
        ({"offered": "everybody"}, {"offered": "no_offer"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_field(change: dict[str, object], found: dict[str, str]) -> None:
    assert problems(replace(GOOD, **change), ("default",), NOW) == found  # type: ignore[arg-type]


def test_units_are_the_same_in_any_case_and_no_unit_is_nobodys() -> None:
    assert same_unit("Nybø  skule", " nybø SKULE")
    assert not same_unit("Nybø skule", "Nybø")
    assert not same_unit("", "")
