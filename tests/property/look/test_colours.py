"""Whatever colour a municipality has, its pages can be read: text 4.5:1, controls 3:1, light and dark."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.look.colours import BLACK, DARK_SURFACES, LIGHT_SURFACES, WHITE, contrast, palette

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
@example("#ffffff")
@example("#000000")
@example("#ffd500")
@example("#777777")
def test_every_colour_becomes_one_that_can_be_read(accent: str) -> None:
    made = palette(accent)
    for colours, surfaces in ((made.light, LIGHT_SURFACES), (made.dark, DARK_SURFACES)):
        for surface in (*surfaces, colours["surface-tinted"], colours["surface-hover"]):
            assert contrast(colours["text-subtle"], surface) >= 4.5
        for surface in surfaces:
            assert contrast(colours["text-default"], surface) >= 7
            assert contrast(colours["base-default"], surface) >= 3
            assert contrast(colours["border-strong"], surface) >= 3
        for state in ("base-default", "base-hover", "base-active"):
            assert contrast(colours["base-contrast-default"], colours[state]) >= 4.5
        assert colours["base-contrast-default"] in (WHITE, BLACK)


@given(COLOURS)
def test_a_colour_is_changed_only_with_a_reason(accent: str) -> None:
    made = palette(accent)
    for scheme, colours in (("light", made.light), ("dark", made.dark)):
        if colours["base-default"] != accent:
            assert any(scheme in note and accent in note and colours["base-default"] in note for note in made.notes)


def test_a_colour_that_is_good_enough_is_used_as_it_is() -> None:
    assert palette("#0062ba").light["base-default"] == "#0062ba"
    assert palette("#0062ba").light["text-subtle"] == "#0062ba"
    assert not [note for note in palette("#0062ba").notes if "light" in note]


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(WHITE, BLACK) == 21
    assert contrast("#767676", WHITE) == pytest.approx(4.54, abs=0.01)
    assert contrast(WHITE, "#767676") == contrast("#767676", WHITE)


@pytest.mark.parametrize("bad", ["", "red", "#fff", "#GGGGGG", "#0062BA", "#0062ba;}"])
def test_what_is_no_colour_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="six hexadecimal"):
        palette(bad)
