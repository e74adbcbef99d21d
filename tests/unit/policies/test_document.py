import copy
import json
from typing import Any

import pytest

from policies.categories import CLOSED_BY_DEFAULT
from policies.document import DocumentError, default_document, parse_document, write_document
from policies.model import Group


def document(**group: Any) -> dict[str, Any]:
    written = default_document()
    written["groups"]["default"] |= group
    return written


def test_the_default_closes_what_is_closed_by_default() -> None:
    policy = parse_document(default_document())
    assert policy.block_answer == "zero"
    assert policy.groups["default"] == Group("default", 1, CLOSED_BY_DEFAULT, frozenset(), frozenset())


def test_names_are_read_into_the_normal_form() -> None:
    group = parse_document(document(permit=["Møteplassen.no."], forbid=["VG.no"])).groups["default"]
    assert group.permit == {"xn--mteplassen-0cb.no"}
    assert group.forbid == {"vg.no"}


def test_the_canonical_document_reads_as_itself() -> None:
    messy = document(closed=["dating", "adult"], permit=["B.no", "a.no"])
    messy["groups"]["course"] = {"mark": 2, "closed": [], "permit": [], "forbid": []}
    written = write_document(parse_document(messy))
    assert written == write_document(parse_document(json.loads(json.dumps(written))))
    assert written["groups"]["default"]["closed"] == ["adult", "dating"]
    assert written["groups"]["default"]["permit"] == ["a.no", "b.no"]
    assert list(written["groups"]) == ["course", "default"]


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"closed": ["datting"]}, "groups.default.closed: unknown category 'datting'"),
        ({"closed": ["adult", "adult"]}, "'adult' stands there twice"),
        ({"closed": "adult"}, "groups.default.closed: must be a list of texts"),
        ({"permit": ["a.no"], "forbid": ["A.no."]}, "a.no is both permitted and forbidden"),
        ({"permit": ["a.no", "A.NO"]}, "groups.default.permit: a.no stands there twice"),
        ({"permit": ["192.0.2.1"]}, "an IP address"),
        ({"forbid": ["."]}, "every name"),
        ({"forbid": ["a b"]}, "space"),
        ({"forbid": [7]}, "must be a list of texts"),
        ({"mark": 2}, "groups.default.mark: must be 1"),
        ({"mark": 0}, "not a whole number"),
        ({"mark": True}, "not a whole number"),
        ({"mark": 70000}, "not a whole number"),
        ({"clossed": []}, "unknown key 'clossed'"),
    ],
)
def test_a_bad_group_is_refused_with_place_and_reason(group: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(document(**group))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 3}, "version: 3 is not known"),
        ({"version": True}, "version: True is not known"),
        ({"block_answer": "drop"}, "block_answer: 'drop' is not one of zero, nxdomain, nodata, refused"),
        ({"block_answer": []}, "block_answer"),
        ({"groups": {}}, "there must be a group 'default'"),
        ({"groups": []}, "must be a table"),
        ({"more": 1}, "unknown key 'more'"),
        ({"groups": {"default": 3}}, "groups.default: must be a table"),
        ({"groups": {"Bad Key": {}}}, "'Bad Key' is not a usable key"),
    ],
)
def test_a_bad_document_is_refused_with_place_and_reason(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(default_document() | change)
    assert told in str(caught.value)


@pytest.mark.parametrize("value", [None, 1, "x", [], {}])
def test_what_is_no_document_at_all(value: object) -> None:
    with pytest.raises(DocumentError):
        parse_document(value)


def test_two_groups_may_not_share_a_mark() -> None:
    written = default_document()
    written["groups"]["course"] = copy.deepcopy(written["groups"]["default"])
    with pytest.raises(DocumentError, match="1 is already the mark of 'default'"):
        parse_document(written)


def test_version_1_is_read_and_written_as_version_2() -> None:
    group = {"mark": 1, "closed": ["adult"], "permit": ["A.no"], "forbid": []}
    old = {"version": 1, "block_answer": "nodata", "groups": {"default": group}}
    written = write_document(parse_document(old))
    assert (written["version"], written["time_zone"]) == (2, "Europe/Oslo")
    assert written["groups"]["default"]["permit"] == ["a.no"]
    with pytest.raises(DocumentError, match="unknown key 'time_zone'"):
        parse_document(old | {"time_zone": "Europe/Oslo"})


def test_a_name_that_is_never_blocked_is_not_forbidden_too() -> None:
    for key in ("never_blocked", "own_zones"):
        with pytest.raises(DocumentError, match=f"a.no stands in {key} too"):
            parse_document(document(forbid=["a.no"]) | {key: ["A.NO"]})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(document(closed=["x"], permit=["a b"], forbid=["c d"]) | {"version": 9})
    assert len(caught.value.problems) == 4
