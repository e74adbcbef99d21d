"""Entries of another shape, as from a log whose writer was changed: hashes, manifest and signature all fit."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.sealing import seal
from tests.unit.audit.forgeries.case import Case, fitting, lines_of, repacked
from tests.unit.audit.specimen import ORIGIN, SIGNER, Log

SHAPES = (
    (b'"language":', b'"languagd":'),
    (b'"rules":{', b'"rules":{"a":"b",'),
    (b'"rules":{', b'"rules":{"group":"",'),
    (b'"rules":{', b'"rules":{"group":["library"],'),
    (b'"identified_by":"self_declared"', b'"identified_by":["self_declared"]'),
    (b'"identified_by":"self_declared"', b'"identified_by":"guess"'),
    (b'"site":"hovedbygg"', b'"site":7'),
    (b'"owner":"kommune"', b'"owner":""'),
    (b'"v":1', b'"v":true'),
    (b'"v":1', b'"v":1.0'),
    (b'"v":1', b'"v":2'),
    (b'"rules":{', b'"rulez":{'),
    (b'"type":"acceptance"', b'"type":["acceptance"]'),
    (b'"type":"acceptance"', b'"type":"rules_published"'),
    (b'"type":"acceptance"', b'"type":"constructor"'),
    (b'"type":"acceptance"', b'"type":"__proto__"'),
    (b'"version":"2026-1"', b'"version":2026'),
    (b'"version":"2026-1"', b'"version":"2026\\u002d1"'),
    (b'"at":"2026', b'"at":"26'),
    (b'"personal":["', b'"personal":["A'),
    (b'"personal":["', b'"personal":["zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz","'),
    (b'{"at"', b'{"at":"x","at"'),
    (b'{"at"', b' {"at"'),
    (b'"site":"hovedbygg"', b'"site":"hoved\xffbygg"'),
    (b'"site":"hovedbygg"', b'"site":"hoved\\ud800bygg"'),
)


BEGINNINGS = (b'"soon"', b'""', b"7", b'"2027-01-01T08:00+01:00"')  # when rules are in force, written otherwise


def misshapen() -> Iterator[Case]:
    for number, beginning in enumerate(BEGINNINGS):
        log = Log(4)
        files = log.files(log.request(0, 4))
        lines = lines_of(files, "entries.jsonl")
        lines[0] = lines[0].replace(b'"owner":', b'"in_force_from":' + beginning + b',"owner":', 1)
        where = "line 1 (entry 0)"
        yield Case(f"in force {number}: {beginning!r}", sealed_anew(files, lines), "entries.jsonl", where)
    log = Log(4)  # a field that a type has got is a fault to verifiers that are out there: they don't know it
    files = log.files(log.request(0, 4))
    lines = lines_of(files, "entries.jsonl")
    lines[0] = lines[0].replace(b'"at":', b'"ask_again":"yes","at":', 1)
    yield Case("published, with a new field", sealed_anew(files, lines), "entries.jsonl", "line 1 (entry 0)")
    log = Log(4, {2: ("rules_asked_again", {"version": "2027-1"})})
    files = log.files(log.request(0, 4))
    yield Case("asked again", sealed_anew(files, lines_of(files, "entries.jsonl")))
    for asked in (b'"versjon":"2027-1"', b'"version":"2027-1","versjon":"2027-1"'):
        log = Log(4, {2: ("rules_asked_again", {"version": "2027-1"})})
        files = log.files(log.request(0, 4))
        lines = lines_of(files, "entries.jsonl")
        lines[2] = lines[2].replace(b'"version":"2027-1"', asked, 1)
        yield Case(f"asked again: {asked!r}", sealed_anew(files, lines), "entries.jsonl", "line 3 (entry 2)")
    proposed = {"change": "proposed", "version": "2027-1", "sha256": "ab" * 32, "group": "library"}
    for new in (b'"group":""', b'"gruppe":"library"', b'"group":7'):
        log = Log(4, {2: ("rules_proposed", proposed)})
        files = log.files(log.request(0, 4))
        lines = lines_of(files, "entries.jsonl")
        lines[2] = lines[2].replace(b'"group":"library"', new, 1)
        yield Case(f"proposed: {new!r}", sealed_anew(files, lines), "entries.jsonl", "line 3 (entry 2)")
    for number, (old, new) in enumerate(SHAPES):
        log = Log(4)
        files = log.files(log.request(0, 4))
        lines = lines_of(files, "entries.jsonl")
        assert old in lines[2]
        lines[2] = lines[2].replace(old, new, 1)
        unknown = b"constructor" in new or b"__proto__" in new  # a type of a later version: not for us to judge
        part, where = ("disclosures.jsonl", "line 3") if unknown else ("entries.jsonl", "line 3 (entry 2)")
        yield Case(f"shape {number}: {new!r}", sealed_anew(files, lines), part, where)


def sealed_anew(files: dict[str, bytes], lines: list[bytes]) -> bytes:
    """The ZIP of a log of exactly these entries, honestly sealed."""
    edge: merkle.Edge = ()
    root = merkle.EMPTY_ROOT
    for index, line in enumerate(lines):
        done = seal(edge, index, [line[:-1]])
        edge, root = done.edge, done.root
    files["entries.jsonl"] = b"".join(lines)
    files["leaves.txt"] = b"".join(merkle.leaf_hash(line[:-1]).hex()[:16].encode() + b"\n" for line in lines)
    files["checkpoint"] = sign_checkpoint(Checkpoint(ORIGIN, len(lines), root), SIGNER)
    return repacked(fitting(files))
