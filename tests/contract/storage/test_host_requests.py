"""A guest asks a host: one answer by one link, the acceptance with a yes, and nothing of it with anything else."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Literal

import pytest
from sqlalchemy import text

from gateway.access import host_requests as access
from gateway.access.accept import Applicant
from gateway.access.extension import Durations
from gateway.access.host_requests import Answered, Asked, Host, NotAnswered, NotAsked
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as publishing
from gateway.storage import grants, host_requests
from gateway.storage.course_models import HostRequest
from gateway.storage.engine import Database
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Acceptance
from gateway.storage.places import Place
from tests.contract.storage.records import HOUR, MAC, NOW, add_rules, at_once

HOST = Host("vert@nybo.example.no", "Vert Vertsen")
WAIT = timedelta(minutes=30)


@pytest.fixture(autouse=True)
def policy(database: Database, place: Place) -> None:
    with database.write() as session:
        publishing.publish(session, place, "it", "", NOW)
        add_rules(session, place)


def ask(
    database: Database, place: Place, host: Host = HOST, *, mac: str = MAC, now: datetime = NOW, version: str = ""
) -> Asked | NotAsked:
    with database.write() as session:
        newest = str(session.execute(text("SELECT id FROM rules_version ORDER BY published_at DESC")).scalar())
        return access.ask(
            session,
            place,
            Neighbour("lo", mac),
            Applicant("Kari Nordmann", "Kurs AS", "91234567"),
            host,
            version_id=version or newest,
            language="nb",
            address="192.0.2.1",
            wait=WAIT,
            now=now,
        )


def asked(database: Database, place: Place, **other: str) -> str:
    done = ask(database, place, **other)  # type: ignore[arg-type]
    assert isinstance(done, Asked), done
    return done.request_id


def answer(
    database: Database, place: Place, request_id: str, said: Literal["approved", "denied"], now: datetime = NOW
) -> Answered | NotAnswered:
    with database.write() as session:
        return access.answer(session, place, request_id, said, durations=Durations(10 * HOUR), now=now)


def leaves(database: Database) -> list[dict[str, object]]:
    with database.read() as session:
        return [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]


def test_a_yes_makes_the_acceptance_the_grant_and_both_leaves(database: Database, place: Place) -> None:
    request_id, later = asked(database, place), NOW + timedelta(minutes=5)
    before = len(leaves(database))
    done = answer(database, place, request_id, "approved", later)
    assert isinstance(done, Answered)
    acceptance, answered = leaves(database)[before:]
    assert (acceptance["type"], acceptance["identified_by"]) == ("acceptance", "host_approved")
    assert {name: answered[name] for name in ("type", "answer", "asked", "grant")} == {
        "type": "host_answered",
        "answer": "approved",
        "asked": "2026-11-22T12:00:00.123Z",
        "grant": done.grant_id,
    }
    assert "vert@" not in json.dumps(answered)
    with database.read() as session:
        [row] = grants.grants_of_gateway(session, place.gateway_id, later)
        assert (row.mac, row.ends_at) == (MAC, later + 10 * HOUR)
        [made] = session.query(Acceptance)
        assert made.identified_by == "host_approved"
        values = {row.value for row in session.query(Disclosure)}
        assert {HOST.email, "Kari Nordmann", "Kurs AS", "91234567"} <= values
        request = session.get(HostRequest, request_id)
        assert request is not None
        assert (request.name, request.contact, request.organisation, request.address) == ("", "", "", "")


def test_a_no_is_a_leaf_and_nothing_more(database: Database, place: Place) -> None:
    assert answer(database, place, asked(database, place), "denied") == Answered("denied", "")
    assert leaves(database)[-1]["answer"] == "denied"
    with database.read() as session:
        assert session.query(Acceptance).count() == 0
        assert session.query(Disclosure).filter_by(value="Kari Nordmann").count() == 0


def test_a_link_answers_once_also_when_pressed_twice_at_the_same_time(database: Database, place: Place) -> None:
    request_id = asked(database, place)
    outcomes = at_once(4, lambda _: answer(database, place, request_id, "approved"))
    assert sum(isinstance(each, Answered) for each in outcomes) == 1
    assert outcomes.count(NotAnswered("answered")) == 3
    assert answer(database, place, request_id, "denied") == NotAnswered("answered")
    with database.read() as session:
        assert session.query(Acceptance).count() == 1


def test_a_link_runs_out(database: Database, place: Place) -> None:
    request_id = asked(database, place)
    assert answer(database, place, request_id, "approved", NOW + WAIT) == NotAnswered("expired")
    assert answer(database, place, "0" * 32, "approved") == NotAnswered("unknown")
    with database.read() as session:
        assert isinstance(access.waiting(session, place, request_id, NOW), HostRequest)


def test_rules_that_changed_meanwhile_are_not_accepted_by_a_yes(database: Database, place: Place) -> None:
    request_id = asked(database, place)
    with database.write() as session:
        add_rules(session, place, "2026-2", NOW + timedelta(minutes=1))
    before = leaves(database)
    assert answer(database, place, request_id, "approved", NOW + timedelta(minutes=2)) == NotAnswered("ask_again")
    assert leaves(database) == before
    assert answer(database, place, request_id, "approved", NOW + timedelta(minutes=3)) == NotAnswered("expired")


def test_a_device_has_one_request_at_a_time(database: Database, place: Place) -> None:
    first = ask(database, place)
    assert isinstance(first, Asked)
    assert ask(database, place) == Asked(first.request_id, repeated=True)
    second = ask(database, place, Host("annen@nybo.example.no"), now=NOW + timedelta(minutes=1))
    assert isinstance(second, Asked)
    assert not second.repeated
    late = NOW + timedelta(minutes=2)
    assert answer(database, place, first.request_id, "approved", late) == NotAnswered("expired")
    assert isinstance(answer(database, place, second.request_id, "approved", late), Answered)


def test_mail_that_guests_cause_is_bounded_by_device_and_by_host(database: Database, place: Place) -> None:
    for number in range(access.OF_A_DEVICE):
        assert isinstance(ask(database, place, Host(f"v{number}@nybo.example.no")), Asked)
    assert ask(database, place, Host("v9@nybo.example.no")) == NotAsked("too_many")
    for number in range(access.TO_A_HOST):
        assert isinstance(ask(database, place, mac=f"02:00:00:00:02:{number:02x}"), Asked)
    assert ask(database, place, mac="02:00:00:00:03:00") == NotAsked("too_many")
    assert isinstance(ask(database, place, now=NOW + HOUR + timedelta(seconds=1)), Asked)


def test_what_can_not_be_asked_is_told(database: Database, place: Place) -> None:
    assert ask(database, place, version="0" * 32) == NotAsked("rules_changed")
    with database.write() as session:
        assert session.query(HostRequest).count() == 0


def test_requests_are_mailed_by_their_own_gateway_and_forgotten_after_a_day(database: Database, place: Place) -> None:
    request_id = asked(database, place)
    with database.write() as session:
        assert [row.id for row in host_requests.to_mail(session, place.gateway_id, NOW)] == [request_id]
        assert host_requests.to_mail(session, "0" * 32, NOW) == []
        assert host_requests.to_mail(session, place.gateway_id, NOW + WAIT) == []
        assert host_requests.forget(session, place.owner_id, NOW + WAIT + timedelta(days=1)) == 0
        assert host_requests.forget(session, place.owner_id, NOW + WAIT + timedelta(days=1, seconds=1)) == 1


def test_erasing_a_devices_person_takes_what_they_asked(database: Database, place: Place) -> None:
    asked(database, place)
    with database.write() as session:
        host_requests.forget_devices(session, place.owner_id, [MAC])
        assert session.query(HostRequest).count() == 0
