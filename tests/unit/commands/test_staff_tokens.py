"""`staff tokens`: listed without their secret, and revoked once, each as a leaf."""

from __future__ import annotations

import json
from datetime import timedelta

from click.testing import CliRunner

from captive_portal.auth import accounts, api_tokens
from gateway.audit import entry as entries
from gateway.cli import cli
from gateway.clock import utc_now
from gateway.installation import prepare
from gateway.settings import load
from gateway.storage import staff
from gateway.storage.log_models import StagedLeaf


def test_tokens_are_listed_and_revoked(tmp_path, monkeypatch):
    monkeypatch.setenv("GJESTENETT_STATE", str(tmp_path))
    services, now = prepare(load(), utc_now), utc_now()
    run = CliRunner()
    assert "made in the console" in run.invoke(cli, ["staff", "tokens", "list"]).output
    place = services.place
    with services.database.write() as session:
        accounts.add_account(session, place, "kari", "it", now)
        account = staff.by_username(session, place.owner_id, "kari")
        made = api_tokens.make(session, place, account.id, "Sync", ["lists:read"], now + timedelta(days=9), now)
    listed = run.invoke(cli, ["staff", "tokens", "list", "--json"]).output
    [row] = json.loads(listed)
    assert (row["username"], row["name"], row["scopes"], row["state"]) == ("kari", "Sync", "lists:read", "works")
    assert made.secret not in listed
    done = run.invoke(cli, ["staff", "tokens", "revoke", row["id"], "--by", "ola"])
    assert (done.exit_code, done.output) == (0, "'Sync' of kari is revoked\n")
    again = run.invoke(cli, ["staff", "tokens", "revoke", row["id"]])
    assert (again.exit_code, "no token" in again.stderr) == (2, True)
    assert json.loads(run.invoke(cli, ["staff", "tokens", "list", "--json"]).output)[0]["state"] == "revoked"
    with services.database.read() as session:
        leaves = [entries.parse_entry(row.entry) for row in session.query(StagedLeaf)]
    assert [each["change"] for each in leaves if each["type"] == "staff_change"][-1] == "token_revoked"
    services.database.close()
