"""Guests whom the product knows: coming back, a second device, a new address; each acceptance with its own leaf."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.access import courses, erasure, exemption_requests, recognised
from gateway.access.accept import Accepted, Applicant, Refused, accept
from gateway.access.course_plan import Wish
from gateway.access.courses import Sought
from gateway.access.exemption_requests import Wanted
from gateway.access.extension import Durations
from gateway.access.grants import Moved, extend, move, revoke, sign_off
from gateway.access.recognised import WORDS_LAST, NotRecognised, Outcome, Reading, Terms, terms_of
from gateway.access.status import device_status
from gateway.clock import utc_now
from gateway.context import Services
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.storage import courses as storage
from gateway.storage import device_words, grants, rules
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Acceptance, Device, DeviceWords, Grant, Network, Visitor
from gateway.terms.publish import publish
from tests.contract.storage.records import at_once
from tests.crash.operations import seal_all

PHONE, LAPTOP, TABLET, OTHER = (Neighbour("lo", f"02:00:00:00:00:0{number}") for number in range(1, 5))
HOUR = timedelta(hours=1)
TERMS = Terms(Durations(10 * HOUR, {"course": 2 * HOUR}, 24 * HOUR), timedelta(days=30), 3)
KARI = Applicant("Kari Nordmann", "Studieforbundet", "kari@example.org", "kurs-7")


class Town:
    """What guests do, each in a transaction of its own."""

    def __init__(self, services: Services) -> None:
        self.services, self.place, self.terms = services, services.place, TERMS

    @property
    def now(self) -> Any:
        return self.services.clock()

    def version(self) -> str:
        with self.services.database.read() as session:
            found = rules.version_in_force(session, self.place.owner_id, now=utc_now())
        assert found is not None
        return found.id

    def reading(self, version_id: str = "") -> Reading:
        return Reading(version_id or self.version(), "nb", "10.77.0.50", self.now)

    def accept(self, device: Neighbour = PHONE, applicant: Applicant = KARI, sought: Sought | None = None) -> Accepted:
        version_id = self.version()
        with self.services.database.write() as session:
            done = accept(
                session, self.place, device, applicant, version_id=version_id, language="nb", address="10.77.0.50",
                duration=10 * HOUR, now=self.now, sought=sought,
            )  # fmt: skip
        assert isinstance(done, Accepted)
        return done

    def newest(self, device: Neighbour) -> str:
        with self.services.database.read() as session:
            found = recognised.earlier(session, self.place, device, TERMS.within, self.now)
        assert found is not None
        return found.id

    def words(self, device: Neighbour, grant_id: str) -> int:
        with self.services.database.write() as session:
            found = recognised.show_words(session, self.place, device, grant_id, self.terms, self.now)
            assert isinstance(found, DeviceWords), found
            return found.number

    def add(self, device: Neighbour, number: int, *, same_device: bool = False, version_id: str = "") -> Outcome:
        reading = self.reading(version_id)
        with self.services.database.write() as session:
            return recognised.add_by_words(
                session, self.place, device, number, reading, self.terms, same_device=same_device
            )

    def add_by_receipt(self, device: Neighbour, code: str) -> Outcome:
        reading = self.reading()
        with self.services.database.write() as session:
            return recognised.add_by_receipt(session, self.place, device, code, reading, self.terms)

    def come_back(self, device: Neighbour, acceptance_id: str, sought: Sought | None = None) -> Outcome:
        reading = self.reading()
        with self.services.database.write() as session:
            return recognised.come_back(session, self.place, device, acceptance_id, reading, self.terms, sought)

    def sign_off(self, device: Neighbour) -> None:
        with self.services.database.write() as session:
            assert sign_off(session, self.place, device, self.now)

    def state(self, device: Neighbour) -> str:
        with self.services.database.read() as session:
            return device_status(session, self.place, device, self.now).state

    def leaves(self) -> list[dict[str, Any]]:
        with self.services.database.read() as session:
            return [json.loads(entry) for entry in session.scalars(select(StagedLeaf.entry).order_by(StagedLeaf.id))]

    def told(self, acceptance_id: str) -> dict[str, str]:
        """What the leaf of an acceptance discloses."""
        with self.services.database.read() as session:
            acceptance = session.get(Acceptance, acceptance_id)
            assert acceptance is not None
            rows = session.scalars(select(Disclosure).where(Disclosure.leaf_id == acceptance.leaf_id))
            return {row.name: row.value for row in rows}

    def publish_rules(self, label: str) -> None:
        with self.services.database.write() as session:
            publish(
                session, self.place, {"nb": f"# Regler\n\n{label}"}, label=label, adopting_body="", adopted_on=None,
                case_number="", binding_language="nb", next_review_on=None, published_by="it", now=self.now,
            )  # fmt: skip

    def count(self, model: type) -> int:
        with self.services.database.read() as session:
            return session.query(model).count()


@pytest.fixture
def town(services: Services) -> Town:
    return Town(services)


def course_group(town: Town) -> None:
    """Publish a policy with the group course, as default is."""
    with town.services.database.write() as session:
        document = deepcopy(generations.draft(session, town.place))
        document["groups"]["course"] = deepcopy(document["groups"]["default"]) | {"mark": 7}
        generations.save_draft(session, town.place, document, town.now)
        generations.publish(session, town.place, "it", "", town.now)


def accepted(outcome: Outcome) -> Accepted:
    assert isinstance(outcome, Accepted), outcome
    assert not outcome.repeated
    return outcome


def test_coming_back_is_an_acceptance_of_its_own_as_the_same_person(town: Town, clock: Any) -> None:
    first = town.accept()
    clock.advance(timedelta(days=3))
    assert town.state(PHONE) == "not_accepted"
    again = accepted(town.come_back(PHONE, first.acceptance_id))
    assert again.receipt_code != first.receipt_code
    leaf = town.leaves()[-1]
    assert (leaf["type"], leaf["identified_by"]) == ("acceptance", "known_device")
    told = town.told(again.acceptance_id)
    assert (told["name"], told["contact"], told["mac"]) == (KARI.name, KARI.contact, PHONE.mac)
    assert "course_code" not in told
    assert town.count(Visitor) == 1
    clock.advance(timedelta(days=29))  # counted from the newest acceptance
    accepted(town.come_back(PHONE, again.acceptance_id))


def test_where_no_name_is_asked_for_none_is_taken_over(town: Town, clock: Any) -> None:
    asked = terms_of(town.services.settings).asked
    assert (asked["library"], asked[""]) == (frozenset(), {"name", "organisation", "contact"})
    first = town.accept()
    town.terms = replace(TERMS, asked={"default": frozenset({"organisation"})})
    clock.advance(timedelta(days=1))
    again = accepted(town.come_back(PHONE, first.acceptance_id))
    assert town.told(again.acceptance_id).keys() == {"organisation", "mac", "address", "receipt"}


def test_coming_back_sent_twice_is_one_acceptance(town: Town, clock: Any) -> None:
    first = town.accept()
    clock.advance(timedelta(days=1))
    results = at_once(2, lambda _: town.come_back(PHONE, first.acceptance_id))
    assert sorted(result.repeated for result in results if isinstance(result, Accepted)) == [False, True]
    assert (town.count(Acceptance), town.count(Grant)) == (2, 2)


def test_after_the_days_or_on_another_device_nobody_is_known(town: Town, clock: Any) -> None:
    first = town.accept()
    clock.advance(timedelta(days=1))
    assert town.come_back(LAPTOP, first.acceptance_id) == NotRecognised("unknown")
    clock.advance(timedelta(days=29))
    assert town.come_back(PHONE, first.acceptance_id) == NotRecognised("unknown")
    assert town.add_by_receipt(LAPTOP, first.receipt_code) == NotRecognised("unknown")
    town.terms = Terms(TERMS.durations, timedelta(0), 3)
    clock.advance(-timedelta(days=29))
    assert town.come_back(PHONE, first.acceptance_id) == NotRecognised("unknown")
    assert town.add_by_receipt(LAPTOP, first.receipt_code) == NotRecognised("unknown")
    assert town.count(Acceptance) == 1


def test_whoever_was_on_the_device_last_comes_back(town: Town, clock: Any) -> None:
    first = town.accept()
    clock.advance(HOUR)
    town.sign_off(PHONE)
    ola = town.accept(applicant=Applicant("Ola"))
    clock.advance(timedelta(days=1))
    assert town.come_back(PHONE, first.acceptance_id) == NotRecognised("unknown")
    assert town.told(accepted(town.come_back(PHONE, ola.acceptance_id)).acceptance_id)["name"] == "Ola"


def test_nothing_comes_back_of_whom_has_been_erased(town: Town, clock: Any) -> None:
    first = town.accept()
    number = town.words(PHONE, first.grant_id)
    added = accepted(town.add(LAPTOP, town.words(PHONE, first.grant_id)))
    town.words(PHONE, first.grant_id)  # words stand while the grant is deleted
    seal_all(town.services)
    clock.advance(HOUR)
    with town.services.database.write() as session:
        planned = erasure.plan(session, town.place, [first.acceptance_id], town.now)
        assert [held.acceptance_id for held in planned.also] == [added.acceptance_id]
        planned = erasure.plan(session, town.place, [first.acceptance_id, added.acceptance_id], town.now)
        assert isinstance(erasure.erase(session, town.place, planned, "it", "asked", town.now), erasure.Erased)
    assert town.come_back(PHONE, first.acceptance_id) == NotRecognised("unknown")
    assert town.add_by_receipt(TABLET, first.receipt_code) == NotRecognised("unknown")
    assert town.add(TABLET, number) == NotRecognised("unknown")
    assert (town.count(Visitor), town.count(Acceptance), town.count(DeviceWords), town.count(Grant)) == (0, 0, 0, 0)
    assert town.count(Device) == 0


def test_three_words_add_a_device_once(town: Town) -> None:
    first = town.accept()
    number = town.words(PHONE, first.grant_id)
    assert town.words(PHONE, first.grant_id) == number  # pressed twice
    added = accepted(town.add(LAPTOP, number))
    assert town.leaves()[-1]["identified_by"] == "device_words"
    assert town.told(added.acceptance_id)["name"] == KARI.name
    assert (town.state(PHONE), town.state(LAPTOP)) == ("accepted", "accepted")
    again = town.add(LAPTOP, number)
    assert isinstance(again, Accepted)
    assert again.repeated  # the same form sent once more
    assert town.add(TABLET, number) == NotRecognised("unknown")
    assert town.words(PHONE, first.grant_id) != number
    assert (town.count(Visitor), town.count(Acceptance)) == (1, 2)


def test_two_devices_at_once_with_the_same_words_add_one(town: Town) -> None:
    number = town.words(PHONE, town.accept().grant_id)
    devices = (LAPTOP, TABLET)
    results = at_once(2, lambda at: town.add(devices[at], number))
    assert sorted(type(result).__name__ for result in results) == ["Accepted", "NotRecognised"]
    assert town.count(Acceptance) == 2


@pytest.mark.parametrize("ended", ["in time", "signed off", "revoked", "over"])
def test_words_are_good_for_ten_minutes_and_while_their_device_is_online(town: Town, clock: Any, ended: str) -> None:
    first = town.accept()
    if ended == "over":
        clock.advance(10 * HOUR - timedelta(minutes=5))
    number = town.words(PHONE, first.grant_id)
    clock.advance(WORDS_LAST - timedelta(seconds=1))
    if ended == "signed off":
        town.sign_off(PHONE)
    if ended == "revoked":
        with town.services.database.write() as session:
            assert revoke(session, town.place, first.grant_id, "it", town.now)
    outcome = town.add(LAPTOP, number)
    if ended == "in time":
        accepted(outcome)
        late = town.words(PHONE, first.grant_id)
        clock.advance(WORDS_LAST)
        outcome = town.add(TABLET, late)
    assert outcome == NotRecognised("unknown")


def test_words_are_shown_to_the_device_that_has_accepted_only(town: Town) -> None:
    first = town.accept()
    with town.services.database.write() as session:
        for device, grant_id in ((LAPTOP, first.grant_id), (PHONE, "0" * 32), (PHONE, "")):
            found = recognised.show_words(session, town.place, device, grant_id, TERMS, town.now)
            assert found == NotRecognised("unknown")
    assert town.count(DeviceWords) == 0


def test_refused_words_are_not_used_up(town: Town) -> None:
    number = town.words(PHONE, town.accept().grant_id)
    assert town.add(LAPTOP, number, version_id="0" * 32) == Refused("rules_changed")
    assert town.add(Neighbour("eth9", LAPTOP.mac), number) == Refused("unknown_network")
    accepted(town.add(LAPTOP, number))


def test_a_number_that_is_taken_is_drawn_again(town: Town) -> None:
    first, other = town.accept(), town.accept(OTHER, Applicant("Ola"))
    with town.services.database.write() as session:
        recognised.show_words(session, town.place, PHONE, first.grant_id, TERMS, town.now, lambda: 7)
    drawn = iter((7, 7, 8))
    with town.services.database.write() as session:
        found = recognised.show_words(session, town.place, OTHER, other.grant_id, TERMS, town.now, lambda: next(drawn))
        assert isinstance(found, DeviceWords)
        assert found.number == 8
    assert town.count(DeviceWords) == 2


def test_what_is_added_is_in_the_group_of_the_device_that_adds_it(town: Town) -> None:
    course_group(town)
    first = town.accept()
    with town.services.database.write() as session:
        grant = session.get(Grant, first.grant_id)
        assert grant is not None
        grant.group_key, grant.mark = "course", 7
    added = accepted(town.add(LAPTOP, town.words(PHONE, first.grant_id)))
    assert added.ends_at == town.now + 2 * HOUR  # the group's own time
    with town.services.database.write() as session:
        laptop = session.get(Grant, added.grant_id)
        assert laptop is not None
        assert (laptop.group_key, laptop.mark) == ("course", 7)
        laptop.group_key = "removed-since"
    other = accepted(town.add(TABLET, town.words(LAPTOP, added.grant_id)))
    with town.services.database.read() as session:
        tablet = session.get(Grant, other.grant_id)
        assert tablet is not None
        assert tablet.group_key == "default"


def test_a_person_has_so_many_devices_and_no_more(town: Town) -> None:
    first = town.accept()
    second = accepted(town.add(LAPTOP, town.words(PHONE, first.grant_id)))
    number = town.words(PHONE, first.grant_id)
    accepted(town.add(TABLET, town.words(LAPTOP, second.grant_id)))
    assert town.add(OTHER, number) == NotRecognised("too_many")
    with town.services.database.write() as session:
        found = recognised.show_words(session, town.place, PHONE, first.grant_id, TERMS, town.now)
    assert found == NotRecognised("too_many")
    assert town.state(OTHER) == "not_accepted"
    town.sign_off(TABLET)
    accepted(town.add(OTHER, number))


def test_the_last_place_is_taken_once(town: Town) -> None:
    first = town.accept()
    second = accepted(town.add(LAPTOP, town.words(PHONE, first.grant_id)))
    numbers = town.words(PHONE, first.grant_id), town.words(LAPTOP, second.grant_id)
    devices = (TABLET, OTHER)
    results = at_once(2, lambda at: town.add(devices[at], numbers[at]))
    assert sorted(map(repr, map(type, results))) == sorted(map(repr, (Accepted, NotRecognised)))
    assert NotRecognised("too_many") in results


def test_who_fills_in_the_form_anew_is_another_person(town: Town) -> None:
    town.accept()
    town.accept(LAPTOP)
    assert town.count(Visitor) == 2


def test_a_receipt_lets_a_new_address_in_and_the_old_one_go(town: Town, clock: Any) -> None:
    first = town.accept()
    clock.advance(HOUR)
    again = accepted(town.add_by_receipt(LAPTOP, first.receipt_code))
    assert (town.state(PHONE), town.state(LAPTOP)) == ("not_accepted", "accepted")
    acceptance, ended = town.leaves()[-2:]
    assert (acceptance["type"], acceptance["identified_by"]) == ("acceptance", "receipt_code")
    assert (ended["type"], ended["grant"], ended["cause"]) == ("grant_ended", first.grant_id, "replaced")
    assert town.told(again.acceptance_id)["name"] == KARI.name
    assert isinstance(replayed := town.add_by_receipt(LAPTOP, first.receipt_code), Accepted)
    assert replayed.repeated
    assert town.add_by_receipt(OTHER, "0" * 16) == NotRecognised("unknown")


def test_a_receipt_of_another_town_is_none(town: Town) -> None:
    first = town.accept()
    with town.services.database.read() as session:
        assert device_words.acceptance_by_code(session, "another", first.receipt_code) is None
        assert device_words.newest_acceptance(session, "another", PHONE.mac, town.now - HOUR) is None


def test_a_replaced_address_makes_room_even_where_all_places_are_taken(town: Town) -> None:
    town.terms = Terms(TERMS.durations, TERMS.within, 1)
    first = town.accept()
    accepted(town.add_by_receipt(LAPTOP, first.receipt_code))
    assert town.state(PHONE) == "not_accepted"


def add_network(town: Town, interface: str, group_key: str) -> None:
    with town.services.database.write() as session:
        document = generations.draft(session, town.place)
        if group_key not in document["groups"]:
            document, _ = draft_edits.with_group(document, group_key, like=None, mark=None, title="")
            generations.save_draft(session, town.place, document, town.now)
            generations.publish(session, town.place, "it", "", town.now)
        session.add(Network(gateway_id=town.place.gateway_id, interface=interface, group_key=group_key))


def course_of_one(town: Town) -> Course:
    now = town.now
    wish = Wish("Excel", "Nybø skule", now, now + 6 * HOUR, "default", 1, "code")
    with town.services.database.write() as session:
        made = courses.add(session, town.place, wish, ("default",), by="it", now=now)
    assert isinstance(made, Course)
    return made


@pytest.mark.parametrize("by", ["receipt", "words"])
def test_a_replaced_address_leaves_its_seat_to_the_new_one_also_in_a_full_course(town: Town, by: str) -> None:
    course = course_of_one(town)
    first = town.accept(sought=Sought(code=course.code))
    if by == "words":
        number = town.words(PHONE, first.grant_id)
        assert town.add(TABLET, number) == Refused("course_full")
        accepted(town.add(LAPTOP, number, same_device=True))
    else:
        accepted(town.add_by_receipt(LAPTOP, first.receipt_code))
    assert (town.state(PHONE), town.state(LAPTOP)) == ("not_accepted", "accepted")
    with town.services.database.read() as session:
        assert storage.devices_with_access(session, course.id, town.now) == 1


def required_in(**groups: str) -> Terms:
    return replace(TERMS, required=lambda group: groups.get(group, "").split())


def test_who_gave_no_name_where_none_is_asked_fills_in_the_form_where_one_is(town: Town, clock: Any) -> None:
    add_network(town, "library0", "library")
    town.terms = required_in(default="name contact")
    there = Neighbour("library0", PHONE.mac)
    first = town.accept(there, Applicant(""))
    number = town.words(there, first.grant_id)
    assert town.add(LAPTOP, number) == NotRecognised("more_asked")
    assert town.add_by_receipt(LAPTOP, first.receipt_code) == NotRecognised("more_asked")
    assert town.come_back(PHONE, first.acceptance_id) == NotRecognised("unknown")
    assert town.count(Acceptance) == 1
    accepted(town.add(Neighbour("library0", LAPTOP.mac), number))  # refused words are not used up
    named = town.accept(TABLET)
    accepted(town.add(OTHER, town.words(TABLET, named.grant_id)))
    clock.advance(timedelta(days=1))
    accepted(town.come_back(Neighbour("library0", TABLET.mac), named.acceptance_id))


@pytest.mark.parametrize(
    "terms", [replace(TERMS, host_groups=frozenset({"guests"})), required_in(guests="course_code")]
)
def test_where_a_host_or_a_code_is_needed_words_and_receipts_from_elsewhere_let_nobody_in(
    town: Town, clock: Any, terms: Terms
) -> None:
    add_network(town, "hosted0", "guests")
    town.terms = terms
    first = town.accept()
    phone, laptop = Neighbour("hosted0", PHONE.mac), Neighbour("hosted0", LAPTOP.mac)
    assert town.add(laptop, town.words(PHONE, first.grant_id)) == NotRecognised("more_asked")
    assert town.add_by_receipt(laptop, first.receipt_code) == NotRecognised("more_asked")
    assert town.come_back(phone, first.acceptance_id) == NotRecognised("unknown")
    clock.advance(timedelta(minutes=1))
    let_in = town.accept(phone)  # as by a host
    accepted(town.add(laptop, town.words(phone, let_in.grant_id)))
    town.publish_rules("2.0")
    accepted(town.come_back(phone, let_in.acceptance_id))  # online, under earlier rules
    clock.advance(timedelta(days=1))
    assert town.come_back(phone, town.newest(phone)) == NotRecognised("unknown")


def test_who_is_online_here_joins_a_course_as_the_one_they_are_here_whoever_came_elsewhere(
    town: Town, clock: Any
) -> None:
    add_network(town, "library0", "library")
    town.terms = required_in(default="name")
    first = town.accept()
    clock.advance(timedelta(minutes=1))
    library = Neighbour("library0", PHONE.mac)
    nameless = town.accept(library, Applicant(""))
    code = Sought(code=course_of_one(town).code)
    assert town.come_back(PHONE, nameless.acceptance_id, code) == NotRecognised("unknown")
    joined = accepted(town.come_back(PHONE, first.acceptance_id, code))
    assert town.told(joined.acceptance_id)["name"] == KARI.name
    assert town.state(library) == "accepted"
    again = town.come_back(PHONE, first.acceptance_id, code)
    assert again == replace(joined, repeated=True)


def test_words_can_say_that_it_is_the_same_device(town: Town) -> None:
    first = town.accept()
    accepted(town.add(LAPTOP, town.words(PHONE, first.grant_id), same_device=True))
    assert (town.state(PHONE), town.state(LAPTOP)) == ("not_accepted", "accepted")
    assert town.leaves()[-1]["cause"] == "replaced"


def test_another_device_of_ones_own_can_be_ended_and_nobody_elses(town: Town) -> None:
    first = town.accept()
    added = accepted(town.add(LAPTOP, town.words(PHONE, first.grant_id)))
    stranger = town.accept(OTHER, Applicant("Ola"))

    def end(session: Session, device: Neighbour, own: str, other: str) -> bool:
        return recognised.end_other(session, town.place, device, own, other, town.now)

    with town.services.database.write() as session:
        assert not end(session, PHONE, first.grant_id, stranger.grant_id)
        assert not end(session, PHONE, first.grant_id, first.grant_id)
        assert not end(session, OTHER, first.grant_id, added.grant_id)  # a grant that is not that device's
        assert end(session, PHONE, first.grant_id, added.grant_id)
        assert not end(session, PHONE, first.grant_id, added.grant_id)
    assert [town.state(device) for device in (PHONE, LAPTOP, OTHER)] == ["accepted", "not_accepted", "accepted"]
    assert town.leaves()[-1]["cause"] == "other_device"


def test_signing_off_is_a_leaf(town: Town) -> None:
    first = town.accept()
    town.sign_off(PHONE)
    leaf = town.leaves()[-1]
    assert (leaf["type"], leaf["grant"], leaf["cause"]) == ("grant_ended", first.grant_id, "signed_off")
    assert PHONE.mac not in json.dumps(leaf)


def test_access_is_extended_by_leaf_as_long_as_permitted(town: Town, clock: Any) -> None:
    first = town.accept()

    def press() -> Any:
        with town.services.database.write() as session:
            return extend(session, town.place, PHONE, first.grant_id, TERMS.durations, town.now)

    assert press() is None
    clock.advance(9 * HOUR)
    assert press() == town.now + 10 * HOUR
    assert press() is None
    leaf = town.leaves()[-1]
    assert (leaf["type"], leaf["until"]) == ("grant_extended", "2026-11-23T03:55:00.000Z")
    with town.services.database.read() as session:
        [row] = grants.grants_of_gateway(session, town.place.gateway_id, town.now)
        assert row.ends_at == town.now + 10 * HOUR
    clock.advance(9 * HOUR)
    assert press() == first.ends_at + 14 * HOUR
    clock.advance(HOUR)
    town.publish_rules("2.0")
    assert press() is None


def test_two_presses_at_once_extend_once(town: Town, clock: Any) -> None:
    first = town.accept()
    clock.advance(9 * HOUR)

    def press(_number: int) -> bool:
        with town.services.database.write() as session:
            return extend(session, town.place, PHONE, first.grant_id, TERMS.durations, town.now) is not None

    assert sorted(at_once(2, press)) == [False, True]
    assert [leaf["type"] for leaf in town.leaves()].count("grant_extended") == 1


@pytest.mark.parametrize("device", [LAPTOP, Neighbour("eth9", PHONE.mac)])
def test_nobody_extends_anothers_access(town: Town, clock: Any, device: Neighbour) -> None:
    first = town.accept()
    clock.advance(9 * HOUR)
    with town.services.database.write() as session:
        assert extend(session, town.place, device, first.grant_id, TERMS.durations, town.now) is None
        assert extend(session, town.place, PHONE, "0" * 32, TERMS.durations, town.now) is None


def test_an_exemption_for_one_guest_leaves_them_the_hours_of_the_group_they_were_in(town: Town, clock: Any) -> None:
    first = town.accept()
    course_group(town)
    with town.services.database.write() as session:
        assert isinstance(move(session, town.place, first.grant_id, "course", "it", town.now), Moved)
        asked = exemption_requests.ask(
            session, town.place, PHONE, Wanted("www.game.example", ("gaming",), ""), town.now
        )
        assert isinstance(asked, exemption_requests.Asked)
        done = exemption_requests.grant(
            session, town.place, asked.request_id, "it", "", scope="session", until=town.now + HOUR, now=town.now
        )
        assert isinstance(done, exemption_requests.Decided)
    clock.advance(9.5 * HOUR)
    with town.services.database.write() as session:
        status = device_status(session, town.place, PHONE, town.now)
        assert status.group_key is not None
        assert status.group_key.startswith("session-")
        until = extend(session, town.place, PHONE, first.grant_id, TERMS.durations, town.now)
    assert until == town.now + 2 * HOUR, "as the group course has it"
    second = accepted(town.add(LAPTOP, town.words(PHONE, first.grant_id)))
    assert second.ends_at == town.now + 2 * HOUR


CHANGES: dict[str, Callable[[Town, Accepted], object]] = {
    "words": lambda town, first: town.add(LAPTOP, town.words(PHONE, first.grant_id), same_device=True),
    "receipt": lambda town, first: town.add_by_receipt(LAPTOP, first.receipt_code),
    "sign-off": lambda town, _first: town.sign_off(PHONE),
}


@pytest.mark.parametrize("name", CHANGES)
def test_without_its_leaf_nothing_of_it_is_done(town: Town, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = town.accept()
    town.words(PHONE, first.grant_id)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no leaf")

    with monkeypatch.context() as patched:
        patched.setattr("gateway.audit.record.leaves.stage", fail)
        with pytest.raises(RuntimeError, match="no leaf"):
            CHANGES[name](town, first)
    assert (town.state(PHONE), town.state(LAPTOP)) == ("accepted", "not_accepted")
    assert (town.count(Acceptance), town.count(DeviceWords)) == (1, 1)
