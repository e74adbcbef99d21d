"""No page of the console or of the guests fetches anything from another machine: they work where there is no internet.

Templates, stylesheets, scripts and pictures name no other host. That a browser asks for none either is seen in
`tests/browser`: of the console in `test_every_room`, of the guests in `test_accessibility`.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

PORTAL = Path(__file__).parents[2] / "captive_portal"
NAMES_A_HOST = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>)]+|(?<![\w:/])//[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, which nothing fetches
FETCHING = {"src", "srcset", "action", "formaction", "poster", "data", "background", "ping", "manifest", "xlink:href"}
FILES = sorted(
    path for path in PORTAL.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg", ".webmanifest")
)  # fmt: skip


class _Fetched(HTMLParser):
    """What a template makes a browser fetch; where a link leads is the reader's to follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in FETCHING or (name == "href" and tag in ("link", "image", "use", "base")):
                self.found.append((value or "").strip())


def test_there_is_something_to_look_at() -> None:
    assert {path.suffix for path in FILES} >= {".html", ".css", ".svg"}
    assert len(FILES) > 80


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PORTAL)))
def test_a_file_names_no_other_host(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    if path.suffix != ".html":
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert set(NAMES_A_HOST.findall(text)) - NAMESPACES == set()
    if path.suffix == ".css":
        assert "@import" not in text
    if path.suffix == ".html":
        page = _Fetched()
        page.feed(text)
        for each in page.found:
            assert re.match(r"/(?!/)|data:|\{\{", each), f"{each} is fetched from where?"


@pytest.mark.parametrize(
    "text",
    ["url(https://fonts.example/x.woff2)", "<script src='//cdn.example.net/x.js'>", "import 'http://x.example/a.js'"],
)
def test_what_names_a_host_is_found(text: str) -> None:
    assert NAMES_A_HOST.search(text)
