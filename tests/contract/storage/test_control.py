"""Devices kept out, networks switched and octets counted: what each does to access, its leaf, and its end; on both
databases.
"""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, event

from gateway.access import outages as switching
from gateway.access.accept import Accepted, Applicant, Refused, accept
from gateway.access.admission import Device, NotAdmitted, admit
from gateway.access.blocking import Blocked, NotBlocked, Wish, block, latest, unblock
from gateway.access.desired import StoredIntent
from gateway.access.outages import NotSwitched, restore, switch
from gateway.access.status import device_status
from gateway.audit.periods import Period, parse_period
from gateway.collection import Forgetting
from gateway.firewall.meter import Octets as Counted
from gateway.firewall.posture import make_posture
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as publishing
from gateway.storage import blocks, grants, outages, traffic
from gateway.storage.control_models import NetworkOutage
from gateway.storage.engine import Database
from gateway.storage.feed import open_feed
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Grant, RulesVersion
from gateway.storage.places import Place, add_place, network_on
from gateway.storage.traffic import Octets
from tests.contract.storage.records import HOUR, MAC, NOW, add_grant, add_rules, at_once

KEEP = parse_period("90 days")
NEIGHBOUR = Neighbour("lo", MAC)


@pytest.fixture(autouse=True)
def rules(database: Database, place: Place) -> RulesVersion:
    """A policy in force, and rules."""
    with database.write() as session:
        publishing.publish(session, place, "it", "", NOW)
        return add_rules(session, place)


def keep_out(database: Database, place: Place, keep: Period = KEEP, now: datetime = NOW, **other: object) -> object:
    wish = Wish(**{"mac": MAC, "reason": "spams the printers", **other})  # type: ignore[arg-type]
    with database.write() as session:
        return block(session, place, wish, keep=keep, by="ola", now=now)


def accepts(database: Database, place: Place, rules: RulesVersion, now: datetime = NOW) -> Accepted | Refused:
    with database.write() as session:
        return accept(
            session, place, NEIGHBOUR, Applicant("Kari Nordmann"), version_id=rules.id, language="nb",
            address="127.0.0.1", duration=HOUR, now=now,
        )  # fmt: skip


def intent(database: Database, place: Place, now: datetime = NOW) -> StoredIntent:
    return StoredIntent(database, place, lambda: now, threading.Event().is_set)


def leaves(database: Database) -> list[tuple[dict[str, object], dict[str, str]]]:
    with database.read() as session:
        said: dict[str, dict[str, str]] = {}
        for row in session.query(Disclosure):
            said.setdefault(row.leaf_id, {})[row.name] = row.value
        return [
            (json.loads(row.entry), said.get(row.leaf_id, {}))
            for row in session.query(StagedLeaf).order_by(StagedLeaf.id)
        ]


