"""Bundles with single changed bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tests.unit.audit.forgeries.case import LAST, LOG, NEXT, OLD, Case, packed, repacked
from tests.unit.audit.forgeries.rotations import CHAIN, rotated, rotations
from tests.unit.audit.forgeries.selections import selected


@cache
def part_of_a_log() -> tuple[dict[str, bytes], dict[str, object]]:
    """A bundle of a part of a log, and how it is verified."""
    files = LOG.files(LOG.request(7, 39, consistency_from=5))
    return files, {"sidecar": packed(files)[1], "require_sidecar": True, "checkpoint": LOG.checkpoint(5)}


@cache
def everything() -> tuple[dict[str, bytes], dict[str, object]]:
    """A bundle with every file that there can be, and how it is verified."""
    more = {"rotations.txt": rotations(*CHAIN), "view.xlsx": b"PK", "report.pdf": b"%PDF", "report-ua.pdf": b"%PDF-1.7"}
    chosen = {"name": "a", "site": "hovedbygg", "version": "2026-1"}
    files = selected(rotated(), chosen, sample=(4, "4711"), more=more, keys=(OLD, NEXT, LAST))
    return files, {"sidecar": packed(files, LAST)[1], "require_sidecar": True}


def changed_bytes(count: int, seed: int = 20261122) -> Iterator[tuple[Case, dict[str, bytes], str, int]]:
    """Bundles with one changed byte at a random place of a random file, in fitting ZIPs: (case, files, file, place)."""
    source = random.Random(seed)
    for number in range(count):
        files, words = (part_of_a_log, everything)[number % 2]()
        name = source.choice(sorted(files))  # evenly, so that short files are not spared
        place = source.randrange(len(files[name]))
        data = bytearray(files[name])
        data[place] ^= source.randrange(1, 256)
        case = Case(f"{name}, byte {place}", repacked({**files, name: bytes(data)}), name, **words)  # type: ignore[arg-type]
        yield case, files, name, place


def changed_zips(count: int) -> Iterator[Case]:
    """Bundles with one changed byte of the ZIP itself."""
    source = random.Random(1122)
    for _ in range(count):
        files, words = part_of_a_log()
        data = bytearray(packed(files)[0])
        place = source.randrange(len(data))
        data[place] ^= source.randrange(1, 256)
        yield Case(f"ZIP, byte {place}", bytes(data), "?", **words)  # type: ignore[arg-type]
