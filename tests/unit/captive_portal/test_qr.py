"""The path of a QR code draws exactly its modules, with the white around them that readers need."""

from __future__ import annotations

import re

import segno
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.guest.qr import QUIET, qr_code


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=120))
def test_the_path_draws_exactly_the_dark_modules(text: str) -> None:
    code = qr_code(text)
    drawn = set()
    pattern = r"M(\d+) (\d+)h(\d+)v1h-(\d+)z"
    assert re.sub(pattern, "", code.path) == ""
    for x, y, there, back in re.findall(pattern, code.path):
        assert there == back
        run = {(int(x) + step, int(y)) for step in range(int(there))}
        assert not run & drawn
        drawn |= run
    rows = segno.make_qr(text, error="m", boost_error=False).matrix
    assert drawn == {(x + QUIET, y + QUIET) for y, row in enumerate(rows) for x, dark in enumerate(row) if dark}
    assert code.size == len(rows) + 2 * QUIET
