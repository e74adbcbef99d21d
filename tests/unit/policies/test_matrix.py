"""The table of categories × groups: what is set is what stands, and nothing else moves."""

from __future__ import annotations

from copy import deepcopy

import pytest

from policies import matrix
from policies.document import default_document, parse_document, write_document

WEEKDAYS = {"days": ["mon", "tue"], "from": "08:00", "to": "16:00", "effect": "open"}


def group() -> dict:
    document = default_document()
    document["groups"]["default"]["schedules"] = [WEEKDAYS | {"categories": ["gaming", "dating"]}]
    return write_document(parse_document(document))["groups"]["default"]


def test_hours_make_a_cell_scheduled_and_the_base_stands_outside_them() -> None:
    found = group()
    assert matrix.state(found, "gaming") == "schedule"
    assert matrix.base(found, "gaming") == "closed"
    assert matrix.hours(found, "gaming") == [WEEKDAYS]
    assert matrix.state(found, "streaming") == "open"


@pytest.mark.parametrize("wanted", matrix.BASES)
def test_a_cell_that_is_set_stands_so_and_no_other_moves(wanted: matrix.Base) -> None:
    before = group()
    after = deepcopy(before)
    matrix.set_state(after, "gaming", wanted)
    assert matrix.state(after, "gaming") == wanted
    assert matrix.hours(after, "dating") == [WEEKDAYS]
    from policies.categories import CATEGORIES

    others = [key for key in CATEGORIES if key != "gaming"]
    assert [matrix.state(after, key) for key in others] == [matrix.state(before, key) for key in others]


def test_hours_that_two_categories_share_are_one_schedule() -> None:
    found = group()
    matrix.set_hours(found, "streaming", [WEEKDAYS])
    matrix.set_base(found, "streaming", "report")
    assert [each["categories"] for each in found["schedules"]] == [["dating", "gaming", "streaming"]]
    assert (matrix.state(found, "streaming"), matrix.base(found, "streaming")) == ("schedule", "report")
    for category in ("gaming", "dating", "streaming"):
        matrix.set_hours(found, category, [])
    assert found["schedules"] == []


def test_the_table_makes_documents_that_can_be_read() -> None:
    document = default_document()
    matrix.set_state(document["groups"]["default"], "streaming", "report")
    matrix.set_hours(document["groups"]["default"], "gaming", [WEEKDAYS])
    policy = parse_document(document)
    assert policy.groups["default"].report == {"streaming"}
    assert write_document(policy)["groups"]["default"]["report"] == ["streaming"]
