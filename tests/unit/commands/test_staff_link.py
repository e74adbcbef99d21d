"""`staff link`: without a provider it says so; with one, an account is made, and is told apart in the list."""

from __future__ import annotations

import json

from click.testing import CliRunner

from gateway.cli import cli
from gateway.clock import utc_now
from gateway.installation import prepare
from gateway.settings import load


def test_an_account_is_linked_and_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("GJESTENETT_STATE", str(tmp_path))
    prepare(load(), utc_now).database.close()
    run = CliRunner()
    without = run.invoke(cli, ["staff", "link", "kari", "--role", "it", "--subject", "31"])
    assert (without.exit_code, "no OpenID provider is set" in without.stderr) == (2, True)
    monkeypatch.setenv("GJESTENETT_OIDC__ISSUER", "https://id.example.no")
    monkeypatch.setenv("GJESTENETT_OIDC__CLIENT_ID", "console")
    for arguments, said in (
        (["kari", "--subject", "31"], "--role"),
        (["kari", "--role", "host", "--subject", "31"], "--unit"),
        (["k", "--role", "it", "--subject", "31"], "no user name"),
        (["kari", "--role", "it", "--subject", ""], "sub"),
    ):
        refused = run.invoke(cli, ["staff", "link", *arguments])
        assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
    for arguments in (
        ["kari", "--role", "it", "--subject", "31"],
        ["vert", "--role", "host", "--unit", "IKT", "--subject", "32"],
    ):
        assert run.invoke(cli, ["staff", "link", *arguments]).exit_code == 0
    taken = run.invoke(cli, ["staff", "link", "ola", "--role", "it", "--subject", "31"])
    assert (taken.exit_code, "is 'kari' already" in taken.stderr) == (2, True)
    rows = json.loads(run.invoke(cli, ["staff", "list", "--json"]).output)
    assert [(row["username"], row["role"], row["state"], row["signs_in"]) for row in rows] == [
        ("kari", "it", "ready", "provider"),
        ("vert", "host", "ready", "provider"),
    ]
