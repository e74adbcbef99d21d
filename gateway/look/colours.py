"""One colour of a municipality made into those that pages need, light and dark, each with enough contrast. Pure.

Contrast is that of WCAG 2.2: 4.5:1 for text (1.4.3) and 3:1 for what shows where a control is (1.4.11). A colour that
falls short is moved towards black or white until it does not, and it is said why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TEXT, CONTROL, STRONG = 4.5, 3.0, 7.0
DARK_TEXT = 6.0  # more than the least: coloured text on a dark page looks fainter than its ratio
WHITE, BLACK = "#ffffff", "#000000"
LIGHT_SURFACES = ("#ffffff", "#f3f3f4")  # neutral surface and background of Designsystemet, light
DARK_SURFACES = ("#26282b", "#1e2022", "#17181a")
_STEPS = 50
_HEX = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Palette:
    """Values of `--ds-color-accent-…` by the name's end, for light and dark pages; and what was changed, in words."""

    light: Mapping[str, str]
    dark: Mapping[str, str]
    notes: tuple[str, ...]


def palette(accent: str) -> Palette:
    """The colours of `accent`, written `#rrggbb` in lower case. Raises: ValueError when it is not."""
    if _HEX.fullmatch(accent) is None:
        raise ValueError("write a colour as # and six hexadecimal digits, as in #0062ba")
    light = _scheme(accent, LIGHT_SURFACES, TEXT, toward=BLACK, paper=WHITE)
    dark = _scheme(accent, DARK_SURFACES, DARK_TEXT, toward=WHITE, paper="#17181a")
    return Palette(light, dark, tuple(_notes(accent, light, dark)))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """`one` with this share (0–1) of `other`, channel by channel in sRGB."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _scheme(accent: str, surfaces: Sequence[str], least: float, *, toward: str, paper: str) -> dict[str, str]:
    away = WHITE if toward == BLACK else BLACK
    base = _moved(accent, surfaces, CONTROL, toward)
    ink = WHITE if contrast(base, WHITE) >= TEXT else BLACK  # one of them always has 4.5:1
    deeper = BLACK if ink == WHITE else WHITE  # away from the text on it
    tinted, hover, active = (mix(paper, base, share) for share in (0.12, 0.18, 0.26))
    text = _moved(accent, (*surfaces, tinted, hover), least, toward)
    return {
        "background-tinted": mix(paper, base, 0.06),
        "surface-tinted": tinted,
        "surface-hover": hover,
        "surface-active": active,
        "border-subtle": mix(base, away, 0.5),
        "border-default": base,
        "border-strong": text,
        "text-subtle": text,
        "text-default": _moved(text, (*surfaces, tinted, hover, active), STRONG, toward),
        "base-default": base,
        "base-hover": mix(base, deeper, 0.16),
        "base-active": mix(base, deeper, 0.32),
        "base-contrast-default": ink,
    }


def _moved(colour: str, surfaces: Sequence[str], least: float, toward: str) -> str:
    """The colour, or the nearest to it on the way to black or white that has the contrast on every surface."""
    for step in range(_STEPS + 1):
        moved = mix(colour, toward, step / _STEPS)
        if all(contrast(moved, surface) >= least for surface in surfaces):
            return moved
    return toward


def _notes(accent: str, light: Mapping[str, str], dark: Mapping[str, str]) -> list[str]:
    notes = []
    for scheme, surfaces, used in (("light", LIGHT_SURFACES, light), ("dark", DARK_SURFACES, dark)):
        worst = min(contrast(accent, surface) for surface in surfaces)
        if worst < CONTROL:
            notes.append(
                f"{accent} has a contrast of {worst:.1f}:1 to {scheme} pages, and 3:1 is the least (WCAG 2.2, 1.4.11);"
                f" buttons there are {used['base-default']}, links {used['text-subtle']}"
            )
        elif worst < TEXT:
            notes.append(
                f"{accent} has a contrast of {worst:.1f}:1 to {scheme} pages, and 4.5:1 is the least for text"
                f" (WCAG 2.2, 1.4.3); links there are {used['text-subtle']}"
            )
    return notes


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    parts = [value / 255 for value in _channels(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
