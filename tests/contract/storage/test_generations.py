"""One draft an owner; the highest published generation is in force."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.storage import generations
from gateway.storage.engine import Database, Session
from gateway.storage.places import Place
from gateway.storage.policy_models import PolicyGeneration
from tests.contract.storage.records import HOUR, NOW

DOCUMENT = {"version": 1, "block_answer": "zero", "groups": {"default": {"mark": 1, "closed": ["adult"], "permit": []}}}


def publish(session: Session, place: Place, generation: int) -> None:
    session.add(
        PolicyGeneration(
            owner_id=place.owner_id,
            generation=generation,
            document={**DOCUMENT, "number": generation},
            sha256="e" * 64,
            published_by="ola",
            published_at=NOW,
        )
    )
    session.flush()


def test_without_anything_there_is_no_draft(database: Database, place: Place) -> None:
    with database.read() as session:
        assert generations.draft(session, place.owner_id) is None
        assert generations.in_force(session, place.owner_id) is None
        assert generations.history(session, place.owner_id) == []


def test_the_highest_generation_is_in_force_and_history_is_newest_first(database: Database, place: Place) -> None:
    with database.write() as session:
        for number in (2, 10, 9):
            publish(session, place, number)
    with database.read() as session:
        found = generations.in_force(session, place.owner_id)
        assert found is not None
        assert (found.generation, found.document["number"], found.note) == (10, 10, "")
        assert [row.generation for row in generations.history(session, place.owner_id)] == [10, 9, 2]
        assert [row.generation for row in generations.history(session, place.owner_id, limit=1)] == [10]
        assert generations.in_force(session, "another") is None


def test_two_that_publish_one_generation_do_not_both_succeed(database: Database, place: Place) -> None:
    with database.write() as session:
        publish(session, place, 1)
    with pytest.raises(IntegrityError), database.write() as session:
        publish(session, place, 1)


def test_a_draft_is_kept_replaced_and_dropped(database: Database, place: Place) -> None:
    with database.write() as session:
        publish(session, place, 1)
        assert generations.draft(session, place.owner_id) == {**DOCUMENT, "number": 1}
        generations.save_draft(session, place.owner_id, {"a": [1, {"æ": None}]}, NOW)
    with database.write() as session:
        assert generations.draft(session, place.owner_id) == {"a": [1, {"æ": None}]}
        generations.save_draft(session, place.owner_id, {"b": 2}, NOW + HOUR)
    with database.write() as session:
        assert generations.draft(session, place.owner_id) == {"b": 2}
        generations.drop_draft(session, place.owner_id)
        generations.drop_draft(session, place.owner_id)
        assert generations.draft(session, place.owner_id) == {**DOCUMENT, "number": 1}


def test_changing_a_draft_in_hand_changes_nothing_stored(database: Database, place: Place) -> None:
    with database.write() as session:
        generations.save_draft(session, place.owner_id, {"groups": {"default": {"closed": []}}}, NOW)
    with database.write() as session:
        found = generations.draft(session, place.owner_id)
        assert found is not None
        found["groups"]["default"]["closed"].append("adult")
    with database.read() as session:
        assert generations.draft(session, place.owner_id) == {"groups": {"default": {"closed": []}}}


def test_a_draft_changed_in_hand_and_saved_is_stored(database: Database, place: Place) -> None:
    with database.write() as session:
        generations.save_draft(session, place.owner_id, {"groups": {"default": {"closed": []}}}, NOW)
    with database.write() as session:
        found = generations.draft(session, place.owner_id)
        assert found is not None
        found["groups"]["default"]["closed"].append("adult")
        generations.save_draft(session, place.owner_id, found, NOW)
    with database.read() as session:
        assert generations.draft(session, place.owner_id) == {"groups": {"default": {"closed": ["adult"]}}}


def test_a_draft_tells_where_it_began_and_who_changed_it_last(database: Database, place: Place) -> None:
    with database.write() as session:
        publish(session, place, 3)
        assert generations.draft_row(session, place.owner_id) is None
        generations.save_draft(session, place.owner_id, {"a": 1}, NOW, "kari")
        publish(session, place, 4)
        generations.save_draft(session, place.owner_id, {"a": 2}, NOW + HOUR, "ola")
    with database.write() as session:
        row = generations.draft_row(session, place.owner_id)
        assert row is not None
        assert (row.base_generation, row.changed_by, row.changed_at) == (3, "ola", NOW + HOUR)
        generations.save_draft(session, place.owner_id, {"a": 2}, NOW + HOUR, "ola", 4)
    with database.read() as session:
        row = generations.draft_row(session, place.owner_id)
        assert row is not None
        assert row.base_generation == 4
        assert [each.generation for each in generations.history(session, place.owner_id, 5, before=4)] == [3]


def _permit(document: dict) -> dict:
    return draft_edits.with_name(document, "default", "course.example", "permit")[0]


def test_a_draft_begun_before_what_is_in_force_is_published_only_on_purpose(database: Database, place: Place) -> None:
    with database.write() as session:
        publishing.publish(session, place, "kari", "", NOW)
        publishing.edit_draft(session, place, _permit, "kari", NOW)
        publishing.publish(session, place, "kari", "", NOW)
        publishing.edit_draft(
            session, place, lambda document: draft_edits.with_safe_search(document, "default", ["google"]), "ola", NOW
        )
        assert publishing.rollback(session, place, 1, "kari", "", NOW) == 3
    with (
        pytest.raises(publishing.StaleDraftError, match="generation 3 was published by kari"),
        database.write() as session,
    ):
        publishing.publish(session, place, "ola", "", NOW)
    with database.write() as session:
        assert publishing.publish(session, place, "ola", "", NOW, over=True) == 4
        found = publishing.document_of(session, place, 4)["groups"]["default"]
        assert (found["permit"], found["safe_search"]) == (["course.example"], ["google"])


def test_a_change_published_past_a_draft_is_in_the_draft_too(database: Database, place: Place) -> None:
    def overrule(document: dict) -> None:
        document["overrules"] = [{"name": "held.example"}]

    with database.write() as session:
        publishing.publish(session, place, "kari", "", NOW)
        publishing.edit_draft(session, place, _permit, "ola", NOW)
        assert publishing.publish_change(session, place, overrule, "kari", "", NOW) == 2
        assert publishing.publish(session, place, "ola", "", NOW) == 3
        found = publishing.document_of(session, place, 3)
        assert found["overrules"] == [{"name": "held.example"}]
        assert found["groups"]["default"]["permit"] == ["course.example"]


def test_a_draft_that_says_what_is_in_force_is_none_and_undoes_nothing(database: Database, place: Place) -> None:
    with database.write() as session:
        publishing.publish(session, place, "kari", "", NOW)
        publishing.edit_draft(session, place, _permit, "ola", NOW)
        undo = lambda document: draft_edits.with_name(document, "default", "course.example", None)[0]  # noqa: E731
        publishing.edit_draft(session, place, undo, "ola", NOW)
        assert generations.draft_row(session, place.owner_id) is None
        publishing.save_draft(session, place, publishing.draft(session, place), NOW)
        publishing.publish_change(session, place, lambda document: document.update(_permit(document)), "kari", "", NOW)
        assert not publishing.has_draft(session, place)