class TestBlocks:
    def test_its_access_ends_at_once_and_it_cannot_accept(
        self, database: Database, place: Place, rules: RulesVersion
    ) -> None:
        assert isinstance(accepts(database, place, rules), Accepted)
        feed = open_feed(database, ("grants",), lambda: False)
        while feed.wait(0.3):
            pass
        done = keep_out(database, place, told="Ring IKT")
        assert done == Blocked(latest(KEEP, NOW), 1)
        assert feed.wait(2)
        feed.close()
        assert intent(database, place).load().admissions == ()
        assert set(intent(database, place).load().blocked) == {MAC}
        assert accepts(database, place, rules) == Refused("blocked")
        with database.write() as session:
            assert device_status(session, place, NEIGHBOUR, NOW).state == "blocked"
            told = blocks.told(session, place.owner_id, MAC, NOW)
            assert told is not None
            assert told.told == "Ring IKT"
            refused = admit(
                session, place, Device(MAC, "Nybø skule", "screen"), interface="lo", group_key=None,
                until=NOW + HOUR, by="ola", now=NOW,
            )  # fmt: skip
            assert refused == NotAdmitted("blocked")
        (blocked, said), (ended, _) = leaves(database)[-2:]
        assert (blocked["type"], blocked["change"]) == ("device_blocked", "blocked")
        assert said == {"by": "ola", "mac": MAC, "reason": "spams the printers", "note": "Ring IKT"}
        assert ended["type"] == "grant_revoked"
        assert MAC not in json.dumps(blocked)

    def test_it_may_accept_again_when_it_is_over_or_lifted(
        self, database: Database, place: Place, rules: RulesVersion
    ) -> None:
        keep_out(database, place, until=NOW + HOUR)
        assert accepts(database, place, rules, NOW + HOUR - timedelta(seconds=1)) == Refused("blocked")
        assert isinstance(accepts(database, place, rules, NOW + HOUR), Accepted)
        assert keep_out(database, place) == Blocked(latest(KEEP, NOW), 1)
        with database.write() as session:
            assert unblock(session, place, MAC, "kari", NOW)
            assert not unblock(session, place, MAC, "kari", NOW)
        assert isinstance(accepts(database, place, rules), Accepted)
        lifted, said = next(leaf for leaf in leaves(database)[::-1] if leaf[0]["type"] == "device_blocked")
        assert (lifted["change"], said) == ("lifted", {"by": "kari", "mac": MAC})

    def test_a_block_has_an_end_and_no_later_one_than_its_data_may_have(self, database: Database, place: Place) -> None:
        assert keep_out(database, place, until=NOW) == NotBlocked("past")
        assert keep_out(database, place, until=NOW + timedelta(days=90, seconds=1)) == NotBlocked("too_long")
        assert keep_out(database, place, until=NOW + timedelta(days=90)) == Blocked(NOW + timedelta(days=90), 0)
        assert keep_out(database, place, until=NOW + HOUR) == Blocked(NOW + HOUR, 0)  # in its place
        with database.read() as session:
            assert [each.ends_at for each in blocks.in_force(session, place.owner_id, NOW)] == [NOW + HOUR]

    def test_nothing_is_left_of_a_device_that_never_did_anything_else(self, database: Database, place: Place) -> None:
        keep_out(database, place, until=NOW + HOUR)
        with database.write() as session:
            assert blocks.forget_ended(session, place.owner_id, NOW) == 0
            assert blocks.forget_ended(session, place.owner_id, NOW + HOUR) == 1
            assert grants.find_device(session, place.owner_id, MAC) is None

    def test_of_an_acceptance_and_a_block_at_once_no_access_is_left(
        self, database: Database, place: Place, rules: RulesVersion
    ) -> None:
        for round_ in range(6):
            now = NOW + timedelta(minutes=round_)
            at_once(
                2,
                lambda number, now=now: (  # type: ignore[misc]
                    accepts(database, place, rules, now) if number else keep_out(database, place, now=now)
                ),
            )
            assert intent(database, place, now).load().admissions == ()
            with database.write() as session:
                unblock(session, place, MAC, "ola", now)

    def test_another_owners_devices_are_not_touched(self, database: Database, place: Place) -> None:
        keep_out(database, place)
        with database.read() as session:
            assert blocks.in_force(session, "another", NOW) == []
            assert blocks.told(session, "another", MAC, NOW) is None


def network_id(database: Database, place: Place) -> str:
    with database.read() as session:
        network = network_on(session, place.gateway_id, "lo")
        assert network is not None
        return network.id


def turn(
    database: Database, place: Place, mode: outages.Mode, until: datetime = NOW + HOUR, now: datetime = NOW
) -> NotSwitched | None:
    wish = switching.Wish(mode, "water in the server room", until, {"nb": "Nettet er stengt.", "en": ""})
    with database.write() as session:
        return switch(session, place, network_id(database, place), wish, by="ola", now=now)


