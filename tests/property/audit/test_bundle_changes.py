"""# INVARIANT: every single-byte change of a bundle's contents is caught, and the file and line are named."""

import random
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.audit import canonical
from gateway.audit.verify_bundle import verify_bundle
from tests.unit.audit.specimen import KEYS, Log, rewrite, sha256, write

LOG = Log(43)
CHANGES = 1000


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return LOG.files(LOG.request(7, 39, consistency_from=5))


def changes(files: dict[str, bytes], count: int) -> Iterator[tuple[str, int, bytes]]:
    """Random places, the files drawn evenly so that short ones are not spared."""
    source = random.Random(20261122)
    names = sorted(files)
    for _ in range(count):
        name = source.choice(names)
        place = source.randrange(len(files[name]))
        data = bytearray(files[name])
        data[place] ^= source.randrange(1, 256)
        yield name, place, bytes(data)


def test_each_of_1000_changes_is_caught_and_named(tmp_path: Path, files: dict[str, bytes]) -> None:
    bundle, altered = tmp_path / "bundle.zip", tmp_path / "altered.zip"
    sidecar = write(bundle, files)
    assert verify_bundle(bundle, KEYS, sidecar=sidecar, checkpoint=LOG.checkpoint(5)).ok
    for name, place, data in changes(files, CHANGES):
        rewrite(altered, {**files, name: data})
        report = verify_bundle(altered, KEYS, sidecar=sidecar, checkpoint=LOG.checkpoint(5))
        assert [problem.part for problem in report.problems] == [name], (name, place, report.problems)
        line = files[name][:place].count(b"\n") + 1
        where = report.problems[0].where
        if name == "entries.jsonl":
            assert where == f"line {line} (entry {line + 6})", (place, where)
        if name in {"disclosures.jsonl", "leaves.txt"}:
            assert where == f"line {line}", (place, where, report.problems)
        if name == "view.csv":
            assert where.startswith("row "), (place, report.problems)


def test_changes_without_a_sidecar_are_caught_but_for_the_manifests_words(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    altered = tmp_path / "altered.zip"
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    for name, place, data in changes(rest, 200):
        rewrite(altered, {**files, name: data})
        report = verify_bundle(altered, KEYS, require_sidecar=False)
        assert [problem.part for problem in report.problems] == [name], (name, place, report.problems)


def test_each_change_of_the_zip_itself_is_caught(tmp_path: Path, files: dict[str, bytes]) -> None:
    bundle, altered = tmp_path / "bundle.zip", tmp_path / "altered.zip"
    sidecar = write(bundle, files)
    whole = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        names = {"altered.zip", "altered.zip.note", *archive.namelist()}
    source = random.Random(1122)
    for _ in range(400):
        data = bytearray(whole)
        data[source.randrange(len(data))] ^= source.randrange(1, 256)
        altered.write_bytes(data)
        report = verify_bundle(altered, KEYS, sidecar=sidecar)
        assert report.problems
        assert not report.proved
        assert (
            report.problems[0].part in names
            or report.problems[0].part.startswith("'")
            or "/" in report.problems[0].part
        )


def test_each_change_of_the_sidecar_is_caught_and_named(tmp_path: Path, files: dict[str, bytes]) -> None:
    bundle = tmp_path / "bundle.zip"
    sidecar = write(bundle, files)
    for place in range(len(sidecar)):
        changed = bytearray(sidecar)
        changed[place] ^= 1 << place % 8
        report = verify_bundle(bundle, KEYS, sidecar=bytes(changed))
        assert [problem.part for problem in report.problems] == ["bundle.zip.note"], place


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
            for forged, signed in ((changed, sidecar), (changed, None), (_fitting(changed), None)):
                rewrite(altered, forged)
                report = verify_bundle(altered, KEYS, sidecar=signed, require_sidecar=signed is not None)
                named = [problem for problem in report.problems if problem.part == name]
                assert len(named) == 1, (place, bit, signed is None, report.problems)
                assert named[0].where.startswith(where), (place, bit, named)
                assert not report.proved


def _fitting(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with a manifest of their present sizes and hashes, as a forger makes it."""
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    manifest = canonical.decode(files["manifest.json"])
    manifest["files"] = {name: {"size": len(data), "sha256": sha256(data)} for name, data in rest.items()}
    return {**rest, "manifest.json": canonical.encode(manifest)}
