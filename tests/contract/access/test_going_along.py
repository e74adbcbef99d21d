"""What goes along into a guest's new access, and what does not: to no other device, not after its time, not past
whoever decides at the same moment; and it is erased with what it was asked under.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.access import courses, erasure, exemption_requests, recognised
from gateway.access.accept import Accepted, Applicant
from gateway.access.course_openings import Opened, open_category
from gateway.access.course_plan import Wish
from gateway.access.courses import Sought
from gateway.access.exemption_requests import Asked, Decided, NotDecided, Wanted
from gateway.access.grants import Moved, move
from gateway.access.recognised import Outcome
from gateway.access.status import device_status
from gateway.link.neighbours import Neighbour
from gateway.lists import generations
from gateway.storage import exemption_requests as requests
from gateway.storage import generations as published
from gateway.storage.course_models import Course
from gateway.storage.engine import Session
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.models import Grant
from policies.document import parse_document
from policies.schedule import standing
from tests.contract.access.test_recognised import (
    HOUR,
    LAPTOP,
    PHONE,
    TABLET,
    Town,
    accepted,
    course_group,
    town,
)
from tests.crash.operations import seal_all

__all__ = ["town"]
MINUTE = timedelta(minutes=1)
WAITS = 0.5  # s until somebody who must wait for another's transaction does
GAME, DATING = Wanted("www.game.example", ("gaming",), "til timen"), Wanted("www.dating.example", ("dating",), "Kari")


def own_exemption(town: Town) -> str:
    """Give the guest of the phone an exemption of their own; the group that they are in then."""
    with town.services.database.write() as session:
        asked = exemption_requests.ask(session, town.place, PHONE, Wanted("www.game.example", ("gaming",)), town.now)
        assert isinstance(asked, exemption_requests.Asked)
        done = exemption_requests.grant(
            session, town.place, asked.request_id, "it", "", scope="session", until=town.now + HOUR, now=town.now
        )
        assert isinstance(done, exemption_requests.Decided)
        exemption_requests.ask(session, town.place, PHONE, Wanted("www.dating.example", ("dating",)), town.now)
        status = device_status(session, town.place, PHONE, town.now)
        assert status.group_key is not None
    return status.group_key


def group_of(town: Town, done: Accepted) -> tuple[str, bool]:
    """The group of a grant, and whether its mark is that group's."""
    with town.services.database.read() as session:
        grant = session.get(Grant, done.grant_id)
        assert grant is not None
        return grant.group_key, grant.mark == published.mark_of(session, town.place.owner_id, grant.group_key)


def asked_under(town: Town, done: Accepted) -> dict[str, str | None]:
    """Each site that was asked for under a grant, and the course whose host sees it."""
    with town.services.database.read() as session:
        return {each.name: each.course_id for each in requests.of_grant(session, done.grant_id)}


def make_course(town: Town, group: str = "default") -> Course:
    wish = Wish("Word", "Nybø skule", town.now, town.now + 6 * HOUR, group, 60, "code")
    with town.services.database.write() as session:
        made = courses.add(session, town.place, wish, (group,), by="it", now=town.now)
    assert isinstance(made, Course)
    return made


def test_an_exemption_of_their_own_goes_along_into_a_course_with_the_same_rules(town: Town, clock: Any) -> None:
    first = town.accept()
    own = own_exemption(town)
    clock.advance(timedelta(minutes=1))
    course = make_course(town)
    done = accepted(town.come_back(PHONE, first.acceptance_id, Sought(code=course.code)))
    assert done.ends_at == course.ends_at
    assert group_of(town, done) == (own, True)
    assert asked_under(town, first) == {}
    assert asked_under(town, done) == {"www.game.example": None, "www.dating.example": course.id}
    leaf = town.leaves()[-1]
    told = leaf["type"], leaf["grant"], leaf["from_group"], leaf["to_group"]
    assert told == ("grant_moved", done.grant_id, "default", own)
    clock.advance(timedelta(minutes=1))
    other = make_course(town)
    again = accepted(town.come_back(PHONE, done.acceptance_id, Sought(code=other.code)))
    assert group_of(town, again) == (own, True)
    added = accepted(town.add(LAPTOP, town.words(PHONE, again.grant_id)))
    assert group_of(town, added) == (own, True), "the person's other device, as outside of courses"


