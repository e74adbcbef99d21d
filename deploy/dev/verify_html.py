#!/usr/bin/env python3
"""Assemble gateway/audit/verify.html, the one file that an auditor opens, from gateway/audit/verify_html/.

The scripts become one, inside one function, so that nothing leaks and the worker can be made of the same text; the
Content-Security-Policy names the hash of the style and of the script, and allows nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "gateway" / "audit" / "verify_html"
TARGET = ROOT / "gateway" / "audit" / "verify.html"
SCRIPTS = (
    "bytes.js",
    "sha256.js",
    "fault.js",
    "json.js",
    "tree.js",
    "notes.js",
    "zip.js",
    "entries.js",
    "walk.js",
    "verifier.js",
    "receipt.js",
    "engine.js",
    "words_nb.js",
    "words_nn.js",
    "words_en.js",
    "page.js",
)


def build() -> str:
    """The text of verify.html."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    scripts = "\n".join(map(_read, SCRIPTS))
    script = f'"use strict";\n(() => {{\nconst VERSION = "{version}";\nconst WORDS = {{}};\n\n{scripts}}})();\n'
    style = _read("style.css")
    if "</script" in script.lower() or "</style" in style.lower():
        raise ValueError("a source would end its own element")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "worker-src blob:",
            "connect-src 'none'",
            "form-action 'none'",
            "base-uri 'none'",
        ]
    )
    marks = {"@CSP@": policy, "@STYLE@": style, "@SCRIPT@": script}
    return re.sub("|".join(marks), lambda found: marks[found[0]], _read("page.html"))


def _read(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


if __name__ == "__main__":
    TARGET.write_text(build(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size} bytes")
