"""One draft an owner; the highest published generation is in force."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.storage import generations
from gateway.storage.engine import Database, Session
from gateway.storage.models import PolicyGeneration
from gateway.storage.places import Place
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
