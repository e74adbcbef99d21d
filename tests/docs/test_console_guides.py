"""docs/guide/it.md and auditor.md picture every room of the console, and name no picture that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from captive_portal.console.pages import all_pages
from captive_portal.console.route import Page
from captive_portal.i18n import read_catalogue
from gateway.audit import verify_bundle
from gateway.context import Services
from gateway.telemetry import Totals
from tests.browser.console_rooms import BESIDE, MOST_USED, gone, name_of, pictured, without_a_way
from tests.browser.console_screenshots import FOLDER, MAX_TOTAL_BYTES

AUDIT = Path(verify_bundle.__file__).parent
GUIDE = Path(__file__).parents[2] / "docs" / "guide"
TEXT = "".join((GUIDE / name).read_text(encoding="utf-8") for name in ("it.md", "auditor.md"))
SHOWN = re.findall(r"!\[([^\]]*)\]\(console/([^)]+)\)", TEXT)


@pytest.fixture
def routes(services: Services) -> tuple[Page, ...]:
    return all_pages(services, Totals())


def test_every_room_can_be_reached_by_the_program_that_takes_the_pictures(routes: tuple[Page, ...]) -> None:
    assert without_a_way(routes) == [], "say in tests/browser/console_rooms.py (WAYS) how to reach them"
    assert gone(routes) == [], "tests/browser/console_rooms.py lists what is no route any more"


def test_every_room_is_pictured_in_a_guide(routes: tuple[Page, ...]) -> None:
    wanted = {f"{name}.en.webp" for name in pictured(routes)}
    wanted |= {f"{name}.{language}.webp" for name in MOST_USED for language in ("nb", "nn")}
    wanted |= {f"{name}.en.webp" for name in BESIDE}
    named = {name for _, name in SHOWN}
    assert sorted(wanted - named) == [], "rooms that neither it.md nor auditor.md shows"
    assert sorted(named - wanted) == [], "pictures of no room"


def test_every_picture_named_is_there_and_no_other() -> None:
    made = {path.name for path in FOLDER.iterdir()}
    assert made == {name for _, name in SHOWN}, "run: python -m tests.browser.console_screenshots"
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MAX_TOTAL_BYTES


def test_every_picture_stands_once_and_says_what_it_shows() -> None:
    assert len(SHOWN) == len({name for _, name in SHOWN})
    assert [name for text, name in SHOWN if len(text) < 15] == []


def test_no_two_rooms_have_one_name(routes: tuple[Page, ...]) -> None:
    paths = {route.path for route in pictured(routes).values()}
    assert len({name_of(path) for path in paths}) == len(paths)
    assert set(MOST_USED) <= set(pictured(routes))


def test_what_a_guide_says_to_click_is_there() -> None:
    """Words in *…* are the console's own, in English."""

    locale = Path(__file__).parents[2] / "captive_portal" / "locale" / "nb" / "LC_MESSAGES"
    known = set(read_catalogue(locale / "console.po")) | set(read_catalogue(locale / "guest.po"))
    known |= set(re.findall(r'"([^"]+)"', (AUDIT / "verify_html" / "words_en.js").read_text(encoding="utf-8")))
    known |= {each.rstrip(":.").removesuffix(" (optional)") for each in known}
    clicked = set(re.findall(r"(?<![*\w])\*([A-Z][^*\n]+)\*(?!\*)", TEXT))
    assert sorted(name for name in clicked if name not in known and name not in OUTSIDE) == []


OUTSIDE = {
    "Personal values erased", "A restore", "Not signed by the trusted key",  # what the verdict speaks of
    "Compiled: generation …", "Withhold",  # with something behind them
}  # fmt: skip
