"""Accepting: one transaction with acceptance, leaf and grant, or nothing."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gateway.access.accept import Accepted, Applicant, Refused, accept
from gateway.access.grants import revoke, sign_off
from gateway.access.receipts import format_receipt_code, parse_receipt_code
from gateway.access.status import device_status
from gateway.audit.canonical import decode
from gateway.clock import utc_now
from gateway.link.neighbours import Neighbour
from gateway.storage import grants, rules
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Acceptance, Grant
from gateway.terms.publish import publish

PHONE = Neighbour("lo", "02:00:00:00:00:01")
KARI = Applicant("Kari Nordmann", organisation="Studieforbundet")


def submit(services, *, device=PHONE, applicant=KARI, version_id=None, language="nb", interface=None):
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        return accept(
            session,
            services.place,
            device,
            applicant,
            version_id=version_id or version.id,
            language=language,
            address="10.77.0.50",
            duration=timedelta(hours=10),
            now=services.clock(),
        )


def count(services, model):
    with services.database.read() as session:
        return session.scalar(select(func.count()).select_from(model))


def test_acceptance_leaf_and_grant_are_written_together(services):
    before = count(services, StagedLeaf)
    result = submit(services)
    assert isinstance(result, Accepted)
    assert not result.repeated
    assert result.ends_at == services.clock() + timedelta(hours=10)
    assert (count(services, Acceptance), count(services, Grant), count(services, StagedLeaf)) == (1, 1, before + 1)


def test_leaf_holds_no_personal_value_in_clear(services):
    result = submit(services)
    with services.database.read() as session:
        acceptance = session.get(Acceptance, result.acceptance_id)
        entry = session.scalars(select(StagedLeaf.entry).where(StagedLeaf.leaf_id == acceptance.leaf_id)).one()
        personal = session.scalars(select(Disclosure).where(Disclosure.leaf_id == acceptance.leaf_id)).all()
    assert {row.name for row in personal} == {"name", "organisation", "mac", "address", "receipt"}
    for row in personal:
        assert row.value.encode() not in entry
    document = decode(entry)
    assert document["type"] == "acceptance"
    assert document["rules"]["text_sha256"] == acceptance.text_sha256
    assert len(document["personal"]) == 5


def test_second_submit_of_the_same_device_gives_the_standing_grant(services):
    first, second = submit(services), submit(services)
    assert second.repeated
    assert (second.grant_id, second.receipt_code) == (first.grant_id, first.receipt_code)
    assert count(services, Acceptance) == 1


def test_two_submits_at_once_make_one_acceptance(services):
    results, barrier = [], threading.Barrier(2)

    def run():
        barrier.wait()
        results.append(submit(services))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {result.grant_id for result in results} == {results[0].grant_id}
    assert count(services, Acceptance) == count(services, Grant) == 1


def test_another_version_than_the_one_in_force_is_refused(services):
    assert submit(services, version_id="0" * 32) == Refused("rules_changed")
    assert submit(services, language="xx") == Refused("rules_changed")
    assert count(services, Grant) == 0


def test_device_on_an_unknown_interface_is_refused(services):
    assert submit(services, device=Neighbour("eth9", PHONE.mac)) == Refused("unknown_network")


def test_new_rules_are_accepted_anew_and_replace_the_grant(services, clock):
    first = submit(services)
    clock.advance(timedelta(hours=1))
    with services.database.write() as session:
        publish(
            session, services.place, {"nb": "# Nye regler\n\nVær snill."}, label="2.0", adopting_body="Kommunestyret",
            adopted_on=None, case_number="26/1", binding_language="nb", next_review_on=None, published_by="it",
            now=clock(),
        )  # fmt: skip
    second = submit(services)
    assert second.grant_id != first.grant_id
    with services.database.read() as session:
        assert session.get(Grant, first.grant_id).revoked_at == clock()


def test_status_says_online_only_once_a_gateway_applied_the_grant(services):
    with services.database.read() as session:
        assert device_status(session, services.place, PHONE, services.clock()).state == "not_accepted"
    result = submit(services)
    with services.database.read() as session:
        assert device_status(session, services.place, PHONE, services.clock()).state == "accepted"
    with services.database.write() as session:
        grants.record_applied(session, services.place.gateway_id, [result.grant_id], [], services.clock())
    with services.database.read() as session:
        status = device_status(session, services.place, PHONE, services.clock())
    assert (status.state, status.receipt_code) == ("online", result.receipt_code)


def test_grant_ends_with_its_time(services, clock):
    submit(services)
    clock.advance(timedelta(hours=10))
    with services.database.read() as session:
        assert device_status(session, services.place, PHONE, clock()).state == "not_accepted"


def test_sign_off_ends_it_and_says_when_there_was_none(services):
    submit(services)
    with services.database.write() as session:
        assert sign_off(session, services.place, PHONE, services.clock())
    with services.database.write() as session:
        assert not sign_off(session, services.place, PHONE, services.clock())


def test_revocation_by_staff_is_a_leaf(services):
    result = submit(services)
    leaves_before = count(services, StagedLeaf)
    with services.database.write() as session:
        assert revoke(session, services.place, result.grant_id, "ola", services.clock())
        assert not revoke(session, services.place, result.grant_id, "ola", services.clock())
        assert not revoke(session, services.place, "0" * 32, "ola", services.clock())
    assert count(services, StagedLeaf) == leaves_before + 1


def test_failed_transaction_leaves_nothing(services):
    class Interrupted(Exception):
        pass

    before = count(services, StagedLeaf)
    with pytest.raises(Interrupted), services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        accept(
            session, services.place, PHONE, KARI, version_id=version.id, language="nb", address="10.77.0.50",
            duration=timedelta(hours=1), now=services.clock(),
        )  # fmt: skip
        raise Interrupted
    assert (count(services, Acceptance), count(services, Grant), count(services, StagedLeaf)) == (0, 0, before)


def test_receipt_codes_are_read_as_people_write_them(services):
    code = submit(services).receipt_code
    assert parse_receipt_code(format_receipt_code(code).lower()) == code
    assert parse_receipt_code(code.replace("0", "o").replace("1", "l")) == code
    assert parse_receipt_code(code[:-1]) is None
    assert parse_receipt_code("U" * 16) is None
