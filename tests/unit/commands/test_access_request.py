"""Subject access with the command line: everything on one person, nothing on another, and a leaf that it was done."""

from __future__ import annotations

import json
import stat

import pytest
from click.testing import CliRunner

from gateway.access import grants
from gateway.access.subject_page import WORDS
from gateway.cli import cli
from gateway.clock import utc_now
from gateway.storage import leaves
from tests.unit.commands.test_erase import CONTACT, MAC, NAME, guests, seal

__all__ = ["guests"]


def run(services, *arguments):
    return CliRunner().invoke(cli, ["--state", str(services.settings.state), "audit", "access-request", *arguments])


def staged(services):
    with services.database.read() as session:
        return [json.loads(row.entry) for row in leaves.staged(session, services.place.owner_id, 100)]


def test_everything_on_her_and_nothing_on_him(services, guests, tmp_path):
    with services.database.write() as session:
        grants.revoke(session, services.place, guests[NAME].grant_id, "it-ola", utc_now())
    seal(services)
    out = tmp_path / "innsyn.json"
    done = run(services, "--receipt", guests[NAME].receipt_code, "--out", str(out))
    assert done.exit_code == 0, done.output
    text = out.read_text()
    found = json.loads(text)
    [item] = found["acceptances"]
    assert (item["name"], item["contact"], item["mac"]) == (NAME, CONTACT, MAC)
    assert (item["address"], item["course_code"], item["organisation"]) == ("10.77.3.141", "KURS-7", "Solbakken AS")
    assert item["access"]["ended_at"] is not None
    assert [(entry["type"], entry["values"]) for entry in found["other_entries"]] == [("grant_revoked", {"mac": MAC})]
    assert "Ola Hansen" not in text
    assert "it-ola" not in text
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    [leaf] = staged(services)
    assert (leaf["type"], leaf["ground"], leaf["leaves"]) == (
        "subject_access",
        "receipt_code",
        f"{item['leaf']}-{item['leaf'] + 1}",
    )


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_page_is_whole_in_each_language(services, guests, tmp_path, language):
    out = tmp_path / "innsyn.html"
    done = run(services, "--name", "tordis", "--identity-check", "pass vist i skranken", "--language", language,
               "--out", str(out))  # fmt: skip
    assert done.exit_code == 0, done.output
    text = out.read_text()
    assert f'<html lang="{language}">' in text
    assert all(word in text for word in (NAME, CONTACT, MAC, WORDS[language]["title"], WORDS[language]["kept_until"]))
    assert "{" not in text.split("</style>")[1]
    assert [leaf["ground"] for leaf in staged(services)] == ["identity_check"]
    assert WORDS[language].keys() == WORDS["nb"].keys()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--name", "Tordis"], 2, "how you know them"),
        (["--course", "KURS-7", "--identity-check", "pass"], 1, "2 different names fit"),
        (["--name", "Ingen", "--identity-check", "pass"], 1, "nothing is held"),
        ([], 2, "say who"),
        (["--name", "Tordis", "--identity-check", "x" * 301], 2, "at most 300"),
    ],
)
def test_wrong_use_hands_out_nothing(services, guests, tmp_path, arguments, code, words):
    out = tmp_path / "innsyn.html"
    done = run(services, *arguments, "--out", str(out))
    assert (done.exit_code, words in done.output) == (code, True), done.output
    assert not out.exists()
    assert staged(services) == []


def test_a_file_that_stands_is_not_overwritten_and_nothing_recorded(services, guests, tmp_path):
    out = tmp_path / "innsyn.json"
    out.write_text("mine")
    done = run(services, "--device", MAC, "--out", str(out))
    assert done.exit_code == 2
    assert out.read_text() == "mine"
    assert staged(services) == []
