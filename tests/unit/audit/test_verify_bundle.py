"""Bundles verify, and forgeries do not: each with the part that is wrong."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway.audit import canonical, entry, merkle, verify_bundle, view
from gateway.audit.bundle import Record
from gateway.audit.entry import parse_entry
from gateway.audit.errors import BundleError
from gateway.audit.verify_bundle import Report, main
from tests.unit.audit.forgeries import cases
from tests.unit.audit.forgeries.case import Case, judge, verdict
from tests.unit.audit.forgeries.receipts import receipt
from tests.unit.audit.specimen import KEYS, NAMES, SIGNER, Log, rewrite, write

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


@pytest.mark.parametrize(("first", "last"), [(0, 43), (0, 42), (1, 43), (43, 43)])
def test_a_bundle_of_a_part_says_that_there_may_be_more(bundle: Path, first: int, last: int) -> None:
    """Whoever exports chooses the range: a bundle cut short must not read like the whole period."""
    report = verify(bundle, write(bundle, LOG.files(LOG.request(first, last))))
    assert report.ok
    (period,) = (line for line in report.proved if line.startswith("Period from"))
    gap = "Whether there are more acceptances of the period: the bundle does not hold the whole log."
    cut = (first, last) != (0, 43)
    assert ("of the entries in the bundle. view.csv" in period) == cut
    assert (gap in report.unchecked) == cut


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


# --- the cases that both verifiers judge ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_is_honest_holds_and_each_forgery_is_named(case: Case, tmp_path: Path) -> None:
    if case.wrong_use:
        assert verdict(case, tmp_path) == {"wrong_use": case.wrong_use}
        return
    report = judge(case, tmp_path)
    if not case.part:
        assert report.problems == []
        told = " ".join([*report.proved, *report.unchecked])
        assert [words for words in case.says if words not in told] == [], told
        return
    assert not report.proved
    assert report.problems
    if case.part != "?":
        named = [problem for problem in report.problems if problem.part.startswith(case.part)]
        assert named, report.problems
        assert named[0].where.startswith(case.where), named
        assert [words for words in case.says if words not in named[0].message] == [], named


def test_both_sides_know_the_same_types_and_fields() -> None:
    assert {kind: set(fields) for kind, fields in verify_bundle.PLAIN.items()} == {
        kind: set(shape.plain) for kind, shape in entry.SHAPES.items()
    }
    assert {
        kind: set(shape.optional) for kind, shape in entry.SHAPES.items() if shape.optional
    } == verify_bundle.OPTIONAL_FIELDS


NEW = frozenset({"rules_asked_again", "rules_proposed"})
"""Types that the verifiers of the release before don't know."""


def test_no_type_has_a_field_that_verifiers_out_there_do_not_know() -> None:
    """They refuse such an entry, and with it an honest log: what more there is to say is a type of its own."""
    known = [
        [kind, sorted(fields), sorted(verify_bundle.OPTIONAL_FIELDS.get(kind, ()))]
        for kind, fields in sorted(verify_bundle.PLAIN.items())
        if kind not in NEW
    ]
    shapes = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    assert shapes == "3c3fcd097b6337821c4ddd7038326a7a31d1b1adf0a27c12c8c7c8ec66d16a87"


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


# --- the ZIP --------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_has_enough_ends_nothing(bundle: Path, form: str) -> None:
    """`verify_bundle.py … | head` is no fault of the bundle, nor of the verifier."""
    bundle.with_name("bundle.zip.note").write_bytes(write(bundle, LOG.files(LOG.request(0, 43))))
    key = bundle.with_name("log.vkey")
    key.write_text(KEYS)
    command = [sys.executable, verify_bundle.__file__, str(bundle), "--key", str(key)]
    with subprocess.Popen(
        command + ["--json"] * (form == "json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == ""
    assert run.returncode == 0


def test_a_file_that_is_not_there_is_told_in_words(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(bundle, LOG.files(LOG.request(0, 43)))
    key, nope = bundle.with_name("log.vkey"), bundle.with_name("nope.zip")
    key.write_text(KEYS)
    for given in (
        [nope, "--key", key],
        [bundle, "--key", nope],
        [bundle, "--key", key, "--checkpoint", nope],
        [bundle, "--key", key, "--sidecar", nope],
    ):
        assert main([str(each) for each in given]) == 2
        assert capsys.readouterr().err == f"verify_bundle: {nope}: no such file\n"
    assert main([str(bundle.parent), "--key", str(key)]) == 2
    assert capsys.readouterr().err == f"verify_bundle: {bundle.parent}: is a directory\n"


def test_the_command_names_the_option_that_waives_the_signature(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(bundle, LOG.files(LOG.request(0, 43)))
    key = bundle.with_name("log.vkey")
    key.write_text(KEYS)
    assert main([str(bundle), "--key", str(key)]) == 1
    assert "not proved; with --no-sidecar the rest is verified without it\n" in capsys.readouterr().out
    assert main([str(bundle), "--key", str(key), "--no-sidecar"]) == 0
    assert "--no-sidecar" not in capsys.readouterr().out


def test_a_proof_without_its_entry_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, proof, entry = (tmp_path / name for name in ("log.vkey", "entry-11.tlog-proof", "entry-11.json"))
    key.write_text(KEYS)
    proof.write_bytes(receipt(LOG, 11, None))
    entry.write_bytes(LOG.records[11].entry)
    assert main([str(proof), "--key", str(key), "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "entry-11.tlog-proof: does not hold its entry; give entry 11 as a file of its own: --entry FILE" in told.err
    assert main([str(proof), "--key", str(key), "--entry", str(entry)]) == 0


def test_the_note_in_place_of_the_bundle_is_wrong_use_and_no_failed_audit(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note, key = bundle.with_name("bundle.zip.note"), bundle.with_name("log.vkey")
    note.write_bytes(write(bundle, LOG.files(LOG.request(0, 43))))
    key.write_text(KEYS)
    for more, told in (
        (
            [],
            "bundle.zip.note: this is the signature (.zip.note) of a bundle, not the bundle; choose the bundle (.zip)",
        ),
        (["--sidecar", str(bundle)], "the bundle (.zip) and its signature (.zip.note) are swapped; exchange them"),
    ):
        assert main([str(note), "--key", str(key), "--json", *more]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert told in said.err
        assert "--entry" not in said.err
    assert main([str(bundle), "--key", str(key), "--sidecar", str(bundle)]) == 2


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
