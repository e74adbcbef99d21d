"""Pages that are rendered once: what is in a gap is each guest's own, and everything else tells pages apart."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from jinja2 import Environment

from captive_portal.guest.kept import KeptPages

TEMPLATE = Environment(autoescape=True).from_string(
    '<p title="{{ code }}">{{ word }}{% if code %} ({{ "/" ~ code }}){% endif %} {{ token }}</p>'
)


class Renders:
    """Renders, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, values: Mapping[str, object]) -> str:
        self.count += 1
        return TEMPLATE.render(values)


def test_a_kept_page_is_what_the_template_would_have_made_for_each_guest() -> None:
    kept, render = KeptPages(), Renders()
    for code in ("A1", "", "B2", '"><script>', "", "A1"):
        for word in ("hei", "<hallo>"):
            gaps = {"code": code, "token": f"t-{code}"}
            assert kept.fill({"word": word}, gaps, render) == TEMPLATE.render(word=word, **gaps)
    assert render.count == 4  # two words, with and without a code


def test_what_is_not_a_gap_tells_pages_apart_also_inside_mappings() -> None:
    kept, render = KeptPages(), Renders()
    pages = {kept.fill({"word": word, "asked": {"name": need}}, {"code": "", "token": ""}, render)
             for word in "ab" for need in ("no", "optional")}  # fmt: skip
    assert (len(pages), render.count) == (2, 4)


def test_values_that_cannot_tell_pages_apart_are_refused() -> None:
    with pytest.raises(TypeError):
        KeptPages().fill({"word": ["a"]}, {}, Renders())


def test_only_so_many_pages_are_kept_those_used_last() -> None:
    kept, render = KeptPages(limit=2), Renders()
    for word in ("a", "b", "a", "c", "a"):
        kept.fill({"word": word}, {"code": "", "token": ""}, render)
    assert render.count == 3
    kept.fill({"word": "b"}, {"code": "", "token": ""}, render)
    assert render.count == 4


def test_a_guest_who_writes_what_looks_like_a_gap_gets_it_back_as_text() -> None:
    kept, render = KeptPages(), Renders()
    page = kept.fill({"word": "gap-0123-token-"}, {"code": "gap-0123-code-", "token": "t"}, render)
    assert page == '<p title="gap-0123-code-">gap-0123-token- (/gap-0123-code-) t</p>'
