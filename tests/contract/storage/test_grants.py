"""Who may be online until when, and what each gateway says that it holds."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.storage import accepting, grants
from gateway.storage.engine import Database
from gateway.storage.models import Grant
from gateway.storage.places import Place, network_on
from tests.contract.storage.records import HOUR, MAC, NOW, add_grant, add_rules, at_once, scalar


def test_a_device_is_made_once_and_seen_again(database: Database, place: Place) -> None:
    with database.write() as session:
        first = grants.lock_device(session, place.owner_id, MAC, NOW)
    with database.write() as session:
        grants.lock_device(session, place.owner_id, MAC, NOW + HOUR)
    with database.read() as session:
        found = grants.find_device(session, place.owner_id, MAC)
        assert grants.find_device(session, place.owner_id, "02:00:00:00:00:99") is None
    assert found is not None
    assert (found.id, found.first_seen_at, found.last_seen_at) == (first.id, NOW, NOW + HOUR)


def test_two_submits_at_once_make_one_device(database: Database, place: Place) -> None:
    for number in range(5):
        mac = f"02:00:00:00:01:{number:02x}"

        def submit(_number: int, mac: str = mac) -> str:
            with database.write() as session:
                return grants.lock_device(session, place.owner_id, mac, NOW).id

        assert len(set(at_once(2, submit))) == 1
    assert scalar(database, "SELECT count(*) FROM device") == 5


@pytest.mark.parametrize("known", [False, True])
def test_two_submits_at_once_make_one_grant(database: Database, place: Place, known: bool) -> None:
    with database.write() as session:
        rules = add_rules(session, place)
        if known:
            grants.lock_device(session, place.owner_id, MAC, NOW)

    def submit(_number: int) -> bool:
        with database.write() as session:
            device = grants.lock_device(session, place.owner_id, MAC, NOW)
            network = network_on(session, place.gateway_id, "lo")
            assert network is not None
            if grants.open_grant(session, device.id, network.id, NOW) is not None:
                return False
            time.sleep(0.1)  # so that the others look before this one has committed
            add_grant(session, place, rules)
            return True

    assert sorted(at_once(3, submit)) == [False, False, True]
    assert scalar(database, "SELECT count(*) FROM access_grant") == 1
    assert scalar(database, "SELECT count(*) FROM acceptance") == 1


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_device_that_was_read_before_it_was_held_is_read_anew(database: Database, place: Place) -> None:
    with database.write() as session:
        grants.lock_device(session, place.owner_id, MAC, NOW)
    with database.write() as session:
        stale = grants.find_device(session, place.owner_id, MAC)
        with database.write() as other:
            grants.lock_device(other, place.owner_id, MAC, NOW + HOUR).first_seen_at = NOW - HOUR
        assert stale is not None
        assert grants.lock_device(session, place.owner_id, MAC, NOW).first_seen_at == NOW - HOUR


def test_open_grant_is_the_one_that_lasts_longest_and_is_not_over(database: Database, place: Place) -> None:
    with database.write() as session:
        rules = add_rules(session, place)
        add_grant(session, place, rules, ends_at=NOW + HOUR)
        longest = add_grant(session, place, rules, ends_at=NOW + 3 * HOUR)
        add_grant(session, place, rules, ends_at=NOW + 9 * HOUR, revoked_at=NOW)
    with database.read() as session:
        device, network = longest.device_id, longest.network_id
        found = grants.open_grant(session, device, network, NOW)
        assert found is not None
        assert found.id == longest.id
        assert found.acceptance.identified_by == "self_declared"
        assert grants.open_grant(session, device, network, NOW + 3 * HOUR) is None
        assert grants.open_grant(session, device, "elsewhere", NOW) is None
        assert grants.open_grant(session, "other", network, NOW) is None


def test_a_gateway_lets_through_what_is_in_force_on_its_networks(database: Database, place: Place) -> None:
    macs = [f"02:00:00:00:00:0{number}" for number in range(1, 6)]
    with database.write() as session:
        rules = add_rules(session, place)
        current = add_grant(session, place, rules, mac=macs[0])
        add_grant(session, place, rules, mac=macs[1], ends_at=NOW)
        add_grant(session, place, rules, mac=macs[2], revoked_at=NOW)
        add_grant(session, place, rules, mac=macs[3], starts_at=NOW + timedelta(microseconds=1))
    with database.read() as session:
        assert grants.grants_of_gateway(session, place.gateway_id, NOW) == [(current.id, "lo", macs[0], 1, NOW + HOUR)]
        assert grants.grants_of_gateway(session, "another", NOW) == []
        shown = grants.open_grants(session, place.owner_id, NOW)
        assert [(grant.id, grant.device.mac, grant.network.interface) for grant in shown] == [
            (current.id, macs[0], "lo")
        ]
        assert shown[0].acceptance.visitor.name == "Kari Nordmann"
        assert grants.open_grants(session, "another", NOW) == []


def test_what_a_gateway_applied_is_written_down_and_taken_back(database: Database, place: Place) -> None:
    with database.write() as session:
        rules = add_rules(session, place)
        one, two = add_grant(session, place, rules), add_grant(session, place, rules, mac="02:00:00:00:00:02")
    with database.write() as session:
        assert not grants.is_applied(session, one.id)
        grants.record_applied(session, place.gateway_id, [one.id, two.id], ["never-there"], NOW)
        grants.record_applied(session, place.gateway_id, [one.id], [], NOW + HOUR)
    with database.write() as session:
        assert grants.is_applied(session, one.id)
        assert grants.is_applied(session, two.id)
        grants.record_applied(session, place.gateway_id, [], [one.id], NOW + HOUR)
    with database.write() as session:
        assert not grants.is_applied(session, one.id)
        assert grants.is_applied(session, two.id)
        grants.record_applied(session, place.gateway_id, [one.id], [], NOW + 2 * HOUR)
        assert grants.is_applied(session, one.id)
    assert scalar(database, "SELECT count(*) FROM applied_grant") == 2


def test_one_acceptance_gives_one_grant(database: Database, place: Place) -> None:
    with database.write() as session:
        grant = add_grant(session, place, add_rules(session, place))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(
            Grant(
                network_id=grant.network_id,
                device_id=grant.device_id,
                acceptance_id=grant.acceptance_id,
                group_key="default",
                mark=1,
                starts_at=NOW,
                ends_at=NOW + HOUR,
            )
        )


def test_an_acceptance_says_how_the_person_was_identified(database: Database, place: Place) -> None:
    with database.write() as session:
        add_grant(session, place, add_rules(session, place))
    with pytest.raises(IntegrityError), database.write() as session:
        session.connection().exec_driver_sql("UPDATE acceptance SET identified_by = 'guess'")


def test_let_in_are_the_devices_whose_grant_in_force_the_gateway_has_applied(database: Database, place: Place) -> None:
    macs = [f"02:00:00:00:00:0{number}" for number in range(1, 6)]
    with database.write() as session:
        rules = add_rules(session, place)
        ends = [NOW + HOUR, NOW + HOUR, NOW, NOW + HOUR, NOW + HOUR]
        made = [
            add_grant(session, place, rules, mac=mac, ends_at=end, revoked_at=NOW if mac == macs[3] else None)
            for mac, end in zip(macs, ends, strict=True)
        ]
        applied = [made[0].id, made[2].id, made[3].id, made[4].id]
        grants.record_applied(session, place.gateway_id, applied, [], NOW)
        grants.record_applied(session, place.gateway_id, [], [made[4].id], NOW)
    with database.read() as session:
        assert grants.let_in(session, place.gateway_id, NOW) == [("lo", macs[0])]
        assert grants.let_in(session, "another", NOW) == []


def test_what_an_acceptance_asks_of_those_before_it(database: Database, place: Place) -> None:
    with database.write() as session:
        rules = add_rules(session, place)
        network = network_on(session, place.gateway_id, "lo")
        device = accepting.hold_device(session, place.owner_id, MAC, NOW)
        assert network is not None
        assert accepting.accepted_standing(session, device, network.id, NOW) is None
        assert not accepting.accepted_since(session, device, NOW - HOUR)
        made = add_grant(session, place, rules)
        standing = accepting.accepted_standing(session, device, network.id, NOW)
        theirs = (made.acceptance_id, rules.id, made.acceptance.receipt_code)
        assert standing == (made.id, NOW + HOUR, *theirs, None, made.acceptance.visitor_id, made.group_key)
        assert accepting.accepted_since(session, device, NOW - timedelta(milliseconds=1))
        assert not accepting.accepted_since(session, device, NOW)
        accepting.end_grant(session, made.id, "guest", NOW)
        assert accepting.accepted_standing(session, device, network.id, NOW) is None
    with database.read() as session:
        ended = session.get_one(Grant, made.id)
        assert (ended.revoked_at, ended.revoked_by) == (NOW, "guest")
