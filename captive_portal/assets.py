"""The guest pages' static files, read once and named by their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLESHEET = ("designsystemet.css", "guest.css")  # the vendored colours, then what uses them
ASSET_HEADERS: Mapping[str, str] = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'",
}


@dataclass(frozen=True)
class Asset:
    """One file: its body and media type."""

    body: bytes
    media_type: str


@dataclass(frozen=True)
class Assets:
    """Paths of the stylesheet and the mark, and the files behind them."""

    stylesheet: str
    mark: str
    files: Mapping[str, Asset]


def load_assets() -> Assets:
    """Read the static files; their paths carry the first 12 hexadecimal digits of their SHA-256."""
    css = Asset(b"\n".join((STATIC / name).read_bytes() for name in STYLESHEET), "text/css; charset=utf-8")
    mark = Asset((STATIC / "mark.svg").read_bytes(), "image/svg+xml")
    stylesheet_path, mark_path = _path("guest", "css", css), _path("mark", "svg", mark)
    return Assets(stylesheet_path, mark_path, {stylesheet_path: css, mark_path: mark})


def _path(stem: str, suffix: str, asset: Asset) -> str:
    return f"/static/{stem}.{hashlib.sha256(asset.body).hexdigest()[:12]}.{suffix}"
