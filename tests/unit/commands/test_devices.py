"""`gjestenett devices`: what is said for each kind of wrong input, and what is listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.clock import MUNICIPAL_ZONE, utc_now
from gateway.context import Services

MAC = "00:1A:2B-3c4d5e"
DAY = (utc_now() + timedelta(days=90)).strftime("%Y-%m-%d")
GIVEN = {"--unit": "Nybø skule", "--until": DAY, "--reason": "projector"}
Run = Callable[..., Result]


@pytest.fixture
def run(services: Services) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--state", str(services.settings.state), *arguments])

    return invoke


def admit(run: Run, mac: str = MAC, **other: str) -> Result:
    options = GIVEN | {f"--{name}": value for name, value in other.items()}
    return run("devices", "admit", mac, *(part for pair in options.items() for part in pair))


def test_an_admitted_device_is_listed_until_it_is_revoked(run: Run) -> None:
    assert "no device is admitted now" in run("devices", "list").output
    done = admit(run)
    assert done.exit_code == 0, done.output
    assert "00:1a:2b:3c:4d:5e is admitted in the group default until" in done.output
    assert "does not control the network" in done.output
    [row] = json.loads(run("devices", "list", "--json").output)
    assert (row["mac"], row["unit"], row["group"], row["applied"]) == (
        "00:1a:2b:3c:4d:5e",
        "Nybø skule",
        "default",
        False,
    )
    end = datetime.fromisoformat(row["until"]).astimezone(MUNICIPAL_ZONE)
    named = datetime.strptime(DAY, "%Y-%m-%d").replace(tzinfo=MUNICIPAL_ZONE)
    assert (end.date() - named.date(), end.hour, end.minute) == (timedelta(days=1), 0, 0), "the day itself counts"
    assert "Nybø skule" in run("grants", "list").output
    again = admit(run)
    assert (again.exit_code, f"gjestenett grants revoke {row['grant']}" in again.stderr) == (1, True)
    assert run("grants", "revoke", row["grant"], "--reason", "sold").exit_code == 0
    assert "no device is admitted now" in run("devices", "list").output


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"mac": "projector"}, "is no device's address"),
        ({"until": "tomorrow"}, "is no day"),
        ({"until": "2020-01-01"}, "is past already"),
        ({"until": "2099-01-01"}, "more than 400 days"),
        ({"until": (datetime.now(UTC) + timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M"), "group": "none"}, "no group"),
        ({"unit": " "}, "--unit must be one line"),
        ({"reason": "a\nb"}, "--reason must be one line"),
        ({"interface": "eth9"}, "no guest network on 'eth9'"),
    ],
)
def test_wrong_input_is_one_line_that_says_what_to_do(run: Run, other: dict[str, str], told: str) -> None:
    result = admit(run, **other)
    assert result.exit_code in (1, 2)
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "no device is admitted now" in run("devices", "list").output
