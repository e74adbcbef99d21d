"""A bar chart as SVG, for the report: one bar a month, with a scale that people read easily. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 8, 12, 40
_MAX_LABELS = 13


def scale(largest: int) -> int:
    """The step of a scale from 0 that shows `largest` in at most five: 1, 2 or 5 times a power of ten."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * 5 >= largest:
                return step * factor
        step *= 10


def bars(counts: Sequence[tuple[str, int, str]]) -> str:
    """The chart of (label, count, count as text)."""
    step = scale(max((count for _, count, _ in counts), default=0))
    top = step * max(1, -(-max((count for _, count, _ in counts), default=0) // step))
    width, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    floor = HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        ' font-family="DejaVu Sans" font-size="11">'
    ]
    for value in range(0, top + 1, step):
        y = floor - height * value / top
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#c9d3d8"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#3c4d57">{value}</text>')
    slot = width / max(1, len(counts))
    every = -(-len(counts) // _MAX_LABELS)
    for place, (label, count, text) in enumerate(counts):
        middle, tall = _LEFT + slot * (place + 0.5), height * count / top
        thick = min(slot * 0.7, 48)
        parts.append(
            f'<rect x="{middle - thick / 2:.1f}" y="{floor - tall:.1f}" width="{thick:.1f}" height="{tall:.1f}"'
            ' fill="#0b5f7d"/>'
        )
        if len(counts) <= _MAX_LABELS and count:
            parts.append(
                f'<text x="{middle:.1f}" y="{floor - tall - 3:.1f}" text-anchor="middle" font-size="9"'
                f' fill="#1b2a33">{escape(text)}</text>'
            )
        if place % every == 0:
            parts.append(
                f'<text x="{middle:.1f}" y="{floor + 16}" text-anchor="middle" fill="#3c4d57">{escape(label)}</text>'
            )
    return "".join([*parts, "</svg>"])
