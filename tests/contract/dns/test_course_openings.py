"""What a host opens for a course, from the database to the answers of a real worker: open for its devices alone, closed
again when the course ends, or when the host says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.message
import dns.query
import pytest

from gateway.access import course_openings as access
from gateway.access import courses
from gateway.access.course_openings import Opened, own_group, policy_in_force
from gateway.access.course_plan import Wish
from gateway.lists import generations as publishing
from gateway.lists.publish import publish
from gateway.storage import generations, schema
from gateway.storage.course_models import Course
from gateway.storage.engine import Database, open_database
from gateway.storage.places import Place, add_place
from policies.snapshot import NamedList, compile_snapshot

from .conftest import Worker, wait_for

COURSE, OTHERS = "127.0.0.2", "127.0.0.3"
OPEN, CLOSED = "198.51.100.9", "0.0.0.0"
HOUR = timedelta(hours=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = open_database(f"sqlite:///{tmp_path / 'test.sqlite3'}")
    schema.upgrade(found)
    yield found
    found.close()


@pytest.fixture
def place(database: Database) -> Place:
    """A place whose policy has gaming closed, and lists it for hosts."""
    with database.write() as session:
        found = add_place(
            session,
            owner_key="storvik",
            owner_name="Storvik kommune",
            log_origin="storvik.test/log",
            site_key="hall",
            gateway_key="gw1",
            interfaces=["lo"],
            now=datetime.now(UTC),
        )
        document = publishing.draft(session, found) | {"host_categories": ["gaming"]}
        publishing.save_draft(session, found, document, datetime.now(UTC))
        publishing.publish(session, found, "it", "", datetime.now(UTC))
    return found


def compiled(database: Database, place: Place, state: Path) -> None:
    """What `jobs` does with a generation."""
    with database.read() as session:
        found = generations.in_force(session, place.owner_id)
        assert found is not None
        lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
        publish(state, compile_snapshot(found.document, lists, found.generation))


def answer(worker: Worker, source: str) -> tuple[str, int]:
    """The address that a device is told, and for how many seconds it may keep it."""
    query = dns.message.make_query("www.game.example", "A")
    found = dns.query.udp(query, "127.0.0.1", port=worker.port, source=source, timeout=6).answer
    return (str(found[0][0]), found[0].ttl) if found else ("", 0)  # no policy yet for a group that is not there yet


def test_a_name_opens_for_the_course_alone_and_closes_when_the_course_ends(
    database: Database, place: Place, tmp_path: Path, start, unbound
) -> None:
    now = datetime.now(UTC)
    ends = now.replace(microsecond=0) + timedelta(seconds=20)
    with database.write() as session:
        wish = Wish("Spilldesign", "Kultur", now - HOUR, ends, "default", 20)
        course = courses.add(session, place, wish, ("default",), by="vert", now=now - HOUR)
        assert isinstance(course, Course)
    networks = [[f"{COURSE}/32", own_group(course)], ["127.0.0.0/8", "default"]]
    worker = start([unbound], policy=False, sources=networks)
    compiled(database, place, tmp_path)
    wait_for(lambda: worker.has_policy)
    assert answer(worker, OTHERS)[0] == CLOSED
    with database.write() as session:
        done = access.open_category(
            session, place, course.id, "gaming", 2, reason="kurs", by="vert", now=datetime.now(UTC)
        )
    assert isinstance(done, Opened)
    assert done.until == ends
    compiled(database, place, tmp_path)
    wait_for(lambda: answer(worker, COURSE)[0] == OPEN, 5)
    while (asked := datetime.now(UTC)) < ends + timedelta(seconds=1.5):
        told, ttl_s = answer(worker, COURSE)
        if datetime.now(UTC) < ends:
            assert told == OPEN
            assert asked + timedelta(seconds=ttl_s) <= ends, "a device may keep it past the end of the course"
        elif asked > ends:
            assert told == CLOSED
        assert answer(worker, OTHERS)[0] == CLOSED
        time.sleep(0.05)


def test_a_name_closes_for_the_course_when_the_host_says_so(
    database: Database, place: Place, tmp_path: Path, start, unbound
) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        wish = Wish("Spilldesign", "Kultur", now - HOUR, now + HOUR, "default", 20)
        course = courses.add(session, place, wish, ("default",), by="vert", now=now - HOUR)
        assert isinstance(course, Course)
        access.open_category(session, place, course.id, "gaming", 1, reason="kurs", by="vert", now=now)
    worker = start([unbound], policy=False, sources=[["127.0.0.0/8", own_group(course)]])
    compiled(database, place, tmp_path)
    wait_for(lambda: worker.has_policy and answer(worker, COURSE)[0] == OPEN)
    with database.write() as session:
        policy = policy_in_force(session, place.owner_id)
        assert policy is not None
        [opening] = access.openings(policy, course, datetime.now(UTC))
        assert access.close_category(session, place, course, opening.id, by="vert", now=datetime.now(UTC))
    compiled(database, place, tmp_path)
    wait_for(lambda: answer(worker, COURSE)[0] == CLOSED, 5)
