"""`gjestenett audit` on the log's targets, keys and restores, as people and scripts use it, well and wrongly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.audit.sealer import Sealer
from gateway.cli import cli
from gateway.installation import open_signing_key, sealer_memory
from gateway.storage import log_targets


@pytest.fixture
def config(tmp_path: Path) -> Path:
    share = tmp_path / "share"
    share.mkdir()
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[[audit.targets]]\nname = "arkiv"\nkind = "directory"\npath = "{share}"\n'
        '[[audit.targets]]\nname = "borte"\nkind = "https"\nevery = "day"\nurl = "https://127.0.0.1:1/"\n'
    )
    return path


@pytest.fixture
def run(services, config):
    def call(*arguments: str, config: Path | None = config) -> tuple[int, str, str]:
        options = ["--state", str(services.settings.state), *(["--config", str(config)] if config else [])]
        result = CliRunner().invoke(cli, [*options, "audit", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


def sealer(services) -> Sealer:
    place, memory = services.place, sealer_memory(services.settings)
    key = open_signing_key(services)
    return Sealer(services.database, place.owner_id, place.log_origin, key, services.clock, memory=memory)


def test_targets_before_and_after_a_push(run, services, config, tmp_path) -> None:
    code, out, _ = run("targets", "--json")
    assert code == 0
    assert [(row["target"], row["last_success"], row["every"]) for row in json.loads(out)] == [
        ("arkiv", "never", "hour"),
        ("borte", "never", "day"),
    ]
    code, _, err = run("push", "arkiv")
    assert (code, "nothing is sealed yet" in err) == (1, True)
    sealer(services).round()
    assert run("push", "arkiv")[0] == 0
    assert len(list((tmp_path / "share").rglob("*.checkpoint"))) == 1
    command = [sys.executable, "-m", "gateway.cli", "--config", str(config), "--state", str(services.settings.state)]
    done = subprocess.run([*command, "audit", "push", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    outcomes = {row["target"]: row["outcome"] for row in json.loads(done.stdout)}
    assert outcomes["arkiv"] == "sent"
    assert "can't be reached" in outcomes["borte"]
    code, out, _ = run("targets")
    assert code == 0
    assert "can't be reached" in out
    assert run("push", "--due")[:2] == (0, "nothing is due\n")
    with services.database.write() as session:
        for _ in range(3):
            log_targets.failed(
                session, services.place.owner_id, "borte", "https", reason="x", request_id="", now=services.clock()
            )
    code, _, err = run("targets")
    assert (code, "for long" in err) == (1, True)


def test_wrong_use_is_said(run) -> None:
    code, _, err = run("push", "arkvi")
    assert (code, err) == (2, "gjestenett: no target 'arkvi'; there are: arkiv, borte\n")
    code, _, err = run("push", config=None)
    assert (code, "set [[audit.targets]]" in err) == (2, True)
    assert "without copies outside" in run("targets", config=None)[1]
    for command in ("rotate-key", "acknowledge-restore"):
        assert run(command)[0] == 2
        code, _, err = run(command, "--reason", " ")
        assert (code, "can't be empty" in err) == (2, True)
    code, _, err = run("acknowledge-restore", "--reason", "x")
    assert (code, "no restore waits" in err) == (1, True)
    code, _, err = run("checkpoint", "--cosigned")
    assert (code, "no witness has cosigned" in err) == (1, True)


def test_keys_are_listed_and_replaced(run, services) -> None:
    first = run("keys")[1]
    code, out, _ = run("rotate-key", "--reason", "yearly")
    assert code == 0
    listed = run("keys")[1]
    assert listed.startswith(first)
    assert listed.splitlines()[1] in out
    assert "receipts from now on need the new log.vkey" in out
    assert (services.settings.state / "log.vkey").read_text() == listed
    key = run("witness-key")[1]
    assert key == run("witness-key")[1]
    assert key.startswith("gjestenett.invalid/kommune/witness+")
    assert (services.settings.state / "keys" / "witness.key").stat().st_mode & 0o777 == 0o600


def test_a_restore_is_told_everywhere_until_it_is_acknowledged(run, services) -> None:
    running = sealer(services)
    running.round()
    with services.database.write() as session:
        log_targets.holds(session, services.place.owner_id, "arkiv", "directory", 99, "")
    running.round()
    for command in ("targets", "push"):
        code, _, err = run(command)
        assert (code, "acknowledge-restore" in err) == (1, True)
    code, out, _ = run("acknowledge-restore", "--reason", "disk died", "--by", "Ola")
    assert (code, "from 99 entries, which the target arkiv knows" in out) == (0, True)
    assert run("targets")[0] == 0


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('[[audit.targets]]\nname = "a"\n', "setting audit.targets, entry 1: set kind to directory or https or"),
        ('[[audit.targets]]\nname = "a"\nkind = "fax"\n', "setting audit.targets, entry 1: set kind to 'directory'"),
        ('[[audit.targets]]\nname = "a"\nkind = "directory"\n', "entry 1.path: this has to be set"),
        ('[[audit.targets]]\nname = "a"\nkind = "https"\nurl = "http://x"\n', "begins with https://"),
        ('[[audit.targets]]\nname = "a"\nkind = "https"\nurl = "https://x"\ntokn = "1"\n', "entry 1.tokn: no such"),
        ('[[audit.targets]]\nname = "a"\nkind = "witness"\nurl = "https://x"\nvkey = "x"\n', "audit witness-key"),
        (
            '[[audit.targets]]\nname = "a"\nkind = "email"\nto = ["x"]\nsender = "a@b"\nhost = "h"\n',
            "entry 1.to, entry 1: write an e-mail address",
        ),
        (
            '[[audit.targets]]\nname = "a"\nkind = "email"\nto = ["a@b"]\nsender = "a@b"\nhost = "h"\n'
            'security = "none"\nusername = "u"\npassword_file = "/x"\n',
            "not sent unencrypted",
        ),
        ('[[audit.targets]]\nname = "a"\nkind = "directory"\npath = "/"\n' * 2, "two targets are named a"),
        ('[[audit.witnessed]]\norigin = "x"\nvkeys = ["y"]\n', "log.vkey"),
    ],
)
def test_wrong_settings_are_said_in_our_own_words(run, tmp_path: Path, document: str, said: str) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(document)
    code, _, err = run("targets", config=wrong)
    assert code == 2
    assert said in err


def test_config_check_opens_the_files_of_targets(tmp_path: Path, services) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        '[[audit.targets]]\nname = "a"\nkind = "https"\nurl = "https://x"\ntoken_file = "/nowhere/token"\n'
    )
    options = ["--config", str(wrong), "--state", str(services.settings.state), "config", "check"]
    result = CliRunner().invoke(cli, options)
    assert (result.exit_code, "token_file /nowhere/token can't be read" in result.stderr) == (2, True)
    wrong.write_text(f'[[audit.targets]]\nname = "a"\nkind = "directory"\npath = "{tmp_path}/none"\n')
    result = CliRunner().invoke(cli, options)
    assert (result.exit_code, "is the share mounted?" in result.stderr) == (0, True)
