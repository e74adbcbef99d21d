"""The help desk over both databases: devices by their last digits, with their stage; staff extending grants."""

from __future__ import annotations

import json
from datetime import timedelta
from ipaddress import ip_address

import pytest

from gateway.access.admission import Admitted, Device, admit
from gateway.access.desk import LATELY, Caller, find
from gateway.access.lengthening import NotLengthened, lengthen
from gateway.link.heard import Heard
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as publishing
from gateway.storage import grants
from gateway.storage.course_models import HostRequest
from gateway.storage.engine import Database
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Grant
from gateway.storage.places import Place
from tests.contract.storage.records import HOUR, MAC, NOW, add_grant, add_rules

LONGEST = timedelta(hours=24)
STRANGER = "02:00:00:00:ab:cd"


def hears(mac: str, address: str = "192.0.2.9", ago: timedelta = timedelta(seconds=5), interface: str = "lo") -> Heard:
    return Heard(Neighbour(interface, mac), ip_address(address), ago)


def look(database: Database, place: Place, *heard: Heard, digits: str = "", enforced: bool = True) -> list[Caller]:
    with database.read() as session:
        return find(session, place, heard, digits, enforced=enforced, now=NOW)


def one(database: Database, place: Place, **given: object) -> Grant:
    with database.write() as session:
        grant = add_grant(session, place, add_rules(session, place), **given)  # type: ignore[arg-type]
        session.expunge_all()
        return grant


def test_a_device_that_has_not_accepted_is_found_by_what_it_ends_in(database: Database, place: Place) -> None:
    [found] = look(database, place, hears(STRANGER), hears(MAC), digits="abcd")
    assert (found.mac, found.interface, found.stage) == (STRANGER, "lo", "address")
    assert look(database, place, hears(MAC), digits="abcd") == []


def test_the_stage_follows_the_device(database: Database, place: Place) -> None:
    grant = one(database, place)
    assert [each.stage for each in look(database, place, hears(MAC))] == ["waiting"]
    assert [each.stage for each in look(database, place, hears(MAC), enforced=False)] == ["recorded"]
    with database.write() as session:
        grants.record_applied(session, place.gateway_id, [grant.id], [], NOW)
    [found] = look(database, place, hears(MAC), hears(MAC, "fe80::1"))
    assert (found.stage, found.ends_at, len(found.addresses)) == ("online", NOW + HOUR, 2)
    late = hears(MAC, ago=LATELY + timedelta(seconds=1))
    assert look(database, place, late) == []
    assert [each.stage for each in look(database, place, late, digits="0001")] == ["asleep"]
    assert [each.stage for each in look(database, place, digits="000001")] == ["asleep"]
    with database.write() as session:
        session.get_one(Grant, grant.id).revoked_at = NOW
    [found] = look(database, place, hears(MAC))
    assert (found.stage, found.ended_at) == ("ended", NOW)
    [found] = look(database, place, digits="0001")
    assert (found.stage, found.interface, found.ago) == ("absent", "", None)


def test_access_on_one_network_is_no_access_on_another(database: Database, place: Place) -> None:
    one(database, place)
    assert [(each.interface, each.stage) for each in look(database, place, hears(MAC, interface="guest1"))] == [
        ("guest1", "address")
    ]
    both = look(database, place, hears(MAC, interface="guest1"), digits="0001")
    assert {(each.interface, each.stage) for each in both} == {("guest1", "address"), ("lo", "waiting")}


def test_a_guest_who_waits_for_a_host_is_known(database: Database, place: Place) -> None:
    with database.write() as session:
        version = add_rules(session, place)
        session.add(
            HostRequest(
                owner_id=place.owner_id, gateway_id=place.gateway_id, interface="lo", mac=STRANGER, address="192.0.2.9",
                name="Ola", organisation="", contact="", rules_version_id=version.id, language="nb",
                host_email="vert@example.org", host_name="Vert", asked_at=NOW, expires_at=NOW + HOUR, answer="",
            )
        )  # fmt: skip
    assert [each.stage for each in look(database, place, hears(STRANGER))] == ["asking"]


def test_the_last_heard_come_first(database: Database, place: Place) -> None:
    found = look(database, place, hears(MAC, ago=timedelta(minutes=3)), hears(STRANGER), hears(MAC, "fe80::1"))
    assert [(each.mac, each.ago) for each in found] == [(MAC, timedelta(seconds=5)), (STRANGER, timedelta(seconds=5))]


def test_staff_extend_a_grant_and_the_log_says_who(database: Database, place: Place) -> None:
    grant = one(database, place)

    def extend(until: timedelta, grant_id: str = grant.id) -> object:
        with database.write() as session:
            return lengthen(session, place, grant_id, NOW + until, by="kari", longest=LONGEST, now=NOW)

    assert extend(HOUR) == NotLengthened("not_longer")
    assert extend(25 * HOUR) == NotLengthened("too_long")
    assert extend(2 * HOUR, "nonesuch") == NotLengthened("no_grant")
    assert extend(2 * HOUR) == NOW + 2 * HOUR
    with database.read() as session:
        assert session.get_one(Grant, grant.id).ends_at == NOW + 2 * HOUR
        [leaf] = [json.loads(row.entry) for row in session.query(StagedLeaf)]
        assert (leaf["type"], leaf["grant"], leaf["until"]) == (
            "grant_extended", grant.id, "2026-11-22T14:00:00.123Z"
        )  # fmt: skip
        assert {(row.name, row.value) for row in session.query(Disclosure)} == {("by", "kari"), ("mac", MAC)}
    with database.write() as session:
        session.get_one(Grant, grant.id).revoked_at = NOW
    assert extend(3 * HOUR) == NotLengthened("no_grant")


@pytest.mark.parametrize(("days", "fits"), [(30, True), (400, True), (401, False)])
def test_an_admission_may_last_as_long_as_a_new_one(database: Database, place: Place, days: int, fits: bool) -> None:
    with database.write() as session:
        publishing.publish(session, place, "it", "", NOW)
        done = admit(
            session, place, Device(MAC, "Skulen", "skjerm"), interface="lo", group_key=None, until=NOW + HOUR, by="ola",
            now=NOW,
        )  # fmt: skip
        assert isinstance(done, Admitted)
        until = lengthen(session, place, done.grant_id, NOW + timedelta(days=days), by="kari", longest=LONGEST, now=NOW)
    assert until == (NOW + timedelta(days=days) if fits else NotLengthened("too_long"))
