"""Everything that matters is a leaf: each named event stages its leaf in the transaction of the change, and a leaf that
fails fails the change, on both databases.

A new event is a new row of `EVENTS`: how it comes about, and the types of the leaves it stages, in order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import inspect, text

import gateway.audit.record
from captive_portal.auth import accounts, sessions
from captive_portal.auth.passwords import hash_password
from gateway.access import courses, exemption_requests, host_requests
from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.admission import Device, admit
from gateway.access.blocking import Wish as DeviceToBlock
from gateway.access.blocking import block, unblock
from gateway.access.course_plan import Wish
from gateway.access.extension import Durations
from gateway.access.grants import extend, move, revoke, sign_off
from gateway.access.lengthening import lengthen
from gateway.access.outages import Wish as Switch
from gateway.access.outages import restore, switch
from gateway.audit.export import Order, export
from gateway.audit.periods import parse_period
from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.lists import generations
from gateway.settings import now as settings_now
from gateway.settings.operational import OPERATIONAL
from gateway.storage import grants, outages, rules
from gateway.storage.course_models import Course, HostRequest
from gateway.storage.engine import Session
from gateway.storage.rules_draft_models import RulesDraft
from gateway.storage.rules_wait_models import RulesProposal
from gateway.storage.staff_models import Staff
from gateway.terms import drafting, proposing
from gateway.terms import publish as terms
from gateway.terms.coming import withdraw
from gateway.terms.draft import Draft
from gateway.terms.drafting import Choice, publish_now
from gateway.terms.proposing import Person
from tests.crash.operations import seal_all

MAC, PROJECTOR = "02:00:00:00:00:01", "02:00:00:00:00:02"
Event = Callable[[Services, Path], object]


def accepting(services: Services, _folder: Path) -> object:
    with services.database.write() as session:
        version = rules.version_in_force(session, services.place.owner_id, now=utc_now())
        assert version is not None
        done = accept(
            session,
            services.place,
            Neighbour("lo", PROJECTOR),
            Applicant("Kari Nordmann"),
            version_id=version.id,
            language="nb",
            address="192.0.2.1",
            duration=timedelta(hours=1),
            now=services.clock(),
        )
    assert isinstance(done, Accepted)
    return done


def publishing_rules(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        terms.publish(
            session,
            services.place,
            terms.starter_texts(),
            label="2027-1",
            adopting_body="",
            adopted_on=None,
            case_number="",
            binding_language="nb",
            next_review_on=None,
            published_by="ola",
            now=services.clock(),
        )


def withdrawing_rules(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        now, place = services.clock(), services.place
        choice = Choice(now + timedelta(days=1), ask_again=True)
        publish_now(session, place, "", Draft({"nb": "# Nye"}, "2027-2", "nb"), choice, by="ola", now=now)
        assert withdraw(session, place, "2027-2", "ola", now) == "done"


def proposing_rules(services: Services, _folder: Path) -> RulesProposal:
    with services.database.write() as session:
        now, place = services.clock(), services.place
        row = drafting.keep(session, place, "", Draft({"nb": "# Nye"}, "2027-3", "nb"), "", by="ola", now=now)
        assert isinstance(row, RulesDraft)
        choice = Choice(now + timedelta(days=1), ask_again=True)
        ola = session.query(Staff).filter_by(username="ola").one()
        done = proposing.propose(
            session, place, "", row.edition, languages=("nb",), choice=choice, by=Person(ola.id, "ola"), now=now
        )
        assert isinstance(done, RulesProposal)
        return done


def withdrawing_a_proposal(services: Services, folder: Path) -> None:
    proposal = proposing_rules(services, folder)
    with services.database.write() as session:
        now = services.clock()
        assert proposing.take_back(session, services.place, "", proposal.sha256, by="kari", now=now)


def publishing_a_policy(services: Services, _folder: Path, exemption: Mapping[str, object] | None = None) -> None:
    with services.database.write() as session:
        document = deepcopy(generations.draft(session, services.place))
        document["groups"]["default"]["closed"] = ["malware"]
        document["exemptions"] += [exemption] if exemption else []
        generations.save_draft(session, services.place, document, services.clock())
        generations.publish(session, services.place, "ola", "", services.clock())


def publishing_an_exemption(services: Services, folder: Path) -> None:
    exemption = {
        "id": "e1",
        "group": "default",
        "categories": ["gaming"],
        "from": "2026-12-01T08:00:00+01:00",
        "until": "2026-12-01T16:00:00+01:00",
        "approved_by": "Kari Nordmann",
        "reason": "course",
    }
    publishing_a_policy(services, folder, exemption)


def rolling_a_policy_back(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        generations.rollback(session, services.place, 1, "ola", "", services.clock())


def admitting(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        until = services.clock() + timedelta(days=9)
        device = Device(PROJECTOR, "Nybø skule", "projector")
        admit(
            session,
            services.place,
            device,
            interface="lo",
            group_key=None,
            until=until,
            by="ola",
            now=services.clock(),
        )


def blocking(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        wish = DeviceToBlock(MAC, "spams", "Ring IKT")
        block(session, services.place, wish, keep=parse_period("90 days"), by="ola", now=services.clock())


def unblocking(services: Services, folder: Path) -> None:
    blocking(services, folder)
    with services.database.write() as session:
        assert unblock(session, services.place, MAC, "ola", services.clock())


def switching(services: Services, _folder: Path) -> None:
    now = services.clock()
    with services.database.write() as session:
        [network] = outages.networks(session, services.place.owner_id, now)
        wish = Switch("closed", "water", now + timedelta(hours=1), {"nb": "Stengt"})
        assert switch(session, services.place, network.id, wish, by="ola", now=now) is None


def switching_back(services: Services, folder: Path) -> None:
    switching(services, folder)
    with services.database.write() as session:
        [network] = outages.networks(session, services.place.owner_id, services.clock())
        assert restore(session, services.place, network.id, by="ola", now=services.clock())


def revoking(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        [grant] = grants.open_grants(session, services.place.owner_id, services.clock())
        assert revoke(session, services.place, grant.id, "ola", services.clock())


def extending(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        [grant] = grants.open_grants(session, services.place.owner_id, services.clock())
        durations = Durations(timedelta(hours=2), {}, timedelta(hours=9))
        assert extend(session, services.place, Neighbour("lo", MAC), grant.id, durations, services.clock())


def lengthening(services: Services, _folder: Path) -> None:
    now = services.clock()
    with services.database.write() as session:
        [grant] = grants.open_grants(session, services.place.owner_id, now)
        until = grant.ends_at + timedelta(minutes=5)
        assert lengthen(session, services.place, grant.id, until, by="ola", longest=timedelta(days=2), now=now) == until


def signing_off(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        assert sign_off(session, services.place, Neighbour("lo", MAC), services.clock())


def moving(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        [grant] = grants.open_grants(session, services.place.owner_id, services.clock())
        move(session, services.place, grant.id, "course", "ola", services.clock())


WISH = Wish("Excel", "Nybø skule", None, None, "default", 60)


def making_a_course(services: Services, _folder: Path) -> Course:
    now = services.clock()
    wish = replace(WISH, starts_at=now, ends_at=now + timedelta(hours=5))
    with services.database.write() as session:
        made = courses.add(session, services.place, wish, ("default",), by="ola", now=now)
    assert isinstance(made, Course)
    return made


def changing_a_course(services: Services, _folder: Path) -> None:
    now = services.clock()
    wish = replace(WISH, starts_at=now, ends_at=now + timedelta(hours=2), max_devices=5)
    with services.database.write() as session:
        [course] = session.query(Course)
        hour = timedelta(hours=1)
        courses.change(session, services.place, course.id, wish, ("default",), by="ola", duration=hour, now=now)


def ending_a_course(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        [course] = session.query(Course)
        assert isinstance(
            courses.end(session, services.place, course.id, by="ola", now=services.clock()), courses.Ended
        )


def a_host_answering(services: Services, said: Literal["approved", "denied"]) -> None:
    with services.database.write() as session:
        [request] = session.query(HostRequest)
        host_requests.answer(
            session, services.place, request.id, said, durations=Durations(timedelta(hours=1)), now=services.clock()
        )


def exporting(services: Services, folder: Path) -> None:
    now = services.clock()
    order = Order(now - timedelta(days=1), now + timedelta(days=1), "revisor", "control")
    keys = (read_signing_key(services.settings).verifier,)
    export(services.database, services.place, keys, order, folder / "bundle.zip", now)


def _requested(session: Session, services: Services) -> str:
    wanted = exemption_requests.Wanted("www.game.example", ("gaming",), "a lesson")
    done = exemption_requests.ask(session, services.place, Neighbour("lo", MAC), wanted, services.clock())
    assert isinstance(done, exemption_requests.Asked)
    return done.request_id


def granting(services: Services, _folder: Path) -> None:
    now = services.clock()
    with services.database.write() as session:
        request = _requested(session, services)
        exemption_requests.grant(
            session, services.place, request, "it", "yes", scope="session", until=now + timedelta(hours=1), now=now
        )


def declining(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        request = _requested(session, services)
        exemption_requests.decline(session, services.place, request, "it", "no", services.clock())


def adding_staff(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        accounts.add_account(session, services.place, "ny", "auditor", services.clock(), by="ola")


def changing_a_setting(services: Services, _folder: Path) -> None:
    setting, now = OPERATIONAL["owner.unit"], services.clock()
    with services.database.write() as session:
        settings_now.change(session, services.place, services.settings, setting, "Digitalisering", by="ola", now=now)


def resetting_staff(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        accounts.reset_account(session, services.place, "ola", services.clock(), by="ola")


def signing_in(services: Services, _folder: Path) -> None:
    with services.database.write() as session:
        account = session.query(Staff).filter_by(username="ola").one()
        sessions.sign_in(session, services.place, account, address="192.0.2.9", previous="", now=services.clock())


EVENTS: Mapping[str, tuple[Event, tuple[str, ...]]] = {
    "acceptance": (accepting, ("acceptance",)),
    "rules published": (publishing_rules, ("rules_published",)),
    "rules proposed": (proposing_rules, ("rules_proposed",)),
    "proposal withdrawn": (withdrawing_a_proposal, ("rules_proposed", "rules_proposed")),
    "rules withdrawn": (withdrawing_rules, ("rules_published", "rules_asked_again", "rules_withdrawn")),
    "policy published": (publishing_a_policy, ("policy_published",)),
    "exemption": (publishing_an_exemption, ("policy_published", "exemption_changed")),
    "policy rolled back": (rolling_a_policy_back, ("policy_published",)),
    "device admitted": (admitting, ("device_admitted",)),
    "device blocked": (blocking, ("device_blocked", "grant_revoked")),
    "block lifted": (unblocking, ("device_blocked", "grant_revoked", "device_blocked")),
    "network switched": (switching, ("network_switched",)),
    "network as usual again": (switching_back, ("network_switched", "network_switched")),
    "grant revoked by staff": (revoking, ("grant_revoked",)),
    "grant moved by staff": (moving, ("grant_moved",)),
    "grant extended by the guest": (extending, ("grant_extended",)),
    "grant extended by staff": (lengthening, ("grant_extended",)),
    "grant ended by the guest": (signing_off, ("grant_ended",)),
    "course made": (making_a_course, ("course_changed",)),
    "course changed": (changing_a_course, ("course_changed",)),
    "course ended": (ending_a_course, ("course_changed",)),
    "a host's yes": (lambda services, _: a_host_answering(services, "approved"), ("acceptance", "host_answered")),
    "a host's no": (lambda services, _: a_host_answering(services, "denied"), ("host_answered",)),
    "request for an exemption granted": (
        granting,
        ("policy_published", "exemption_changed", "grant_moved", "exemption_decided"),
    ),
    "request for an exemption declined": (declining, ("exemption_decided",)),
    "export": (exporting, ("export",)),
    "staff added": (adding_staff, ("staff_change",)),
    "setting changed": (changing_a_setting, ("setting_changed",)),
    "staff reset": (resetting_staff, ("staff_change",)),
    "staff sign-in": (signing_in, ("staff_login",)),
}
UNCOUNTED = {
    "change",
    "alembic_version",
    "bundle_signature",
}  # the feed's counters, and what an export asks of the sealer


@pytest.fixture
def scene(services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Two groups, a guest who has accepted, an account, and a log of which something is sealed."""
    monkeypatch.setattr("gateway.audit.export.SIGNATURE_WAIT_S", 0.0)
    with services.database.write() as session:
        now, place = services.clock(), services.place
        document = deepcopy(generations.draft(session, place))
        document["groups"]["course"] = deepcopy(document["groups"]["default"]) | {"mark": 7}
        generations.save_draft(session, place, document, now)
        generations.publish(session, place, "it", "", now)
        accounts.add_account(session, place, "ola", "it", now)
        account = session.query(Staff).filter_by(username="ola").one()
        account.password_hash = hash_password("a long enough password")
        version = rules.version_in_force(session, place.owner_id, now=utc_now())
        assert version is not None
        guest, who = Neighbour("lo", MAC), Applicant("Per Hansen")
        accept(
            session,
            place,
            guest,
            who,
            version_id=version.id,
            language="nb",
            address="192.0.2.1",
            duration=timedelta(hours=1),
            now=now,
        )
    making_a_course(services, Path())
    with services.database.write() as session:
        host_requests.ask(
            session,
            place,
            Neighbour("lo", "02:00:00:00:00:03"),
            Applicant("Lise Lie"),
            host_requests.Host("vert@nybo.example.no"),
            version_id=version.id,
            language="nb",
            address="192.0.2.3",
            wait=timedelta(minutes=30),
            now=now,
        )
    seal_all(services)
    return services