class TestOutages:
    def test_a_closed_network_withholds_access_and_gives_it_back(
        self, database: Database, place: Place, rules: RulesVersion
    ) -> None:
        accepts(database, place, rules)
        assert turn(database, place, "closed") is None
        [outage] = intent(database, place).load().outages
        assert (outage.interface, outage.mode, outage.ends_at) == ("lo", "closed", NOW + HOUR)
        assert len(intent(database, place).load().admissions) == 1
        with database.read() as session:
            assert device_status(session, place, NEIGHBOUR, NOW).state == "closed"
            assert device_status(session, place, Neighbour("lo", "02:00:00:00:00:99"), NOW).state == "closed"
        assert accepts(database, place, rules) == Refused("closed")
        with database.write() as session:
            assert restore(session, place, network_id(database, place), by="kari", now=NOW)
            assert not restore(session, place, network_id(database, place), by="kari", now=NOW)
        assert intent(database, place).load().outages == ()
        with database.read() as session:
            assert device_status(session, place, NEIGHBOUR, NOW).state == "accepted"
        found = [leaf for leaf in leaves(database) if leaf[0]["type"] == "network_switched"]
        assert [(entry["network"], entry["mode"]) for entry, _ in found] == [("lo", "closed"), ("lo", "normal")]
        assert found[0][1] == {"by": "ola", "reason": "water in the server room", "note": "nb: Nettet er stengt."}

    def test_an_open_network_lets_everybody_through_under_its_own_group_until_its_end(
        self, database: Database, place: Place
    ) -> None:
        assert turn(database, place, "rules_only") is None
        wanted = intent(database, place).load()
        assert {name: entry.mark for name, entry in make_posture(wanted, NOW).open.items()} == {"lo": 1}
        with database.read() as session:
            assert device_status(session, place, NEIGHBOUR, NOW).state == "opening"
        intent(database, place).record_switched([network_id(database, place)])
        with database.read() as session:
            status = device_status(session, place, NEIGHBOUR, NOW)
            assert (status.state, status.is_through, status.has_access) == ("open", True, False)
            assert device_status(session, place, NEIGHBOUR, NOW + HOUR).state == "not_accepted"
        assert make_posture(wanted, NOW + HOUR).open == {}

    def test_a_blocked_device_stays_out_of_an_open_network(self, database: Database, place: Place) -> None:
        turn(database, place, "rules_only")
        keep_out(database, place)
        intent(database, place).record_switched([network_id(database, place)])
        with database.read() as session:
            assert device_status(session, place, NEIGHBOUR, NOW).state == "blocked"

    def test_there_is_always_an_end_that_somebody_can_remember(self, database: Database, place: Place) -> None:
        assert turn(database, place, "closed", NOW) == NotSwitched("past")
        assert turn(database, place, "closed", NOW + timedelta(days=61)) == NotSwitched("too_long")
        assert turn(database, place, "rules_only", NOW + timedelta(hours=73)) == NotSwitched("too_long")
        with database.write() as session:
            wish = switching.Wish("closed", "r", NOW + HOUR)
            assert switch(session, place, "nonesuch", wish, by="ola", now=NOW) == NotSwitched("no_network")
            assert outages.in_force(session, place.owner_id, NOW) is False
        assert turn(database, place, "closed") is None
        assert turn(database, place, "rules_only", NOW + 2 * HOUR) is None  # in its place
        with database.write() as session:
            [row] = outages.networks(session, place.owner_id, NOW)
            assert row.outage is not None
            assert row.outage.mode == "rules_only"
            assert outages.in_force(session, place.owner_id, NOW) is True
            assert outages.in_force(session, place.owner_id, NOW + 2 * HOUR) is False
            assert outages.forget_ended(session, place.owner_id, NOW + HOUR) == 0
            assert outages.forget_ended(session, place.owner_id, NOW + 2 * HOUR) == 1
            assert session.query(NetworkOutage).count() == 0


