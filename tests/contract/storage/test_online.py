"""Every order, filter and word of the list of devices online against reading all grants, on both databases: where what
is asked for is few, where it is many, and where only what a word means is few.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from gateway.storage import online, online_page
from gateway.storage.control_models import GrantTraffic
from gateway.storage.course_models import Course
from gateway.storage.engine import Database, Session
from gateway.storage.keyset import Cut, Part
from gateway.storage.log_models import Disclosure
from gateway.storage.models import AppliedGrant, Device, Grant, Network, Visitor, fold
from gateway.storage.online import OnlineQuery
from gateway.storage.places import Place, add_place
from gateway.storage.types import new_id
from tests.contract.storage.records import HOUR, NOW, add_grant, add_rules
from tests.contract.storage.test_table_orders import assert_pages

COUNT = 60
NAMES = ("Åse Berg", "Ærlig Østby", "Øyvind Bø", "kari-anne nordmann", "Kari Anne Nordmann", "Zita 100% Å_s", "Ola")
ORDERS = ("since", "until", "device", "name", "traffic")
QUERIES = (
    OnlineQuery(),
    OnlineQuery(group_key="course"),
    OnlineQuery(network="lo"),
    OnlineQuery(network="nonesuch"),
    OnlineQuery(kind="admitted"),
    OnlineQuery(kind="accepted", through=False),
    OnlineQuery(through=True),
    OnlineQuery(word="kari anne", group_key="default"),
    OnlineQuery(word="NORDMANN"),
    OnlineQuery(word="100% å_"),
    OnlineQuery(word="00:00:1e"),
    OnlineQuery(word="excel ÅR"),
    OnlineQuery(word="hav-SOL", through=True),
    OnlineQuery(word="nobody has this"),
    OnlineQuery(word="10.0.0.7", macs=frozenset({"02:00:00:00:00:07"})),
)
ONLY_OF_FEW = (OnlineQuery(word="åsane kurs"), OnlineQuery(word="ROM 3"), OnlineQuery(word="a"))
"""Words of organisations and units, which are looked for among few only."""


@pytest.fixture
def grants(database: Database, place: Place) -> list[str]:
    """Grants of two networks, some over, to come or ended, some another owner's; moments and octets are often alike."""
    chance = random.Random(5)
    with database.write() as session:
        other = add_place(
            session, owner_key="o", owner_name="O", log_origin="o.test/l", site_key="s", gateway_key="o",
            interfaces=["lo"], now=NOW,
        )  # fmt: skip
        second = Network(gateway_id=place.gateway_id, interface="guest9", group_key="default")
        course = Course(
            owner_id=place.owner_id, title="Excel år 2", unit="Skulen", code="fjell-hav-sol", code_key="fjell hav sol",
            site_id=place.site_id, offered="code", starts_at=NOW, ends_at=NOW + HOUR, group_key="course",
            max_devices=50, created_at=NOW, created_by="it",
        )  # fmt: skip
        session.add_all([second, course])
        session.flush()
        rules = {each.owner_id: add_rules(session, each) for each in (place, other)}
        for number in range(COUNT):
            whose = other if number % 11 == 10 else place
            grant = add_grant(
                session, whose, rules[whose.owner_id], mac=f"02:00:00:00:00:{number:02x}",
                starts_at=NOW + timedelta(seconds=chance.randrange(-9, 2)),
                ends_at=NOW + timedelta(seconds=chance.randrange(0, 12)),
                revoked_at=NOW if number % 13 == 12 else None,
            )  # fmt: skip
            assert grant.acceptance is not None
            grant.acceptance.visitor.name = chance.choice(NAMES)
            grant.acceptance.visitor.organisation = chance.choice(["", "Åsane  KURS AS", "ÅSANE-kurs"])
            if whose is place and chance.random() < 0.4:
                grant.network_id = second.id
            if whose is place and chance.random() < 0.3:
                grant.course_id, grant.group_key = course.id, "course"
            if number % 7 == 6:
                grant.acceptance_id, grant.admission_leaf_id = None, new_id()
                unit = chance.choice(["Rom 3", "Åsmund-salen", ""])
                session.add(Disclosure(leaf_id=grant.admission_leaf_id, name="unit", salt="s", value=unit))
            if chance.random() < 0.6:
                session.add(GrantTraffic(grant_id=grant.id, sent=chance.randrange(2), received=1, counted_at=NOW))
            if chance.random() < 0.6:
                gone = NOW if chance.random() < 0.2 else None
                session.add(
                    AppliedGrant(gateway_id=whose.gateway_id, grant_id=grant.id, applied_at=NOW, removed_at=gone)
                )
        session.flush()
        return [row.id for row in session.query(Grant)]


