"""Bundles verify, and forgeries do not: each with the part that is wrong."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.audit import canonical, entry, merkle, verify_bundle, view
from gateway.audit.bundle import Record
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.entry import parse_entry
from gateway.audit.errors import BundleError
from gateway.audit.sealing import seal
from gateway.audit.verify_bundle import Report, main
from tests.unit.audit.specimen import KEYS, NAMES, ORIGIN, SIGNER, Log, rewrite, sha256, write

LOG = Log(43)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / "bundle.zip"


def verify(path: Path, sidecar: bytes | None, **options: object) -> Report:
    return verify_bundle.verify_bundle(path, KEYS, sidecar=sidecar, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("first", "last"), [(0, 43), (5, 31), (42, 43), (0, 1), (7, 7), (43, 43), (32, 40)])
def test_a_bundle_of_any_range_verifies(bundle: Path, first: int, last: int) -> None:
    sidecar = write(bundle, LOG.files(LOG.request(first, last)))
    report = verify(bundle, sidecar)
    assert report.ok, report.problems
    assert any("none is missing" in line for line in report.proved) == (first < last)
    assert any("earlier checkpoint" in line for line in report.unchecked)


def test_an_empty_log_verifies(bundle: Path) -> None:
    log = Log(0)
    assert verify(bundle, write(bundle, log.files(log.request(0, 0)))).ok


def test_the_same_export_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (tmp_path / name for name in ("one.zip", "two.zip"))
    assert write(one, LOG.files(LOG.request(3, 30))) == write(two, LOG.files(LOG.request(3, 30)))
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_mode & 0o777 == 0o600


def test_filter_and_fields_limit_disclosures_and_view_but_never_entries(bundle: Path) -> None:
    chosen = {"from": "2026-11-22T12:10:00.000Z", "to": "2026-11-22T12:20:00.000Z", "site": "hovedbygg"}
    files = LOG.files(LOG.request(0, 43, filter=chosen, fields=frozenset({"name"}), language="en"))
    assert len(files["entries.jsonl"].splitlines()) == 43
    shown = [json.loads(line) for line in files["disclosures.jsonl"].splitlines()]
    assert {item["name"] for item in shown} == {"name"}
    assert {item["index"] for item in shown} <= set(range(11, 20))
    assert files["view.csv"].startswith(b'\xef\xbb\xbf"Log index";')
    report = verify(bundle, write(bundle, files))
    assert report.ok, report.problems
    assert any("not shown" in line for line in report.unchecked)


def test_csv_cells_are_never_formulas() -> None:
    rows = LOG.files(LOG.request(0, 43))["view.csv"]
    assert rows.startswith(b"\xef\xbb\xbf")
    for name in NAMES:
        cell = '"' + ("'" if name[0] in "=+-@\t" else "") + name.replace('"', '""') + '"'
        assert cell.encode() in rows
    assert view.row(1, parse_entry(LOG.records[1].entry), {"name": "\r=x"}).count(b'"\'\r=x"') == 1


def test_append_only_is_proved_from_the_range_or_by_a_consistency_proof(bundle: Path) -> None:
    sidecar = write(bundle, LOG.files(LOG.request(5, 31)))
    for size in (0, 5, 6, 17, 31, 43):
        report = verify(bundle, sidecar, checkpoint=LOG.checkpoint(size))
        assert report.ok, report.problems
        assert any("only grown" in line for line in report.proved)
    report = verify(bundle, sidecar, checkpoint=LOG.checkpoint(3))
    assert [problem.part for problem in report.problems] == ["consistency.txt"]
    sidecar = write(bundle, LOG.files(LOG.request(5, 31, consistency_from=3)))
    assert verify(bundle, sidecar, checkpoint=LOG.checkpoint(3)).ok
    assert verify(bundle, sidecar).ok


def test_a_rewritten_or_shortened_log_is_told_from_the_earlier_checkpoint(bundle: Path) -> None:
    sidecar = write(bundle, LOG.files(LOG.request(0, 43, consistency_from=10)))
    other = Log(60)
    other.roots[10] = other.roots[43] = merkle.leaf_hash(b"other")
    for size, part in ((10, "earlier checkpoint"), (43, "earlier checkpoint"), (60, "earlier checkpoint")):
        report = verify(bundle, sidecar, checkpoint=other.checkpoint(size))
        assert [problem.part for problem in report.problems] == [part], size
        assert not report.proved


def test_without_the_sidecar_it_falls_short_unless_waived(bundle: Path) -> None:
    write(bundle, LOG.files(LOG.request(0, 43)))
    assert [problem.part for problem in verify(bundle, None).problems] == ["bundle.zip.note"]
    report = verify(bundle, None, require_sidecar=False)
    assert report.ok
    assert any("Who exported" in line for line in report.unchecked)


def test_another_trusted_key_does_not_verify(bundle: Path) -> None:
    sidecar = write(bundle, LOG.files(LOG.request(0, 43)))
    other = str(type(SIGNER)(SIGNER.name, bytes(32)).verifier)
    report = verify_bundle.verify_bundle(bundle, other, sidecar=sidecar)
    assert {"bundle.zip.note", "checkpoint"} <= {problem.part for problem in report.problems}


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


@pytest.mark.parametrize(
    ("forge", "part", "where"),
    [
        (drop_entry, "entries.jsonl", "line 5 (entry 11)"),
        (swap_entries, "entries.jsonl", "line 5 (entry 11)"),
        (other_site, "entries.jsonl", "line 5 (entry 11)"),
        (other_site_with_leaf, "range-proof.txt", ""),
        (other_name, "disclosures.jsonl", "line"),
        (twice, "disclosures.jsonl", "line 2"),
        (hidden_disclosure, "view.csv", "row 2"),
        (csv_row, "view.csv", "row 2"),
        (csv_extra, "view.csv", "row"),
        (leaf, "leaves.txt", "line 1"),
        (text, "terms/", ""),
        (no_text, "terms/", ""),
        (extra_text, "terms/", ""),
        (proof, "range-proof.txt", ""),
        (smaller_checkpoint, "manifest.json", "size"),
        (other_keys, "keys.vkey", ""),
    ],
)
def test_a_forgery_with_a_fitting_manifest_is_caught_and_named(
    bundle: Path, forge: Forge, part: str, where: str
) -> None:
    files = LOG.files(LOG.request(7, 43))
    forge(files)
    rewrite(bundle, fitting(files))
    report = verify(bundle, None, require_sidecar=False)
    named = [problem for problem in report.problems if problem.part.startswith(part)]
    assert named, report.problems
    assert named[0].where.startswith(where), named


def test_both_sides_know_the_same_types_and_fields() -> None:
    assert {kind: set(fields) for kind, fields in verify_bundle.PLAIN.items()} == {
        kind: set(shape.plain) for kind, shape in entry.SHAPES.items()
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"language":', b'"languagd":'),
        (b'"rules":{', b'"rules":{"a":"b",'),
        (b'"identified_by":"self_declared"', b'"identified_by":["self_declared"]'),
        (b'"site":"hovedbygg"', b'"site":7'),
        (b'"owner":"kommune"', b'"owner":""'),
        (b'"v":1', b'"v":true'),
        (b'"rules":{', b'"rulez":{'),
        (b'"type":"acceptance"', b'"type":["acceptance"]'),
        (b'"type":"acceptance"', b'"type":"rules_published"'),
        (b'"version":"2026-1"', b'"version":2026'),
    ],
)
def test_a_sealed_entry_of_another_shape_is_named_not_stumbled_over(bundle: Path, old: bytes, new: bytes) -> None:
    """As from a log whose writer was changed: hashes, manifest and signature all fit."""
    log = Log(4)
    files = log.files(log.request(0, 4))
    lines = lines_of(files, "entries.jsonl")
    assert old in lines[2]
    lines[2] = lines[2].replace(old, new, 1)
    leaves = [merkle.leaf_hash(line[:-1]) for line in lines]
    files["entries.jsonl"] = b"".join(lines)
    files["leaves.txt"] = b"".join(leaf.hex()[:16].encode() + b"\n" for leaf in leaves)
    edge: merkle.Edge = ()
    for index, line in enumerate(lines):
        sealed = seal(edge, index, [line[:-1]])
        edge = sealed.edge
    files["checkpoint"] = sign_checkpoint(Checkpoint(ORIGIN, 4, sealed.root), SIGNER)
    rewrite(bundle, fitting(files))
    report = verify(bundle, None, require_sidecar=False)
    assert [str(problem).split(":")[0] for problem in report.problems][:1] == ["entries.jsonl, line 3 (entry 2)"]


@pytest.mark.parametrize("error", [KeyError("language"), MemoryError(), ZeroDivisionError("x")])
def test_what_the_verifier_did_not_foresee_is_a_named_problem(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    sidecar = write(bundle, LOG.files(LOG.request(0, 43)))
    calls = iter(range(99))

    def stumble(*_: object) -> list[str]:
        if next(calls) == 4:
            raise error
        return []

    key = bundle.with_name("key.txt")
    key.write_text(KEYS)
    bundle.with_name("bundle.zip.note").write_bytes(sidecar)
    monkeypatch.setattr(verify_bundle, "_append", stumble)
    assert main([str(bundle), "--key", str(key)]) == 1
    told = capsys.readouterr()
    assert "entries.jsonl, line 5 (entry 4): " in told.out
    assert type(error).__name__ in told.out
    assert "Traceback" not in told.out + told.err


def test_what_a_stranger_wrote_is_printed_without_control_characters(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = LOG.files(LOG.request(0, 43))
    manifest = canonical.decode(files["manifest.json"])
    manifest["files"]["\x1b[2Jx"] = {"size": 0, "sha256": ""}
    files["manifest.json"] = canonical.encode(manifest)
    rewrite(bundle, files)
    key = bundle.with_name("key.txt")
    key.write_text(KEYS)
    assert main([str(bundle), "--key", str(key), "--no-sidecar"]) == 1
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "missing from the ZIP" in told


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


@pytest.mark.parametrize("name", sorted(hostile()))
def test_hostile_zips_are_refused_without_a_traceback(bundle: Path, name: str) -> None:
    bundle.write_bytes(hostile()[name])
    report = verify(bundle, None, require_sidecar=False)
    assert report.problems
    assert not report.proved


def test_a_name_twice_is_refused(bundle: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in ("checkpoint", "checkpoint"):
            archive.NameToInfo.pop(name, None)
            archive.writestr(zipfile.ZipInfo(name), LOG.checkpoint())
    bundle.write_bytes(sink.getvalue())
    assert "twice" in str(verify(bundle, None, require_sidecar=False).problems[0])


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_stands_alone_and_its_exit_codes(bundle: Path) -> None:
    bundle.with_name("bundle.zip.note").write_bytes(write(bundle, LOG.files(LOG.request(0, 43))))
    key, bad = bundle.with_name("key.txt"), bundle.with_name("bad.txt")
    key.write_text(KEYS)
    bad.write_text("nonsense")
    script = bundle.with_name("verify.py")
    script.write_bytes(Path(verify_bundle.__file__).read_bytes())
    run = subprocess.run(
        [sys.executable, "-I", str(script), str(bundle), "--key", str(key)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("VERIFIED\n")
    assert main([str(bundle), "--key", str(key), "--json"]) == 0
    assert main([str(bundle), "--key", str(bad)]) == 2
    assert main([str(bundle), "--key", "/nonexistent"]) == 2
    assert main(["/nonexistent.zip", "--key", str(key), "--no-sidecar"]) == 2
    bundle.write_bytes(bundle.read_bytes() + b"x")
    assert main([str(bundle), "--key", str(key)]) == 1


# --- the writer's own refusals ----------------------------------------------------------------------------------------


def test_the_writer_refuses_a_database_that_was_changed() -> None:
    log = Log(12)
    log.records[5] = Record(5, log.records[6].entry)
    with pytest.raises(BundleError, match="database was changed"):
        log.files(log.request(0, 12))
    log = Log(12)
    log.records[5] = Record(5, log.records[5].entry, log.records[3].disclosures)
    with pytest.raises(BundleError, match="does not belong"):
        log.files(log.request(0, 12))
    log = Log(12)
    del log.records[5]
    log.roots.pop()
    with pytest.raises(BundleError, match="entry 5 is missing"):
        log.files(log.request(0, 11))
    with pytest.raises(BundleError, match="outside"):
        log.files(log.request(3, 99))
