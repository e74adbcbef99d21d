"""Hostile ZIPs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from tests.unit.audit.forgeries.case import LOG, Case


def zipped(names: list[tuple[str, bytes]], comment: bytes = b"") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, data in names:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return sink.getvalue()


def hostile() -> dict[str, bytes]:
    good = list(LOG.files(LOG.request(0, 43)).items())
    honest = zipped(good)
    return {
        "empty": b"",
        "not a zip": b"PK" * 100,
        "traversal": zipped([*good, ("../../etc/passwd", b"x")]),
        "absolute": zipped([*good, ("/tmp/x", b"x")]),
        "backslash": zipped([*good, ("terms\\x", b"x")]),
        "extra": zipped([*good, ("virus.exe", b"x")]),
        "missing": zipped(good[1:]),
        "comment": zipped(good, b"hello"),
        "prepended": b"#!/bin/sh\n" + honest,
        "appended": honest + b"x",
        "cut": honest[:-30],
        "bomb": zipped([*[item for item in good if item[0] != "view.csv"], ("view.csv", bytes(64 << 20))]),
        "large": zipped([*[item for item in good if item[0] != "checkpoint"], ("checkpoint", bytes(9 << 20))]),
        "deep manifest": zipped([*good[:-1], ("manifest.json", b"[" * 200_000)]),
        "list manifest": zipped([*good[:-1], ("manifest.json", b"[]")]),
    }


def hostile_cases() -> Iterator[Case]:
    for name, data in hostile().items():
        yield Case(f"hostile: {name}", data, "?")
