"""A QR code as the path of an inline SVG: no image to load, nothing to run, sharp on paper."""

from __future__ import annotations

from dataclasses import dataclass

import segno

QUIET = 4  # modules of white on each side (ISO/IEC 18004)


@dataclass(frozen=True)
class QrCode:
    """The dark modules as an SVG `path` in a square of `size` modules, its quiet zone included."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    """The QR code of `text`, readable with 15 % of it lost (level M)."""
    rows = segno.make_qr(text, error="m", boost_error=False).matrix
    runs = [
        f"M{start + QUIET} {y + QUIET}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length in _dark_runs(row)
    ]
    return QrCode(len(rows) + 2 * QUIET, "".join(runs))


def _dark_runs(row: bytes | bytearray) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if not dark:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
