"""Searching acceptances finds what reading all of them finds, page by page; and a name that goes is no longer found."""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import delete, text, update

from gateway.storage import search
from gateway.storage.engine import Database, Session
from gateway.storage.log_models import Disclosure
from gateway.storage.models import Acceptance, Device, Site, Visitor, fold
from gateway.storage.places import Place
from gateway.storage.search import AcceptanceQuery, search_acceptances
from gateway.storage.types import new_id
from tests.contract.storage.records import NOW, add_rules

NAMES = ("Anne Ås", "ANNE Berg", "Bo Li", "Åse Kvalvågnes", 'per_%\\ "x"', "Straße Øst", "Ingrid O'Dea", "ab")


def fill(database: Database, place: Place, count: int) -> None:
    """`count` acceptances in an order of times that repeats some; two sites, two versions, courses for a third."""
    chance = random.Random(7)
    with database.write() as session:
        site = Site(owner_id=place.owner_id, key="skolen")
        session.add(site)
        session.flush()
        versions = [add_rules(session, place, label) for label in ("1", "2")]
        for number in range(count):
            at = NOW + timedelta(seconds=chance.randrange(count))
            visitor = Visitor(owner_id=place.owner_id, name=chance.choice(NAMES), created_at=at)
            device = Device(
                owner_id=place.owner_id,
                mac=f"02:00:00:0{number % 7}:{number // 256:02x}:{number % 256:02x}",
                first_seen_at=at,
                last_seen_at=at,
            )
            leaf_id = new_id()
            session.add(
                Acceptance(
                    owner_id=place.owner_id,
                    site_id=chance.choice((place.site_id, site.id)),
                    visitor=visitor,
                    device=device,
                    rules_version_id=chance.choice(versions).id,
                    language="nb",
                    text_sha256="a" * 64,
                    identified_by="self_declared",
                    accepted_at=at,
                    receipt_code=f"{number:016}",
                    leaf_id=leaf_id,
                )
            )
            if number % 3 == 0:
                session.add(Disclosure(leaf_id=leaf_id, name="course_code", salt="s", value=f"Kurs-{number % 5}"))
            session.add(Disclosure(leaf_id=leaf_id, name="organisation", salt="s", value="Kurs-1"))


def slowly(session: Session, query: AcceptanceQuery) -> list[str]:
    """The obvious way: look at every acceptance."""
    courses = {row.leaf_id: row.value for row in session.query(Disclosure).filter_by(name="course_code")}
    found = [
        row
        for row in session.query(Acceptance)
        if (query.since is None or row.accepted_at >= query.since)
        and (query.until is None or row.accepted_at < query.until)
        and fold(query.name) in fold(session.get_one(Visitor, row.visitor_id).name)
        and session.get_one(Device, row.device_id).mac.replace(":", "").endswith(query.mac.replace(":", ""))
        and (not query.course or courses.get(row.leaf_id, "").lower() == query.course.lower())
        and query.receipt in ("", row.receipt_code)
        and query.version_id in ("", row.rules_version_id)
        and (query.site_ids is None or row.site_id in query.site_ids)
    ]
    return [row.id for row in sorted(found, key=lambda row: (row.accepted_at, row.id), reverse=True)]


def paged(session: Session, owner_id: str, query: AcceptanceQuery, limit: int) -> list[str]:
    found: list[str] = []
    before = None
    while rows := search_acceptances(session, owner_id, query, before=before, limit=limit):
        found += [row.id for row in rows]
        before = rows[-1].accepted_at, rows[-1].id
    return found