def test_an_exemption_of_their_own_does_not_take_other_rules_along(town: Town, clock: Any) -> None:
    course_group(town)
    with town.services.database.write() as session:
        document = generations.draft(session, town.place) | {"host_categories": ["dating"]}
        generations.save_draft(session, town.place, document, town.now)
        generations.publish(session, town.place, "it", "", town.now)
    first, second, third = make_course(town), make_course(town), make_course(town, "course")
    before = town.accept(sought=Sought(code=first.code))
    own = own_exemption(town)
    with town.services.database.write() as session:
        opened = open_category(session, town.place, first.id, "dating", 1, reason="kurs", by="vert", now=town.now)
        assert isinstance(opened, Opened)
    assert group_of(town, before) == (own, True), "and what is open for the first course alone"
    clock.advance(timedelta(minutes=1))
    there = accepted(town.come_back(PHONE, before.acceptance_id, Sought(code=second.code)))
    assert group_of(town, there) == ("default", True)
    assert asked_under(town, before) == {"www.game.example": first.id}, "what was granted ends with the access"
    assert asked_under(town, there) == {"www.dating.example": second.id}, "what waits goes along"
    clock.advance(timedelta(minutes=1))
    assert own_exemption(town) != own
    elsewhere = accepted(town.come_back(PHONE, there.acceptance_id, Sought(code=third.code)))
    assert group_of(town, elsewhere) == ("course", True)
    assert "grant_moved" not in [leaf["type"] for leaf in town.leaves()[-2:]]


def test_an_exemption_goes_along_under_new_rules_but_to_nobody_else_and_not_after_signing_off(
    town: Town, clock: Any
) -> None:
    first = town.accept()
    own = own_exemption(town)
    clock.advance(timedelta(minutes=1))
    town.publish_rules("2")
    second = accepted(town.come_back(PHONE, first.acceptance_id))
    assert group_of(town, second) == (own, True)
    clock.advance(timedelta(minutes=1))
    town.publish_rules("3")
    assert group_of(town, town.accept(applicant=Applicant("Ola Nordmann"))) == ("default", True)
    clock.advance(timedelta(minutes=1))
    own_exemption(town)
    town.sign_off(PHONE)
    assert group_of(town, accepted(town.come_back(PHONE, town.newest(PHONE)))) == ("default", True)


def let_hosts_open(town: Town, category: str) -> None:
    with town.services.database.write() as session:
        document = generations.draft(session, town.place) | {"host_categories": [category]}
        generations.save_draft(session, town.place, document, town.now)
        generations.publish(session, town.place, "it", "", town.now)


def opened_by_host(town: Town, course: Course, category: str) -> None:
    with town.services.database.write() as session:
        done = open_category(session, town.place, course.id, category, 1, reason="kurs", by="vert", now=town.now)
    assert isinstance(done, Opened)


def asked(town: Town, device: Neighbour, wanted: Wanted) -> str:
    with town.services.database.write() as session:
        done = exemption_requests.ask(session, town.place, device, wanted, town.now)
    assert isinstance(done, Asked)
    return done.request_id


def granted(town: Town, request_id: str, *, by_host: bool = False) -> Decided | NotDecided:
    with town.services.database.write() as session:
        return exemption_requests.grant(
            session, town.place, request_id, "vert" if by_host else "it", "",
            scope="session", until=town.now + HOUR, now=town.now, by_host=by_host,
        )  # fmt: skip


