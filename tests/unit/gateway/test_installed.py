"""`config check` beside what is installed: the log's name and key, and the state directory, each with what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from captive_portal.auth import accounts
from gateway.audit.keyfile import create_key_file
from gateway.audit.sealer import seal_staged
from gateway.cli import cli
from gateway.installation import read_signing_key, sealer_memory
from gateway.settings import signing_key_path
from gateway.storage import passkeys
from gateway.storage.passkey_models import Passkey


def check(state: Path, monkeypatch: pytest.MonkeyPatch, **owner: str) -> Result:
    for key, value in owner.items():
        monkeypatch.setenv(f"GJESTENETT_OWNER__{key.upper()}", value)
    return CliRunner().invoke(cli, ["--state", str(state), "config", "check"])


def refused(result: Result) -> str:
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1), result.output
    return result.stderr


def test_what_agrees_is_sound_and_a_new_name_of_the_municipality_does(services, monkeypatch):
    done = check(services.settings.state, monkeypatch, name="Storvik kommune")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "settings are sound\n", "")


def test_a_log_keeps_the_name_that_it_was_begun_with(services, monkeypatch):
    said = refused(check(services.settings.state, monkeypatch, log_origin="storvik.kommune.no/gjestenett"))
    assert "was begun as gjestenett.invalid/kommune" in said
    assert "set it back, or begin a new installation with an empty --state directory" in said


def test_another_owner_can_not_have_the_log_of_the_first(services, monkeypatch):
    said = refused(check(services.settings.state, monkeypatch, key="storvik"))
    assert "names the log of owner kommune, and owner.key is storvik; set the key back" in said


def test_another_owner_with_a_log_of_its_own_is_not_given_the_key_of_the_first(services, monkeypatch):
    said = refused(check(services.settings.state, monkeypatch, key="storvik", log_origin="storvik.no/log"))
    assert "log.key is the key of a log that this database does not hold" in said


def test_another_key_than_the_logs_is_told(services, monkeypatch):
    path = signing_key_path(services.settings)
    path.unlink()
    create_key_file(path, services.settings.owner.log_origin)
    assert "is not the key of this log" in refused(check(services.settings.state, monkeypatch))
    path.unlink()
    assert check(services.settings.state, monkeypatch).exit_code == 0, "another machine may seal"


def test_a_memory_that_is_missing_beside_a_signed_log_is_told(services, monkeypatch):
    memory = sealer_memory(services.settings)
    place, key = services.place, read_signing_key(services.settings)
    seal_staged(services.database, place.owner_id, place.log_origin, key, services.clock(), memory=memory)
    assert check(services.settings.state, monkeypatch).stdout == "settings are sound\n"
    memory.path.unlink()
    done = check(services.settings.state, monkeypatch)
    assert done.exit_code == 0
    assert "log.key.memory is missing beside a log that has been signed: put it back" in done.stdout


def test_where_nothing_is_installed_that_is_told_and_nothing_made(tmp_path, monkeypatch):
    done = check(tmp_path / "new" / "state", monkeypatch)
    assert done.exit_code == 0
    assert done.stdout == (
        f"settings are sound\nnothing is installed in {tmp_path}/new/state yet: `gjestenett up` begins there\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_key_without_its_database_is_told(services, monkeypatch):
    services.database.close()
    for path in services.settings.state.glob("gjestenett.sqlite3*"):
        path.unlink()
    assert "a log that this database does not hold" in refused(check(services.settings.state, monkeypatch))


def test_a_database_of_another_version_is_not_judged(services, monkeypatch):
    services.database.close()
    with sqlite3.connect(services.settings.state / "gjestenett.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    done = check(services.settings.state, monkeypatch)
    assert done.exit_code == 0
    assert "of another version: `gjestenett up` (or `db upgrade`) prepares it" in done.stdout


@pytest.mark.parametrize("state", ["/proc/gjestenett/state", "/dev/null"])
def test_a_state_directory_that_can_not_be_written_is_told(state, monkeypatch):
    said = refused(check(Path(state), monkeypatch))
    assert f"the state directory {state} can't be written" in said
    assert "--state" in said


def test_passkeys_of_another_name_than_the_consoles_are_told(services, monkeypatch):
    with services.database.write() as session:
        account = accounts.new_account(session, services.place, "kari", "it", services.clock())
        for name in ("localhost", "gjestenett.storvik.no"):
            session.add(
                Passkey(
                    staff_id=account.id, name=name, rp_id=name, credential_id=name.encode(), public_key=b"",
                    sign_count=0, backup_eligible=False, transports="", created_at=services.clock(), last_used_at=None,
                )
            )  # fmt: skip
    for hostname, count in (("Gjestenett.Storvik.no", 1), ("10.0.0.1", 2), ("localhost", 1)):
        monkeypatch.setenv("GJESTENETT_CONSOLE__HOSTNAME", hostname)
        done = check(services.settings.state, monkeypatch)
        assert (
            done.exit_code,
            f"passkeys that open nothing: {count}, as they were made at another name" in done.stdout,
        ) == (0, True)
    with services.database.write() as session:
        passkeys.forget_all(session, account.id)
    assert check(services.settings.state, monkeypatch).stdout == "settings are sound\n"
