"""Arms: what draws is kept, what acts, leads elsewhere or bloats is refused or left out."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.look.arms import MAX_BYTES, PNG_SIGNATURE, ArmsError, clean


def svg(inside: str, attributes: str = 'viewBox="0 0 10 10"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*between: bytes, width: int = 2, height: int = 2, pixels: bytes = b"\0" * 14) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG_SIGNATURE + header + b"".join(between) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND")


def test_a_drawing_is_kept_and_an_editors_notes_are_not() -> None:
    arms = clean(
        b'<?xml version="1.0"?><!-- made by -->'
        + svg(
            '<metadata>by whom</metadata><sodipodi:namedview xmlns:sodipodi="urn:x"/><title>Arms</title>'
            '<defs><linearGradient id="a"><stop offset="0" style="stop-color:#fff;-inkscape-x:1"/>'
            "</linearGradient></defs>"
            '<path d="M0 0h4" fill="url(#a)" data-note="x"/>'
        )
    )
    text = arms.body.decode()
    assert arms.media_type == "image/svg+xml"
    assert '<path d="M0 0h4" fill="url(#a)" />' in text
    assert '<stop offset="0" stop-color="#fff" />' in text
    for gone in ("metadata", "namedview", "title", "data-note", "inkscape", "made by"):
        assert gone not in text
    assert clean(arms.body).body == arms.body


def test_a_size_makes_a_view_box() -> None:
    assert b'viewBox="0 0 30 40"' in clean(svg("", 'width="30px" height="40"')).body
    with pytest.raises(ArmsError, match="no viewBox"):
        clean(svg("", 'width="100%"'))


@pytest.mark.parametrize(
    "bad",
    [
        svg("<script>alert(1)</script>"),
        svg('<path onload="alert(1)"/>'),
        svg("<foreignObject/>"),
        svg("<style>@import url(//x)</style>"),
        svg('<image href="a.png"/>'),
        svg('<use href="https://example.com/#a"/>'),
        svg('<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="data:image/png;base64,x"/>'),
        svg('<path fill="url(https://example.com/x)"/>'),
        svg('<path style="fill:url( //example.com/x)"/>'),
        svg('<a href="javascript:alert(1)"/>'),
        svg('<animate attributeName="href"/>'),
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"),
        svg("<g>" * 40 + "</g>" * 40),
        svg("<g/>" * 3000),
        svg(f'<path d="{"M0 0" * 7000}"/>'),
        b"<html></html>",
        b"GIF89a",
        b"",
        svg("")[:-3],
        b" " * 300_000,
    ],
)
def test_what_acts_leads_elsewhere_or_is_no_drawing_is_refused(bad: bytes) -> None:
    with pytest.raises(ArmsError):
        clean(bad)


def test_a_png_keeps_its_picture_and_loses_its_notes() -> None:
    arms = clean(png(chunk(b"tEXt", b"Author\0Kari"), chunk(b"eXIf", b"place")) + b"trailing")
    assert arms.media_type == "image/png"
    assert arms.body == png()


@pytest.mark.parametrize(
    "bad",
    [
        png(width=5000),
        png(height=0),
        png()[:-6],
        png()[:-12],
        png().replace(b"IDAT", b"IDAX"),
        PNG_SIGNATURE,
        PNG_SIGNATURE + chunk(b"IDAT") + chunk(b"IEND"),
        PNG_SIGNATURE + struct.pack(">I", 0xFFFFFFFF) + b"IHDR" + b"\0" * 20,
    ],
)
def test_a_damaged_or_huge_png_is_refused(bad: bytes) -> None:
    with pytest.raises(ArmsError):
        clean(bad)


@given(st.binary(max_size=400), st.booleans())
def test_no_input_does_anything_else_than_be_cleaned_or_refused(data: bytes, as_png: bool) -> None:
    try:
        arms = clean(PNG_SIGNATURE + data if as_png else data)
    except ArmsError:
        return
    assert len(arms.body) <= MAX_BYTES
