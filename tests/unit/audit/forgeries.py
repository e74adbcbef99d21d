"""Bundles and receipts, honest and forged, that both verifiers must judge alike: Python and the browser."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.audit import canonical, merkle, note, view
from gateway.audit.bundle import Sidecar
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.receipt import make_receipt
from gateway.audit.sealing import seal
from gateway.audit.verify_bundle import Report, WrongUse, verify_bundle, verify_receipt
from tests.unit.audit.specimen import KEYS, ORIGIN, SIGNER, Log, rewrite, sha256, write

LOG = Log(43)
OLD = SIGNER
NEXT = note.SignerKey(ORIGIN, bytes(range(1, 33)))
LAST = note.SignerKey(ORIGIN, bytes(range(2, 34)))
FOREIGN = note.SignerKey("another.example/log", bytes(range(3, 35)))


@dataclass(frozen=True)
class Case:
    """What a verifier is given, and the part and the beginning of the place that it must name; no part: it holds."""

    name: str
    data: bytes
    part: str = ""
    where: str = ""
    sidecar: bytes | None = None
    require_sidecar: bool = False
    checkpoint: bytes | None = None
    keys: str = KEYS
    entry: bytes | None = None
    kind: str = "bundle"
    says: tuple[str, ...] = field(default=())  # words that stand in what was proved or left unchecked, or is wrong
    wrong_use: str = ""  # no verdict: what has to be given first

    @property
    def file(self) -> str:
        """The name under which the file is given."""
        return "bundle.zip" if self.kind == "bundle" else "kvittering.tlog-proof"


def judge(case: Case, folder: Path) -> Report:
    """The verdict of the Python verifier."""
    if case.kind == "receipt":
        return verify_receipt(case.data, case.keys, entry=case.entry, checkpoint=case.checkpoint, name=case.file)
    path = folder / case.file
    path.write_bytes(case.data)
    return verify_bundle(
        path, case.keys, checkpoint=case.checkpoint, sidecar=case.sidecar, require_sidecar=case.require_sidecar
    )


def verdict(case: Case, folder: Path) -> dict[str, Any]:
    """As `--json` prints it; {"wrong_use": why} where there is none."""
    try:
        report = judge(case, folder)
    except WrongUse as wrong:
        return {"wrong_use": str(wrong)}
    problems = [vars(problem) for problem in report.problems]
    return {"ok": report.ok, "problems": problems, "proved": report.proved, "unchecked": report.unchecked}


def packed(files: Mapping[str, bytes], signer: note.SignerKey = SIGNER) -> tuple[bytes, bytes]:
    """The ZIP as the exporter writes it, and its sidecar."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        sidecar = write(path, files, signer)
        return path.read_bytes(), sidecar


def repacked(files: Mapping[str, bytes]) -> bytes:
    """A well-formed ZIP of (changed) files, as a forger writes it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        rewrite(path, files)
        return path.read_bytes()


# --- forgeries whose manifest fits: what the sidecar can't name, the log itself must ---------------------------------

Forge = Callable[[dict[str, bytes]], None]


def lines_of(files: dict[str, bytes], name: str) -> list[bytes]:
    return files[name].splitlines(keepends=True)


def fitting(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with a manifest of their present sizes and hashes."""
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    manifest = canonical.decode(files["manifest.json"])
    manifest["files"] = {name: {"size": len(data), "sha256": sha256(data)} for name, data in rest.items()}
    return {**rest, "manifest.json": canonical.encode(manifest)}


def drop_entry(files: dict[str, bytes]) -> None:
    del (lines := lines_of(files, "entries.jsonl"))[4]
    files["entries.jsonl"] = b"".join(lines)


def swap_entries(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "entries.jsonl")
    lines[4], lines[5] = lines[5], lines[4]
    files["entries.jsonl"] = b"".join(lines)


def other_site(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "entries.jsonl")
    lines[4] = lines[4].replace(b"hovedbygg", b"skolebygg")
    files["entries.jsonl"] = b"".join(lines)


