"""`gjestenett courses`: made, listed, ended, and what is said for each kind of wrong input."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from gateway.access.course_plan import local_text
from gateway.cli import cli
from gateway.clock import utc_now
from gateway.context import Services
from gateway.lists import draft_edits, generations

Run = Callable[..., Result]
SINCE, UNTIL = local_text(utc_now() + timedelta(hours=6)), local_text(utc_now() + timedelta(days=1))
GIVEN = {"--unit": "Nybø skule", "--from": SINCE, "--until": UNTIL}


@pytest.fixture
def run(services: Services) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["--state", str(services.settings.state), *arguments])

    return invoke


def add(run: Run, title: str = "Excel for alle", *flags: str, **other: str) -> Result:
    options = GIVEN | {f"--{name}": value for name, value in other.items()}
    return run("courses", "add", title, *flags, *(part for pair in options.items() for part in pair))


def test_a_course_is_made_listed_and_ended(run: Run) -> None:
    assert "there is no course" in run("courses", "list").output
    done = add(run)
    assert done.exit_code == 0, done.output
    code = done.output.splitlines()[0]
    assert code.count("-") == 2
    [row] = json.loads(run("courses", "list", "--json").output)
    assert (row["code"], row["title"], row["unit"], row["state"], row["devices"], row["max"], row["group"]) == (
        code, "Excel for alle", "Nybø skule", "to come", 0, 60, "default",
    )  # fmt: skip
    ended = run("courses", "end", code.replace("-", " ").upper())
    assert (ended.exit_code, ended.output) == (0, "ended; 0 devices lost access\n")
    assert "there is no course" in run("courses", "list").output
    assert "over" in run("courses", "list", "--all").output
    again = run("courses", "end", code)
    assert (again.exit_code, "is over already" in again.stderr) == (1, True)
    assert run("courses", "end", "nowhere").exit_code == 1


def test_json_of_a_new_course_is_what_the_list_has(run: Run) -> None:
    [made] = json.loads(add(run, "Excel", "--json", devices="25", offered="hidden").output)
    assert [made] == json.loads(run("courses", "list", "--json").output)
    assert (made["max"], made["offered"]) == (25, "hidden")
    [ended] = json.loads(run("courses", "end", made["id"], "--json").output)
    assert (ended["code"], ended["state"], ended["closed"]) == (made["code"], "over", 0)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"unit": " "}, "--unit is missing"),
        ({"unit": "x" * 121}, "--unit may have at most 120"),
        ({"from": "tomorrow"}, "--from is missing or not understood"),
        ({"until": SINCE}, "--until must be after --from"),
        ({"until": "2020-01-01T09:00"}, "--until is past"),
        ({"group": "none"}, "there is no such group"),
        ({"devices": "0"}, "--devices must be 1 to"),
    ],
)
def test_wrong_input_is_one_line_that_says_what_to_do(run: Run, other: dict[str, str], told: str) -> None:
    done = add(run, **other)
    assert (done.exit_code, told in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
    assert "there is no course" in run("courses", "list").output


def test_a_policy_without_the_group_of_an_open_course_is_warned_of(run: Run, services: Services) -> None:
    with services.database.write() as session:
        document, _ = draft_edits.with_group(
            generations.draft(session, services.place), "kurs", like="default", mark=None, title=""
        )
        generations.save_draft(session, services.place, document, utc_now())
        generations.publish(session, services.place, "it", "", utc_now())
    code = add(run, group="kurs").output.splitlines()[0]
    add(run, "Word for alle")
    with services.database.write() as session:
        document = draft_edits.without_group(generations.draft(session, services.place), "kurs")
        generations.save_draft(session, services.place, document, utc_now())
    for command in ("diff", "publish"):
        done = run("policy", command)
        assert done.exit_code == 0, done.output
        told = [line for line in done.stderr.splitlines() if "the course" in line]
        assert len(told) == 1, "of the course whose group stays nothing is said"
        assert code in told[0]
        assert "'kurs', which is not in this policy" in told[0]
    assert run("courses", "end", code).exit_code == 0
    assert "the course" not in run("policy", "diff").stderr