def lifted(town: Town, done: Accepted) -> set[str]:
    """What is open for a grant by exemptions."""
    with town.services.database.read() as session:
        found, grant = published.in_force(session, town.place.owner_id), session.get(Grant, done.grant_id)
        assert found is not None
        assert grant is not None
        policy = parse_document(found.document)
        return set(standing(policy, policy.groups[grant.group_key], town.now).lifted)


def at_once_with(town: Town, first: Callable[[Session], Any], then: Callable[[], Any]) -> tuple[Any, Any]:
    """What `first` does in a transaction, and what `then` does that is begun before that is through, and waits."""
    with ThreadPoolExecutor(1) as pool:
        with town.services.database.write() as session:
            done = first(session)
            other = pool.submit(then)
            time.sleep(WAITS)
            assert not other.done()
        return done, other.result(timeout=20)


@pytest.mark.parametrize("is_first_at_course", [True, False], ids=["from a course", "from outside"])
def test_an_exemption_that_two_devices_share_goes_along_to_no_course_that_one_of_them_is_not_at(
    town: Town, clock: Any, is_first_at_course: bool
) -> None:
    let_hosts_open(town, "dating")
    first, other = make_course(town), make_course(town)
    phone = town.accept(sought=Sought(code=first.code) if is_first_at_course else None)
    own = own_exemption(town)
    laptop = accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id)))
    assert group_of(town, laptop) == (own, True)
    clock.advance(MINUTE)
    there = accepted(town.come_back(LAPTOP, laptop.acceptance_id, Sought(code=other.code)))
    assert group_of(town, there) == ("default", True)
    assert (lifted(town, phone), lifted(town, there)) == ({"gaming"}, set())
    opened_by_host(town, other, "dating")
    assert (lifted(town, phone), lifted(town, there)) == ({"gaming"}, {"dating"})
    if is_first_at_course:
        opened_by_host(town, first, "dating")
        assert lifted(town, phone) == {"gaming", "dating"}


def test_what_a_host_grants_a_guest_of_the_course_does_not_reach_the_device_that_stayed_outside(
    town: Town, clock: Any
) -> None:
    phone = town.accept()
    own_exemption(town)
    laptop = accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id)))
    request = asked(town, LAPTOP, DATING)
    clock.advance(MINUTE)
    course = make_course(town)
    there = accepted(town.come_back(LAPTOP, laptop.acceptance_id, Sought(code=course.code)))
    assert asked_under(town, there) == {DATING.name: course.id}
    assert isinstance(granted(town, request, by_host=True), Decided)
    assert (lifted(town, phone), lifted(town, there)) == ({"gaming"}, {"dating"})


def test_once_the_other_device_is_off_the_exemption_goes_along(town: Town, clock: Any) -> None:
    phone = town.accept()
    own = own_exemption(town)
    laptop = accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id)))
    clock.advance(MINUTE)
    town.sign_off(PHONE)
    there = accepted(town.come_back(LAPTOP, laptop.acceptance_id, Sought(code=make_course(town).code)))
    assert group_of(town, there) == (own, True)


def test_under_new_rules_the_devices_go_on_sharing_it(town: Town, clock: Any) -> None:
    phone = town.accept()
    own = own_exemption(town)
    laptop = accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id)))
    clock.advance(MINUTE)
    town.publish_rules("2")
    for device, before in ((PHONE, phone), (LAPTOP, laptop)):
        assert group_of(town, accepted(town.come_back(device, before.acceptance_id))) == (own, True)


def test_a_group_that_somebody_outside_the_course_is_in_is_not_made_like_the_courses(town: Town) -> None:
    let_hosts_open(town, "dating")
    course = make_course(town)
    phone = town.accept(sought=Sought(code=course.code))
    own = own_exemption(town)
    other = town.accept(TABLET)
    with town.services.database.write() as session:  # by staff, into a group that is one guest's
        assert isinstance(move(session, town.place, other.grant_id, own, "it", town.now), Moved)
    opened_by_host(town, course, "dating")
    assert (lifted(town, phone), lifted(town, other)) == ({"gaming"}, {"gaming"})


