"""`gjestenett audit export` and `audit entries`, as people type them."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta

import pytest
from click.testing import CliRunner

from gateway.access.accept import Applicant, accept
from gateway.audit import export as exporting
from gateway.audit.sealer import seal_staged
from gateway.cli import cli
from gateway.clock import utc_now
from gateway.installation import prepare, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.settings import load
from gateway.storage import rules

ALL = ("--from", "2020-01-01", "--to", "2100-01-01", "--reason", "Sak 1")


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A sealed installation with two acceptances, and no sealer that signs."""
    monkeypatch.setattr(exporting, "SIGNATURE_WAIT_S", 0.0)
    state = tmp_path / "state"
    services = prepare(load(state=state), utc_now)
    for number, name in enumerate(("Kari", "Ola")):
        with services.database.write() as session:
            version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
            accept(
                session, services.place, Neighbour("lo", f"02:00:00:00:00:0{number}"), Applicant(name),
                version_id=version.id, language="nb", address="192.0.2.7", duration=timedelta(hours=1), now=utc_now(),
            )  # fmt: skip
    place = services.place
    seal_staged(services.database, place.owner_id, place.log_origin, read_signing_key(services.settings), utc_now())
    services.database.close()
    return state


def run(state, *arguments):
    return CliRunner().invoke(cli, ["--state", str(state), "audit", *arguments])


def test_it_is_narrowed_sampled_and_withheld(state, tmp_path):
    out = tmp_path / "b.zip"
    done = run(state, "export", *ALL, "--name", "kar", "--sample", "1", "--number", "7", "--xlsx", "--out", str(out))
    assert done.exit_code == 1
    assert "did not make the signature (.zip.note) in time" in done.stderr
    assert f"{out} is there, and verifies with --no-sidecar" in done.stderr
    assert "acceptances in the table: 1\n" in done.stdout
    with zipfile.ZipFile(out) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["filter"]["name"] == "kar"
        assert manifest["sample"] == {"count": 1, "number": "7"}
        assert "Kari" in archive.read("sample.csv").decode()
        assert "Ola" not in archive.read("view.csv").decode()
    out = tmp_path / "c.zip"
    done = run(state, "export", *ALL, "--withhold-names", "--out", str(out))
    assert "acceptances in the table: 2\n" in done.stdout
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("manifest.json"))["fields"] == ["course_code", "organisation"]
        assert archive.read("disclosures.jsonl") == b""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--sample", "5"), "belong together"),
        (("--number", "5"), "belong together"),
        (("--name", "x", "--withhold-names"), "withholds"),
        (("--device", "zz"), "MAC address"),
        (("--sample", "99999", "--number", "1"), "10000 rows"),
        (("--site", "nowhere"), "there is no site 'nowhere'; there are "),
        (("--version", "9"), "there is no version '9' of the rules; there are 1"),
    ],
)
def test_what_can_not_be_met_is_one_line_and_leaves_nothing(state, tmp_path, options, told):
    done = run(state, "export", *ALL, *options, "--out", str(tmp_path / "b.zip"))
    assert done.exit_code in (1, 2)
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


def test_a_day_in_another_form_is_answered_as_people_write_days(state):
    done = run(state, "export", *ALL, "--from", "01.01.2026")
    assert (done.exit_code, "write it as YYYY-MM-DD" in done.stderr, "%Y" in done.stderr) == (2, True, False)


def test_entries_are_json_lines_without_persons(state):
    done = run(state, "entries")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["index"] for line in lines] == list(range(len(lines)))
    assert [line["entry"]["type"] for line in lines[-2:]] == ["acceptance", "acceptance"]
    assert "Kari" not in done.stdout
    assert len(run(state, "entries", "--first", "3").stdout.splitlines()) == len(lines) - 3
    assert run(state, "entries", "--first", "99").stdout == ""
