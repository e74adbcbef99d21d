"""Devices that staff let in: a grant without an acceptance, its leaf in the same transaction, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError

from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.admission import LONGEST, Admitted, Device, NotAdmitted, admit
from gateway.access.grants import Moved, move, revoke, sign_off
from gateway.access.status import device_status
from gateway.firewall.plan import Admission, make_plan
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as publishing
from gateway.storage import grants
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.feed import open_feed
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Grant
from gateway.storage.places import Place
from tests.contract.storage.records import HOUR, MAC, NOW, add_rules, scalar

PROJECTOR = Device(MAC, "Nybø skule", "projector in the hall")
NEIGHBOUR = Neighbour("lo", MAC)
SUMMER = NOW + timedelta(days=200)


@pytest.fixture(autouse=True)
def policy(database: Database, place: Place) -> None:
    """A policy in force with the groups default (mark 1) and things (mark 7), and rules."""
    with database.write() as session:
        document = publishing.draft(session, place)
        document["groups"]["things"] = document["groups"]["default"] | {"mark": 7}
        publishing.save_draft(session, place, document, NOW)
        publishing.publish(session, place, "it", "", NOW)
        add_rules(session, place)


def let_in(database: Database, place: Place, device: Device = PROJECTOR, **other: object) -> Admitted | NotAdmitted:
    given = {"interface": "lo", "group_key": None, "until": SUMMER, "by": "ola", "now": NOW} | other
    with database.write() as session:
        return admit(session, place, device, **given)  # type: ignore[arg-type]


def leaves(database: Database) -> list[dict[str, object]]:
    with database.read() as session:
        return [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]


def test_the_gateway_lets_it_through_under_its_group_and_the_log_says_so(database: Database, place: Place) -> None:
    feed = open_feed(database, ("grants",), lambda: False)
    while feed.wait(0.3):
        pass
    done = let_in(database, place, group_key="things")
    assert isinstance(done, Admitted)
    assert feed.wait(2)
    feed.close()
    with database.read() as session:
        rows = grants.grants_of_gateway(session, place.gateway_id, NOW)
        [(device, entry)] = make_plan([Admission(*row) for row in rows], {}, NOW).wanted.items()
        assert (device.interface, device.mac, entry.mark) == ("lo", MAC, 7)
        [shown] = grants.open_admissions(session, place.owner_id, NOW)
        assert (shown.holder, shown.acceptance, shown.device.mac) == ("Nybø skule", None, MAC)
        known = session.query(Disclosure).filter_by(leaf_id=shown.admission_leaf_id)
        assert {row.name: row.value for row in known} == {
            "by": "ola",
            "mac": MAC,
            "unit": "Nybø skule",
            "reason": "projector in the hall",
        }
        assert device_status(session, place, NEIGHBOUR, NOW).state == "accepted"
    last = leaves(database)[-1]
    assert (last["type"], last["group"], last["until"]) == ("device_admitted", "things", "2027-06-10T12:00:00.123Z")
    assert "Nybø" not in json.dumps(last)


def test_what_can_not_be_admitted_is_told_and_nothing_is_written(database: Database, place: Place) -> None:
    before = leaves(database)
    for other, reason in (
        ({"interface": "eth9"}, "no_network"),
        ({"group_key": "none"}, "no_group"),
        ({"until": NOW}, "past"),
        ({"until": NOW + LONGEST + HOUR}, "too_long"),
    ):
        assert let_in(database, place, **other) == NotAdmitted(reason)  # type: ignore[arg-type]
    assert leaves(database) == before
    assert scalar(database, "SELECT count(*) FROM access_grant") == 0
    first = let_in(database, place)
    assert isinstance(first, Admitted)
    assert let_in(database, place, until=SUMMER + HOUR) == NotAdmitted("admitted", first.grant_id)


def test_ending_and_moving_it_are_leaves(database: Database, place: Place) -> None:
    done = let_in(database, place)
    assert isinstance(done, Admitted)
    with database.write() as session:
        assert move(session, place, done.grant_id, "things", "ola", NOW) == Moved(done.grant_id, "default", "things")
        assert revoke(session, place, done.grant_id, "ola", NOW, reason="sold")
        assert not revoke(session, place, done.grant_id, "ola", NOW)
    assert [leaf["type"] for leaf in leaves(database)[-3:]] == ["device_admitted", "grant_moved", "grant_revoked"]
    with database.read() as session:
        assert not grants.open_admissions(session, place.owner_id, NOW)
        assert session.query(Disclosure).filter_by(name="reason", value="sold").count() == 1
    assert isinstance(let_in(database, place), Admitted), "it may come back"


def test_a_guest_who_accepts_on_it_neither_shortens_nor_ends_it(database: Database, place: Place) -> None:
    done = let_in(database, place)
    assert isinstance(done, Admitted)
    accepted = []
    for _ in range(2):
        with database.write() as session:
            version_id = str(session.execute(text("SELECT id FROM rules_version")).scalar())
            accepted.append(
                accept(
                    session,
                    place,
                    NEIGHBOUR,
                    Applicant("Kari Nordmann"),
                    version_id=version_id,
                    language="nb",
                    address="192.0.2.1",
                    duration=HOUR,
                    now=NOW,
                )
            )
    assert [isinstance(one, Accepted) and one.repeated for one in accepted] == [False, True]
    with database.read() as session:
        standing = device_status(session, place, NEIGHBOUR, NOW)
        assert (standing.grant_id, standing.receipt_code) == (done.grant_id, None)
    with database.write() as session:
        assert sign_off(session, place, NEIGHBOUR, NOW)
        assert not sign_off(session, place, NEIGHBOUR, NOW)
    with database.read() as session:
        assert [grant.id for grant in grants.open_grants(session, place.owner_id, NOW)] == [done.grant_id]


def test_no_grant_stands_on_nothing_or_on_both(database: Database, place: Place) -> None:
    done = let_in(database, place)
    assert isinstance(done, Admitted)
    with pytest.raises((IntegrityError, StorageUnavailableError)), database.write() as session:
        row = session.get(Grant, done.grant_id)
        assert row is not None
        row.admission_leaf_id = None


def test_once_its_values_are_erased_nobody_is_named(database: Database, place: Place) -> None:
    let_in(database, place)
    with database.write() as session:
        session.execute(delete(Disclosure))
    with database.read() as session:
        [shown] = grants.open_admissions(session, place.owner_id, NOW)
        assert shown.holder == ""