def test_an_exemption_that_is_over_does_not_go_along_nor_is_it_spoken_of(town: Town, clock: Any) -> None:
    phone = town.accept()
    own = own_exemption(town)

    def is_told() -> bool:
        with town.services.database.read() as session:
            status = device_status(session, town.place, PHONE, town.now)
            assert status.group_key == own
            return status.has_own_exemption

    assert is_told()
    clock.advance(HOUR)
    assert not is_told()
    shared = accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id)))
    assert group_of(town, shared) == ("default", True)
    there = accepted(town.come_back(PHONE, phone.acceptance_id, Sought(code=make_course(town).code)))
    assert group_of(town, there) == ("default", True)
    assert "grant_moved" not in [leaf["type"] for leaf in town.leaves()[-2:]]
    with town.services.database.read() as session:
        assert own not in requests.groups_in_use(session, town.now)


@pytest.mark.parametrize("by", ["receipt", "words"])
def test_a_new_address_of_the_same_device_has_all_that_the_old_one_had(town: Town, clock: Any, by: str) -> None:
    phone = town.accept()
    own = own_exemption(town)
    clock.advance(MINUTE)
    if by == "receipt":
        new = accepted(town.add_by_receipt(LAPTOP, phone.receipt_code))
    else:
        new = accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id), same_device=True))
    assert group_of(town, new) == (own, True)
    assert (asked_under(town, phone).keys(), asked_under(town, new).keys()) == (set(), {GAME.name, DATING.name})
    there = accepted(town.come_back(LAPTOP, new.acceptance_id, Sought(code=make_course(town).code)))
    assert group_of(town, there) == (own, True)


def test_a_device_that_is_added_leaves_the_other_what_it_has_asked_for(town: Town) -> None:
    phone = town.accept()
    own_exemption(town)
    laptop = accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id)))
    assert (asked_under(town, phone).keys(), asked_under(town, laptop)) == ({GAME.name, DATING.name}, {})


def test_an_earlier_receipt_takes_nothing_out_of_the_course_that_the_old_address_was_at(town: Town, clock: Any) -> None:
    let_hosts_open(town, "dating")
    phone = town.accept()
    clock.advance(MINUTE)
    course = make_course(town)
    there = accepted(town.come_back(PHONE, phone.acceptance_id, Sought(code=course.code)))
    own_exemption(town)
    opened_by_host(town, course, "dating")
    assert lifted(town, there) == {"gaming", "dating"}
    new = accepted(town.add_by_receipt(LAPTOP, phone.receipt_code))
    assert group_of(town, new) == ("default", True)
    assert asked_under(town, new) == {DATING.name: None}, "waits for IT, who sees every request"
    assert lifted(town, new) == set()


@pytest.mark.parametrize("is_new_address", [False, True])
def test_what_is_granted_while_the_guest_goes_over_goes_along(town: Town, clock: Any, is_new_address: bool) -> None:
    phone = town.accept()
    request = asked(town, PHONE, GAME)
    clock.advance(MINUTE)
    town.publish_rules("2")

    def grant(session: Session) -> object:
        return exemption_requests.grant(
            session, town.place, request, "it", "", scope="session", until=town.now + HOUR, now=town.now
        )

    def go_over() -> Outcome:
        if is_new_address:
            return town.add_by_receipt(LAPTOP, phone.receipt_code)
        return town.come_back(PHONE, phone.acceptance_id)

    decided, outcome = at_once_with(town, grant, go_over)
    assert isinstance(decided, Decided)
    assert lifted(town, accepted(outcome)) == {"gaming"}
    assert asked_under(town, outcome) == {GAME.name: None}


