"""Courses: a seat by its code, never one too many, and guests who go when it ends, on both databases."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, event, text, update
from sqlalchemy.exc import IntegrityError

from gateway.access import courses as access
from gateway.access.accept import Accepted, Applicant, Refused, accept
from gateway.access.course_plan import Wish
from gateway.access.courses import Ended, NoCourse, Sought
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as publishing
from gateway.storage import courses, grants
from gateway.storage.course_models import Course
from gateway.storage.engine import Database
from gateway.storage.feed import open_feed
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.models import Acceptance, Device, Grant
from gateway.storage.places import Place, add_place
from gateway.storage.staff_models import Staff
from tests.contract.storage.records import HOUR, NOW, add_rules, at_once

END = NOW + 4 * HOUR
GROUPS = ("default", "course")
WISH = Wish("Excel for alle", "Voksenopplæringen", NOW, END, "course", 2)
DURATION = 10 * HOUR


@pytest.fixture(autouse=True)
def policy(database: Database, place: Place) -> None:
    """A policy in force with the groups default (mark 1) and course (mark 7), and rules."""
    with database.write() as session:
        document = publishing.draft(session, place)
        document["groups"]["course"] = document["groups"]["default"] | {"mark": 7}
        publishing.save_draft(session, place, document, NOW)
        publishing.publish(session, place, "it", "", NOW)
        add_rules(session, place)


def made(database: Database, place: Place, wish: Wish = WISH) -> Course:
    with database.write() as session:
        course = access.add(session, place, wish, GROUPS, by="ola", now=NOW)
    assert isinstance(course, Course)
    return course


def mac_of(number: int) -> str:
    return f"02:00:00:00:01:{number:02x}"


def join(
    database: Database,
    place: Place,
    sought: Sought,
    number: int = 1,
    now: datetime = NOW,
    duration: timedelta = DURATION,
    longest: timedelta = timedelta(0),
) -> Accepted | Refused:
    with database.write() as session:
        version_id = str(session.execute(text("SELECT id FROM rules_version")).scalar())
        return accept(
            session,
            place,
            Neighbour("lo", mac_of(number)),
            Applicant("Kari Nordmann", course_code=sought.code),
            version_id=version_id,
            language="nb",
            address="192.0.2.1",
            duration=duration,
            longest=longest,
            now=now,
            sought=sought,
        )


def leaves(database: Database) -> list[dict[str, object]]:
    with database.read() as session:
        return [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]


def test_whoever_knows_the_code_gets_the_courses_group_until_its_end_and_is_identified_by_it(
    database: Database, place: Place
) -> None:
    course = made(database, place)
    typed = course.code.upper().replace("-", "  ")
    done = join(database, place, Sought(code=typed))
    assert isinstance(done, Accepted)
    assert done.ends_at == END
    with database.read() as session:
        grant = session.get(Grant, done.grant_id)
        assert grant is not None
        assert (grant.group_key, grant.mark, grant.course_id) == ("course", 7, course.id)
        acceptance = session.get(Acceptance, done.acceptance_id)
        assert acceptance is not None
        assert acceptance.identified_by == "course_code"
        [known] = session.query(Disclosure).filter_by(leaf_id=acceptance.leaf_id, name="course_code")
        assert known.value == course.code, "as the export filters by it, however it was typed"
    assert leaves(database)[-1]["identified_by"] == "course_code"
    again = join(database, place, Sought(code=course.code))
    assert isinstance(again, Accepted)
    assert (again.grant_id, again.repeated) == (done.grant_id, True)


@pytest.mark.parametrize(
    ("longest", "lasts"),
    [(24 * HOUR, 4 * HOUR), (3 * HOUR, 3 * HOUR), (timedelta(0), HOUR)],
    ids=["until its end", "as long as access may last", "never shorter than without a course"],
)
def test_a_course_lasts_until_its_end_though_its_groups_time_is_shorter(
    database: Database, place: Place, longest: timedelta, lasts: timedelta
) -> None:
    course = made(database, place)
    done = join(database, place, Sought(code=course.code), duration=HOUR, longest=longest)
    assert isinstance(done, Accepted)
    assert done.ends_at == NOW + lasts


def test_the_leaf_of_a_course_tells_no_title_and_no_code(database: Database, place: Place) -> None:
    course = made(database, place)
    last = leaves(database)[-1]
    assert {name: last[name] for name in ("type", "change", "course", "group", "since", "until", "devices")} == {
        "type": "course_changed",
        "change": "added",
        "course": course.id,
        "group": "course",
        "since": "2026-11-22T12:00:00.123Z",
        "until": "2026-11-22T16:00:00.123Z",
        "devices": 2,
    }
    assert "Excel" not in json.dumps(last)
    with database.read() as session:
        values = {row.name: row.value for row in session.query(Disclosure).filter(Disclosure.value != "it")}
    assert values["title"] == "Excel for alle"
    assert (values["unit"], values["by"], values["course_code"]) == ("Voksenopplæringen", "ola", course.code)


@pytest.mark.parametrize(
    ("sought", "now", "reason"),
    [
        (Sought(code="ikke-en-kode"), NOW, "no_course"),
        (Sought(code="---"), NOW, "no_course"),
        (Sought(code="x" * 5000), NOW, "no_course"),
        (Sought(course_id="a\0b"), NOW, "no_course"),
        (None, NOW - HOUR - timedelta(seconds=1), "course_not_yet"),
        (None, END, "course_over"),
    ],
)
def test_a_course_that_is_not_open_lets_nobody_in_and_leaves_nothing_of_them(
    database: Database, place: Place, sought: Sought | None, now: datetime, reason: str
) -> None:
    course = made(database, place)
    assert join(database, place, sought or Sought(code=course.code), now=now) == Refused(reason)  # type: ignore[arg-type]
    with database.read() as session:
        assert session.query(Device).count() == 0
        assert session.query(Grant).count() == 0


def test_it_opens_an_hour_before_it_begins(database: Database, place: Place) -> None:
    course = made(database, place)
    assert isinstance(join(database, place, Sought(code=course.code), now=NOW - HOUR), Accepted)


def test_a_course_is_open_at_its_own_site_only(database: Database, place: Place) -> None:
    course = made(database, place)
    with database.write() as session:
        other = add_place(
            session,
            owner_key="nybo",
            owner_name="Nybø kommune",
            log_origin="example.org/nybo",
            site_key="bibliotek",
            gateway_key="gateway-2",
            interfaces=["lo"],
            now=NOW,
        )
    assert join(database, other, Sought(code=course.code)) == Refused("no_course")


def test_the_last_place_is_given_once_to_those_who_come_at_the_same_time(database: Database, place: Place) -> None:
    course = made(database, place)
    outcomes = at_once(6, lambda number: join(database, place, Sought(code=course.code), number))
    assert sum(isinstance(each, Accepted) for each in outcomes) == 2
    assert [each for each in outcomes if isinstance(each, Refused)] == [Refused("course_full")] * 4
    with database.read() as session:
        assert courses.devices_with_access(session, course.id, NOW) == 2
        assert session.query(Device).count() == 2, "who was refused is not kept"


def test_a_place_is_free_again_when_its_guest_has_gone_and_a_guest_keeps_their_own(
    database: Database, place: Place
) -> None:
    course = made(database, place)
    first, second = (join(database, place, Sought(code=course.code), number) for number in (1, 2))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert isinstance(join(database, place, Sought(code=course.code), 1), Accepted)
    assert join(database, place, Sought(code=course.code), 3) == Refused("course_full")
    with database.write() as session:
        grant = session.get(Grant, first.grant_id)
        assert grant is not None
        grant.revoked_at, grant.revoked_by = NOW, "guest"
    assert isinstance(join(database, place, Sought(code=course.code), 3), Accepted)


def test_a_course_offered_by_its_title_can_be_chosen_and_others_not(database: Database, place: Place) -> None:
    closed = made(database, place)
    assert join(database, place, Sought(course_id=closed.id)) == Refused("no_course")
    offered = made(database, place, Wish("Åpent hus", "Biblioteket", NOW, END, "course", 5, "title"))
    done = join(database, place, Sought(course_id=offered.id))
    assert isinstance(done, Accepted)
    with database.read() as session:
        acceptance = session.get(Acceptance, done.acceptance_id)
        assert acceptance is not None
        assert acceptance.identified_by == "self_declared", "they showed no code"


def test_ending_it_closes_its_grants_and_wakes_the_enforcer(database: Database, place: Place) -> None:
    course = made(database, place)
    join(database, place, Sought(code=course.code))
    other = made(database, place)
    join(database, place, Sought(code=other.code), 2)
    feed = open_feed(database, ("grants",), lambda: False)
    while feed.wait(0.3):
        pass
    now = NOW + timedelta(minutes=5)
    with database.write() as session:
        done = access.end(session, place, course.id, by="ola", now=now)
        assert isinstance(done, Ended)
        assert done.closed == 1
    assert feed.wait(2)
    feed.close()
    with database.read() as session:
        assert [row.mac for row in grants.grants_of_gateway(session, place.gateway_id, now)] == [mac_of(2)]
    last = leaves(database)[-1]
    assert (last["type"], last["change"], last["until"]) == ("course_changed", "ended", "2026-11-22T12:05:00.123Z")
    assert join(database, place, Sought(code=course.code), now=now) == Refused("course_over")
    with database.write() as session:
        assert access.end(session, place, course.id, by="ola", now=now) == NoCourse("over")
        assert access.end(session, place, "a\0b", by="ola", now=now) == NoCourse("unknown")


def test_guests_who_are_online_follow_a_change(database: Database, place: Place) -> None:
    course = made(database, place)
    done = join(database, place, Sought(code=course.code))
    assert isinstance(done, Accepted)

    def grant_after(wish: Wish, now: datetime = NOW) -> tuple[datetime, str, int]:
        with database.write() as session:
            changed = access.change(session, place, course.id, wish, GROUPS, by="ola", duration=DURATION, now=now)
            assert isinstance(changed, Course), changed
        with database.read() as session:
            grant = session.get(Grant, done.grant_id)
            assert grant is not None
            return grant.ends_at, grant.group_key, grant.mark

    earlier, later = END - HOUR, END + 20 * HOUR
    assert grant_after(Wish("T", "U", NOW, earlier, "course", 2)) == (earlier, "course", 7)
    assert grant_after(Wish("T", "U", NOW, later, "course", 2)) == (NOW + DURATION, "course", 7)
    assert grant_after(Wish("T", "U", NOW, END, "default", 1)) == (END, "default", 1)
    assert [leaf["change"] for leaf in leaves(database) if leaf["type"] == "course_changed"] == [
        "added",
        "changed",
        "changed",
        "changed",
    ]


def test_what_is_wrong_with_a_wish_writes_nothing(database: Database, place: Place) -> None:
    before = leaves(database)
    wrong = Wish("", "U", NOW, NOW - HOUR, "staff", 0)
    with database.write() as session:
        refused = access.add(session, place, wrong, GROUPS, by="ola", now=NOW)
    assert isinstance(refused, access.Refused)
    assert refused.problems == {"title": "missing", "ends_at": "past", "group": "no_group", "max_devices": "count"}
    assert leaves(database) == before


def test_usage_is_counted_by_device_and_hour(database: Database, place: Place) -> None:
    course = made(database, place)
    join(database, place, Sought(code=course.code), 1)
    join(database, place, Sought(code=course.code), 2, NOW + HOUR)
    with database.read() as session:
        used = courses.usage(session, course.id, NOW + HOUR)
        assert (used.devices_now, used.devices, used.acceptances) == (2, 2, 2)
        assert [count for _, count in used.hours] == [1, 1]
        assert used.hours[0][0] == NOW.replace(microsecond=0)
        assert courses.access_now(session, [course.id], END) == {}


def test_a_course_is_found_by_the_beginning_of_its_id_without_reading_all(database: Database, place: Place) -> None:
    plans: list[str] = []

    def explain(connection: Connection, _cursor: object, statement: str, parameters: object, *_other: object) -> None:
        if "FROM course" in statement and database.is_sqlite:
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in rows)

    ids = [f"0123456789ab{'f' * 20}", f"0123456789ac{'0' * 20}", "f" * 32]
    for identity in ids:
        course = made(database, place)
        with database.write() as session:
            session.execute(update(Course).where(Course.id == course.id).values(id=identity))
    event.listen(database.engine, "before_cursor_execute", explain)
    with database.read() as session:
        for identity in ids:
            found = courses.beginning(session, place.owner_id, identity[:12])
            assert found is not None
            assert found.id == identity
        assert courses.beginning(session, place.owner_id, "0123456789ad") is None
        assert courses.beginning(session, "0" * 32, ids[0][:12]) is None
    if database.is_sqlite:
        assert plans
        assert [plan for plan in plans if "(id>? AND id<?)" not in plan] == []


def test_a_course_is_forgotten_when_nothing_names_it_any_more(database: Database, place: Place) -> None:
    empty, used = made(database, place), made(database, place)
    join(database, place, Sought(code=used.code))
    with database.write() as session:
        assert courses.forget(session, place.owner_id, END) == 0
        assert courses.forget(session, place.owner_id, END + HOUR) == 1
        assert courses.course(session, place.owner_id, empty.id) is None
        assert courses.course(session, place.owner_id, used.id) is not None


def test_there_are_three_roles_and_no_more(database: Database, place: Place) -> None:
    for role in ("it", "auditor", "host"):
        with database.write() as session:
            session.add(Staff(owner_id=place.owner_id, username=role, role=role, created_at=NOW))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Staff(owner_id=place.owner_id, username="x", role="guest", created_at=NOW))