def test_every_search_finds_what_reading_all_of_it_finds(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, place, 60)
    monkeypatch.setattr(search, "PROBE", 9)  # so that the trigram index is asked too
    with database.read() as session:
        sites = tuple(session.scalars(text("SELECT id FROM site ORDER BY key")))
        version = session.scalars(text("SELECT id FROM rules_version WHERE label = '2'")).one()
        names = ("", "anne", "ÅS ", "_%\\ ", "STRASSE", "nobody")
        for name, at, site_ids, version_id in itertools.product(
            names, (None, NOW + timedelta(seconds=40)), (None, sites, sites[:1], ()), ("", version)
        ):
            query = AcceptanceQuery(since=at, name=name, site_ids=site_ids, version_id=version_id)
            assert paged(session, place.owner_id, query, 11) == slowly(session, query), query
        for query in (
            AcceptanceQuery(mac="02:00:00:03:00:03"),
            AcceptanceQuery(mac="0003"),
            AcceptanceQuery(mac="00ff"),
            AcceptanceQuery(mac="0:19"),
            AcceptanceQuery(mac="0049"),
            AcceptanceQuery(course="kurs-1"),
            AcceptanceQuery(course="KURS-2", until=NOW + timedelta(seconds=50)),
            AcceptanceQuery(course="kurs"),
            AcceptanceQuery(receipt=f"{17:016}"),
            AcceptanceQuery(receipt="x" * 16),
            AcceptanceQuery(course="kurs-0", name="anne", site_ids=sites[:1], version_id=version),
        ):
            if len(query.mac.replace(":", "")) < 4 and query.mac:
                with pytest.raises(ValueError, match="four"):
                    search_acceptances(session, place.owner_id, query, limit=5)
                continue
            assert paged(session, place.owner_id, query, 11) == slowly(session, query), query
        for query in (
            AcceptanceQuery(),
            AcceptanceQuery(name="anne"),
            AcceptanceQuery(version_id=version),
            AcceptanceQuery(site_ids=sites),
            AcceptanceQuery(course="KURS-2"),
        ):
            assert search_acceptances(session, "another", query, limit=5) == [], query
        for bad in (AcceptanceQuery(name="ab"), AcceptanceQuery(mac="xyzq"), AcceptanceQuery(mac="0" * 13)):
            with pytest.raises(ValueError, match="searched by"):
                search_acceptances(session, place.owner_id, bad, limit=5)


@pytest.mark.parametrize("how", ["update", "delete", "orm"])
def test_an_erased_name_is_found_no_more(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    fill(database, place, 20)
    monkeypatch.setattr(search, "PROBE", 1)
    query = AcceptanceQuery(name="kvalvåg")
    with database.read() as session:
        before = paged(session, place.owner_id, query, 5)
        assert before
    with database.write() as session:
        visitors = session.query(Visitor).filter_by(name="Åse Kvalvågnes").all()
        ids = [visitor.id for visitor in visitors]
        if how == "delete":
            session.execute(delete(Acceptance).where(Acceptance.visitor_id.in_(ids)))
            session.execute(delete(Visitor).where(Visitor.id.in_(ids)))
        elif how == "update":  # in one statement, by somebody who knows nothing of search keys
            session.execute(update(Visitor).where(Visitor.id.in_(ids)).values(name=""))
        else:
            for visitor in visitors:
                visitor.name = ""
    with database.read() as session:
        assert paged(session, place.owner_id, query, 5) == []
        assert session.execute(text("SELECT count(*) FROM visitor WHERE name_key LIKE '%kvalv%'")).scalar() == 0
        if database.is_sqlite:
            ask = text("SELECT count(*) FROM visitor_trigram WHERE visitor_trigram MATCH :gram")
            assert session.execute(ask, {"gram": '"kva"'}).scalar() == 0


def test_an_erased_address_is_found_no_more(database: Database, place: Place) -> None:
    fill(database, place, 3)
    with database.write() as session:
        session.execute(update(Device).values(mac=text("'gone' || substr(id, 1, 8)")))
        assert set(session.scalars(text("SELECT mac_tail FROM device"))) == {""}
    with database.read() as session:
        assert search_acceptances(session, place.owner_id, AcceptanceQuery(mac="0001"), limit=5) == []


def test_the_trigrams_survive_vacuum(database: Database, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if not database.is_sqlite:  # whose index follows its rows by itself
        return
    fill(database, place, 30)
    with database.write() as session:
        first = session.query(Visitor).order_by(Visitor.created_at).limit(10).all()
        session.execute(delete(Acceptance).where(Acceptance.visitor_id.in_([row.id for row in first])))
        session.execute(delete(Visitor).where(Visitor.id.in_([row.id for row in first])))
    database.close()
    with contextlib.closing(sqlite3.connect(database.sqlite_path)) as connection:
        connection.execute("VACUUM")
    monkeypatch.setattr(search, "PROBE", 1)
    with database.read() as session:
        query = AcceptanceQuery(name="anne")
        assert paged(session, place.owner_id, query, 5) == slowly(session, query)