def other_site_with_leaf(files: dict[str, bytes]) -> None:
    other_site(files)
    lines = lines_of(files, "leaves.txt")
    lines[4] = merkle.leaf_hash(lines_of(files, "entries.jsonl")[4][:-1]).hex()[:16].encode() + b"\n"
    files["leaves.txt"] = b"".join(lines)
    files["view.csv"] = files["view.csv"].replace(b'"hovedbygg"', b'"skolebygg"', 1)


def other_name(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b"Kari", b"Lise", 1)
    files["view.csv"] = files["view.csv"].replace(b"Kari", b"Lise", 1)


def twice(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "disclosures.jsonl")
    files["disclosures.jsonl"] = b"".join([lines[0], *lines])


def hidden_disclosure(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = b"".join(lines_of(files, "disclosures.jsonl")[1:])


def csv_row(files: dict[str, bytes]) -> None:
    files["view.csv"] = files["view.csv"].replace(b'"self_declared"', b'"host_approved"', 1)


def csv_extra(files: dict[str, bytes]) -> None:
    files["view.csv"] += b'"x"\r\n'


def leaf(files: dict[str, bytes]) -> None:
    files["leaves.txt"] = b"0" * 16 + files["leaves.txt"][16:]


def text(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.endswith(".md"))
    files[name] += b"\n"


def no_text(files: dict[str, bytes]) -> None:
    del files[next(name for name in files if name.endswith(".md"))]


def extra_text(files: dict[str, bytes]) -> None:
    files[f"terms/{sha256(b'x')}.md"] = b"x"


def proof(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "range-proof.txt")
    lines[5], lines[6] = lines[6], lines[5]
    files["range-proof.txt"] = b"".join(lines)


def smaller_checkpoint(files: dict[str, bytes]) -> None:
    files["checkpoint"] = LOG.checkpoint(42)


def other_keys(files: dict[str, bytes]) -> None:
    files["keys.vkey"] = (str(type(SIGNER)(SIGNER.name, bytes(32)).verifier) + "\n").encode()


def no_last_entry(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] = b"".join(lines_of(files, "entries.jsonl")[:-1])


def one_more_entry(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] += lines_of(files, "entries.jsonl")[-1]


def no_end(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] = files["entries.jsonl"][:-1]


def more_leaves(files: dict[str, bytes]) -> None:
    files["leaves.txt"] += b"0" * 16 + b"\n"


def stray_disclosure(files: dict[str, bytes]) -> None:
    line = {"index": 99, "name": "name", "salt": "A" * 22, "value": "x"}
    files["disclosures.jsonl"] += canonical.encode(line) + b"\n"


def odd_disclosure(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"index":7', b'"index":"7"', 1)


def spaced_disclosure(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b",", b", ", 1)


def half_a_pair(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"value":"', b'"value":"\\ud800', 1)


def fraction(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"index":7', b'"index":7.5', 1)


def huge(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"index":7', b'"index":9007199254740993', 1)


def not_utf8(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"value":"', b'"value":"\xff', 1)


def longer_proof(files: dict[str, bytes]) -> None:
    files["range-proof.txt"] += lines_of(files, "range-proof.txt")[-1]


def resigned(files: dict[str, bytes]) -> None:
    files["checkpoint"] = FOREIGN and sign_checkpoint(Checkpoint(FOREIGN.name, 43, LOG.roots[43]), FOREIGN)


def padded_base64(files: dict[str, bytes]) -> None:
    files["range-proof.txt"] = files["range-proof.txt"].replace(b"=\n", b"==\n", 1)


FORGERIES: tuple[tuple[Forge, str, str], ...] = (
    (drop_entry, "entries.jsonl", "line 5 (entry 11)"),
    (swap_entries, "entries.jsonl", "line 5 (entry 11)"),
    (other_site, "entries.jsonl", "line 5 (entry 11)"),
    (other_site_with_leaf, "range-proof.txt", ""),
    (no_last_entry, "entries.jsonl", "line 36 (entry 42)"),
    (one_more_entry, "entries.jsonl", "line 37 (entry 43)"),
    (no_end, "entries.jsonl", "line 36 (entry 42)"),
    (other_name, "disclosures.jsonl", "line"),
    (twice, "disclosures.jsonl", "line 2"),
    (stray_disclosure, "disclosures.jsonl", "line"),
    (odd_disclosure, "disclosures.jsonl", "line 1"),
    (spaced_disclosure, "disclosures.jsonl", "line 1"),
    (half_a_pair, "disclosures.jsonl", "line 1"),
    (fraction, "disclosures.jsonl", "line 1"),
    (huge, "disclosures.jsonl", "line 1"),
    (not_utf8, "disclosures.jsonl", "line 1"),
    (hidden_disclosure, "view.csv", "row 2"),
    (csv_row, "view.csv", "row 2"),
    (csv_extra, "view.csv", "row"),
    (leaf, "leaves.txt", "line 1"),
    (more_leaves, "leaves.txt", ""),
    (text, "terms/", ""),
    (no_text, "terms/", ""),
    (extra_text, "terms/", ""),
    (proof, "range-proof.txt", ""),
    (longer_proof, "range-proof.txt", ""),
    (padded_base64, "range-proof.txt", ""),
    (smaller_checkpoint, "manifest.json", "size"),
    (resigned, "checkpoint", ""),
    (other_keys, "keys.vkey", ""),
)


def forged() -> Iterator[Case]:
    for forge, part, where in FORGERIES:
        files = LOG.files(LOG.request(7, 43))
        forge(files)
        yield Case(f"forged: {forge.__name__}", repacked(fitting(files)), part, where)


# --- entries of another shape, as from a log whose writer was changed: hashes, manifest and signature all fit ---------

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


# --- hostile ZIPs -----------------------------------------------------------------------------------------------------


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


# --- what an export with a personal filter, a sample, changes of key and other views looks like -----------------------

PERSONAL = {"name": "name", "course": "course_code", "device": "mac"}


def selected(
    log: Log,
    chosen: Mapping[str, str],
    *,
    fields: tuple[str, ...] = ("mac", "name"),
    sample: tuple[int, str] | None = None,
    more: Mapping[str, bytes] | None = None,
    keys: tuple[note.SignerKey, ...] = (SIGNER,),
) -> dict[str, bytes]:
    """The bundle of a whole log, its selection made here in the plainest way from what each person typed."""
    size = len(log.records)
    request = log.request(0, size, keys=tuple(key.verifier for key in keys), fields=frozenset(fields))
    files = log.files(request)
    rows: dict[int, bytes] = {}
    disclosures = []
    for record in log.records:
        document = json.loads(record.entry)
        values = {item.name: item.value for item in record.disclosures}
        plain = {"site": document["site"], "version": document.get("rules", {}).get("version")}
        if document["type"] != "acceptance" or any(chosen.get(key, plain[key]) != plain[key] for key in plain):
            continue
        if "name" in chosen and chosen["name"].lower() not in values.get("name", "").lower():
            continue
        if "device" in chosen and not values.get("mac", "").replace(":", "").endswith(
            chosen["device"].replace(":", "")
        ):
            continue
        shown = sorted((item for item in record.disclosures if item.name in fields), key=lambda item: item.name)
        for item in shown:
            line = {"index": record.index, "name": item.name, "salt": item.salt, "value": item.value}
            disclosures.append(canonical.encode(line) + b"\n")
        rows[record.index] = view.row(record.index, document, {item.name: item.value for item in shown})
    heading = view.heading("nb")
    files["disclosures.jsonl"] = b"".join(disclosures)
    files["view.csv"] = heading + b"".join(rows.values())
    manifest = canonical.decode(files["manifest.json"])
    manifest["filter"] = dict(chosen)
    if chosen.keys() & PERSONAL.keys():
        files["selection.txt"] = b"".join(b"%d\n" % index for index in rows)
    if sample is not None:
        count, number = sample
        manifest["sample"] = {"count": count, "number": number}
        seed = hashlib.sha256(b"gjestenett sample v1\n" + log.roots[size] + number.encode()).digest()
        drawn = sorted(rows, key=lambda index: hashlib.sha256(seed + str(index).encode()).digest())[:count]
        files["sample.csv"] = heading + b"".join(rows[index] for index in sorted(drawn))
    files |= more or {}
    files["manifest.json"] = canonical.encode(manifest)
    return fitting(files)


def rotation(old: note.SignerKey, new: note.SignerKey) -> str:
    """The note by which the old key makes the new one trusted."""
    return note.sign(f"gjestenett key rotation v1\n{old.name}\n{new.verifier}\n".encode(), [old]).decode()


def rotations(*notes: str) -> bytes:
    return b"".join(b"note %d\n%b" % (len(text.encode()), text.encode()) for text in notes)


CHAIN = (rotation(OLD, NEXT), rotation(NEXT, LAST))


@cache
def rotated() -> Log:
    """A log whose key was changed twice and in which two persons and a range were erased."""

    def change(old: note.SignerKey, new: note.SignerKey, text: str) -> tuple[str, dict[str, object]]:
        return "key_rotated", {"old_vkey": str(old.verifier), "new_vkey": str(new.verifier), "note": text}

    erased = ("erased", {"leaves": "6,13-14,14-15", "ground": "request"})
    others = {5: change(OLD, NEXT, CHAIN[0]), 21: change(NEXT, LAST, CHAIN[1]), 32: erased, 33: erased}
    return Log(37, others, LAST)


def with_rotations(notes: bytes, **options: object) -> dict[str, bytes]:
    more = {"rotations.txt": notes}
    return selected(rotated(), {}, more=more, keys=(OLD, NEXT, LAST), **options)  # type: ignore[arg-type]


def keys_of(*signers: note.SignerKey) -> str:
    return "".join(f"{signer.verifier}\n" for signer in signers)


def changed(files: dict[str, bytes], name: str, old: bytes, new: bytes) -> bytes:
    assert old in files[name], (name, old)
    return repacked(fitting({**files, name: files[name].replace(old, new, 1)}))


def of_manifest(bundle: dict[str, bytes], /, **words: object) -> bytes:
    """The ZIP with other words in the manifest."""
    manifest = {**canonical.decode(bundle["manifest.json"]), **words}
    return repacked({**bundle, "manifest.json": canonical.encode(manifest)})


def selections() -> Iterator[Case]:
    log = LOG
    both = selected(log, {"name": "kari"}, sample=(2, "4711"))
    yield Case("name", repacked(both), says=("Whether other acceptances have name “kari”", "number “4711” draw"))
    for chosen in (
        {"name": "NORDMANN", "site": "hovedbygg"},
        {"device": "00:2a"},
        {"device": "02:00:00:00:00:11"},
        {"name": "nobody"},
        {"name": "åSE\nb", "version": "2026-1"},
    ):
        yield Case(f"selection {chosen}", repacked(selected(log, chosen)))
    withheld = selected(log, {"name": "kari"}, fields=("mac",))
    yield Case("withheld", repacked(withheld), says=("that field is withheld",))
    for site, version in (("hovedbygg", "2026-1"), ("elsewhere", "2026-1"), ("hovedbygg", "x")):
        yield Case(f"{site} {version}", repacked(selected(log, {"site": site, "version": version})))
    for count in (1, 5, 99):
        yield Case(f"sample of {count}", repacked(selected(log, {}, sample=(count, "Åse 1"))))
    lines = lines_of(both, "selection.txt")
    for name, data, where in (
        ("not ascending", b"".join([lines[1], lines[0], *lines[2:]]), "line 2"),
        ("twice", lines[0] + b"".join(lines), "line 2"),
        ("not an acceptance", b"0\n" + b"".join(lines), "line 1"),
        ("beyond", b"".join(lines) + b"4711\n", f"line {len(lines) + 1}"),
        ("not a number", b"x\n" + b"".join(lines), "line 1"),
        ("leading zero", b"0" + b"".join(lines), "line 1"),
        ("no end", b"".join(lines)[:-1], f"line {len(lines)}"),
    ):
        yield Case(f"selection {name}", repacked(fitting({**both, "selection.txt": data})), "selection.txt", where)
    yield Case("row left out", changed(both, "selection.txt", lines[0], b""), "disclosures.jsonl", "line 1")
    other = selected(log, {"name": "ola"})
    manifest = canonical.decode(other["manifest.json"])
    other_name = of_manifest(other, filter={"name": "kari"})
    assert manifest["filter"] == {"name": "ola"}
    yield Case("others selected", other_name, "selection.txt", "row 1")
    yield Case("selection not ordered", of_manifest(both, filter={}), "selection.txt")
    without = {name: data for name, data in both.items() if name not in {"selection.txt", "sample.csv"}}
    yield Case("no selection", repacked(fitting(without)), "selection.txt")
    yield Case("no sample", repacked(fitting(without)), "sample.csv")
    manifest = {key: value for key, value in canonical.decode(both["manifest.json"]).items() if key != "sample"}
    yield Case("sample not ordered", repacked({**both, "manifest.json": canonical.encode(manifest)}), "sample.csv")
    for number in ("4712", "4713 ", "47"):  # each draws other rows of these
        sample = {"count": 2, "number": number}
        yield Case(f"sample of number {number!r}", of_manifest(both, sample=sample), "sample.csv", "row")
    row = lines_of(both, "sample.csv")[1]
    yield Case("sample row", changed(both, "sample.csv", b"Kari", b"Lise"), "sample.csv", "row")
    yield Case(
        "sample too long", repacked(fitting({**both, "sample.csv": both["sample.csv"] + row})), "sample.csv", "row 4"
    )
    yield Case("sample too short", changed(both, "sample.csv", row, b""), "sample.csv", "row")
    for words in (
        {"sample": {"count": 0, "number": ""}},
        {"sample": {"count": 100_001, "number": ""}},
        {"sample": {"count": 2, "number": 4711}},
        {"sample": {"count": 2}},
        {"sample": []},
        {"filter": {"name": ""}},
        {"filter": {"colour": "red"}},
        {"filter": {"site": 7}},
        {"fields": ["name", "mac"]},
        {"first": 5, "last": 3},
        {"language": "se"},
        {"language": "constructor"},
        {"format": "gjestenett-bundle/v2"},
        {"v": True},
        {"origin": "other"},
        {"size": 44},
        {"more": "x"},
        {"files": {}},
        {"files": {**canonical.decode(both["manifest.json"])["files"], "checkpoint": {"size": 1}}},
    ):
        part = "README.txt" if words == {"files": {}} else "manifest.json"
        yield Case(f"manifest {words}"[:80], of_manifest(both, **words), part)


def rotation_cases() -> Iterator[Case]:
    files = with_rotations(rotations(*CHAIN))
    data, sidecar = packed(files, LAST)
    # Leaf 6 was erased before; 13, 14, 15 by the entry after.
    for name, signer, words in (
        (
            "oldest key",
            OLD,
            ("changed 2 times", "4 entries of the range have been erased, by the entries 32, 33: 2 of them still show"),
        ),
        ("second key", NEXT, ("changed once", "1 changes of key that were not signed")),
        ("newest key", LAST, ("2 changes of key that were not signed",)),
    ):
        yield Case(name, data, sidecar=sidecar, require_sidecar=True, keys=keys_of(signer), says=words)
    old_checkpoint = sign_checkpoint(Checkpoint(ORIGIN, 10, rotated().roots[10]), OLD)
    yield Case("earlier checkpoint by the old key", data, sidecar=sidecar, checkpoint=old_checkpoint)
    yield Case("old key unknown", data, "earlier checkpoint", checkpoint=old_checkpoint, keys=keys_of(LAST))
    yield Case("views", repacked(with_rotations(rotations(*CHAIN), sample=(1, "1")) | {}), keys=KEYS)
    views = {"view.xlsx": b"PK", "report.pdf": b"%PDF", "report-ua.pdf": b"%PDF-1.7"}
    more = selected(LOG, {}, more=views)
    yield Case("other views", repacked(more), says=("report-ua.pdf: it is the file that was exported",))
    yield Case("other views changed", repacked({**more, "report.pdf": b"%PDG"}), "report.pdf")
    yield Case("foreign view", repacked(selected(LOG, {}, more={"run.exe": b"MZ"})), "bundle.zip", "container")
    yield Case("no rotations needed", repacked(selected(LOG, {}, more={"rotations.txt": b""})))
    forged = note.sign(f"gjestenett key rotation v1\n{ORIGIN}\n{NEXT.verifier}\n".encode(), [OLD]).decode()
    assert forged == CHAIN[0]
    bad_signature = CHAIN[0].replace(str(NEXT.verifier), str(LAST.verifier))
    for name, notes, part, where in (
        ("only the second", rotations(CHAIN[1]), "checkpoint", ""),
        ("swapped", rotations(CHAIN[1], CHAIN[0]), "checkpoint", ""),
        ("bad signature", rotations(bad_signature, CHAIN[1]), "rotations.txt", "note 1"),
        ("cut", rotations(*CHAIN)[:-1], "rotations.txt", "note 2"),
        ("no length", CHAIN[0].encode(), "rotations.txt", "note 1"),
        ("more", rotations(*CHAIN) + b"x", "rotations.txt", "note 3"),
        ("other words", rotations(note.sign(f"x\n{ORIGIN}\ny\n".encode(), [OLD]).decode()), "rotations.txt", "note 1"),
        (
            "other log",
            rotations(
                note.sign(f"gjestenett key rotation v1\n{ORIGIN}\n{FOREIGN.verifier}\n".encode(), [OLD]).decode()
            ),
            "rotations.txt",
            "note 1",
        ),
        (
            "mistyped key",
            rotations(note.sign(f"gjestenett key rotation v1\n{ORIGIN}\nx\n".encode(), [OLD]).decode()),
            "rotations.txt",
            "note 1",
        ),
    ):
        yield Case(f"rotations {name}", repacked(with_rotations(notes)), part, where)
    lacking = with_rotations(rotations(*CHAIN))
    del lacking["rotations.txt"]
    yield Case("rotations missing", repacked(fitting(lacking)), "rotations.txt", keys=keys_of(LAST))
    witness = rotation(FOREIGN, NEXT).replace(f"\n{FOREIGN.name}\n", f"\n{ORIGIN}\n")
    resigned = note.sign(f"gjestenett key rotation v1\n{ORIGIN}\n{NEXT.verifier}\n".encode(), [FOREIGN]).decode()
    assert witness != resigned
    both = keys_of(OLD, FOREIGN)
    yield Case(
        "a witness's key names no successor", repacked(with_rotations(rotations(resigned))), "rotations.txt", keys=both
    )
    for name, leaves in (("words", "all"), ("backwards", "-3"), ("space", "3, 4"), ("open", "3-"), ("zero", "03")):
        log = Log(12, {5: ("erased", {"leaves": leaves, "ground": "request"})})
        yield Case(f"erased {name}", repacked(selected(log, {})), "entries.jsonl", "line 6 (entry 5)")
    log = Log(
        12,
        {5: ("erased", {"leaves": "", "ground": "request"}), 6: ("erased", {"leaves": "0-99999999", "ground": "age"})},
    )
    yield Case(
        "erased more than there is", repacked(selected(log, {})), says=("12 entries of the range have been erased",)
    )


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


def whole_bundles() -> Iterator[Case]:
    files = LOG.files(LOG.request(5, 31, consistency_from=3))
    data, sidecar = packed(files)
    yield Case("range", data, sidecar=sidecar, require_sidecar=True, says=("exactly the entries 5 to 30",))
    yield Case("no sidecar", data, "bundle.zip.note", require_sidecar=True)
    yield Case("no sidecar, waived", data, says=("Who exported",))
    for size in (0, 3, 5, 6, 17, 31, 43):
        yield Case(f"grown from {size}", data, sidecar=sidecar, checkpoint=LOG.checkpoint(size), says=("only grown",))
    yield Case("no consistency", data, "consistency.txt", checkpoint=LOG.checkpoint(4))
    other = Log(60)
    other.roots[3] = other.roots[10] = other.roots[43] = merkle.leaf_hash(b"other")
    yield Case("rewritten before", data, "consistency.txt", checkpoint=other.checkpoint(3))
    yield Case("rewritten", data, "earlier checkpoint", checkpoint=other.checkpoint(10))
    yield Case("rewritten head", data, "earlier checkpoint", checkpoint=other.checkpoint(43))
    yield Case("shortened", data, "earlier checkpoint", checkpoint=other.checkpoint(60))
    yield Case("not a checkpoint", data, "earlier checkpoint", checkpoint=b"nonsense")
    foreign = sign_checkpoint(Checkpoint(FOREIGN.name, 3, LOG.roots[3]), FOREIGN)
    yield Case("of another log", data, "earlier checkpoint", checkpoint=foreign, keys=keys_of(OLD, FOREIGN))
    yield Case("other key", data, "checkpoint", keys=keys_of(NEXT))
    yield Case("other key, sidecar", data, "bundle.zip.note", sidecar=sidecar, keys=keys_of(NEXT))
    yield Case("another's sidecar", data, "manifest.json", sidecar=packed(LOG.files(LOG.request(0, 43)))[1])
    yield Case("not a sidecar", data, "bundle.zip.note", sidecar=LOG.checkpoint(43))
    of_log = Sidecar("other", len(data), sha256(data), sha256(files["manifest.json"])).sign(SIGNER)
    yield Case("sidecar of another log", data, "manifest.json", "origin", sidecar=of_log)
    yield Case("repacked", repacked(files), "bundle.zip", "container", sidecar=sidecar)
    for log, request in ((Log(0), (0, 0)), (LOG, (7, 7)), (LOG, (43, 43)), (LOG, (0, 43)), (LOG, (42, 43))):
        data, sidecar = packed(log.files(log.request(*request)))
        yield Case(f"range {request} of {len(log.records)}", data, sidecar=sidecar, require_sidecar=True)
    words = {"from": "2026-11-22T12:10:00.000Z", "to": "2026-11-22T12:20:00.000Z", "site": "hovedbygg"}
    data, sidecar = packed(LOG.files(LOG.request(0, 43, filter=words, fields=frozenset({"name"}), language="en")))
    yield Case("filtered", data, sidecar=sidecar, says=("not shown", "acceptances: 9"))


# --- receipts ---------------------------------------------------------------------------------------------------------


def receipt(log: Log, index: int, extra: bytes | None) -> bytes:
    made = make_receipt(index, len(log.records), log.node, log.checkpoint())
    return type(made)(made.index, made.proof, made.checkpoint, extra).encode()


def with_fields(log: Log, index: int) -> bytes:
    """The `extra` of a receipt: the entry, then each field that the guest may see, one a line."""
    record = log.records[index]
    fields = [canonical.encode([item.salt, item.name, item.value]) for item in record.disclosures]
    return b"\n".join([record.entry, *fields])


def mixed_up() -> Iterator[Case]:
    """Honest files given in each other's place: nothing was checked, so nothing is said to be wrong."""
    data, note_of_it = packed(LOG.files(LOG.request(0, 43)))
    note_given = (
        "bundle.zip: this is the signature of a bundle (.zip.note), not the bundle; choose the bundle (.zip) too"
    )
    for name, sidecar, require in (("alone", None, False), ("required", None, True), ("twice", note_of_it, True)):
        yield Case(
            f"the note as the bundle, {name}",
            note_of_it,
            sidecar=sidecar,
            require_sidecar=require,
            wrong_use=note_given,
        )
    swapped = "bundle.zip: the bundle (.zip) and its signature (.zip.note) are swapped; exchange them"
    yield Case("swapped", note_of_it, sidecar=data, require_sidecar=True, wrong_use=swapped)
    zip_given = "bundle.zip.note: this is a bundle (.zip), not the signature of one; choose the signature (.zip.note)"
    yield Case("the bundle as the note", data, sidecar=data, require_sidecar=True, wrong_use=zip_given)
    yield Case("a cut note", note_of_it[:20], "bundle.zip", "container")


def receipts() -> Iterator[Case]:
    def case(name: str, data: bytes, part: str = "", where: str = "", **more: object) -> Case:
        return Case(f"receipt: {name}", data, part, where, kind="receipt", **more)  # type: ignore[arg-type]

    part = "kvittering.tlog-proof"
    whole = receipt(LOG, 11, with_fields(LOG, 11))
    bare, entry = receipt(LOG, 11, None), LOG.records[11].entry
    whose = "Whose acceptance it is: the receipt proves that the entry stands in the log; it holds no names."
    yield case("whole", whole, says=("Entry 11 is in it", "Rules version 2026-1 (nb)", "Recorded field name"))
    for index in (0, 10, 12, 41, 42):
        yield case(f"of {index}", receipt(LOG, index, with_fields(LOG, index)))
    yield case("without fields", receipt(LOG, 11, entry), says=("2 personal fields are recorded but not shown", whose))
    yield case("bare, with the entry", bare, entry=entry)
    yield case("bare, with the entry as a line", bare, entry=entry + b"\n")
    for name, data in (("bare", bare), ("an empty first line", receipt(LOG, 11, b"\n[]"))):
        wrong = f"{part}: does not hold its entry; give entry 11 as a file of its own"
        yield case(name, data, wrong_use=wrong)
    yield case("bare, with an empty entry", bare, wrong_use=wrong, entry=b"\n")
    yield case("bare, of another key", bare, part, keys=keys_of(NEXT))
    yield case("bare, with another entry", bare, part, entry=LOG.records[12].entry)
    yield case("about another entry", whole, part, entry=LOG.records[12].entry)
    yield case("another entry in it", receipt(LOG, 11, with_fields(LOG, 12)), part)
    yield case("another field", receipt(LOG, 11, with_fields(LOG, 11).replace(b"02:00", b"02:01")), part, "field 1")
    yield case("not a field", receipt(LOG, 11, entry + b"\n[]"), part, "field 1")
    yield case("another index", whole.replace(b"\nindex 11\n", b"\nindex 12\n"), part)
    yield case("beyond", whole.replace(b"\nindex 11\n", b"\nindex 4711\n"), part)
    yield case("no index", whole.replace(b"\nindex 11\n", b"\nindex 011\n"), part)
    newest = "not signed by the trusted key; if the log's key was changed since you got it, get the newest log.vkey"
    yield case("other key", whole, part, keys=keys_of(NEXT), says=(newest,))
    changed_key = make_receipt(11, 37, rotated().node, rotated().checkpoint(), rotated().records[11].entry).encode()
    yield case("after a change of key", changed_key, part, says=(newest,))
    yield case("after a change of key, newest log.vkey", changed_key, keys=keys_of(OLD, NEXT, LAST))
    yield case("same checkpoint", whole, checkpoint=LOG.checkpoint())
    yield case("earlier checkpoint", whole, checkpoint=LOG.checkpoint(5), says=("holds no proof between them",))
    other = Log(43)
    other.roots[43] = merkle.leaf_hash(b"other")
    yield case("forked", whole, "earlier checkpoint", checkpoint=other.checkpoint())
    yield case("bad checkpoint", whole, "earlier checkpoint", checkpoint=b"x")
    for name, data in (("empty", b""), ("zip", b"PK"), ("header", b"c2sp.org/tlog-proof@v1\n\n"), ("cut", whole[:-40])):
        yield case(name, data, part)
    for number in range(0, len(bare) - 40, 3):
        altered = bytearray(bare)
        altered[number] ^= 1 << number % 8
        yield case(f"byte {number}", bytes(altered), part, entry=entry)


@cache
def cases() -> tuple[Case, ...]:
    """All of them."""
    sources = (
        whole_bundles,
        forged,
        misshapen,
        hostile_cases,
        selections,
        rotation_cases,
        restore_cases,
        mixed_up,
        receipts,
    )
    return tuple(case for source in sources for case in source())


# --- single changed bytes ---------------------------------------------------------------------------------------------


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
