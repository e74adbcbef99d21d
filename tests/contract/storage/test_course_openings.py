"""A host opens a category for one course: what DNS is told, for whom and until when, as a leaf; on both databases."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.access import course_openings as access
from gateway.access import courses as keeping
from gateway.access import exemption_requests as requests
from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.course_openings import NotOpened, Opened, own_group
from gateway.access.course_plan import Wish
from gateway.access.courses import Sought
from gateway.access.grants import move
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.storage import generations, rules
from gateway.storage.course_models import Course
from gateway.storage.engine import Database
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Grant
from gateway.storage.places import Place
from gateway.storage.policy_models import PolicyGeneration
from policies.document import parse_document
from policies.model import Policy
from policies.schedule import standing
from tests.contract.storage.records import HOUR, NOW, add_rules, at_once

EVENING = NOW + 4 * HOUR
WISH = Wish("Spilldesign", "Kultur", NOW, EVENING, "course", 20)


@pytest.fixture(autouse=True)
def policy(database: Database, place: Place) -> None:
    """A policy with the groups default (mark 1) and course (mark 7); hosts may open gaming and streaming."""
    with database.write() as session:
        document = publishing.draft(session, place)
        document["groups"]["course"] = document["groups"]["default"] | {"mark": 7}
        document["host_categories"] = ["gaming", "streaming"]
        publishing.save_draft(session, place, document, NOW)
        publishing.publish(session, place, "it", "", NOW)
        add_rules(session, place)


def made(database: Database, place: Place, wish: Wish = WISH) -> Course:
    with database.write() as session:
        course = keeping.add(session, place, wish, ("default", "course"), by="ola", now=NOW)
    assert isinstance(course, Course)
    return course


def join(database: Database, place: Place, course: Course | None, number: int, now: datetime = NOW) -> str:
    """A guest comes in, by the course's code or without; the grant's id."""
    with database.write() as session:
        done = accept(
            session, place, Neighbour("lo", f"02:00:00:00:02:{number:02x}"), Applicant("Kari"),
            version_id=str(rules_id(session, place)), language="nb", address="192.0.2.1", duration=10 * HOUR, now=now,
            sought=Sought(code=course.code) if course is not None else None,
        )  # fmt: skip
    assert isinstance(done, Accepted)
    return done.grant_id


def rules_id(session: Any, place: Place) -> str:
    version = rules.version_in_force(session, place.owner_id, now=NOW)
    assert version is not None
    return str(version.id)


def opened(
    database: Database, place: Place, course: Course, category: str = "gaming", hours: int = 2, now: datetime = NOW
) -> Opened | NotOpened:
    with database.write() as session:
        return access.open_category(
            session, place, course.id, category, hours, reason="en time om spill", by="vert", now=now
        )


def in_force(database: Database, place: Place) -> Policy:
    with database.read() as session:
        found = generations.in_force(session, place.owner_id)
        assert found is not None
        return parse_document(found.document)


def is_open(database: Database, place: Place, grant: str, now: datetime, category: str = "gaming") -> bool:
    """Whether the device's mark leads to a group for which the category is open."""
    found = in_force(database, place)
    with database.read() as session:
        mark = session.get(Grant, grant).mark  # type: ignore[union-attr]
    by_mark = {each.mark: each for each in found.groups.values()}
    stands = standing(found, by_mark.get(mark, found.groups["default"]), now)
    return category in stands.lifted or category not in stands.closed


def leaves(database: Database, kind: str) -> list[dict[str, Any]]:
    with database.read() as session:
        rows = [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]
    return [each for each in rows if each["type"] == kind]


def test_it_opens_for_the_courses_guests_alone_and_closes_by_itself(database: Database, place: Place) -> None:
    course, other = made(database, place), made(database, place, WISH)
    guest, neighbour, stranger = (
        join(database, place, each, number) for number, each in enumerate((course, other, None))
    )
    assert opened(database, place, course) == Opened(2, NOW + 2 * HOUR)
    late = join(database, place, course, 9)
    for grant in (guest, late):
        assert is_open(database, place, grant, NOW + HOUR)
        assert not is_open(database, place, grant, NOW + 2 * HOUR)
    assert not is_open(database, place, neighbour, NOW + HOUR)
    assert not is_open(database, place, stranger, NOW + HOUR)
    assert not is_open(database, place, guest, NOW + HOUR, "dating")


def alone(database: Database, place: Place, number: int, category: str, now: datetime = NOW) -> None:
    """The guest with this device is granted an exemption for themselves alone."""
    with database.write() as session:
        device = Neighbour("lo", f"02:00:00:00:02:{number:02x}")
        asked = requests.ask(session, place, device, requests.Wanted(f"www.{category}.example", (category,)), now)
        assert isinstance(asked, requests.Asked)
        done = requests.grant(session, place, asked.request_id, "it", "", scope="session", until=EVENING, now=now)
        assert isinstance(done, requests.Decided)


