"""What hosts may open: what IT has listed, never adult, malware or phishing, and not for longer than the course."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.categories import CATEGORIES
from policies.document import DocumentError, parse_document, write_document
from policies.document_toml import parse_toml, write_toml
from policies.host_opening import MAX_HOURS, choices, end_of, openable
from policies.model import NEVER_BY_HOSTS
from policies.schedule import standing

NOW = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)  # 18:00 in Norway, a Tuesday
HOUR = timedelta(hours=1)
CLOSED = ["adult", "gaming", "malware", "phishing"]


def document(**more: Any) -> dict[str, Any]:
    groups = {"default": {"mark": 1, "closed": CLOSED}} | more.pop("groups", {})
    return {"version": 2, "groups": groups, "host_categories": ["gaming", "streaming"]} | more


def exemption(group: str = "default", until: datetime = NOW + HOUR) -> dict[str, Any]:
    return {
        "id": "e1", "group": group, "categories": ["gaming"], "from": (NOW - HOUR).isoformat(),
        "until": until.isoformat(), "approved_by": "Kari", "reason": "kurs",
    }  # fmt: skip


def test_only_what_is_listed_and_closed_can_be_opened() -> None:
    policy = parse_document(document())
    assert choices(policy, policy.groups["default"], NOW) == ("gaming",)
    nobody = parse_document(document(host_categories=[]))
    assert choices(nobody, nobody.groups["default"], NOW) == ()


def test_what_is_open_already_is_no_choice_until_it_closes_within_the_hours() -> None:
    policy = parse_document(document(exemptions=[exemption(until=NOW + 9 * HOUR)]))
    assert choices(policy, policy.groups["default"], NOW) == ()
    closing = {"categories": ["streaming"], "days": ["tue"], "from": "20:00", "to": "23:00", "effect": "close"}
    evening = parse_document(document(groups={"default": {"mark": 1, "closed": [], "schedules": [closing]}}))
    assert choices(evening, evening.groups["default"], NOW) == ("streaming",)
    assert choices(evening, evening.groups["default"], NOW - 8 * HOUR) == ()


@pytest.mark.parametrize("category", sorted(NEVER_BY_HOSTS))
def test_adult_malware_and_phishing_are_never_for_hosts_whatever_is_stored(category: str) -> None:
    with pytest.raises(DocumentError, match=f"host_categories: {category} is never opened by a host"):
        parse_document(document(host_categories=[category]))
    tampered = replace(parse_document(document()), host_categories=frozenset({category, "gaming"}))
    assert openable(tampered) == {"gaming"}
    assert choices(tampered, tampered.groups["default"], NOW) == ("gaming",)


@given(st.integers(-3, 12), st.integers(-60, 24 * 60))
def test_an_opening_lasts_eight_hours_at_most_and_no_longer_than_the_course(hours: int, minutes: int) -> None:
    over_at = NOW + timedelta(minutes=minutes)
    end = end_of(NOW, hours, over_at)
    if end is None:
        assert hours not in range(1, MAX_HOURS + 1) or over_at <= NOW
    else:
        assert NOW < end <= over_at
        assert end <= NOW + hours * HOUR <= NOW + 8 * HOUR


def test_a_group_that_is_like_another_has_its_rules_and_exemptions_and_its_own_besides() -> None:
    own = {"course-1": {"mark": 9, "like": "default", "names": {"nb": "Kurs"}}}
    policy = parse_document(document(groups=own, exemptions=[exemption("course-1")]))
    group = policy.groups["course-1"]
    assert (group.closed, group.mark, group.like, group.titles["nb"]) == (frozenset(CLOSED), 9, "default", "Kurs")
    assert standing(policy, group, NOW).lifted.keys() == {"gaming"}
    assert not standing(policy, policy.groups["default"], NOW).lifted
    inherited = parse_document(document(groups=own, exemptions=[exemption()]))
    assert standing(inherited, inherited.groups["course-1"], NOW).lifted.keys() == {"gaming"}


def test_a_group_that_is_like_another_follows_it_and_what_it_repeats_is_not_read() -> None:
    own = {"course-1": {"mark": 9, "like": "default"}}
    written = write_document(parse_document(document(groups=own)))
    assert written["groups"]["course-1"]["closed"] == sorted(CLOSED)
    written["groups"]["default"]["closed"] = ["dating"]
    assert parse_document(written).groups["course-1"].closed == {"dating"}
    text = write_toml(written)
    assert '[groups.course-1]\nmark = 9\nlike = "default"\n' in text
    assert parse_toml(text) == parse_document(written)


def test_a_group_may_be_like_one_that_is_like_another() -> None:
    session = {"a-session": {"mark": 9, "like": "course-1"}, "course-1": {"mark": 8, "like": "default"}}
    for group in ("a-session", "course-1", "default"):
        policy = parse_document(document(groups=session, exemptions=[exemption(group)]))
        found = policy.groups["a-session"]
        assert (found.closed, found.mark, found.like) == (frozenset(CLOSED), 9, "course-1")
        stands = standing(policy, found, NOW)
        assert stands.lifted.keys() == {"gaming"}
        assert stands.until == policy.exemptions[0].end
        assert parse_document(write_document(policy)) == policy


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ({"course-1": {"mark": 9, "like": "none"}}, "there is no group 'none'"),
        ({"course-1": {"mark": 9, "like": "course-1"}}, "one of the two must have rules of its own"),
        ({"a": {"mark": 9, "like": "b"}, "b": {"mark": 8, "like": "a"}}, "must have rules of its own"),
        ({"a": {"mark": 9, "like": "b"}, "b": {"mark": 8, "like": "none"}}, "there is no group 'none'"),
        ({"default": {"mark": 1, "like": "b"}, "b": {"mark": 8, "closed": []}}, "must have rules of its own"),
        ({"course-1": {"mark": 9, "like": ""}}, "must be one line of text"),
        ({"course-1": {"mark": 9, "like": ["default"]}}, "must be one line of text"),
        ({"course-1": {"like": "default"}}, "'mark' is missing"),
    ],
)
def test_a_group_is_like_one_that_has_rules_of_its_own(groups: dict[str, Any], told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        parse_document(document(groups=groups))


def test_every_category_but_those_three_can_be_listed() -> None:
    listed = [key for key in CATEGORIES if key not in NEVER_BY_HOSTS]
    assert parse_document(document(host_categories=listed)).host_categories == set(listed)
