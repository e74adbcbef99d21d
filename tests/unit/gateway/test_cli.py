"""The command line as people script against it: exit codes, one clear line on standard error, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.clock import utc_now
from gateway.errors import UsageError
from gateway.lists.jobs import compile_in_force
from gateway.settings import load
from gateway.startup import hold_state, in_child, prepare_and_announce, settings_in_words
from gateway.terms.notice import blanks
from tests.contract.dns.certificate import make_certificate

NOTICE = {
    "CONTROLLER": "Storvik kommune, postmottak@storvik.example.no", "DPO": "personvernombud@storvik.example.no",
    "LEGAL_BASIS": "6.1.e", "LEGAL_BASIS_LAW": "kommuneloven § 25-1", "BACKUP_DAYS": "30",
}  # fmt: skip


@pytest.fixture
def told(monkeypatch):
    """The municipality has filled in what guests must be told."""
    for key, value in NOTICE.items():
        monkeypatch.setenv(f"GJESTENETT_PRIVACY__{key}", value)


@pytest.fixture
def run(services, monkeypatch):
    """Run a command on the prepared installation."""
    state = services.settings.state

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--state", str(state), *arguments])

    return invoke


def test_wrong_use_is_2_and_one_line(run, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[portal]\nprot = 1\n")
    for arguments in (
        ["--config", str(bad), "config", "check"],
        ["--config", str(tmp_path / "none"), "config", "show"],
    ):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 2, result.output
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("gjestenett: ")
        assert result.stdout == ""
    assert CliRunner().invoke(cli, ["nonsense"]).exit_code == 2


def test_what_was_never_prepared_says_what_to_do(tmp_path):
    result = CliRunner().invoke(cli, ["--state", str(tmp_path / "fresh"), "terms", "list"])
    assert result.exit_code == 2
    assert "begin one: gjestenett up" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "gjestenett.sqlite3").write_bytes(b"not SQLite at all" * 100)
    damaged = CliRunner().invoke(cli, ["--state", str(tmp_path / "damaged"), "terms", "list"])
    assert (damaged.exit_code, "restore its backup" in damaged.stderr) == (1, True)


def test_the_settings_file_to_begin_with_changes_nothing_and_leaves_five_lines_to_fill_in(tmp_path):
    printed = CliRunner().invoke(cli, ["config", "starter"]).stdout
    path = tmp_path / "gjestenett.toml"
    path.write_text(printed)
    assert load(path) == load()
    filled = printed.replace("# controller", "controller").replace("# dpo", "dpo").replace("# backup", "backup")
    path.write_text(filled.replace("# legal_basis", "legal_basis"))
    assert blanks(load().privacy)
    assert blanks(load(path).privacy) == {}


def test_up_says_which_settings_file_counts(monkeypatch, tmp_path):
    assert settings_in_words(tmp_path / "own.toml") == str(tmp_path / "own.toml")
    assert "config starter" in settings_in_words(None)
    monkeypatch.setenv("GJESTENETT_CONFIG", "/etc/gjestenett/gjestenett.toml")
    assert settings_in_words(None) == "/etc/gjestenett/gjestenett.toml"


def test_config_show_marks_defaults_and_hides_secrets(services, monkeypatch):
    monkeypatch.setenv("GJESTENETT_DATABASE__URL", "postgresql://user:hemmelig@127.0.0.1:1/gjestenett")  # nobody there
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0
        assert "hemmelig" not in result.output
    assert "port = 8080  # default" in CliRunner().invoke(cli, ["config", "show"]).output


@pytest.mark.parametrize("blank", ["CONTROLLER", "DPO", "LEGAL_BASIS", "LEGAL_BASIS_LAW", "AUTHORITY", "BACKUP_DAYS"])
def test_rules_are_not_published_while_guests_can_not_be_told_everything(run, told, tmp_path, monkeypatch, blank):
    text = tmp_path / "nb.md"
    text.write_text("# Regler\n\nVær grei.\n", encoding="utf-8")
    if blank == "BACKUP_DAYS":
        monkeypatch.delenv("GJESTENETT_PRIVACY__BACKUP_DAYS")
    else:
        monkeypatch.setenv(f"GJESTENETT_PRIVACY__{blank}", "")
    refused = run("terms", "publish", str(text), "--language", "nb", "--label", "2.0")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1), refused.output
    assert f"privacy.{blank.lower()} (" in refused.stderr
    assert refused.stderr.count("privacy.") == 1
    assert "2.0" not in run("terms", "list").output
    monkeypatch.setenv(f"GJESTENETT_PRIVACY__{blank}", {**NOTICE, "AUTHORITY": "Datatilsynet"}[blank])
    assert run("terms", "publish", str(text), "--language", "nb", "--label", "2.0").exit_code == 0


def test_terms_are_published_and_listed(run, told, tmp_path):
    text = tmp_path / "nn.md"
    text.write_text("# Reglar\n\nVer grei.\n", encoding="utf-8")
    published = run("terms", "publish", str(text), "--language", "nn", "--label", "2.0", "--body", "Kommunestyret")
    assert published.exit_code == 0, published.stderr
    rows = json.loads(run("terms", "list", "--json").output)
    assert {(row["label"], row["language"]) for row in rows} == {
        ("1.0", "nb"),
        ("1.0", "nn"),
        ("1.0", "en"),
        ("2.0", "nn"),
    }
    again = run("terms", "publish", str(text), "--language", "nn", "--label", "2.0")
    assert (again.exit_code, "published already" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "arguments", "reason"),
    [
        (b"", ["--language", "nb", "--label", "3"], "empty"),
        (b"\xff\xfe", ["--language", "nb", "--label", "3"], "can't be read"),
        (b"a\x00b", ["--language", "nb", "--label", "3"], "NUL"),
        (b"# x", ["--language", "xx", "--label", "3"], "portal.languages"),
        (b"# x", ["--language", "nb", "--label", "x" * 81], "at most 80"),
        (b"# x", ["--language", "nb", "--label", ""], "label"),
        (b"# x", ["--language", "nb", "--language", "nn", "--label", "3"], "for each FILE"),
    ],
)
def test_rules_that_can_not_be_published_are_refused(run, told, tmp_path, content, arguments, reason):
    path = tmp_path / "rules.md"
    path.write_bytes(content)
    result = run("terms", "publish", str(path), *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert "3" not in {row["label"] for row in json.loads(run("terms", "list", "--json").output)}


def test_rules_are_published_for_a_moment_to_come_and_withdrawn_before_it(run, told, tmp_path):
    text = tmp_path / "nb.md"
    text.write_text("# Regler\n\nVær grei.\n", encoding="utf-8")
    first = [str(text), "--language", "nb", "--label", "2.0"]
    for moment, reason in (
        ("tomorrow", "write a moment as"),
        ("2020-01-01T08:00", "passed"),
        ("2999-01-01T08:00", "two years"),
    ):
        refused = run("terms", "publish", *first, "--from", moment)
        assert (refused.exit_code, reason in refused.stderr) == (2, True), refused.stderr
    moment = f"{utc_now() + timedelta(days=9):%Y-%m-%d}T08:00"
    published = run("terms", "publish", *first, "--from", moment, "--ask-again")
    assert published.exit_code == 0, published.stderr
    assert f"rules 2.0 come into force by themselves {moment.replace('T', ' ')} (Norwegian time)" in published.output
    rows = {row["label"]: row for row in json.loads(run("terms", "list", "--json").output)}
    assert rows["2.0"]["in_force_from"] > rows["2.0"]["published"]
    assert rows["1.0"]["in_force_from"] == rows["1.0"]["published"]
    refused = run("terms", "withdraw", "1.0")
    assert (refused.exit_code, "have come into force" in refused.stderr) == (2, True)
    assert run("terms", "withdraw", "2.0").exit_code == 0
    assert "withdrawn already" in run("terms", "withdraw", "2.0").stderr
    assert "no rules '3'" in run("terms", "withdraw", "3").stderr
    rows = {row["label"]: row["withdrawn"] for row in json.loads(run("terms", "list", "--json").output)}
    assert rows == {"1.0": False, "2.0": True}


def test_the_command_line_publishes_no_rules_where_two_people_do(run, told, tmp_path, monkeypatch):
    monkeypatch.setenv("GJESTENETT_RULES__TWO_PERSON", "true")
    text = tmp_path / "nb.md"
    text.write_text("# Regler\n\nVær grei.\n", encoding="utf-8")
    refused = run("terms", "publish", str(text), "--language", "nb", "--label", "2.0", "--by", "kari")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1)
    assert "rules.two_person is set" in refused.stderr
    assert "2.0" not in run("terms", "list").output


def test_policy_is_changed_published_and_explained(run, services):
    compile_in_force(services.database, services.place, services.settings.state, ())
    closed = run("policy", "explain", "https://store.steampowered.com/app/1", "--json")
    assert json.loads(closed.output)["permitted"] is False
    assert "is closed" in run("policy", "explain", "steampowered.com").output
    assert run("policy", "open", "gaming").exit_code == 0
    assert "generation 2" in run("policy", "publish", "--note", "kveld").output
    compile_in_force(services.database, services.place, services.settings.state, ())
    assert json.loads(run("policy", "explain", "steampowered.com", "--json").output)["permitted"] is True
    assert json.loads(run("policy", "history", "--json").output)[0]["note"] == "kveld"
    assert run("policy", "open", "no-such-category").exit_code == 2
    assert run("policy", "explain", "192.0.2.1").exit_code == 2
    assert run("policy", "explain", "x.no", "--group", "nobody").exit_code == 2


def test_staff_links_are_printed_once_and_never_kept(run, services):
    added = run("staff", "add", "kari", "--role", "auditor")
    assert added.exit_code == 0
    token = added.output.split("/setup/")[1].split()[0]
    assert json.loads(run("staff", "list", "--json").output)[0]["username"] == "kari"
    for path in Path(services.settings.state).rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path
    assert run("staff", "add", "kari", "--role", "it").exit_code == 2
    assert run("staff", "reset", "nobody").exit_code == 2


def test_grants_and_checkpoint_say_when_there_is_nothing(run):
    assert "nobody" in run("grants", "list").output
    assert run("grants", "revoke", "0" * 32).exit_code == 1
    assert run("audit", "checkpoint").exit_code == 1
    assert run("audit", "export", "--from", "2026-01-02", "--to", "2026-01-01", "--reason", "x").exit_code == 2


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"ENFORCEMENT__ENABLED": "true"}, "guest_interfaces"),
        ({"CONSOLE__PORT": "8080"}, "both 8080"),
        ({"PORTAL__TLS_CERTIFICATE": "/nowhere.pem", "PORTAL__TLS_KEY": "/nowhere.key"}, "is not there"),
        ({"PORTAL__TLS_KEY": "/nowhere.key"}, "belong together"),
        ({"PORTAL__PUBLIC_URL": "javascript:alert(1)"}, "public_url"),
        ({"DNS__SOURCES": '{"nonsense": "default"}'}, "sources"),
        ({"DNS__UPSTREAMS": '["resolver.example"]'}, "numeric address"),
    ],
)
def test_settings_that_can_not_work_are_refused_by_check_and_up_alike(environment, reason, monkeypatch, tmp_path):
    for key, value in environment.items():
        monkeypatch.setenv(f"GJESTENETT_{key}", value)
    checked = CliRunner().invoke(cli, ["--state", str(tmp_path / "s"), "config", "check"])
    assert (checked.exit_code, len(checked.stderr.splitlines())) == (2, 1), checked.output
    assert checked.stdout == ""
    assert reason in checked.stderr
    started = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "--state", str(tmp_path / "s"), "up"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert started.returncode == 2
    assert reason in started.stderr


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"DNS__UPSTREAMS": '["127.0.0.1:5300"]'}, "this service itself"),
        ({"DNS__UPSTREAMS": '["0.0.0.0"]'}, "no server's address"),
        ({"DNS__LISTEN": "[]"}, "setting dns.listen: write at least 1"),
        ({"DNS__ZONES": '{"Lan.no": ["192.0.2.1"], "lan.no.": ["192.0.2.2"]}'}, "write it once"),
        ({"DNS__UPSTREAM_CA": "{folder}/garbage"}, "give a PEM file of certificates"),
        ({"DNS__UPSTREAM_CA": "/nowhere.pem"}, "give a PEM file of certificates"),
        ({"PORTAL__TLS_CERTIFICATE": "{folder}/garbage", "PORTAL__TLS_KEY": "{folder}/portal.key"}, "no certificate"),
        ({"PORTAL__TLS_CERTIFICATE": "{folder}/portal.pem", "PORTAL__TLS_KEY": "{folder}/garbage"}, "can't be used"),
        (
            {"PORTAL__TLS_CERTIFICATE": "{folder}/portal.pem", "PORTAL__TLS_KEY": "{folder}/other/portal.key"},
            "is not the key of",
        ),
        ({"AUDIT__KEY_FILE": "{folder}/garbage"}, "audit.key_file: "),
    ],
)
def test_files_and_servers_that_can_not_work_are_refused_by_check_and_before_a_start(
    environment, reason, monkeypatch, tmp_path
):
    (tmp_path / "other").mkdir()
    make_certificate(tmp_path)
    make_certificate(tmp_path / "other")
    (tmp_path / "garbage").write_text("garbage")
    (tmp_path / "garbage").chmod(0o600)
    for key, value in environment.items():
        monkeypatch.setenv(f"GJESTENETT_{key}", value.replace("{folder}", str(tmp_path)))
    checked = CliRunner().invoke(cli, ["--state", str(tmp_path / "s"), "config", "check"])
    assert (checked.exit_code, len(checked.stderr.splitlines()), checked.stdout) == (2, 1, ""), checked.output
    assert reason in checked.stderr
    announced: list[str] = []
    with pytest.raises(UsageError) as refused:
        prepare_and_announce(load(state=tmp_path / "s"), announced.append)
    assert reason in str(refused.value)
    assert announced == []


def test_a_settings_file_that_lies_beside_and_was_not_read_is_told(run, monkeypatch, tmp_path):
    (tmp_path / "gjestenett.toml").write_text("bogus = = =\n")
    monkeypatch.chdir(tmp_path)
    told = run("config", "check")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "gjestenett --config gjestenett.toml config check" in told.stderr
    read = run("--config", "gjestenett.toml", "config", "check")
    assert read.exit_code == 2
    assert "lies here" not in read.stderr


def test_what_guests_would_stumble_over_is_warned_of_by_check_and_up_alike(services, run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    sound = run("config", "check")
    assert (sound.exit_code, sound.stdout, sound.stderr) == (0, "settings are sound\n", "")
    make_certificate(tmp_path, "konsoll.example.no")
    tls = services.settings.state / "tls"
    (tmp_path / "portal.pem").rename(tls / "console.pem")
    (tmp_path / "portal.key").rename(tls / "console.key")
    make_certificate(tmp_path, "www.example.no", lives=timedelta(hours=-1))
    compile_in_force(services.database, services.place, services.settings.state, ())
    for key, value in {
        "PORTAL__TLS_CERTIFICATE": str(tmp_path / "portal.pem"),
        "PORTAL__TLS_KEY": str(tmp_path / "portal.key"),
        "DNS__SOURCES": '{"127.0.0.0/8": "default", "10.0.0.0/8": "nogroup"}',
    }.items():
        monkeypatch.setenv(f"GJESTENETT_{key}", value)
    checked = run("config", "check")
    assert (checked.exit_code, checked.stdout) == (0, "everything starts, but see the warnings\n")
    warnings = checked.stderr.splitlines()
    assert all(warning.startswith("warning: ") for warning in warnings)
    for warning, said in zip(
        warnings, ("expired on", "is not for gjest.internal but for www.example.no",
                   "is not for localhost but for konsoll.example.no", "no group 'nogroup'"), strict=True,
    ):  # fmt: skip
        assert said in warning
    logged = []
    monkeypatch.setattr("gateway.startup.log.warning", lambda form, text: logged.append(form % text))
    lines: list[str] = []
    later = prepare_and_announce(load(state=services.settings.state), lines.append)
    assert logged == [warning.removeprefix("warning: ") for warning in warnings]
    assert [line[:15].strip() for line in lines] == ["certificate", "enforcer"]
    assert later == {
        "portal": ["guest portal   http://127.0.0.1:8080/"],
        "console": ["console        https://localhost:8081/", later["console"][1]],
        "dns": ["dns            127.0.0.1:5300", "dns over tls   127.0.0.1:8853"],
    }
    assert later["console"][1].startswith("first sign-in  https://localhost:8081/setup/")


def test_what_a_child_finds_out_and_what_it_fails_with_reach_the_supervisor(capfd):
    assert in_child(lambda: {"dns": ["dns  ø"], "portal": []}) == {"dns": ["dns  ø"], "portal": []}

    def fail() -> dict[str, list[str]]:
        raise UsageError("portal.port and\nconsole.port are both 80")

    with pytest.raises(SystemExit) as ended:
        in_child(fail)
    assert ended.value.code == 2
    assert capfd.readouterr().err == "gjestenett: portal.port and console.port are both 80\n"


def test_a_state_directory_has_one_supervisor(settings):
    with hold_state(settings), pytest.raises(UsageError, match=f"in use by process {os.getpid()}"):
        hold_state(settings)
    hold_state(settings).close()
