"""The table of warnings: each appears exactly when it should, says what to do, and leads where its reader may go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.console.navigation import GROUPS, shown
from captive_portal.console.overview.room import FIRST
from captive_portal.console.overview.warnings import RULES, Facts, days_left, warnings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
WELL = Facts(
    now=NOW, enforced=True, dns_workers=2, upstreams=2, generation=3, published_at=NOW - DAY, compiled=3,
    has_rules=True, portal_ends=NOW + 90 * DAY, console_ends=NOW + 90 * DAY, lists_on=4, targets=1,
)  # fmt: skip

# What is changed from all being well, and what is then warned of.
CASES: list[tuple[dict[str, object], set[str]]] = [
    ({}, set()),
    ({"silent": frozenset({"enforcer"})}, {"enforcer"}),
    ({"silent": frozenset({"enforcer"}), "held_up": 4}, {"enforcer"}),
    ({"silent": frozenset({"sealer"}), "staged_since": NOW - DAY}, {"sealer"}),
    ({"silent": frozenset({"jobs"}), "compiled": 2}, {"jobs"}),
    ({"silent": frozenset({"portal"})}, {"portal"}),
    ({"dns_workers": 0}, {"dns"}),
    ({"dns_workers": 0, "upstreams_down": ("a", "b")}, {"dns"}),
    ({"dns_workers": None, "upstreams": 0}, set()),
    ({"upstreams_down": ("192.0.2.53",)}, {"upstream"}),
    ({"upstreams_down": ("192.0.2.53", "192.0.2.54")}, {"upstreams"}),
    ({"upstreams": 1, "upstreams_down": ("192.0.2.53",)}, {"upstreams"}),
    ({"staged_since": NOW - MINUTE}, set()),
    ({"staged_since": NOW - MINUTE - SECOND}, {"unsealed"}),
    ({"has_rules": False}, {"no_rules"}),
    ({"untold": ("privacy.dpo",)}, {"untold"}),
    ({"generation": 0, "published_at": None, "compiled": None}, {"no_policy"}),
    ({"compiled": 2, "published_at": NOW - 2 * MINUTE}, set()),
    ({"compiled": 2, "published_at": NOW - 2 * MINUTE - SECOND}, {"uncompiled"}),
    ({"compiled": None}, {"uncompiled"}),
    ({"held_up": 1}, {"held_up"}),
    ({"portal_ends": NOW}, {"portal_over"}),
    ({"portal_ends": NOW, "is_withheld": True}, {"portal_over"}),
    ({"portal_ends": NOW + SECOND}, {"portal_soon"}),
    ({"portal_ends": NOW + 14 * DAY}, {"portal_soon"}),
    ({"portal_ends": NOW + 14 * DAY + SECOND}, set()),
    ({"portal_ends": None, "is_withheld": True}, {"withheld"}),
    ({"portal_ends": None, "is_withheld": True, "enforced": False, "is_driven": False}, {"unenforced"}),
    ({"console_ends": NOW - DAY}, {"console_over"}),
    ({"console_ends": NOW + 13 * DAY}, {"console_soon"}),
    ({"console_ends": None}, set()),
    ({"targets_alarmed": ("elsewhere",)}, {"targets_alarmed"}),
    ({"targets": 0}, {"no_targets"}),
    ({"lists_troubled": ("a", "b")}, {"lists_troubled"}),
    ({"lists_on": 0}, {"no_lists"}),
    ({"review_due": ("2026-1",)}, {"review_due"}),
    ({"requests": 2}, {"requests"}),
    ({"enforced": False, "is_driven": False}, {"unenforced"}),
    ({"enforced": False, "is_driven": False, "held_up": 3}, {"unenforced"}),
    ({"enforced": False}, set()),
    ({"is_driven": False, "silent": frozenset({"enforcer"})}, {"enforcer"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), CASES)
def test_each_appears_exactly_when_it_should(changes, expected):
    assert {each.key for each in warnings(replace(WELL, **changes), "it")} == expected


def test_every_rule_has_a_case_of_its_own():
    assert {key for _, expected in CASES if len(expected) == 1 for key in expected} == {rule.key for rule in RULES}
    assert len({rule.key for rule in RULES}) == len(RULES)


def test_what_is_said_elsewhere_is_not_said_twice():
    begun = replace(WELL, lists_on=0, targets=0, enforced=False, is_driven=False, requests=1)
    assert {each.key for each in warnings(begun, "it", FIRST)} == {"requests"}
    assert {rule.key for rule in RULES} >= FIRST


def test_auditors_are_told_what_belongs_to_the_evidence_and_hosts_nothing():
    broken = replace(
        WELL, silent=frozenset({"sealer", "jobs"}), targets=0, review_due=("x",), lists_on=0, requests=1, held_up=1
    )
    assert [each.key for each in warnings(broken, "auditor")] == ["sealer", "no_targets", "review_due"]
    assert warnings(broken, "host") == ()
    assert warnings(broken, "nobody") == ()


moments = st.one_of(st.none(), st.integers(-40 * 86400, 40 * 86400).map(lambda after: NOW + after * SECOND))
names = st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3).map(tuple)
ANY = st.builds(
    Facts,
    now=st.just(NOW), enforced=st.booleans(), is_driven=st.booleans(),
    silent=st.frozensets(st.sampled_from(["enforcer", "sealer", "jobs"])),
    dns_workers=st.one_of(st.none(), st.integers(0, 3)), upstreams=st.integers(0, 3), upstreams_down=names,
    generation=st.integers(0, 3), published_at=moments, compiled=st.one_of(st.none(), st.integers(0, 3)),
    has_rules=st.booleans(), review_due=names, is_withheld=st.booleans(), portal_ends=moments, console_ends=moments,
    lists_on=st.integers(0, 2), lists_troubled=names, targets=st.integers(0, 2), targets_alarmed=names,
    staged_since=moments, held_up=st.integers(0, 2), requests=st.integers(0, 2),
)  # fmt: skip


@given(ANY)
def test_whatever_happens_each_can_be_said_and_leads_somewhere(facts):
    for role in ("it", "auditor"):
        found = warnings(facts, role)
        assert [each.is_grave for each in found] == sorted((each.is_grave for each in found), reverse=True)
        assert len({each.key for each in found}) == len(found)
        for each in found:
            wanted = {name for _, name, _, _ in Formatter().parse(each.text) if name}
            assert wanted == set(each.values)
            assert each.text.format(**each.values)
            room = shown(role, each.path.partition("#")[0]).room
            assert room is not None, "whoever is told may go there"


@given(ANY)
def test_nothing_is_warned_of_twice(facts):
    keys = {each.key for each in warnings(facts, "it")}
    for one, other in (
        ("enforcer", "held_up"), ("sealer", "unsealed"), ("jobs", "uncompiled"), ("dns", "upstreams"),
        ("dns", "upstream"), ("upstreams", "upstream"), ("portal_over", "portal_soon"), ("portal_over", "withheld"),
        ("console_over", "console_soon"), ("unenforced", "enforcer"), ("unenforced", "withheld"),
    ):  # fmt: skip
        assert not {one, other} <= keys


def test_each_says_what_to_do_and_its_room_is_in_the_table():
    paths = {room.path for group in GROUPS for room in group.rooms}
    for rule in RULES:
        assert rule.remedy.endswith(".")
        assert rule.remedy != rule.text
        assert rule.path.partition("#")[0] in paths


@given(st.integers(-10 * 86400, 400 * 86400))
def test_days_left_are_whole_and_never_fewer_than_none(seconds):
    left = days_left(NOW + timedelta(seconds=seconds), NOW)
    assert left == max(0, seconds // 86400)
    assert days_left(None, NOW) == 0
