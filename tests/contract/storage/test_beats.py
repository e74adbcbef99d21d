"""Heartbeats are one row a service, written over; a database that is away stops nobody's work."""

from __future__ import annotations

from datetime import timedelta

from gateway.access.desired import StoredIntent
from gateway.audit.note import SignerKey
from gateway.audit.sealer import Sealer
from gateway.heartbeat import EVERY_S, SILENT, Heartbeat
from gateway.storage import beats, places
from gateway.storage.engine import Database, open_database
from gateway.storage.places import Place
from tests.contract.storage.records import NOW, scalar


def test_each_service_has_its_last_moment(database: Database, place: Place) -> None:
    with database.write() as session:
        assert beats.beats(session, place.gateway_id) == {}
        for service, seconds in (("jobs", 0), ("sealer", 5), ("jobs", 30)):
            beats.beat(session, place.gateway_id, service, NOW + timedelta(seconds=seconds))
    with database.read() as session:
        assert beats.beats(session, place.gateway_id) == {
            "jobs": NOW + timedelta(seconds=30),
            "sealer": NOW + timedelta(seconds=5),
        }
        assert beats.beats(session, "0" * 32) == {}
    assert scalar(database, "SELECT count(*) FROM service_beat") == 2


def test_gateways_of_an_owner_are_told_with_their_last_word(database: Database, place: Place) -> None:
    with database.write() as session:
        other = places.add_place(
            session, owner_key=place.owner_key, owner_name="N", log_origin=place.log_origin, site_key="annex",
            gateway_key="gateway-2", interfaces=["lo"], now=NOW,
        )  # fmt: skip
        foreign = places.add_place(
            session, owner_key="alver", owner_name="A", log_origin="example.org/alver", site_key="annex",
            gateway_key="gateway-3", interfaces=["lo"], now=NOW,
        )  # fmt: skip
        beats.beat(session, place.gateway_id, "jobs", NOW)
        beats.beat(session, place.gateway_id, "enforcer", NOW + timedelta(seconds=9))
        beats.beat(session, foreign.gateway_id, "portal", NOW + timedelta(hours=1))
    with database.read() as session:
        seen = {each.id: (each.site, each.at) for each in beats.gateways(session, place.owner_id)}
        assert seen == {
            other.gateway_id: ("annex", None),
            place.gateway_id: (place.site_key, NOW + timedelta(seconds=9)),
        }
        for service, since, expected in (
            ("enforcer", NOW + timedelta(seconds=9), True),
            ("enforcer", NOW + timedelta(seconds=10), False),
            ("portal", NOW, False),
        ):
            assert beats.is_beating(session, place.owner_id, service, since) is expected


def test_it_is_written_when_it_is_due_and_not_before(database: Database, place: Place) -> None:
    passed = [0.0]
    heartbeat = Heartbeat(
        database, place.gateway_id, "jobs", lambda: NOW + timedelta(seconds=passed[0]), lambda: 1000 + passed[0]
    )
    seen = []
    for second in (0, 1, EVERY_S - 1, EVERY_S, EVERY_S + 1, 2 * EVERY_S):
        passed[0] = second
        heartbeat.poll()
        with database.read() as session:
            seen.append((beats.beats(session, place.gateway_id)["jobs"] - NOW).total_seconds())
    assert seen == [0, 0, 0, EVERY_S, EVERY_S, 2 * EVERY_S]
    assert SILENT.total_seconds() > 3 * EVERY_S


def test_a_database_that_is_away_or_has_no_such_gateway_is_no_reason_to_stop(database: Database, tmp_path) -> None:
    Heartbeat(database, "0" * 32, "jobs", lambda: NOW).poll()
    away = open_database(f"sqlite:///{tmp_path}/nowhere/at/all.sqlite3")
    (tmp_path / "nowhere").write_text("a file")
    Heartbeat(away, "0" * 32, "jobs", lambda: NOW).poll()
    away.close()


def test_the_enforcer_and_the_sealer_come_by_at_every_turn(database: Database, place: Place) -> None:
    turns: list[str] = []
    intent = StoredIntent(database, place, lambda: NOW, lambda: False, each_wait=lambda: turns.append("enforcer"))
    intent.wait(0.01)
    intent.wait(0.01)
    intent.close()
    signer = SignerKey(place.log_origin, b"s" * 32)
    Sealer(
        database, place.owner_id, place.log_origin, signer, lambda: NOW, each_round=lambda: turns.append("sealer")
    ).run(lambda: "sealer" in turns)
    assert turns == ["enforcer", "enforcer", "sealer"]
