"""verify.html is what its sources make, stands alone, and knows what verify_bundle.py knows."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from gateway.audit import verify_bundle

ROOT = Path(__file__).parents[3]
PAGE = Path(verify_bundle.__file__).with_name("verify.html")
SOURCES = PAGE.with_name("verify_html")


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_html", ROOT / "deploy" / "dev" / "verify_html.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_its_sources_make(builder: ModuleType) -> None:
    assert PAGE.read_text(encoding="utf-8") == builder.build(), "run: python deploy/dev/verify_html.py"


def test_every_source_is_part_of_it(builder: ModuleType) -> None:
    assert {path.name for path in SOURCES.iterdir()} == {*builder.SCRIPTS, "page.html", "style.css"}


def test_it_asks_for_nothing() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "unsafe-" not in text
    assert not re.search(
        r"https?://|\bimport\s*\(|\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket|\ssrc=|innerHTML", text
    )


def test_both_verifiers_know_the_same_types_and_fields() -> None:
    source = (SOURCES / "entries.js").read_text(encoding="utf-8")
    table = re.search(r"const PLAIN = new Map\(\s*Object\.entries\({(.*?)}\)", source, re.DOTALL)
    assert table is not None
    known = {kind: set(fields.split()) for kind, fields in re.findall(r'(\w+): "([^"]*)"', table[1])}
    assert known == verify_bundle.PLAIN
    table = re.search(r"const OPTIONAL_FIELDS = new Map\(\[(.*?)\]\);", source, re.DOTALL)
    assert table is not None
    optional = {
        kind: set(re.findall(r'"(\w+)"', names)) for kind, names in re.findall(r'\["(\w+)", \[(.*?)\]\]', table[1])
    }
    assert optional == verify_bundle.OPTIONAL_FIELDS
