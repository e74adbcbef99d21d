"""A posted form with one file in it (RFC 7578), already read within a bound: fields, and the file as it came.

Nothing of the file is interpreted here; it is the jobs service that reads what strangers publish.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_PARTS = 50
MAX_HEAD_BYTES = 4096
_BOUNDARY = re.compile(
    r"""multipart/form-data\s*;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;,"]{1,70}))\s*""", re.IGNORECASE
)
_DISPOSITION = re.compile(rb"content-disposition:[ \t]*form-data[ \t]*;(.*)", re.IGNORECASE)
_PARAMETER = re.compile(rb'(?:^|;)[ \t]*(name|filename)="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """A file as a browser sent it. `name` is what the sender calls it, without any folder; never a path to write to."""

    name: str
    content: bytes


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a multipart form; None when it is another kind of body."""
    found = _BOUNDARY.fullmatch(content_type.strip())
    return (found[1] or found[2]).encode("latin-1", "replace") if found else None


def parse(body: bytes, boundary: bytes) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Upload]] | None:
    """(fields, files) by name; None when the body is not a whole form. A file field left empty is no file."""
    first, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 1)
    if first or not parts or len(parts) > MAX_PARTS or not parts[-1].startswith(b"--"):
        return None
    fields: dict[str, list[str]] = {}
    files: dict[str, Upload] = {}
    for part in parts[:-1]:
        head, blank, content = part[: MAX_HEAD_BYTES + 4].partition(b"\r\n\r\n")
        if not blank or not head.startswith(b"\r\n"):
            return None
        content = part[len(head) + len(blank) :]
        named = _named(head)
        if named is None:
            return None
        name, file_name = named
        if file_name is None:
            try:
                fields.setdefault(name, []).append(content.decode("utf-8"))
            except UnicodeDecodeError:
                return None
        elif file_name or content:
            files[name] = Upload(re.split(r"[/\\]", file_name)[-1], content)
    return fields, files


def _named(head: bytes) -> tuple[str, str | None] | None:
    for line in head.split(b"\r\n"):
        found = _DISPOSITION.fullmatch(line)
        if found is None:
            continue
        given = {key.lower(): value.decode("utf-8", "replace") for key, value in _PARAMETER.findall(found[1])}
        return (given[b"name"], given.get(b"filename")) if b"name" in given else None
    return None
