"""What an explanation says of a category that is open and only reported: on a terminal and on the page; and which
categories have an effect at all.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from captive_portal.console.look import Look
from captive_portal.console.policy.try_name import reason
from gateway.commands.policy_text import render
from gateway.lists.compile import compile_policy
from gateway.lists.explanation import closable, explanation
from policies.document import default_document
from policies.lexical import Line, write_model
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NAME = "store.steampowered.com"


def explained(report: list[str], closed: list[str]) -> dict:
    document = default_document()
    document["groups"]["default"] |= {"closed": closed, "report": report}
    snapshot = open_snapshot(compile_policy(document, 3))
    group = snapshot.group("default")
    assert group is not None
    return explanation(NAME, group, NOW, snapshot)


@pytest.mark.parametrize(("report", "told"), [(["gaming"], True), ([], False), (["adult"], False)])
def test_a_category_that_is_only_reported_is_said_to_be(report: list[str], *, told: bool) -> None:
    facts = explained(report, [])
    [opened] = [each for each in facts["reasons"] if each["kind"] == "category_open"]
    assert opened.get("reported", False) is told
    assert ("category open, only reported" in render(facts, UTC)) is told
    assert ("only reported" in reason(Look().translator("en"), opened)) is told


def test_a_closed_category_is_not_said_to_be_reported() -> None:
    facts = explained([], ["gaming"])
    assert not any("reported" in each for each in facts["reasons"])
    assert "reported" not in render(facts, UTC)


@pytest.mark.parametrize(
    ("judge", "model", "told"),
    [
        ({}, True, {"gaming"}),
        ({"adult": 0.9, "gambling": 0.9}, True, {"gaming", "adult"}),
        ({"adult": 0.9}, False, {"gaming"}),
    ],
)
def test_a_category_can_close_something_where_a_list_or_the_judge_knows_names(
    judge: dict[str, float], *, model: bool, told: set[str]
) -> None:
    document = default_document()
    document["groups"]["default"] |= {"judge": judge}
    lists = [NamedList("a", "gaming", "0" * 64, ("game.example",)), NamedList("b", "malware", "1" * 64, ())]
    judges = {"judge": write_model([Line("adult", 0.01, -2.0), Line("gaming", 0.01, -2.0)], (), [0] * 4, {})}
    snapshot = open_snapshot(compile_snapshot(document, lists, 1, sections=judges if model else {}))
    group = snapshot.group("default")
    assert group is not None
    assert closable(snapshot, group) == told
