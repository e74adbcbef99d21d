"""# INVARIANT: every single-byte change of a bundle's contents is caught, and the file and line are named."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.audit.verify_bundle import verify_bundle
from tests.unit.audit.forgeries.case import fitting, judge
from tests.unit.audit.forgeries.changed_bytes import changed_bytes, changed_zips, part_of_a_log
from tests.unit.audit.specimen import KEYS, Log, rewrite, write


@pytest.mark.timeout(600)
def test_each_of_1000_changes_is_caught_and_named(tmp_path: Path) -> None:
    for case, files, name, place in changed_bytes(1000):
        report = judge(case, tmp_path)
        assert [problem.part for problem in report.problems] == [name], (case.name, report.problems)
        line = files[name][:place].count(b"\n") + 1
        where = report.problems[0].where
        if name == "entries.jsonl":
            assert where.startswith(f"line {line} (entry "), (case.name, where)
        if name in {"disclosures.jsonl", "leaves.txt"}:
            assert where == f"line {line}", (case.name, where, report.problems)
        if name in {"view.csv", "sample.csv"}:
            assert where.startswith("row "), (case.name, report.problems)


def test_changes_without_a_sidecar_are_caught_but_for_the_manifests_words(tmp_path: Path) -> None:
    for case, _, name, _ in changed_bytes(250, seed=1):
        report = judge(replace(case, sidecar=None, require_sidecar=False), tmp_path)
        if name != "manifest.json":
            assert [problem.part for problem in report.problems] == [name], (case.name, report.problems)


def test_each_change_of_the_zip_itself_is_caught(tmp_path: Path) -> None:
    names = {"bundle.zip", *part_of_a_log()[0]}  # or the altered name of a text
    for case in changed_zips(400):
        report = judge(case, tmp_path)
        assert report.problems
        assert not report.proved
        part = report.problems[0].part
        assert part in names or part.startswith("terms/"), (case.name, report.problems)


def test_each_change_of_the_sidecar_is_caught_and_named(tmp_path: Path) -> None:
    files, bundle = part_of_a_log()[0], tmp_path / "bundle.zip"
    sidecar = write(bundle, files)
    for place in range(len(sidecar)):
        changed = bytearray(sidecar)
        changed[place] ^= 1 << place % 8
        report = verify_bundle(bundle, KEYS, sidecar=bytes(changed))
        assert [problem.part for problem in report.problems] == ["bundle.zip.note"], place


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "line", "where"),
    [
        ("entries.jsonl", 1, "line 1 (entry 0)"),  # the publication of the rules
        ("entries.jsonl", 3, "line 3 (entry 2)"),  # an acceptance
        ("disclosures.jsonl", 3, "line 3"),
        ("checkpoint", 0, ""),
    ],
)
def test_each_bit_of_an_entry_a_disclosure_and_the_checkpoint_counts(
    tmp_path: Path, name: str, line: int, where: str
) -> None:
    log = Log(4)
    files = log.files(log.request(0, 4))
    bundle, altered = tmp_path / "bundle.zip", tmp_path / "altered.zip"
    sidecar = write(bundle, files)
    assert verify_bundle(bundle, KEYS, sidecar=sidecar).ok
    lines = files[name].splitlines(keepends=True)
    start = sum(map(len, lines[: line - 1])) if line else 0
    stop = start + len(lines[line - 1]) if line else len(files[name])
    for place in range(start, stop):
        for bit in (0, 2, 5):
            data = bytearray(files[name])
            data[place] ^= 1 << bit
            changed = {**files, name: bytes(data)}
            for forged, signed in ((changed, sidecar), (changed, None), (fitting(changed), None)):
                rewrite(altered, forged)
                report = verify_bundle(altered, KEYS, sidecar=signed, require_sidecar=signed is not None)
                named = [problem for problem in report.problems if problem.part == name]
                assert len(named) == 1, (place, bit, signed is None, report.problems)
                assert named[0].where.startswith(where), (place, bit, named)
                assert not report.proved
