"""A municipality's arms as a file that guests' browsers are given: an SVG or PNG with nothing in it but the picture.

What comes out is written anew from what was understood; what is not understood is refused, with the reason. Pure.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

MAX_BYTES = 24 * 1024  # with the page and the stylesheet the first load stays below 60 KB
MAX_SVG_INPUT_BYTES = 256 * 1024
MAX_ELEMENTS = 2000
MAX_DEPTH = 30
MAX_SIDE_PX = 1024

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "{http://www.w3.org/1999/xlink}href"
_ELEMENT_NAMES = """
svg g defs symbol use path rect circle ellipse line polyline polygon linearGradient radialGradient stop clipPath mask
"""
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_LEFT_OUT = frozenset({"metadata", "namedview", "style-sheet", "title", "desc"})  # no picture, and no harm without
_ATTRIBUTE_NAMES = """
id viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy d points transform preserveAspectRatio href
fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray
stroke-dashoffset stroke-opacity opacity clip-path clip-rule clipPathUnits mask maskUnits maskContentUnits offset
stop-color stop-opacity gradientUnits gradientTransform spreadMethod color display visibility version
"""
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_STYLED = frozenset(name for name in _ATTRIBUTES if "-" in name) | {"fill", "stroke", "opacity", "mask", "display"}
_ELSEWHERE = re.compile(r"(?i)url\(\s*['\"]?(?!#)|\\|@import|expression|javascript:|data:|https?:|//")


class ArmsError(ValueError):
    """The picture can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class Arms:
    """The picture: its bytes, media type and the end of its file name."""

    body: bytes
    media_type: str
    suffix: str


def clean(data: bytes) -> Arms:
    """The picture in `data`, an SVG or PNG, with everything else left out. Raises: ArmsError."""
    if data.startswith(PNG_SIGNATURE):
        return Arms(_bounded(_clean_png(data)), "image/png", "png")
    if len(data) > MAX_SVG_INPUT_BYTES:
        raise ArmsError(f"the SVG is larger than {MAX_SVG_INPUT_BYTES // 1024} KiB; use a simpler drawing")
    return Arms(_bounded(_clean_svg(data)), "image/svg+xml", "svg")


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_BYTES:
        raise ArmsError(
            f"the picture has {len(body) / 1024:.0f} KiB, and {MAX_BYTES // 1024} KiB is the most, so that the page"
            " opens at once; use a simpler SVG, or a PNG of 160 × 160 pixels"
        )
    return body


def _clean_png(data: bytes) -> bytes:
    """The chunks that make the picture (PNG, third edition §5); none that hold text, time, profiles or animation."""
    out, at, names = bytearray(PNG_SIGNATURE), len(PNG_SIGNATURE), list[bytes]()
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise ArmsError("the PNG is damaged; save it anew")
        if not names and (name != b"IHDR" or length != 13):
            raise ArmsError("the PNG does not begin with its header; save it anew")
        if name == b"IHDR":
            width, height = struct.unpack_from(">II", data, at + 8)
            if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
                raise ArmsError(f"the PNG has {width} × {height} pixels; {MAX_SIDE_PX} × {MAX_SIDE_PX} is the most")
        if name in _PNG_KEPT:
            out += data[at:end]
        names.append(name)
        at = end
        if name == b"IEND":
            break
    if not names or names[-1] != b"IEND" or b"IDAT" not in names or names.count(b"IHDR") != 1:
        raise ArmsError("the PNG is cut short; save it anew")
    return bytes(out)


def _clean_svg(data: bytes) -> bytes:
    root = _parse(data)
    if _local(root.tag) != "svg":
        raise ArmsError("the file is neither an SVG nor a PNG; save the arms as one of them")
    cleaned = _copy(root, 0)
    assert cleaned is not None
    if "viewBox" not in cleaned.attrib:
        sides = [re.fullmatch(r"(\d+(?:\.\d+)?)(?:px)?", cleaned.get(name, "")) for name in ("width", "height")]
        if sides[0] is None or sides[1] is None:
            raise ArmsError("the SVG has no viewBox and no size; save it with one")
        cleaned.set("viewBox", f"0 0 {sides[0][1]} {sides[1][1]}")
    cleaned.set("xmlns", _SVG)
    return bytes(ElementTree.tostring(cleaned, encoding="utf-8"))


def _parse(data: bytes) -> ElementTree.Element:
    """The document, without entities: a declaration of any is refused before it can be used."""
    builder, count, depth = ElementTree.TreeBuilder(), 0, 0
    parser = expat.ParserCreate(namespace_separator="}")

    def refuse(*_given: object) -> None:
        raise ArmsError("the SVG has a DOCTYPE, which may hide other files; save it as plain SVG")

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count, depth
        count, depth = count + 1, depth + 1
        if count > MAX_ELEMENTS or depth > MAX_DEPTH:
            raise ArmsError("the SVG is too complex; use a simpler drawing")
        builder.start(_qualified(tag), {_qualified(name): value for name, value in attributes.items()})

    def finish(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(tag))

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = begin, finish
    try:
        parser.Parse(data, True)
        return builder.close()
    except expat.ExpatError as error:
        raise ArmsError("the file is neither an SVG nor a PNG; save the arms as one of them") from error


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name


def _local(tag: str) -> str:
    namespace, _, name = tag.rpartition("}")
    return name if namespace in ("", "{" + _SVG) else ""


def _copy(element: ElementTree.Element, depth: int) -> ElementTree.Element | None:
    name = _local(element.tag)
    if not name or name in _LEFT_OUT:
        return None  # an editor's own notes
    if name not in _ELEMENTS:
        raise ArmsError(f"the SVG has <{name}>, which is no plain drawing; turn it into paths and save it anew")
    copied = ElementTree.Element(name)
    for key, value in element.attrib.items():
        if key == "style":
            for style_key, style_value in _declarations(value):
                _set(copied, style_key, style_value)
        else:
            _set(copied, "href" if key == _XLINK else key, value)
    for child in element:
        kept = _copy(child, depth + 1)
        if kept is not None:
            copied.append(kept)
    return copied


def _declarations(style: str) -> list[tuple[str, str]]:
    pairs = [part.partition(":") for part in style.split(";") if ":" in part]
    return [(key.strip(), value.strip()) for key, _, value in pairs if key.strip() in _STYLED]


def _set(element: ElementTree.Element, key: str, value: str) -> None:
    """Keep an attribute that draws; nothing that acts, and nothing that leads out of the file."""
    if key.lower().startswith("on"):
        raise ArmsError(f"the SVG has a script ({key}); save it as plain SVG")
    if key not in _ATTRIBUTES:
        return
    if (key == "href" and not value.startswith("#")) or _ELSEWHERE.search(value):
        raise ArmsError(f"the SVG leads elsewhere ({key}); save it with everything in it")
    element.set(key, value)
