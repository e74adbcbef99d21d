"""Answers add up by the hour; names are read for 24 hours, and deleted when old or switched off."""

from datetime import timedelta

from gateway.storage import dns_counters
from gateway.storage.dns_counters import Answers, TopName, hour_of
from gateway.storage.engine import Database
from gateway.storage.places import Place
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
        by_hour = dns_counters.answers_by_hour(session, place.owner_id, LAST, THIS + HOUR)
        assert [(hour, each.group, each.answers) for hour, each in by_hour] == [
            (LAST, "course", 1),
            (LAST, "default", 1 << 40),
            (THIS, "default", 7),
        ]
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