def slowly(session: Session, place: Place, query: OnlineQuery, by: str) -> list[Grant]:
    """The obvious way: look at every grant."""
    networks = {row.id: row.interface for row in session.query(Network).filter_by(gateway_id=place.gateway_id)}
    applied = {row.grant_id for row in session.query(AppliedGrant) if row.removed_at is None}
    found = [
        row
        for row in online.whole(session, [row.id for row in session.query(Grant)])
        if row.network_id in networks
        and query.network in ("", networks[row.network_id])
        and row.starts_at <= NOW < row.ends_at
        and row.revoked_at is None
        and query.group_key in ("", row.group_key)
        and query.course_id in ("", row.course_id)
        and query.kind in ("", "admitted" if row.acceptance is None else "accepted")
        and query.through in (None, row.id in applied)
        and (not query.word or row.device.mac in query.macs or is_said(row, query.word))
    ]
    return sorted(found, key=lambda row: (key(session, row, by), row.id))


def is_said(row: Grant, word: str) -> bool:
    def plain(said: str) -> str:
        return re.sub("-", " ", fold(said))

    visitor = row.acceptance.visitor if row.acceptance is not None else Visitor(name="", organisation="")
    course = row.course or Course(title="", code="", unit="")
    said = (visitor.name, visitor.organisation, row.holder, course.title, course.code, course.unit)
    if any(plain(word) in plain(each) for each in said if each):
        return True
    digits = word.replace(":", "")
    return len(digits) >= 4 and row.device.mac.replace(":", "").endswith(digits)


def key(session: Session, row: Grant, by: str) -> Any:
    counted = session.get(GrantTraffic, row.id)
    keys: dict[str, Callable[[], Any]] = {
        "since": lambda: row.starts_at,
        "until": lambda: row.ends_at,
        "device": lambda: row.device.mac,
        "name": lambda: fold(row.holder).replace("å", "þ"),
        "traffic": lambda: counted.sent + counted.received if counted is not None else 0,
    }
    return keys[by]()


@pytest.mark.parametrize(("few", "some"), [(1_000, 1_000), (6, 1_000), (6, 6), (0, 0)])
@pytest.mark.parametrize("by", ORDERS)
def test_pages_are_those_of_reading_all(
    database: Database,
    place: Place,
    grants: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    by: str,
    few: int,
    some: int,
) -> None:
    monkeypatch.setattr(online_page, "FEW", few)
    monkeypatch.setattr(online_page, "SOME", some)
    with database.read() as session:
        course_id = session.query(Course).one().id
        asked = [*QUERIES, OnlineQuery(course_id=course_id), *(ONLY_OF_FEW if few > COUNT else ())]
        for query in asked:
            expected = slowly(session, place, query, by)

            def fetch(cut: Cut, query: OnlineQuery = query) -> Part[str]:
                return online_page.page(session, place.owner_id, query, NOW, cut)

            def place_of(grant_id: str) -> tuple[Any, str]:
                row = session.get_one(Grant, grant_id)
                return (None if by in ("device", "name") else key(session, row, by)), grant_id

            assert_pages(fetch, by, place_of, [row.id for row in expected], lambda each: each)


def test_filters_and_words_find_something(database: Database, place: Place, grants: Sequence[str]) -> None:
    """So that the pages above are of something."""
    with database.read() as session:
        sizes = [len(slowly(session, place, query, "since")) for query in (*QUERIES, *ONLY_OF_FEW)]
        assert sum(size == 0 for size in sizes) == 2
        assert sizes[0] > 20


@pytest.mark.parametrize("by", ["device", "name"])
def test_of_who_is_gone_the_list_begins_anew(database: Database, place: Place, grants: Sequence[str], by: str) -> None:
    with database.read() as session:
        first = online_page.page(session, place.owner_id, OnlineQuery(), NOW, Cut(by, False, 5))
        for gone in (new_id(), next(each for each in grants if _is_others(session, place, each))):
            again = online_page.page(session, place.owner_id, OnlineQuery(), NOW, Cut(by, False, 5, (None, gone)))
            assert again == first


def _is_others(session: Session, place: Place, grant_id: str) -> bool:
    device = session.get_one(Device, session.get_one(Grant, grant_id).device_id)
    return device.owner_id != place.owner_id


def test_they_are_counted_and_their_courses_named(database: Database, place: Place, grants: Sequence[str]) -> None:
    with database.read() as session:
        everyone = len(slowly(session, place, OnlineQuery(), "since"))
        assert online.count(session, place.owner_id, NOW) == everyone
        assert online.count(session, place.owner_id, NOW, most=3) == 3
        assert [title for _, title in online.courses(session, place.owner_id, NOW)] == ["Excel år 2"]
        assert online.courses(session, place.owner_id, NOW + HOUR / 2) == []