def test_what_is_decided_just_after_the_guest_went_over_is_of_the_new_access_or_not_decided(
    town: Town, clock: Any
) -> None:
    phone = town.accept()
    request = asked(town, PHONE, GAME)
    clock.advance(MINUTE)
    sought, reading = Sought(code=make_course(town).code), town.reading()

    def go_over(session: Session) -> Outcome:
        return recognised.come_back(session, town.place, PHONE, phone.acceptance_id, reading, town.terms, sought)

    there, decided = at_once_with(town, go_over, lambda: granted(town, request))
    assert decided == NotDecided("gone") or isinstance(decided, Decided)
    assert lifted(town, accepted(there)) == ({"gaming"} if isinstance(decided, Decided) else set())
    assert asked_under(town, there).keys() == {GAME.name}


@pytest.mark.parametrize("is_guest_first", [False, True], ids=["host first", "guest first"])
def test_a_group_is_not_made_like_a_courses_while_its_guest_takes_it_into_another(
    town: Town, clock: Any, is_guest_first: bool
) -> None:
    let_hosts_open(town, "dating")
    first, other = make_course(town), make_course(town)
    phone = town.accept(sought=Sought(code=first.code))
    own = own_exemption(town)
    clock.advance(MINUTE)
    reading = town.reading()

    def go_over(session: Session) -> Outcome:
        sought = Sought(code=other.code)
        return recognised.come_back(session, town.place, PHONE, phone.acceptance_id, reading, town.terms, sought)

    def open_it(session: Session) -> object:
        return open_category(session, town.place, first.id, "dating", 1, reason="kurs", by="vert", now=town.now)

    def then(act: Callable[[Session], Any]) -> Any:
        with town.services.database.write() as session:
            return act(session)

    acts = (go_over, open_it) if is_guest_first else (open_it, go_over)
    outcomes = at_once_with(town, acts[0], lambda: then(acts[1]))
    there, done = outcomes if is_guest_first else reversed(outcomes)
    assert isinstance(done, Opened)
    assert group_of(town, accepted(there)) == (own if is_guest_first else "default", True)
    assert lifted(town, there) == ({"gaming"} if is_guest_first else set())


def erased(town: Town, done: Accepted) -> set[str]:
    """Erase one acceptance; which of all requests are left."""
    seal_all(town.services)
    with town.services.database.write() as session:
        planned = erasure.plan(session, town.place, [done.acceptance_id], town.now)
        assert isinstance(erasure.erase(session, town.place, planned, "it", "asked", town.now), erasure.Erased)
        return set(session.scalars(select(ExemptionRequest.name)))


@pytest.mark.parametrize("is_new_address", [False, True])
def test_what_was_asked_is_erased_with_the_acceptance_that_it_was_asked_under(
    town: Town, clock: Any, is_new_address: bool
) -> None:
    first = town.accept()
    clock.advance(MINUTE)
    asked(town, PHONE, DATING)
    clock.advance(MINUTE)
    device = LAPTOP if is_new_address else PHONE
    if is_new_address:
        second = accepted(town.add_by_receipt(LAPTOP, first.receipt_code))
    else:
        second = accepted(town.come_back(PHONE, first.acceptance_id, Sought(code=make_course(town).code)))
    clock.advance(MINUTE)
    asked(town, device, GAME)
    clock.advance(MINUTE)
    third = accepted(town.come_back(device, second.acceptance_id, Sought(code=make_course(town).code)))
    asked(town, device, Wanted("www.film.example", ("streaming",)))
    assert erased(town, first) == {GAME.name, "www.film.example"}
    assert erased(town, second) == {"www.film.example"}
    assert erased(town, third) == set()


def test_what_was_asked_on_another_device_stays(town: Town, clock: Any) -> None:
    phone = town.accept()
    accepted(town.add(LAPTOP, town.words(PHONE, phone.grant_id)))
    clock.advance(MINUTE)
    asked(town, PHONE, DATING)
    asked(town, LAPTOP, GAME)
    clock.advance(MINUTE)
    accepted(town.come_back(PHONE, phone.acceptance_id, Sought(code=make_course(town).code)))
    assert erased(town, phone) == {GAME.name}
