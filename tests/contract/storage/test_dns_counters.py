"""Answers add up by the hour; names are read for 24 hours, and deleted when old or switched off."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from gateway.collection import Collection
from gateway.lists import generations
from gateway.storage import dns_counters
from gateway.storage.dns_counters import Answers, TopName, hour_of
from gateway.storage.engine import Database, Session
from gateway.storage.places import Place
from gateway.telemetry import NAME_MAX_CHARS, Totals
from policies.names import from_labels
from tests.contract.storage.records import HOUR, NOW, scalar

THIS, LAST = hour_of(NOW), hour_of(NOW) - HOUR


def add(database: Database, place: Place, counts, names=None) -> None:
    with database.write() as session:
        dns_counters.add_answers(session, place.owner_id, place.gateway_id, counts)
        dns_counters.add_names(session, place.owner_id, place.gateway_id, names or {})


def test_answers_add_up(database: Database, place: Place) -> None:
    add(database, place, {(THIS, "default", "refused", "gaming"): 3, (LAST, "default", "answered", ""): 1 << 40})
    add(database, place, {(THIS, "default", "refused", "gaming"): 4, (LAST, "course", "refused", "gaming"): 1})
    with database.read() as session:
        found = dns_counters.answers_between(session, place.owner_id, LAST, THIS + HOUR)
        assert found == [
            Answers("default", "answered", "", 1 << 40),
            Answers("default", "refused", "gaming", 7),
            Answers("course", "refused", "gaming", 1),
        ]
        refused = ("refused", "rebinding")
        bounds = [LAST - HOUR, LAST, THIS, THIS + HOUR]
        found = dns_counters.answers_in_periods(session, place.owner_id, refused, bounds)
        assert sorted(found) == [(1, "gaming", 1), (2, "gaming", 7)]
        assert dns_counters.answers_in_periods(session, place.owner_id, refused, bounds[::3]) == [(0, "gaming", 8)]
        assert dns_counters.answers_in_periods(session, "0" * 32, refused, bounds) == []
        assert dns_counters.answers_between(session, place.owner_id, THIS, THIS + HOUR)[0].answers == 7
        assert dns_counters.answers_between(session, "0" * 32, LAST, THIS + HOUR) == []


def test_names_are_kept_for_24_hours_at_most(database: Database, place: Place) -> None:
    old, young = NOW - timedelta(hours=24, minutes=1), NOW - timedelta(hours=22)
    names = {
        (hour_of(old), "default", "refused", "gaming", "old.example"): 9,
        (hour_of(young), "default", "refused", "gaming", "young.example"): 5,
        (THIS, "default", "refused", "gaming", "young.example"): 6,
        (THIS, "course", "judged", "gambling", "casino.example"): 7,
    }
    add(database, place, {(hour_of(NOW - timedelta(days=500)), "default", "answered", ""): 1}, names)
    with database.read() as session:
        assert dns_counters.top_names(session, place.owner_id, NOW) == [
            TopName("default", "refused", "gaming", "young.example", 11),
            TopName("course", "judged", "gambling", "casino.example", 7),
        ]
    with database.write() as session:
        dns_counters.forget(session, place.owner_id, {"default", "course"}, NOW)
    assert scalar(database, "SELECT count(*) FROM dns_top_name") == 3
    assert scalar(database, "SELECT count(*) FROM dns_answers") == 0
    with database.write() as session:
        dns_counters.forget(session, place.owner_id, {"course"}, NOW)
    assert scalar(database, "SELECT name FROM dns_top_name") == "casino.example"
    with database.write() as session:
        dns_counters.forget(session, place.owner_id, (), NOW)
    assert scalar(database, "SELECT count(*) FROM dns_top_name") == 0


def counting(database: Database, place: Place) -> Collection:
    """A collection of which IT has switched top names on."""
    document = {"version": 2, "groups": {"default": {"mark": 1, "closed": ["gaming"], "top_names": True}}}
    with database.write() as session:
        generations.save_draft(session, place, document, NOW)
        generations.publish(session, place, "test", "1", NOW)
    return Collection(database, place, Totals(), lambda: NOW)


def report(**rows: list[list[object]]) -> bytes:
    return json.dumps({"v": 1, "worker": "0" * 16, **rows}).encode()


def found(database: Database, place: Place) -> tuple[int, dict[str, int]]:
    """Answers, and top names."""
    with database.read() as session:
        answers = dns_counters.answers_between(session, place.owner_id, THIS, THIS + HOUR)
        names = dns_counters.top_names(session, place.owner_id, NOW)
    return sum(each.answers for each in answers), {each.name: each.asked for each in names}


REFUSED = ["answers", "default", "refused", "gaming", 3]


def test_a_name_of_any_length_stops_no_counting(database: Database, place: Place) -> None:
    collection = counting(database, place)
    longest = from_labels([b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61])
    names = [from_labels([b"\xff" * 60] * 4), from_labels([b"\xff" * 63, b"a"]), longest, "game.example"]
    rows: list[list[object]] = [["default", "refused", "gaming", name, 5] for name in names]
    collection.take(report(counts=[REFUSED], names=rows))
    assert collection.store()
    assert len(longest) == NAME_MAX_CHARS
    assert found(database, place) == (3, {longest: 5, "game.example": 5})


def test_names_that_the_database_refuses_cost_no_answers_and_are_not_tried_for_ever(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collection = counting(database, place)

    def refuse(session: Session, *_: object) -> None:
        if not database.is_sqlite:
            session.execute(text("SELECT 'secret.example'::integer"))
        raise DataError("secret.example", {}, Exception("secret.example"))

    row: list[list[object]] = [["default", "refused", "gaming", "game.example", 5]]
    with monkeypatch.context() as patched:
        patched.setattr(dns_counters, "add_names", refuse)
        collection.take(report(counts=[REFUSED], names=row))
        assert not collection.store()
        assert found(database, place) == (3, {})
    assert "DataError" in caplog.text
    assert "secret" not in caplog.text
    collection.take(report(counts=[REFUSED], names=row))
    assert collection.store()
    assert found(database, place) == (6, {"game.example": 5})


def test_counters_that_two_consoles_write_at_once_wait_a_minute(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = counting(database, place)
    add_answers = dns_counters.add_answers

    def second(session, owner_id, gateway_id, counts) -> None:
        session.execute(text("INSERT INTO owner (id) SELECT id FROM owner"))  # refused: the key is there

    with monkeypatch.context() as patched:
        patched.setattr(dns_counters, "add_answers", second)
        collection.take(report(counts=[REFUSED], names=[["default", "refused", "gaming", "game.example", 5]]))
        assert not collection.store()
        assert found(database, place) == (0, {"game.example": 5})
    assert dns_counters.add_answers is add_answers
    assert collection.store()
    assert found(database, place)[0] == 3
