"""`gjestenett networks` and `devices block`: what is said for each kind of wrong input, and what is listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.clock import MUNICIPAL_ZONE, utc_now
from gateway.context import Services

MAC = "00:1A:2B-3c4d5e"
SOON = (utc_now() + timedelta(hours=3)).astimezone(MUNICIPAL_ZONE).strftime("%Y-%m-%dT%H:%M")
Run = Callable[..., Result]


@pytest.fixture
def run(services: Services) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--state", str(services.settings.state), *arguments])

    return invoke


def switch(run: Run, state: str = "closed", interface: str = "lo", **other: str) -> Result:
    options = {"--until": SOON, "--reason": "water", "--notice": "nb=Stengt"} | {f"--{k}": v for k, v in other.items()}
    return run("networks", "outage", interface, state, *(part for pair in options.items() if pair[1] for part in pair))


def test_a_network_is_switched_listed_and_as_usual_again(run: Run) -> None:
    [row] = json.loads(run("networks", "list", "--json").output)
    assert (row["interface"], row["group"], row["state"], row["until"]) == ("lo", "default", "normal", "")
    done = switch(run, "rules-only")
    assert done.exit_code == 0, done.output
    assert "lo is open to everybody without accepting until" in done.output
    assert "does not control the network" in done.output
    [row] = json.loads(run("networks", "list", "--json").output)
    assert (row["state"], row["applied"], row["by"], row["reason"]) == ("rules_only", False, "command line", "water")
    assert run("networks", "outage", "lo", "normal").output == "lo is as usual again\n"
    again = run("networks", "outage", "lo", "normal")
    assert (again.exit_code, "as usual already" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("other", "code", "told"),
    [
        ({"until": ""}, 2, "--until says when"),
        ({"until": "tomorrow"}, 2, "is no day"),
        ({"until": "2020-01-01"}, 1, "is past already"),
        ({"until": "2099-01-01"}, 1, "more than 60 days ahead"),
        ({"notice": ""}, 2, "--notice says what guests are told"),
        ({"notice": "Stengt"}, 2, "begin with one of"),
        ({"notice": "xx=Stengt"}, 2, "begin with one of"),
        ({"notice": "nb="}, 2, "one line of 1 to 300 characters"),
        ({"reason": ""}, 2, "--reason must be one line"),
        ({"interface": "guest7"}, 2, "there are: lo"),
    ],
)
def test_wrong_input_is_one_clear_line(run: Run, other: dict[str, str], code: int, told: str) -> None:
    done = switch(run, **other)
    assert (done.exit_code, told in done.stderr, done.stderr.count("\n")) == (code, True, 1), done.stderr
    assert json.loads(run("networks", "list", "--json").output)[0]["state"] == "normal"


def test_a_device_is_blocked_listed_and_unblocked(run: Run) -> None:
    assert "no device is blocked now" in run("devices", "blocked").output
    done = run("devices", "block", MAC, "--reason", "spam", "--tell", "Ring IKT")
    assert done.exit_code == 0, done.output
    assert "00:1a:2b:3c:4d:5e is blocked until" in done.output
    [row] = json.loads(run("devices", "blocked", "--json").output)
    assert (row["mac"], row["reason"], row["told"], row["by"]) == (
        "00:1a:2b:3c:4d:5e", "spam", "Ring IKT", "command line",
    )  # fmt: skip
    admitted = run("devices", "admit", MAC, "--unit", "u", "--until", SOON, "--reason", "r")
    assert (admitted.exit_code, "devices unblock" in admitted.stderr) == (1, True)
    assert run("devices", "unblock", MAC).exit_code == 0
    again = run("devices", "unblock", MAC)
    assert (again.exit_code, "is not blocked" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("xyz", "--reason", "r"), 2, "is no device's address"),
        ((MAC, "--reason", ""), 2, "--reason must be one line"),
        ((MAC, "--reason", "r", "--tell", "a\nb"), 2, "--tell must be one line"),
        ((MAC, "--reason", "r", "--until", "2020-01-01"), 1, "is past already"),
        ((MAC, "--reason", "r", "--until", "2099-01-01"), 1, "privacy.acceptances"),
    ],
)
def test_what_cannot_be_blocked_is_said(run: Run, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = run("devices", "block", *arguments)
    assert (done.exit_code, told in done.stderr) == (code, True), done.stderr
    assert "no device is blocked now" in run("devices", "blocked").output
