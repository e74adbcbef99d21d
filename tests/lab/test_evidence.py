"""The bundle exported in the lab verifies; with any one byte changed it does not, and says which file and line."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.audit.verify_bundle import Report, verify_bundle
from tests.lab import topology as net
from tests.lab.product import PORTAL, Product
from tests.lab.world import PROJECT, World

pytestmark = pytest.mark.timeout(300)
PEOPLE = {"guest1": "Åse Ødegård", "guest2": 'Ola "O" Hansen; sønn'}
BUDGET_S = 20


@dataclass(frozen=True)
class Exported:
    """What the auditor holds: the bundle with its sidecar, the key got by another way, the verifier alone."""

    bundle: Path
    key: Path
    verifier: Path

    @property
    def sidecar(self) -> bytes:
        return self.bundle.with_name(f"{self.bundle.name}.note").read_bytes()

    def files(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.bundle) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def verify(self, bundle: Path) -> subprocess.CompletedProcess[str]:
        """As the auditor does, with nothing of the program at hand but the one file."""
        command = [sys.executable, "-I", self.verifier.name, str(bundle), "--key", str(self.key)]
        return subprocess.run(
            command, cwd=self.verifier.parent, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture(scope="module")
def exported(world: World, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Two guests accept in the lab; the log is exported with the command line and taken elsewhere."""
    elsewhere = tmp_path_factory.mktemp("auditor")
    with Product(world) as product:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
            answer = product.accept(guest, PEOPLE[guest])
            assert (answer.status, answer.location) == (303, f"{PORTAL}/status"), answer
            product.until_online(guest)
        bundle = product.folder / "bundle.zip"
        product.cli(
            "audit", "export", "--from", "2026-01-01", "--to", "2100-01-01", "--reason", "control", "--out", str(bundle)
        )
        held = Exported(elsewhere / "bundle.zip", elsewhere / "log.vkey", elsewhere / "verify_bundle.py")
        shutil.copy(bundle, held.bundle)
        shutil.copy(f"{bundle}.note", f"{held.bundle}.note")
        shutil.copy(product.state / "log.vkey", held.key)
        shutil.copy(PROJECT / "gateway" / "audit" / "verify_bundle.py", held.verifier)
    return held


def test_the_bundle_verifies_with_the_one_file(exported: Exported) -> None:
    files = exported.files()
    assert files["entries.jsonl"].count(b'"type":"acceptance"') == len(PEOPLE)
    for name in PEOPLE.values():
        assert name.replace('"', '\\"').encode() in files["disclosures.jsonl"]
    done = exported.verify(exported.bundle)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith("VERIFIED\n")


@pytest.mark.parametrize("part", ["entries.jsonl", "disclosures.jsonl", "checkpoint"])
def test_one_changed_byte_is_told_by_the_one_file(exported: Exported, part: str) -> None:
    files = exported.files()
    place = len(files[part]) // 2
    forged = _write(exported.bundle.with_name("forged.zip"), files, part, place, 1)
    shutil.copy(f"{exported.bundle}.note", f"{forged}.note")
    done = exported.verify(forged)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert done.stdout.startswith("NOT VERIFIED\n")
    line = files[part][:place].count(b"\n") + 1
    expected = part if part == "checkpoint" else f"{part}, line {line}"
    assert f"  - {expected}" in done.stdout


@pytest.mark.parametrize("signed", [True, False], ids=["with the sidecar", "without"])
@pytest.mark.parametrize("part", ["entries.jsonl", "disclosures.jsonl", "checkpoint"])
def test_any_one_changed_byte_is_caught_and_named(exported: Exported, part: str, signed: bool) -> None:
    files, keys, sidecar = exported.files(), exported.key.read_text(), exported.sidecar if signed else None
    forged = exported.bundle.with_name("forged.zip")
    source = random.Random(f"{part} {signed}")
    places = list(range(len(files[part])))
    source.shuffle(places)  # if time runs out, what was tried is a fair sample
    deadline, tried = time.monotonic() + BUDGET_S, 0
    for place in places:
        _write(forged, files, part, place, source.randrange(1, 256))
        report = verify_bundle(forged, keys, sidecar=sidecar, require_sidecar=signed)
        _check_named(report, part, files[part][:place].count(b"\n") + 1)
        tried += 1
        if time.monotonic() > deadline:
            break
    assert tried >= min(500, len(places))


def _check_named(report: Report, part: str, line: int) -> None:
    assert not report.ok
    assert not report.proved
    assert [problem.part for problem in report.problems] == [part], report.problems
    if part != "checkpoint":
        assert f"{report.problems[0].where} ".startswith(f"line {line} "), (line, report.problems)


def _write(path: Path, files: Mapping[str, bytes], part: str, place: int, change: int) -> Path:
    """The bundle as a well-formed ZIP with one byte of `part` changed."""
    data = bytearray(files[part])
    data[place] ^= change
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), bytes(data) if name == part else content)
    return path
