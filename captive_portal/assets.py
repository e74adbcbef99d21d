"""The guest pages' static files, made once and named by their content, so that browsers may keep them for ever.

The stylesheet is Designsystemet's colours, the municipality's own in their place, and what uses them. Old WebViews know
no custom properties: each declaration that uses one stands after the same one with the light colour itself.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.look.colours import Palette
from gateway.look.load import LoadedLook

STATIC = Path(__file__).parent / "static"
COLOURS, STYLESHEET = "designsystemet.css", "guest.css"
ASSET_HEADERS: Mapping[str, str] = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'",
}
NO_LOOK = LoadedLook(None, None, ())

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PROPERTY = re.compile(r"(--[\w-]+):\s*([^;}]+)")
_DECLARATION = re.compile(r"(?P<name>(?<![\w-])[a-z-]+):\s*(?P<value>[^;{}]*var\((?!--\s)[^;{}]*)(?=[;}])")
_VAR = re.compile(r"var\((--[\w-]+)\)")


@dataclass(frozen=True)
class Asset:
    """One file: its body, also packed where that is worth it, and its media type."""

    body: bytes
    media_type: str
    packed: bytes | None = None


@dataclass(frozen=True)
class Assets:
    """Paths of the stylesheet and the mark, and the files behind them."""

    stylesheet: str
    mark: str
    mark_type: str
    files: Mapping[str, Asset]


def load_assets(look: LoadedLook = NO_LOOK) -> Assets:
    """Read the static files; their paths carry the first 12 hexadecimal digits of their SHA-256."""
    css = _text_asset(stylesheet(look.palette).encode(), "text/css; charset=utf-8")
    if look.arms is None:
        mark, suffix = _text_asset((STATIC / "mark.svg").read_bytes(), "image/svg+xml"), "svg"
    elif look.arms.suffix == "svg":
        mark, suffix = _text_asset(look.arms.body, look.arms.media_type), "svg"
    else:
        mark, suffix = Asset(look.arms.body, look.arms.media_type), look.arms.suffix
    stylesheet_path, mark_path = _path("guest", "css", css), _path("mark", suffix, mark)
    return Assets(stylesheet_path, mark_path, mark.media_type, {stylesheet_path: css, mark_path: mark})


def stylesheet(colours: Palette | None) -> str:
    """The guests' stylesheet, with the municipality's colours when it has its own."""
    parts = [(STATIC / COLOURS).read_text(encoding="utf-8")]
    if colours is not None:
        parts.append(_overrides(colours))
    values = dict(_PROPERTY.findall(_COMMENT.sub("", _outside_dark("\n".join(parts)))))
    parts.append(with_fallbacks((STATIC / STYLESHEET).read_text(encoding="utf-8"), values))
    return "\n".join(parts)


def with_fallbacks(css: str, values: Mapping[str, str]) -> str:
    """`css` with each declaration that uses custom properties said before with their values, too."""

    def twice(found: re.Match[str]) -> str:
        plain = _VAR.sub(lambda each: values[each[1]].strip(), found["value"])
        return f"{found['name']}: {plain}; {found[0]}"

    return _DECLARATION.sub(twice, _COMMENT.sub("", css))


def _overrides(colours: Palette) -> str:
    light, dark = (
        ";".join(f"--ds-color-accent-{name}:{value}" for name, value in scheme.items())
        for scheme in (colours.light, colours.dark)
    )
    return f":root{{{light}}}\n@media (prefers-color-scheme: dark) {{ :root{{{dark}}} }}\n"


def _outside_dark(css: str) -> str:
    return re.sub(r"@media \(prefers-color-scheme: dark\) \{.*?\}\s*\}", "", css, flags=re.DOTALL)


def _text_asset(body: bytes, media_type: str) -> Asset:
    return Asset(body, media_type, gzip.compress(body, mtime=0))


def _path(stem: str, suffix: str, asset: Asset) -> str:
    return f"/static/{stem}.{hashlib.sha256(asset.body).hexdigest()[:12]}.{suffix}"
