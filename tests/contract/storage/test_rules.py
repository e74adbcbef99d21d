"""The rules in force are those published last, with every text they were shown in."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.storage import rules
from gateway.storage.engine import Database
from gateway.storage.places import Place
from tests.contract.storage.records import HOUR, NOW, add_rules


def test_before_anything_is_published_nothing_is_in_force(database: Database, place: Place) -> None:
    with database.read() as session:
        assert rules.version_in_force(session, place.owner_id, now=NOW + 2 * HOUR) is None
        assert rules.versions(session, place.owner_id) == []


def test_the_version_published_last_is_in_force_with_its_texts(database: Database, place: Place) -> None:
    with database.write() as session:
        add_rules(session, place, "second", NOW + HOUR)
        add_rules(session, place, "first", NOW)
    with database.read() as session:
        found = rules.version_in_force(session, place.owner_id, now=NOW + 2 * HOUR)
        assert [one.label for one in rules.versions(session, place.owner_id)] == ["second", "first"]
        assert rules.version_in_force(session, "another", now=NOW + 2 * HOUR) is None
    assert found is not None
    assert (found.label, found.adopted_on) == ("second", NOW.date())
    assert {text.language: text.html for text in found.texts} == {"nb": "<h1>R</h1>", "en": "<h1>R</h1>"}


def test_versions_of_one_moment_have_one_order_everywhere(database: Database, place: Place) -> None:
    with database.write() as session:
        for number in range(6):
            add_rules(session, place, str(number))
    with database.read() as session:
        first = rules.version_in_force(session, place.owner_id, now=NOW + 2 * HOUR)
        assert first is not None
        assert rules.versions(session, place.owner_id)[0].id == first.id


def test_a_version_is_found_by_its_label_and_the_label_is_its_own(database: Database, place: Place) -> None:
    with database.write() as session:
        made = add_rules(session, place, "2026-1")
    with database.read() as session:
        found = rules.version_labelled(session, place.owner_id, "2026-1")
        assert found is not None
        assert found.id == made.id
        assert rules.version_labelled(session, place.owner_id, "2026-2") is None
        assert rules.version_labelled(session, "another", "2026-1") is None
    with pytest.raises(IntegrityError), database.write() as session:
        add_rules(session, place, "2026-1")


def test_a_groups_own_rules_are_in_force_for_it_alone(database: Database, place: Place) -> None:
    with database.write() as session:
        add_rules(session, place, "library-1", NOW, group_key="library")
    with database.read() as session:
        assert rules.version_in_force(session, place.owner_id, now=NOW + 2 * HOUR) is None
    with database.write() as session:
        add_rules(session, place, "everybody", NOW + HOUR)
        add_rules(session, place, "library-2", NOW + HOUR / 2, group_key="library")
    with database.read() as session:
        found = {
            group: rules.version_in_force(session, place.owner_id, group, now=NOW + 2 * HOUR)
            for group in ("", "course", "library", "")
        }
    assert {group: version and version.label for group, version in found.items()} == {
        "": "everybody",
        "course": "everybody",
        "library": "library-2",
    }