def contents(services: Services) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    names = inspect(services.database.engine).get_table_names()
    tables = {name for name in names if not name.startswith("visitor_trigram")} - UNCOUNTED  # the index of names
    with services.database.read() as session:
        return {
            table: sorted(map(tuple, session.execute(text(f"SELECT * FROM {table}"))), key=repr)
            for table in sorted(tables)
        }


@contextmanager
def failing_leaves() -> Iterator[None]:
    """Every leaf fails as it is staged."""

    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("no leaf can be staged")

    stage = gateway.audit.record.leaves.stage
    gateway.audit.record.leaves.stage = fail
    try:
        yield
    finally:
        gateway.audit.record.leaves.stage = stage


@pytest.mark.parametrize("name", EVENTS)
def test_the_event_stages_its_leaves_with_the_change(name: str, scene: Services, tmp_path: Path) -> None:
    event, types = EVENTS[name]
    before = contents(scene)
    assert before["staged_leaf"] == []
    event(scene, tmp_path)
    with scene.database.read() as session:
        staged = [
            json.loads(bytes(row[0])) for row in session.execute(text("SELECT entry FROM staged_leaf ORDER BY id"))
        ]
    assert [entry["type"] for entry in staged] == list(types)
    assert {entry["at"] for entry in staged} == {"2026-11-22T08:55:00.000Z"}


@pytest.mark.parametrize("name", EVENTS)
def test_a_leaf_that_fails_fails_the_change(name: str, scene: Services, tmp_path: Path) -> None:
    event, _ = EVENTS[name]
    before = contents(scene)
    with failing_leaves(), pytest.raises(RuntimeError, match="no leaf can be staged"):
        event(scene, tmp_path)
    assert contents(scene) == before
    assert not list(tmp_path.glob("*.zip*"))
    event(scene, tmp_path)
    assert contents(scene) != before, "the event changes something when its leaf can be staged"
