from datetime import UTC, datetime
from typing import Any

import pytest

from policies.decide import decide
from policies.document import default_document
from policies.model import Decision, Reason
from policies.snapshot import NamedList, compile_snapshot, open_snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LISTS = (
    NamedList("mine/dating", "dating", "d" * 64, ("a.no", "two.no", "nav.no"), ("good.a.no", "open.two.no")),
    NamedList("mine/gaming", "gaming", "e" * 64, ("a.no", "game.no")),
    NamedList("mine/social", "social_media", "f" * 64, ("social.no",)),
)


def decided(name: str, **group: Any) -> Decision:
    document = default_document()
    document["groups"]["default"] |= group
    snapshot = open_snapshot(compile_snapshot(document, LISTS, 7, ["gjest.internal"]))
    default = snapshot.group("default")
    assert default is not None
    return decide(name, default, NOW, snapshot)


def kinds(decision: Decision) -> list[str]:
    return [reason.kind for reason in decision.reasons]


def test_otherwise_permitted() -> None:
    decision = decided("example.no")
    assert decision == Decision("example.no", "default", True, None, (Reason("not_forbidden"),), 7, None)


def test_a_closed_category_forbids_the_name_and_what_is_below() -> None:
    for name in ("game.no", "www.game.no"):
        decision = decided(name)
        assert not decision.permitted
        assert decision.category == "gaming"
        assert decision.reasons == (Reason("category_closed", "game.no", "gaming", "mine/gaming"),)
    assert decided("notgame.no").permitted
    assert decided("no").permitted


def test_every_closed_category_is_told_the_first_of_the_taxonomy_decides() -> None:
    decision = decided("www.a.no")
    assert decision.category == "gaming"
    assert [reason.category for reason in decision.reasons] == ["gaming", "dating"]


def test_an_open_category_is_remarked() -> None:
    decision = decided("social.no")
    assert decision.permitted
    assert kinds(decision) == ["not_forbidden", "category_open"]


def test_a_lists_exception_silences_that_list_only() -> None:
    assert decided("x.open.two.no").permitted
    decision = decided("good.a.no")
    assert not decision.permitted
    assert decision.category == "gaming"
    assert kinds(decision) == ["category_closed", "list_exception"]


def test_never_blocked_comes_before_everything() -> None:
    decision = decided("www.nav.no", forbid=["www.nav.no"])
    assert decision.permitted
    assert decision.category is None
    assert kinds(decision) == ["never_blocked", "forbidden_by_it", "category_closed"]
    assert decided("gjest.internal", forbid=["internal"]).permitted


def test_its_own_names_come_before_lists_and_the_longest_counts() -> None:
    assert decided("game.no", permit=["game.no"]).permitted
    rules = {"permit": ["game.no", "c.b.example.no"], "forbid": ["bad.game.no", "b.example.no"]}
    assert kinds(decided("www.bad.game.no", **rules)) == ["forbidden_by_it", "permitted_by_it", "category_closed"]
    assert not decided("b.example.no", **rules).permitted
    assert decided("b.example.no", **rules).category is None
    assert decided("x.c.b.example.no", **rules).permitted
    assert decided("example.no", **rules).permitted


@pytest.mark.parametrize("name", ["", "*", r"\000.no", "localhost"])
def test_odd_names_are_decided_too(name: str) -> None:
    assert decided(name).permitted
