"""Logs of a database that was restored."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from tests.unit.audit.forgeries.case import Case, packed
from tests.unit.audit.specimen import ORIGIN, SIGNER, Log


def restore(size: object, known_size: object) -> tuple[str, dict[str, object]]:
    """An entry that says that the database was restored from `known_size` entries to `size`."""
    return "restored", {"size": size, "root": "aa" * 32, "known_size": known_size, "known_root": "bb" * 32}


def restore_cases() -> Iterator[Case]:
    log = Log(30, {16: restore(16, 22), 20: restore(20, 21), 24: restore(24, 24)})
    data, sidecar = packed(log.files(log.request(0, 30, consistency_from=18)))
    lost = (
        "The database was restored at entry 16 (2026-11-22T12:16:00.000Z): entries 16 to 21 as signed before were lost",
        "The database was restored at entry 20 (2026-11-22T12:20:00.000Z): entry 20 as signed before was lost.",
        "The database was restored at entry 24 (2026-11-22T12:24:00.000Z): it holds another history than the 24 entries"
        " that were signed before.",
    )
    yield Case("restored", data, sidecar=sidecar, require_sidecar=True, says=lost)
    part = packed(log.files(log.request(18, 23, consistency_from=9)))[0]
    yield Case("restored, a part", part, says=(lost[1],))
    yield Case("grown to where it was restored", data, checkpoint=log.checkpoint(16), says=("only grown", lost[0]))
    before = Log(60)  # the history that was lost
    for size, entries in ((17, "16"), (20, "16"), (22, "16, 20"), (30, "16, 20, 24"), (40, "16, 20, 24")):
        explained = (f"; entry {entries} records a restore, which may explain it",)
        if "," in entries:
            explained = (f"; entries {entries} record restores, which may explain it",)
        earlier = before.checkpoint(size)
        yield Case(f"lost from {size}", data, "earlier checkpoint", checkpoint=earlier, says=explained)
    yield Case(
        "lost before the range",
        packed(log.files(log.request(20, 30)))[0],
        "earlier checkpoint",
        checkpoint=before.checkpoint(21),
        says=("; entry 20 records a restore",),
    )
    late = Log(30, {26: restore(17, 22)})
    files = late.files(late.request(24, 30, consistency_from=18))
    yield Case(
        "lost, by a proof",
        packed(files)[0],
        "consistency.txt",
        checkpoint=sign_checkpoint(Checkpoint(ORIGIN, 18, merkle.leaf_hash(b"other")), SIGNER),
        says=("; entry 26 records a restore",),
    )
    other = Log(60)
    other.roots[10] = merkle.leaf_hash(b"other")
    yield Case("rewritten before any restore", data, "earlier checkpoint", checkpoint=other.checkpoint(10))
    for size, known in (("16", 22), (16, "22"), (16, None), (-1, 22), (16, -1), (True, 22), ([], 22)):
        odd = Log(18, {16: restore(size, known)})
        yield Case(f"restored {size!r} {known!r}", packed(odd.files(odd.request(0, 18)))[0], "entries.jsonl", "line 17")