@pytest.mark.parametrize("before", [True, False], ids=["exemption first", "opening first"])
def test_a_guest_with_an_exemption_of_their_own_gets_what_a_host_opens_and_loses_it_when_it_is_closed(
    database: Database, place: Place, before: bool
) -> None:
    course = made(database, place)
    guest = join(database, place, course, 1)
    if before:
        alone(database, place, 1, "dating")
    assert isinstance(opened(database, place, course), Opened)
    if not before:
        alone(database, place, 1, "dating")
    for category in ("gaming", "dating"):
        assert is_open(database, place, guest, NOW + HOUR, category)
    assert not is_open(database, place, guest, NOW + 3 * HOUR), "the opening lasts two hours"
    assert is_open(database, place, guest, NOW + 3 * HOUR, "dating"), "the exemption until the evening"
    [opening] = access.openings(in_force(database, place), course, NOW)
    with database.write() as session:
        assert access.close_category(session, place, course, opening.id, by="vert", now=NOW)
    assert not is_open(database, place, guest, NOW + HOUR)
    assert is_open(database, place, guest, NOW + HOUR, "dating")


def test_a_guest_whom_staff_had_moved_elsewhere_before_the_exemption_stays_there(
    database: Database, place: Place
) -> None:
    course = made(database, place)
    guest = join(database, place, course, 1)
    with database.write() as session:
        move(session, place, guest, "default", "it", NOW)
    alone(database, place, 1, "dating")
    assert isinstance(opened(database, place, course), Opened)
    assert is_open(database, place, guest, NOW + HOUR, "dating")
    assert not is_open(database, place, guest, NOW + HOUR)


def test_it_is_a_leaf_with_who_opened_it_and_why(database: Database, place: Place) -> None:
    course = made(database, place)
    opened(database, place, course)
    [leaf] = leaves(database, "exemption_changed")
    assert {key: leaf[key] for key in ("change", "group", "categories")} == {
        "change": "added", "group": own_group(course), "categories": ["gaming"],
    }  # fmt: skip
    with database.read() as session:
        told = {row.name: row.value for row in session.query(Disclosure)}
    assert (told["by"], told["approved_by"], told["reason"]) == ("vert", "vert", "en time om spill")
    with database.write() as session:
        [opening] = access.openings(in_force(database, place), course, NOW)
        assert access.close_category(session, place, course, opening.id, by="vert", now=NOW + HOUR)
    assert [each["change"] for each in leaves(database, "exemption_changed")] == ["added", "ended"]


def test_it_can_be_closed_before_its_time_once(database: Database, place: Place) -> None:
    course = made(database, place)
    guest = join(database, place, course, 1)
    opened(database, place, course)
    [opening] = access.openings(in_force(database, place), course, NOW)
    for expected in (True, False):
        with database.write() as session:
            assert access.close_category(session, place, course, opening.id, by="vert", now=NOW + HOUR) is expected
        assert not is_open(database, place, guest, NOW + HOUR)
    assert isinstance(opened(database, place, course, now=NOW + HOUR), Opened)
    assert is_open(database, place, guest, NOW + HOUR)


def test_one_course_does_not_close_what_another_has_opened(database: Database, place: Place) -> None:
    one, other = made(database, place), made(database, place)
    opened(database, place, one)
    [opening] = access.openings(in_force(database, place), one, NOW)
    with database.write() as session:
        assert not access.close_category(session, place, other, opening.id, by="vert", now=NOW)
    assert access.openings(in_force(database, place), one, NOW)


@pytest.mark.parametrize("category", ["adult", "malware", "phishing", "dating", "", "nonsense"])
def test_what_is_not_listed_for_hosts_is_not_opened(database: Database, place: Place, category: str) -> None:
    assert opened(database, place, made(database, place), category) == NotOpened("not_listed")


def test_adult_is_not_opened_even_where_a_stored_policy_lists_it(database: Database, place: Place) -> None:
    """As a document of another release, or one that was written past the checks, would."""
    course = made(database, place)
    with database.write() as session:
        found = generations.in_force(session, place.owner_id)
        assert found is not None
        stored = {**found.document, "host_categories": ["adult", "gaming"]}
        session.add(
            PolicyGeneration(
                owner_id=place.owner_id,
                generation=2,
                document=stored,
                sha256="0" * 64,
                published_by="x",
                note="",
                published_at=NOW,
            )
        )
    assert opened(database, place, course, "adult") == NotOpened("no_policy")
    assert leaves(database, "exemption_changed") == []


