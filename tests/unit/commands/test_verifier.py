"""`audit verifier` hands over the verifiers and the key; `audit verify` takes bundles and receipts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.audit import verify_bundle
from gateway.cli import cli
from tests.unit.audit.forgeries.case import LOG, packed
from tests.unit.audit.forgeries.receipts import receipt, with_fields
from tests.unit.audit.specimen import KEYS


@pytest.fixture
def run(tmp_path: Path):
    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(cli, ["--state", str(tmp_path / "state"), *map(str, arguments)])

    return invoke


def test_what_an_auditor_gets(run, tmp_path: Path) -> None:
    assert run("db", "upgrade").exit_code == 0
    out = tmp_path / "auditor"
    result = run("audit", "verifier", "--out", out)
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {"verify.html", "verify_bundle.py", "log.vkey"}
    shipped = Path(verify_bundle.__file__)
    assert (out / "verify_bundle.py").read_bytes() == shipped.read_bytes()
    assert (out / "verify.html").read_bytes() == shipped.with_name("verify.html").read_bytes()
    for path in out.iterdir():
        assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}" in result.output
    assert run("audit", "verifier", "--out", out).exit_code == 0
    (out / "log.vkey").write_text("another log's\n")
    result = run("audit", "verifier", "--out", out)
    assert result.exit_code == 2
    assert "not overwritten" in result.output


def test_verifying_a_bundle_and_a_receipt(run, tmp_path: Path) -> None:
    data, sidecar = packed(LOG.files(LOG.request(0, 43)))
    for name, content in (
        ("bundle.zip", data),
        ("bundle.zip.note", sidecar),
        ("key", KEYS.encode()),
        ("whole.tlog-proof", receipt(LOG, 11, with_fields(LOG, 11))),
        ("bare.tlog-proof", receipt(LOG, 11, None)),
        ("entry", LOG.records[11].entry),
    ):
        (tmp_path / name).write_bytes(content)
    key = ("--key", tmp_path / "key")
    for name, more in (
        ("bundle.zip", ()),
        ("whole.tlog-proof", ()),
        ("bare.tlog-proof", ("--entry", tmp_path / "entry")),
    ):
        result = run("audit", "verify", tmp_path / name, *key, *more, "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.output)["ok"]
    for name in ("bundle.zip", "whole.tlog-proof"):
        result = run("audit", "verify", tmp_path / name, *key, "--checkpoint", tmp_path / "key", "--json")
        assert result.exit_code == 2, result.output
        told = "this is not a checkpoint; choose the file `checkpoint` of the earlier bundle: --checkpoint FILE"
        assert result.output == f"verify_bundle: earlier checkpoint: {told}\n"
    result = run("audit", "verify", tmp_path / "bare.tlog-proof", *key, "--json")
    assert result.exit_code == 2
    assert "give entry 11 as a file of its own: --entry FILE" in result.output