class TestOctets:
    def test_they_add_up_while_the_grant_is_open_and_go_with_it(
        self, database: Database, place: Place, rules: RulesVersion
    ) -> None:
        with database.write() as session:
            grant = add_grant(session, place, rules)
            other = add_grant(session, place, rules, mac="02:00:00:00:00:02", ends_at=NOW + 9 * HOUR)
        desired = intent(database, place)
        desired.record_octets({grant.id: Counted(10, 100), other.id: Counted(1, 2), "erased": Counted(5, 5)})
        desired.record_octets({grant.id: Counted(1, 5_000_000_000)})
        with database.read() as session:
            found = traffic.of_grants(session, [grant.id, other.id, "erased"])
        assert found == {grant.id: Octets(11, 5_000_000_100), other.id: Octets(1, 2)}
        Forgetting(database, place.owner_id, lambda: NOW + HOUR).poll()
        with database.read() as session:
            assert traffic.of_grants(session, [grant.id, other.id]) == {other.id: Octets(1, 2)}

    def test_they_are_kept_for_longer_where_a_setting_says_so(
        self, database: Database, place: Place, rules: RulesVersion
    ) -> None:
        with database.write() as session:
            grant = add_grant(session, place, rules)
            session.get_one(Grant, grant.id).revoked_at = NOW
        for later, left in ((timedelta(days=2), 1), (timedelta(days=3), 0)):
            if left:
                intent(database, place).record_octets({grant.id: Counted(10, 100)})
            Forgetting(database, place.owner_id, lambda at=NOW + later: at, timedelta(days=3)).poll()  # type: ignore[misc]
            with database.read() as session:
                assert len(traffic.of_grants(session, [grant.id])) == left

    def test_another_owner_on_the_same_database_keeps_its_own(
        self, database: Database, place: Place, rules: RulesVersion
    ) -> None:
        with database.write() as session:
            other = add_place(
                session, owner_key="o", owner_name="O", log_origin="o.test/l", site_key="s", gateway_key="o",
                interfaces=["lo"], now=NOW,
            )  # fmt: skip
            ours = add_grant(session, place, rules)
            theirs = add_grant(session, other, add_rules(session, other))
            traffic.add(session, {ours.id: Octets(1, 2), theirs.id: Octets(3, 4)}, NOW)
        Forgetting(database, place.owner_id, lambda: NOW + 9 * HOUR).poll()
        with database.read() as session:
            assert traffic.of_grants(session, [ours.id, theirs.id]) == {theirs.id: Octets(3, 4)}

    def test_many_are_forgotten_in_parts_between_which_others_write(
        self, database: Database, place: Place, rules: RulesVersion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(traffic, "BATCH_IDS", 2)
        with database.write() as session:
            over = [add_grant(session, place, rules, mac=f"02:00:00:00:00:{number:02}").id for number in range(10, 15)]
            traffic.add(session, {each: Octets(1, 2) for each in over}, NOW)
        with database.write() as session:
            assert traffic.forget_ended(session, place.owner_id, NOW + HOUR) == 2
            assert len(traffic.of_grants(session, over)) == 3
        Forgetting(database, place.owner_id, lambda: NOW + HOUR).poll()
        with database.read() as session:
            assert traffic.of_grants(session, over) == {}

    def test_what_is_kept_is_not_looked_through(self, database: Database, place: Place) -> None:
        plans: list[str] = []

        def explain(connection: Connection, _cursor: object, said: str, parameters: object, *_other: object) -> None:
            if "grant_traffic" in said and said.startswith("SELECT") and database.is_sqlite:
                rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {said}", parameters)
                plans.extend(row[3] for row in rows)

        event.listen(database.engine, "before_cursor_execute", explain)
        with database.write() as session:
            assert traffic.forget_ended(session, place.owner_id, NOW) == 0
        assert bool(plans) == database.is_sqlite
        assert [plan.split(" USING ")[-1] for plan in plans][:1] == [
            "INDEX ix_grant_traffic_counted (counted_at<?)"
        ] * database.is_sqlite
        assert not [plan for plan in plans if plan.startswith("SCAN")]
