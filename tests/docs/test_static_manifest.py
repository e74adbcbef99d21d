"""Every file that browsers load is our own or listed with package, version, licence and hash."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import captive_portal

STATIC = Path(captive_portal.__file__).parent / "static"
MANIFEST = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))


def _sha256(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()


def test_vendored_files_are_as_listed() -> None:
    assert MANIFEST["files"]
    for entry in MANIFEST["files"]:
        assert _sha256(entry["file"]) == entry["sha256"], entry["file"]
        assert _sha256(entry["licence_file"]) == entry["licence_sha256"], entry["licence_file"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", entry["package_integrity"])
        assert entry["licence"]
        assert entry["changed"]


def test_nothing_is_unlisted() -> None:
    listed = {entry[key] for entry in MANIFEST["files"] for key in ("file", "licence_file")}
    there = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    assert there == listed | set(MANIFEST["own"]) | {"manifest.json"}


def test_style_sheets_load_nothing_and_are_not_layered() -> None:
    """Older WebViews drop a layer with all that is in it, and our pages may load from nowhere else."""
    for name in ("designsystemet.css", "guest.css"):
        css = re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"@layer|@import|url\(|:is\(|:where\(|:has\(", css), name


def test_every_colour_used_is_vendored() -> None:
    vendored = set(re.findall(r"^\s*(--ds-[\w-]+):", (STATIC / "designsystemet.css").read_text(encoding="utf-8"), re.M))
    used = set(re.findall(r"var\((--ds-[\w-]+)", (STATIC / "guest.css").read_text(encoding="utf-8")))
    assert used
    assert used <= vendored