def test_it_is_neither_opened_too_early_nor_too_late_nor_for_too_long(database: Database, place: Place) -> None:
    later = made(database, place, Wish("Kveld", "Kultur", NOW + 2 * HOUR, NOW + 12 * HOUR, "course", 20))
    assert opened(database, place, later) == NotOpened("not_yet")
    for hours in (0, -1, 9):
        assert opened(database, place, later, hours=hours, now=NOW + 2 * HOUR) == NotOpened("hours")
    assert opened(database, place, later, now=NOW + 12 * HOUR) == NotOpened("over")
    assert opened(database, place, later, hours=8, now=NOW + HOUR) == Opened(2, NOW + 9 * HOUR)
    course = made(database, place)
    assert opened(database, place, course, hours=8) == Opened(3, EVENING)
    assert opened(database, place, Course(id="unknown")) == NotOpened("unknown")


def test_two_who_open_at_once_open_it_once(database: Database, place: Place) -> None:
    course = made(database, place)
    done = at_once(2, lambda _: opened(database, place, course))
    assert sorted(type(each).__name__ for each in done) == ["NotOpened", "Opened"]
    assert len(access.openings(in_force(database, place), course, NOW)) == 1


def test_it_ends_with_the_course_however_that_ends(database: Database, place: Place) -> None:
    for end_it in (True, False):
        course = made(database, place)
        opened(database, place, course, hours=4)
        with database.write() as session:
            if end_it:
                keeping.end(session, place, course.id, by="vert", now=NOW + HOUR)
            else:
                sooner = Wish("Spilldesign", "Kultur", NOW, NOW + 2 * HOUR, "course", 20)
                keeping.change(
                    session, place, course.id, sooner, (), by="vert", duration=10 * HOUR, now=NOW + HOUR
                )  # fmt: skip
        left = [each.end for each in in_force(database, place).exemptions if each.group == own_group(course)]
        assert left == ([] if end_it else [(NOW + 2 * HOUR).replace(microsecond=0)])


def test_the_courses_group_follows_the_one_it_was_given(database: Database, place: Place) -> None:
    course = made(database, place)
    guest = join(database, place, course, 1)
    opened(database, place, course)
    with database.write() as session:
        document = draft_edits.with_cells(publishing.draft(session, place), {("course", "streaming"): "closed"})
        publishing.save_draft(session, place, document, NOW)
        publishing.publish(session, place, "it", "", NOW)
    assert not is_open(database, place, guest, NOW, "streaming")
    assert is_open(database, place, guest, NOW)
    with database.write() as session:
        wish = Wish("Spilldesign", "Kultur", NOW, EVENING, "default", 20)
        keeping.change(session, place, course.id, wish, ("default",), by="it", duration=10 * HOUR, now=NOW)
    assert in_force(database, place).groups[own_group(course)].like == "default"
    assert is_open(database, place, guest, NOW, "streaming")
    assert is_open(database, place, guest, NOW)


def test_a_draft_that_somebody_works_on_is_not_published_and_keeps_the_opening(
    database: Database, place: Place
) -> None:
    course = made(database, place)
    with database.write() as session:
        publishing.set_category(session, place, "default", "streaming", closed=True, now=NOW)
        document, _ = draft_edits.with_exemption(
            publishing.draft(session, place), "default", ["dating"], NOW, EVENING, approved_by="IT", reason="x"
        )
        publishing.save_draft(session, place, document, NOW)
    opened(database, place, course)
    assert "streaming" not in in_force(database, place).groups["default"].closed
    with database.write() as session:
        publishing.publish(session, place, "it", "", NOW)
    [opening] = access.openings(in_force(database, place), course, NOW)
    with database.write() as session:
        publishing.set_category(session, place, "default", "streaming", closed=False, now=NOW)
        access.close_category(session, place, course, opening.id, by="vert", now=NOW)
        publishing.publish(session, place, "it", "", NOW)
    assert access.openings(in_force(database, place), course, NOW) == ()


def test_going_back_to_an_earlier_policy_ends_it_and_it_can_be_opened_again(database: Database, place: Place) -> None:
    course = made(database, place)
    guest = join(database, place, course, 1)
    opened(database, place, course)
    with database.write() as session:
        publishing.rollback(session, place, 1, "it", "", NOW)
    assert not is_open(database, place, guest, NOW)
    join(database, place, course, 2)
    assert isinstance(opened(database, place, course), Opened)
    assert is_open(database, place, guest, NOW), "the course's group has the mark that it had"


def test_groups_of_courses_that_are_over_go_with_the_next_opening(database: Database, place: Place) -> None:
    first, second = made(database, place), made(database, place, Wish("To", "Kultur", NOW, EVENING + HOUR, "course", 9))
    opened(database, place, first)
    opened(database, place, second)
    assert own_group(first) in in_force(database, place).groups
    opened(database, place, second, "streaming", now=EVENING + timedelta(minutes=1))
    with database.write() as session:
        publishing.set_category(session, place, "course", "streaming", closed=True, now=NOW)
        publishing.publish(session, place, "it", "", NOW)
    assert isinstance(opened(database, place, second, "streaming", now=EVENING + timedelta(minutes=1)), Opened)
    assert own_group(first) not in in_force(database, place).groups
    assert own_group(second) in in_force(database, place).groups
