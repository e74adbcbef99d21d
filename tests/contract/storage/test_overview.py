"""The numbers of the first page against a slow model that reads every row, on both databases."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from gateway.storage import overview
from gateway.storage.course_models import Course
from gateway.storage.engine import Database, Session
from gateway.storage.grants import record_applied
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Grant
from gateway.storage.overview import Online
from gateway.storage.places import Place, add_place
from tests.contract.storage.records import HOUR, NOW, add_grant, add_rules

GROUPS = ("default", "course", "staff")


def another(session: Session) -> Place:
    """An owner of their own in the same database."""
    return add_place(
        session, owner_key="fjell", owner_name="Fjell kommune", log_origin="example.org/fjell", site_key="s",
        gateway_key="g", interfaces=["lo"], now=NOW,
    )  # fmt: skip


def add_courses(session: Session, place: Place) -> list[Course]:
    """Three courses, two of one title."""
    courses = [
        Course(
            owner_id=place.owner_id, site_id=place.site_id, title=title, unit="Nybø skule", group_key="course",
            code=f"kode {number}", code_key=f"kode{number}", starts_at=NOW - HOUR, ends_at=NOW + HOUR,
            max_devices=30, offered="code",
            created_at=NOW, created_by="it",
        )
        for number, title in enumerate(("Regneark", "Regneark", "Ås: foto"))
    ]  # fmt: skip
    session.add_all(courses)
    session.flush()
    return courses


def filled(session: Session, place: Place, chance: random.Random, how_many: int = 60) -> list[Grant]:
    """Grants of every kind: over, to come, revoked, of courses, applied, removed again."""
    rules, courses = add_rules(session, place, place.owner_key), [None, None, *add_courses(session, place)]
    found = []
    for number in range(how_many):
        starts_at = NOW + timedelta(minutes=chance.randint(-3 * 24 * 60, 5))
        ends_at = starts_at + timedelta(minutes=chance.choice((5, 60, 24 * 60, 5 * 24 * 60)))
        grant = add_grant(
            session, place, rules, mac=f"02:00:00:00:00:{number:02x}", starts_at=starts_at, ends_at=ends_at,
            revoked_at=chance.choice((None, None, starts_at)),
        )  # fmt: skip
        course = chance.choice(courses)
        grant.group_key, grant.course_id = chance.choice(GROUPS), course and course.id
        found.append(grant)
    session.flush()
    kept = chance.sample([each.id for each in found], how_many // 2)
    record_applied(session, place.gateway_id, kept, [], NOW)
    record_applied(session, place.gateway_id, [], kept[:5], NOW)
    return found


def is_open(grant: Grant) -> bool:
    return grant.revoked_at is None and grant.starts_at <= NOW < grant.ends_at


def test_who_is_online_is_counted_as_one_counts_by_hand(database: Database, place: Place) -> None:
    for seed in range(3):
        with database.write() as session:
            other = another(session)
            filled(session, other, random.Random(seed + 100), 10)
            grants = filled(session, place, random.Random(seed))
            titles = {course.id: course.title for course in session.query(Course)}
            wanted = Counter((each.group_key, each.course_id) for each in grants if is_open(each))
            found = overview.online(session, place.owner_id, NOW)
            assert {(each.group, each.course_id): each.devices for each in found} == dict(wanted)
            assert len(wanted) > 3
            assert all(each.course == (titles[each.course_id] if each.course_id else None) for each in found)
            order = [(each.group, each.course or "") for each in found]
            assert order == sorted(order)
            assert overview.online(session, "0" * 32, NOW) == []
            session.rollback()


def test_whom_the_gateway_holds_up(database: Database, place: Place) -> None:
    with database.write() as session:
        rules = add_rules(session, place)
        for number, (minutes, applied) in enumerate(((10, True), (10, False), (3, False), (0, False))):
            grant = add_grant(
                session, place, rules, mac=f"02:00:00:00:01:{number:02x}", starts_at=NOW - timedelta(minutes=minutes)
            )
            if applied:
                record_applied(session, place.gateway_id, [grant.id], [], NOW)
        assert overview.held_up(session, place.gateway_id, NOW - timedelta(minutes=2), NOW) == 2
        assert overview.held_up(session, place.gateway_id, NOW - timedelta(minutes=5), NOW) == 1
        assert overview.held_up(session, "0" * 32, NOW, NOW) == 0


def test_acceptances_of_each_day(database: Database, place: Place) -> None:
    chance = random.Random(7)
    bounds = [NOW - timedelta(days=days) for days in range(3, -1, -1)]
    with database.write() as session:
        filled(session, another(session), chance, 5)
        grants = filled(session, place, chance)
        add_grant(session, place, add_rules(session, place, "edge"), mac="02:00:00:00:02:00", starts_at=bounds[1])
        at = [each.starts_at for each in grants] + [bounds[1]]
        assert overview.acceptances_between(session, place.owner_id, bounds) == [
            sum(start <= each < end for each in at) for start, end in pairwise(bounds)
        ]
        assert sum(overview.acceptances_between(session, place.owner_id, bounds)) > 30
        assert overview.acceptances_between(session, "0" * 32, bounds) == [0, 0, 0]
        assert overview.acceptances_between(session, place.owner_id, bounds[:1]) == []


def test_the_entry_that_has_waited_longest(database: Database, place: Place) -> None:
    def stage(session: Session, owner_id: str, at: datetime, leaf_id: str) -> None:
        session.add(StagedLeaf(owner_id=owner_id, leaf_id=leaf_id * 32, entry=b"{}", staged_at=at))
        session.flush()

    with database.write() as session:
        assert overview.oldest_staged(session, place.owner_id) is None
        stage(session, another(session).owner_id, NOW - HOUR, "a")
        assert overview.oldest_staged(session, place.owner_id) is None
        stage(session, place.owner_id, NOW, "b")
        stage(session, place.owner_id, NOW + HOUR, "c")
        assert overview.oldest_staged(session, place.owner_id) == NOW


def test_a_group_without_a_course_and_one_with_stand_beside_each_other(database: Database, place: Place) -> None:
    with database.write() as session:
        rules, course = add_rules(session, place), add_courses(session, place)[0]
        for number, course_id in enumerate((None, course.id, course.id)):
            grant = add_grant(session, place, rules, mac=f"02:00:00:00:03:{number:02x}")
            grant.course_id = course_id
        session.flush()
        assert overview.online(session, place.owner_id, NOW) == [
            Online("default", None, None, 1),
            Online("default", course.id, "Regneark", 2),
        ]
