"""What a verifier is given and must say, and what bundles are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.audit import canonical, note
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


def lines_of(files: dict[str, bytes], name: str) -> list[bytes]:
    return files[name].splitlines(keepends=True)


def fitting(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with a manifest of their present sizes and hashes."""
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    manifest = canonical.decode(files["manifest.json"])
    manifest["files"] = {name: {"size": len(data), "sha256": sha256(data)} for name, data in rest.items()}
    return {**rest, "manifest.json": canonical.encode(manifest)}


def keys_of(*signers: note.SignerKey) -> str:
    return "".join(f"{signer.verifier}\n" for signer in signers)
