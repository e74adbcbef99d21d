"""What a browser posts: read with a bound on its size, and cleaned field by field."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

from starlette.requests import Request

from captive_portal.console import multipart
from captive_portal.console.multipart import Upload

BODY_MAX_BYTES = 64 * 1024
UNREAD_MAX_BYTES = 512 << 20  # of a file that is too large, which is thrown away as it comes
MAX_FIELDS = 200
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

TextProblem = Literal["missing", "too_long", "characters"]


@dataclass(frozen=True)
class Form:
    """The fields of a posted form, and its files; empty when nothing was posted."""

    fields: Mapping[str, Sequence[str]]
    files: Mapping[str, Upload] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The first value of a field, "" without one."""
        values = self.fields.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> Sequence[str]:
        """Every value of a field, as check boxes of one name give."""
        return self.fields.get(name, ())


@dataclass(frozen=True)
class BadBody:
    """Why a body is no form, as an HTTP status."""

    status: Literal[400, 413, 415]


NO_FORM = Form({})


async def read_form(request: Request, upload_max_bytes: int = 0, max_fields: int = MAX_FIELDS) -> Form | BadBody:
    """Read a URL-encoded form of at most `BODY_MAX_BYTES` and `max_fields`, in UTF-8; or, where that is more than 0, a
    form with files of at most `upload_max_bytes` together.
    """
    content_type = request.headers.get("content-type", "")
    boundary = multipart.boundary_of(content_type) if upload_max_bytes else None
    if boundary is None and content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return BadBody(415)
    limit = BODY_MAX_BYTES + (upload_max_bytes if boundary is not None else 0)
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit + (UNREAD_MAX_BYTES if boundary is not None else 0):
            return BadBody(413)
        if size <= limit:
            body += chunk
    if size > limit:  # read all the same: a browser that is cut off while it sends shows no answer
        return BadBody(413)
    if boundary is not None:
        found = multipart.parse(bytes(body), boundary)
        return BadBody(400) if found is None else Form(*found)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=max_fields, encoding="utf-8", errors="strict"
        )
    except ValueError:  # not ASCII, not UTF-8 behind the percent signs, or too many fields
        return BadBody(400)
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return Form(fields)


def clean_line(text: str, max_chars: int, *, required: bool = False) -> tuple[str, TextProblem | None]:
    """One line of text as typed, and what is wrong with it, if anything. Only the spaces around it go."""
    line = unicodedata.normalize("NFC", text).strip()
    if not line:
        return "", "missing" if required else None
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _BIDI for character in line):
        return "", "characters"  # what can't be shown safely isn't shown again either
    if len(line) > max_chars:
        return line[:max_chars], "too_long"
    return line, None
