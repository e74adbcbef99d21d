"""docs/guide/guest.md shows every picture there is, small, made by the command; every criterion has a result."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser.screenshots import IN_ENGLISH_ONLY, LANGUAGES, MAX_TOTAL_BYTES

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "guide" / "pictures"
GUIDE = (DOCS / "guide" / "guest.md").read_text(encoding="utf-8")
ACCESSIBILITY = (DOCS / "accessibility.md").read_text(encoding="utf-8")


def test_every_picture_is_shown_and_there() -> None:
    shown = set(re.findall(r"\(pictures/([^)]+)\)", GUIDE))
    assert shown == {path.name for path in PICTURES.iterdir()}
    states = {name.split(".")[0] for name in shown}
    assert len(states) == 54
    for state in states:
        languages = {name.split(".")[1] for name in shown if name.split(".")[0] == state}
        assert languages == ({"en"} if state in IN_ENGLISH_ONLY else set(LANGUAGES)), state


def test_pictures_are_small_together() -> None:
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) <= MAX_TOTAL_BYTES


def test_every_picture_says_what_it_shows() -> None:
    assert all(len(text) > 20 for text in re.findall(r"!\[([^\]]*)\]", GUIDE))


def test_every_criterion_of_a_and_aa_has_a_result() -> None:
    """WCAG 2.2 has 55 of them: 31 at A and 24 at AA."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in ACCESSIBILITY.splitlines()]
    rows = [row for row in rows if row and re.match(r"\d\.\d", row[0])]
    named = [number for row in rows for number in re.findall(r"^\d\.\d\.\d+", row[0])]
    assert "1.2.1–1.2.5" in ACCESSIBILITY  # five in one row
    assert len(named) + 4 == 55
    assert len(set(named)) == len(named)
    assert all(row[2].split(",")[0] in ("yes", "n/a") for row in rows)
