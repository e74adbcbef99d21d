"""Retention on both databases: what has expired goes in batches with its leaves, and everything else stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access import exemption_requests, grants
from gateway.access import retention as module
from gateway.access.retention import Cutoffs, Retention, expired
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import numbers, parse_erasure_list, parse_ranges
from gateway.audit.record import record
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as policy
from gateway.settings import Privacy
from gateway.storage import erasures, leaves
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, AppliedGrant, Device, Grant, Visitor
from gateway.storage.operational_models import OperationalSetting
from gateway.storage.policy_models import PolicyGeneration
from tests.contract.audit.test_erasure import accept_as, admit_device, everything, seal_all

JANUARY = datetime(2026, 1, 12, 9, tzinfo=UTC)


def retention(services, **periods):
    settings = services.settings.model_copy(update={"privacy": Privacy(**periods)})
    return Retention(services.database, services.place, settings, services.clock)


def finish(service):
    """Poll until the run is through."""
    service.poll()
    while service.is_running:
        service.poll()


def entries(services, kind):
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
        found = [
            (index, json.loads(entry))
            for index, _, entry in leaves.entries(session, services.place.owner_id, 0, head.size)
        ]
    return [(index, document) for index, document in found if document["type"] == kind]


@pytest.fixture
def years(services):
    """Guests of 2026, one of them revoked by staff, and one of 2027."""
    services.clock.now = JANUARY
    done = [accept_as(services, f"Gjest {number}", f"02:00:00:00:00:{number:02x}") for number in range(7)]
    with services.database.write() as session:
        assert grants.revoke(session, services.place, done[3].grant_id, "it-ola", services.clock())
        record(session, services.place, "staff_login", {"method": "password", "result": "ok"},
               {"staff": "it-ola", "address": "10.0.9.9"}, services.clock())  # fmt: skip
    services.clock.now = JANUARY.replace(year=2027)
    done.append(accept_as(services, "Gjest av 2027", "02:00:00:00:00:00"))
    seal_all(services)
    return done


def test_nothing_goes_before_its_day(services, years):
    services.clock.now = datetime(2027, 6, 30, 21, 59, tzinfo=UTC)
    before = everything(services)
    finish(retention(services, staff_logins="3650 days"))
    assert everything(services) == before


def test_the_year_before_goes_on_the_first_of_july_in_batches(services, years, monkeypatch):
    monkeypatch.setattr(module, "BATCH_LEAVES", 3)
    services.clock.now = datetime(2027, 6, 30, 22, 0, tzinfo=UTC)
    finish(retention(services, staff_logins="3650 days"))
    text = everything(services)
    assert [f"Gjest {number}" for number in range(7) if f"Gjest {number}\n" in text] == []
    assert [item.receipt_code for item in years[:7] if item.receipt_code in text] == []
    assert "Gjest av 2027" in text
    assert "it-ola" in text
    assert "10.0.9.9" in text
    with services.database.read() as session:
        assert [row.id for row in session.query(Acceptance)] == [years[7].acceptance_id]
        assert [row.mac for row in session.query(Device)] == ["02:00:00:00:00:00"]
        assert (session.query(Visitor).count(), session.query(Grant).count(), session.query(AppliedGrant).count()) == (
            1,
            1,
            0,
        )
    seal_all(services)
    gone = [index for _, document in entries(services, "erased") for index in numbers(parse_ranges(document["leaves"]))]
    assert len(entries(services, "erased")) > 1
    assert {document["ground"] for _, document in entries(services, "erased")} == {"retention"}
    [(_, run)] = entries(services, "retention_run")
    assert run["erased"] == len(gone) == 8
    assert run["before"] == "2026-12-31T23:00:00.000Z"
    with services.database.read() as session:
        assert list(numbers(current_list(session, services.place).leaves)) == gone


def test_requests_for_exemptions_go_after_thirty_days_and_so_do_their_bytes(services):
    services.clock.now = JANUARY
    accept_as(services, "Kari Nordmann", "02:00:00:00:00:01")
    wanted = exemption_requests.Wanted("hemmelig-qzv.game.example", ("gaming",), "et kurs")
    with services.database.write() as session:
        phone = Neighbour("lo", "02:00:00:00:00:01")
        done = exemption_requests.ask(session, services.place, phone, wanted, services.clock())
        assert isinstance(done, exemption_requests.Asked)
        exemption_requests.decline(session, services.place, done.request_id, "it-ola", "nei", services.clock())
    seal_all(services)
    services.clock.now = JANUARY + timedelta(days=29)
    finish(retention(services))
    assert "hemmelig-qzv" in everything(services)
    services.clock.now = JANUARY + timedelta(days=31)
    service = retention(services)
    finish(service)
    service.poll()
    assert "hemmelig-qzv" not in everything(services)
    assert "Kari Nordmann" in everything(services)
    if services.database.is_sqlite:
        path = services.database.sqlite_path
        assert all(b"hemmelig-qzv" not in each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


def test_a_second_run_finds_nothing_and_bytes_are_wiped(services, years):
    services.clock.now = datetime(2027, 7, 1, 3, tzinfo=UTC)
    service = retention(services)
    finish(service)
    seal_all(services)
    services.clock.advance(timedelta(minutes=2))
    service._wipe_at = 0.0
    service.poll()
    with services.database.read() as session:
        assert erasures.unwiped(session, services.place.owner_id) == []
        listed = current_list(session, services.place)
    assert parse_erasure_list((services.settings.state / "erasure-list.txt").read_bytes()).leaves == listed.leaves
    before = everything(services)
    finish(retention(services))
    services.clock.advance(timedelta(days=1))
    finish(retention(services))
    assert everything(services) == before


def test_two_at_once_erase_each_leaf_once(services, years):
    services.clock.now = datetime(2027, 7, 1, 3, tzinfo=UTC)
    one, other = retention(services), retention(services)
    with services.database.read() as session:
        batch = module.persons.disclosing(session, services.place.owner_id, 0, 200)
    over = module.cutoffs(services.settings.privacy, services.clock())
    due = [leaf for leaf in batch if module._expired(leaf, over)]
    assert one._erase(due, over) == len(due) > 0
    assert other._erase(due, over) == 0


def test_who_is_online_is_not_erased_before_that_ends(services):
    services.clock.now = datetime(2026, 12, 31, 20, tzinfo=UTC)
    accept_as(services, "Nattevakt", "02:00:00:00:00:05")
    seal_all(services)
    services.clock.now = datetime(2027, 1, 1, 2, tzinfo=UTC)
    finish(retention(services, acceptances="until 01-01"))
    assert "Nattevakt" in everything(services)
    services.clock.advance(timedelta(hours=10))
    finish(retention(services, acceptances="until 01-01"))
    assert "Nattevakt" not in everything(services)


def test_an_admitted_device_goes_with_its_leaf_and_not_while_it_is_let_in(services):
    services.clock.now = JANUARY
    admit_device(services, "02:00:00:00:00:0c", days=200)
    accept_as(services, "Gjest på skjermen", "02:00:00:00:00:0c")
    seal_all(services)
    services.clock.advance(timedelta(days=100))
    finish(retention(services, acceptances="90 days"))
    text = everything(services)
    assert "Gjest på skjermen" not in text
    assert "Nybø skule" in text
    assert "02:00:00:00:00:0c" in text
    services.clock.advance(timedelta(days=101))
    finish(retention(services, acceptances="90 days"))
    text = everything(services)
    assert "Nybø skule" not in text
    assert "02:00:00:00:00:0c" not in text
    with services.database.read() as session:
        assert (session.query(Device).count(), session.query(Grant).count()) == (0, 0)


def test_names_of_staff_go_last_from_leaves_and_tables(services):
    services.clock.now = JANUARY
    with services.database.write() as session:
        policy.set_category(session, services.place, "default", "gaming", closed=False, now=services.clock())
        policy.publish(session, services.place, "it-ola", "spill er greit", services.clock())
        record(session, services.place, "staff_login", {"method": "password", "result": "ok"},
               {"staff": "it-ola", "address": "10.0.9.9"}, services.clock())  # fmt: skip
        session.add(
            OperationalSetting(
                owner_id=services.place.owner_id, key="owner.unit", value="IKT", changed_by="it-ola",
                changed_at=services.clock(),
            )
        )  # fmt: skip
    seal_all(services)
    services.clock.now = JANUARY + timedelta(days=366)
    finish(retention(services))
    assert "10.0.9.9" not in everything(services)
    assert "it-ola" in everything(services)
    services.clock.now = JANUARY + timedelta(days=1827)
    finish(retention(services))
    text = everything(services)
    assert "it-ola" not in text
    assert "spill er greit" not in text
    with services.database.read() as session:
        assert {(row.published_by, row.note) for row in session.query(PolicyGeneration).filter_by(generation=2)} == {
            ("", "")
        }
        assert session.query(Disclosure).filter(Disclosure.name == "staff").count() == 0


def test_a_name_of_staff_never_goes_before_what_it_belongs_to():
    at = JANUARY
    over = Cutoffs(acceptances=at, staff_logins=at, staff_names=at + timedelta(days=1))
    assert expired("grant_moved", at, ["by", "mac"], over) == frozenset()
    assert expired("export", at, ["staff", "purpose"], over) == {"staff", "purpose"}
    over = Cutoffs(acceptances=at + timedelta(days=1), staff_logins=at, staff_names=at)
    assert expired("export", at, ["staff", "filter", "purpose"], over) == {"filter", "purpose"}
    assert expired("grant_moved", at, ["by", "mac"], over) == {"mac"}
    assert expired("staff_login", at - timedelta(1), ["staff", "address"], over) == {"staff", "address"}
