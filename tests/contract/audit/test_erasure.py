"""Erasing a person on both databases: exactly what the plan says goes, with its leaf, and everything else stays."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.access import blocking, erasure, grants, subject
from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.admission import Admitted, admit
from gateway.access.admission import Device as Admitting
from gateway.access.subject_page import page
from gateway.audit import merkle
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import numbers, parse_ranges
from gateway.audit.periods import parse_period
from gateway.audit.receipt import make_receipt, parse_receipt, verify_receipt
from gateway.audit.sealer import seal_staged
from gateway.clock import utc_now
from gateway.installation import read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as policy
from gateway.storage import blocks, erasures, leaves, persons, rules
from gateway.storage import grants as stored
from gateway.storage.base import Base
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, Device, Grant, Visitor


def accept_as(services, name, mac, *, contact="", course=""):
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        done = accept(
            session, services.place, Neighbour("lo", mac), Applicant(name, "Kurs AS", contact, course),
            version_id=version.id, language="nb", address="10.77.0.9", duration=timedelta(hours=10),
            now=services.clock(),
        )  # fmt: skip
    assert isinstance(done, Accepted)
    return done


def admit_device(services, mac, *, days=200, unit="Nybø skule", reason="skjerm i salen"):
    with services.database.write() as session:
        done = admit(
            session, services.place, Admitting(mac, unit, reason), interface="lo", group_key=None,
            until=services.clock() + timedelta(days=days), by="it-ola", now=services.clock(),
        )  # fmt: skip
    assert isinstance(done, Admitted)
    return done


def seal_all(services):
    signer, place = read_signing_key(services.settings), services.place
    while seal_staged(services.database, place.owner_id, place.log_origin, signer, services.clock()):
        pass


def planned(services, **wanted):
    with services.database.read() as session:
        search, now = erasure.Wanted(**wanted), services.clock()
        found = erasure.find(session, services.place, search, now)
        admissions = erasure.find_admissions(session, services.place, search, now)
        blocked = erasure.find_blocked(session, services.place, search, now)
        return erasure.plan(session, services.place, [item.acceptance_id for item in found], now, admissions, blocked)


def erase(services, plan, reason="Krav etter artikkel 17"):
    with services.database.write() as session:
        return erasure.erase(session, services.place, plan, "it-ola", reason, services.clock())


def everything(services):
    """Every value of every table, as text."""
    found = []
    with services.database.read() as session:
        for table in Base.metadata.sorted_tables:
            found += [str(value) for row in session.execute(table.select()) for value in row]
    return "\n".join(found)


@pytest.fixture
def people(services):
    """Kari on her own phone and on the course's laptop, which Per has used too; Kari's grant was moved by IT."""
    kari = accept_as(services, "Kari Nordmann", "02:00:00:00:00:01", contact="kari@eksempel.no", course="K-1")
    laptop = accept_as(services, "Kari Nordmann", "02:00:00:00:00:0a", contact="kari@eksempel.no")
    services.clock.advance(timedelta(hours=11))
    per = accept_as(services, "Per Åsen", "02:00:00:00:00:0a", contact="per@eksempel.no", course="k-1")
    own = accept_as(services, "Per Åsen", "02:00:00:00:00:02", contact="per@eksempel.no")
    kari_now = accept_as(services, "Kari Nordmann", "02:00:00:00:00:01", contact="kari@eksempel.no")
    with services.database.write() as session:
        assert grants.revoke(session, services.place, kari_now.grant_id, "it-ola", services.clock())
        assert grants.revoke(session, services.place, per.grant_id, "it-ola", services.clock())
    seal_all(services)
    return {"kari": kari, "laptop": laptop, "per": per, "own": own, "kari_now": kari_now}


def test_people_are_found_by_each_thing_they_can_name(services, people):
    now = services.clock()

    def found(**wanted):
        with services.database.read() as session:
            return {item.acceptance_id for item in erasure.find(session, services.place, erasure.Wanted(**wanted), now)}

    kari = {people[key].acceptance_id for key in ("kari", "laptop", "kari_now")}
    assert found(name="kari nord") == kari
    assert found(name="ÅSEN") == {people["per"].acceptance_id, people["own"].acceptance_id}
    assert found(contact="KARI@") == kari
    assert found(mac="02:00:00:00:00:0a") == {people["laptop"].acceptance_id, people["per"].acceptance_id}
    assert found(receipt=people["own"].receipt_code) == {people["own"].acceptance_id}
    assert found(course_code="K-1") == {people["kari"].acceptance_id, people["per"].acceptance_id}
    assert found(name="kari", course_code="k-1") == {people["kari"].acceptance_id}
    assert found() == set()
    assert found(name="Nobody") == set()


def test_the_plan_says_what_goes_and_what_stays(services, people):
    plan = planned(services, contact="kari@")
    assert plan.devices == ("02:00:00:00:00:01",)
    assert plan.shared == ("02:00:00:00:00:0a",)
    kinds = sorted(erasure.kind_of(leaf) for leaf in plan.leaves)
    assert kinds == ["acceptance", "acceptance", "acceptance", "grant_revoked"]
    assert {item.acceptance_id for item in plan.also} == {people["per"].acceptance_id}
    assert plan.unsealed == 0


def test_erasing_takes_her_out_of_every_table_and_nobody_else(services, people):
    before = everything(services)
    gone = [
        "Kari Nordmann",
        "kari@eksempel.no",
        "02:00:00:00:00:01",
        *(people[k].receipt_code for k in ("kari", "laptop")),
    ]
    assert all(value in before for value in gone)
    plan = planned(services, name="Kari Nordmann")
    done = erase(services, plan)
    assert isinstance(done, erasure.Erased)
    after = everything(services)
    assert [value for value in gone if value in after] == []
    assert [mark for mark in erasure.marks(plan) if mark.decode() in after] == []
    assert all(value in after for value in ("Per Åsen", "02:00:00:00:00:0a", people["per"].receipt_code, "it-ola"))
    with services.database.read() as session:
        assert {row.id for row in session.query(Acceptance)} == {
            people["per"].acceptance_id,
            people["own"].acceptance_id,
        }
        assert session.query(Visitor).count() == 2
        assert {row.mac for row in session.query(Device)} == {"02:00:00:00:00:0a", "02:00:00:00:00:02"}
        assert session.query(Grant).count() == 2
        revoked = [
            row for row in persons.by_index(session, services.place.owner_id, 0, 50) if b"grant_revoked" in row.entry
        ]
    assert sorted(sorted(leaf.values) for leaf in revoked) == [["by"], ["by", "mac"]]


def test_the_leaf_names_exactly_the_leaves_and_so_does_the_list(services, people):
    plan = planned(services, name="Kari Nordmann")
    erase(services, plan)
    seal_all(services)
    with services.database.read() as session:
        head = leaves.find_head(session, services.place.owner_id)
        *_, (_, leaf_id, entry) = leaves.entries(session, services.place.owner_id, 0, head.size)
        document = json.loads(entry)
        assert (document["type"], document["ground"]) == ("erased", "request")
        assert list(numbers(parse_ranges(document["leaves"]))) == sorted(plan.numbers)
        values = leaves.disclosures(session, [leaf_id])[leaf_id]
        assert {name: value for name, (_, value) in values.items()} == {
            "by": "it-ola",
            "reason": "Krav etter artikkel 17",
        }
        listed = current_list(session, services.place)
        assert (listed.origin, listed.size) == (services.place.log_origin, head.size)
        assert list(numbers(listed.leaves)) == sorted(plan.numbers)


def test_a_receipt_of_before_verifies_after_and_so_does_every_proof(services, people):
    key = read_signing_key(services.settings).verifier

    def receipts():
        with services.database.read() as session:
            owner = services.place.owner_id
            head = leaves.find_head(session, owner)
            rows = list(leaves.entries(session, owner, 0, head.size))
            node = lambda level, index: leaves.node(session, owner, level, index)  # noqa: E731
            return [
                (entry, make_receipt(index, head.size, node, head.checkpoint.encode()).encode())
                for index, _, entry in rows
            ]

    before = receipts()
    erase(services, planned(services, name="Kari"))
    seal_all(services)
    for entry, file in [*before, *receipts()]:
        verify_receipt(parse_receipt(file), entry, (key,))
    with services.database.read() as session:
        owner = services.place.owner_id
        node = lambda level, index: leaves.node(session, owner, level, index)  # noqa: E731
        size = leaves.find_head(session, owner).size
        assert merkle.consistency_proof(len(before), size, node)


def test_what_waits_to_be_sealed_is_not_erased(services, people):
    accept_as(services, "Kari Nordmann", "02:00:00:00:00:77", contact="kari@eksempel.no")
    plan = planned(services, name="Kari")
    assert plan.unsealed == 1
    before = everything(services)
    assert erase(services, plan) == erasure.NotErased("unsealed")
    assert everything(services) == before


@pytest.mark.parametrize("change", ["another", "revoked", "gone"])
def test_a_plan_that_no_longer_fits_erases_nothing(services, people, change):
    plan = planned(services, contact="per@")
    if change == "another":
        services.clock.advance(timedelta(hours=11))
        accept_as(services, "Lise Lund", "02:00:00:00:00:02")
    elif change == "revoked":
        with services.database.write() as session:
            assert grants.revoke(session, services.place, people["own"].grant_id, "it-ola", services.clock())
    else:
        erase(services, planned(services, receipt=people["own"].receipt_code))
    before = everything(services)
    assert erase(services, plan) == erasure.NotErased("changed")
    assert everything(services) == before


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("  ", "no_reason"),
        ("Brev fra kari nordmann", "reason_names_them"),
        ("ring kari@eksempel.no", "reason_names_them"),
    ],
)
def test_the_reason_is_given_and_does_not_name_them(services, people, reason, answer):
    assert erase(services, planned(services, name="Kari"), reason) == erasure.NotErased(answer)
    assert "Kari Nordmann" in everything(services)


def test_nobody_is_nobody(services):
    assert erase(services, planned(services, name="Ingen")) == erasure.NotErased("nobody")


def test_free_text_of_staff_that_names_them_goes_and_what_cannot_is_named(services, people):
    place = services.place
    with services.database.write() as session:
        policy.set_category(session, place, "default", "gaming", closed=False, now=services.clock())
        number = policy.publish(session, place, "it-ola", "etter klage fra Kari Nordmann", services.clock())
    with services.database.write() as session:
        document = policy.draft(session, place)
        document["exemptions"] = [
            {"id": "e1", "group": "default", "categories": ["gaming"], "from": "2026-11-22T08:00:00+00:00",
             "until": "2026-12-22T08:00:00+00:00", "approved_by": "ola", "reason": "Kari Nordmann skal holde kurs"}
        ]  # fmt: skip
        policy.save_draft(session, place, document, services.clock())
        exempted = policy.publish(session, place, "it-ola", "unntak", services.clock())
    seal_all(services)
    plan = planned(services, name="Kari")
    assert plan.notes == (number,)
    assert plan.documents == (exempted,)
    assert [(item.type, item.field) for item in plan.texts] == [
        ("policy_published", "note"),
        ("exemption_changed", "reason"),
    ]
    erase(services, plan)
    with services.database.read() as session:
        row = session.execute(
            text("SELECT note, published_by FROM policy_generation WHERE generation = :n"), {"n": number}
        )
        assert row.one() == ("", "it-ola")
        rows = session.query(Disclosure).filter(Disclosure.name == "note").all()
        assert all("Kari" not in one.value for one in rows)


def test_an_enforcer_that_reports_an_erased_grant_goes_on(services, people):
    with services.database.read() as session:
        gateway_id = services.place.gateway_id
    erase(services, planned(services, contact="per@"))
    with services.database.write() as session:
        stored.record_applied(session, gateway_id, [people["own"].grant_id], [people["per"].grant_id], services.clock())
    with services.database.read() as session:
        assert stored.grants_of_gateway(session, gateway_id, services.clock()) == []


def test_wiping_says_that_it_is_done(services, people):
    plan = planned(services, name="Kari")
    erase(services, plan)
    with services.database.read() as session:
        pending = [leaf_id for leaf_id, _ in erasures.unwiped(session, services.place.owner_id)]
    assert len(pending) == 1
    assert erasures.wipe(services.database, erasure.marks(plan)) is None
    erasures.mark_wiped(services.database, pending, services.clock())
    with services.database.read() as session:
        assert erasures.unwiped(session, services.place.owner_id) == []


SCREEN = "02:00:00:00:00:0c"


def test_a_guest_on_a_device_that_staff_let_in_goes_and_the_device_stays(services):
    let_in = admit_device(services, SCREEN)
    accept_as(services, "Kari Nordmann", SCREEN)
    seal_all(services)
    plan = planned(services, name="Kari")
    assert (plan.devices, plan.shared, plan.admissions) == ((), (SCREEN,), ())
    assert isinstance(erase(services, plan), erasure.Erased)
    assert erasures.wipe(services.database, erasure.marks(plan)) is None
    text_left = everything(services)
    assert "Kari Nordmann" not in text_left
    assert "Nybø skule" in text_left
    with services.database.read() as session:
        assert [grant.id for grant in session.query(Grant)] == [let_in.grant_id]


def test_an_admission_that_has_ended_goes_with_the_guest_of_the_device(services):
    admit_device(services, SCREEN, days=1)
    services.clock.advance(timedelta(days=2))
    accept_as(services, "Kari Nordmann", SCREEN)
    seal_all(services)
    plan = planned(services, name="Kari")
    assert plan.devices == (SCREEN,)
    assert [item.unit for item in plan.admissions] == ["Nybø skule"]
    assert isinstance(erase(services, plan), erasure.Erased)
    assert erasures.wipe(services.database, erasure.marks(plan)) is None
    assert SCREEN not in everything(services)


def test_a_device_that_was_only_let_in_is_found_and_erased_by_its_address(services):
    admit_device(services, SCREEN)
    admit_device(services, "02:00:00:00:00:0d", unit="Kari Nordmann, lærer")
    accept_as(services, "Kari Nordmann", "02:00:00:00:00:01")
    seal_all(services)
    plan = planned(services, mac=SCREEN)
    assert (plan.held, plan.devices, len(plan.numbers)) == ((), (SCREEN,), 1)
    assert isinstance(erase(services, plan, reason=f"Krav om {SCREEN}"), erasure.NotErased)
    assert isinstance(erase(services, plan), erasure.Erased)
    assert erasures.wipe(services.database, erasure.marks(plan)) is None
    assert SCREEN not in everything(services)
    with services.database.read() as session:
        assert session.query(Grant).count() == 2
    named = planned(services, name="Kari")
    assert named.devices == ("02:00:00:00:00:01", "02:00:00:00:00:0d")
    assert [item.unit for item in named.admissions] == ["Kari Nordmann, lærer"]
    assert isinstance(erase(services, named), erasure.Erased)
    text_left = everything(services)
    assert "Kari Nordmann" not in text_left
    assert "02:00:00:00:00:0d" not in text_left


def test_a_device_let_in_after_the_plan_was_made_is_seen(services):
    accept_as(services, "Kari Nordmann", SCREEN)
    seal_all(services)
    plan = planned(services, name="Kari")
    admit_device(services, SCREEN)
    assert erase(services, plan) == erasure.NotErased("changed")


def keep_out(services, mac, reason="spammer skriverne"):
    with services.database.write() as session:
        wish = blocking.Wish(mac, reason, "Ring IKT")
        done = blocking.block(
            session, services.place, wish, keep=parse_period("90 days"), by="it", now=services.clock()
        )
    assert isinstance(done, blocking.Blocked)


def test_what_keeps_a_persons_device_out_goes_with_it_and_the_plan_says_so(services):
    accept_as(services, "Kari Nordmann", "02:00:00:00:00:11")
    keep_out(services, "02:00:00:00:00:11")
    seal_all(services)
    plan = planned(services, name="Kari Nordmann")
    assert [(item.mac, item.reason, item.told) for item in plan.blocks] == [
        ("02:00:00:00:00:11", "spammer skriverne", "Ring IKT")
    ]
    with services.database.read() as session:
        found = subject.document(
            session,
            services.place,
            [item.acceptance_id for item in plan.held],
            parse_period("90 days"),
            services.clock(),
            owner_name="Kommunen",
        )
    assert [item["reason"] for item in found["blocks"]] == ["spammer skriverne"]
    assert "spammer skriverne" in page(found, "nb")
    assert isinstance(erase(services, plan), erasure.Erased)
    with services.database.read() as session:
        assert blocks.in_force(session, services.place.owner_id, services.clock()) == []
        left = {row.value for row in session.query(Disclosure)}
    assert not left & {"02:00:00:00:00:11", "spammer skriverne", "Ring IKT"}


def test_a_block_of_a_device_that_nobody_accepted_on_is_erased_by_its_address(services):
    keep_out(services, "02:00:00:00:00:12")
    seal_all(services)
    plan = planned(services, mac="02:00:00:00:00:12")
    assert plan.held == ()
    assert plan.devices == ("02:00:00:00:00:12",)
    assert isinstance(erase(services, plan), erasure.Erased)
    with services.database.read() as session:
        assert session.query(Device).filter_by(mac="02:00:00:00:00:12").count() == 0
        assert session.query(Disclosure).filter_by(value="02:00:00:00:00:12").count() == 0


def test_a_block_of_a_shared_device_stays(services):
    accept_as(services, "Kari Nordmann", "02:00:00:00:00:13")
    with services.database.write() as session:
        assert grants.sign_off(session, services.place, Neighbour("lo", "02:00:00:00:00:13"), services.clock())
    accept_as(services, "Per Hansen", "02:00:00:00:00:13")
    keep_out(services, "02:00:00:00:00:13")
    seal_all(services)
    plan = planned(services, name="Kari Nordmann")
    assert plan.blocks == ()
    assert isinstance(erase(services, plan), erasure.Erased)
    with services.database.read() as session:
        assert len(blocks.in_force(session, services.place.owner_id, services.clock())) == 1
