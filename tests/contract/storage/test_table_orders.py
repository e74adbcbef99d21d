"""Every order and filter of the console's tables against reading all rows, page by page, on both databases."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from gateway.storage import (
    api_tokens,
    checkpoints,
    courses,
    exemption_requests,
    generations,
    headings,
    lists,
    rules,
    search,
    search_by_name,
    staff,
)
from gateway.storage.api_models import ApiToken
from gateway.storage.course_models import Course
from gateway.storage.engine import Database, Session
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.headings import LeafQuery
from gateway.storage.keyset import Cut, Part, Place
from gateway.storage.list_models import ListRefresh
from gateway.storage.log_models import Checkpoint, Leaf, LeafHeading
from gateway.storage.models import Acceptance, RulesVersion, Visitor
from gateway.storage.places import Place as Site
from gateway.storage.policy_models import PolicyGeneration
from gateway.storage.search import AcceptanceQuery, page_of_acceptances
from gateway.storage.staff_models import Staff, StaffSession
from gateway.storage.types import new_id
from tests.contract.storage.records import NOW, add_grant, add_rules
from tests.contract.storage.test_search import fill, slowly

COUNT = 40
Fetch = Callable[[Cut], Part[Any]]


def moments(chance: random.Random) -> Any:
    """A moment of few, so that many are alike."""
    return NOW + timedelta(seconds=chance.randrange(COUNT // 4))


def place_of_leaf(by: str, leaf: headings.FoundLeaf) -> Place:
    return (leaf.at if by == "at" else leaf.index), leaf.index


def assert_pages(
    fetch: Fetch, by: str, place_of: Callable[[Any], Place], expected: Sequence[Any], own: Callable[[Any], Any]
) -> None:
    """That pages of 7 forwards and back are `expected`, which is ascending, in both directions."""
    for descending in (False, True):
        ordered = [own(row) for row in (reversed(expected) if descending else expected)]
        pages = [fetch(Cut(by, descending, 7))]
        assert pages[0].is_first
        while not pages[-1].is_last:
            pages.append(fetch(Cut(by, descending, 7, place_of(pages[-1].rows[-1]))))
            assert not pages[-1].is_first
        assert [own(row) for page in pages for row in page.rows] == ordered
        for before, page in itertools.pairwise(pages):
            again = fetch(Cut(by, descending, 7, place_of(page.rows[0]), backwards=True))
            assert [own(row) for row in again.rows] == [own(row) for row in before.rows]
            assert again.is_first == before.is_first


def test_checkpoints(database: Database, place: Site) -> None:
    chance = random.Random(1)
    with database.write() as session:
        rows = [
            Checkpoint(owner_id=place.owner_id, size=size, note="n", signed_at=moments(chance)) for size in range(COUNT)
        ]
        session.add_all(rows)
        session.flush()
        for since, until in itertools.product((None, NOW + timedelta(seconds=3)), (None, NOW + timedelta(seconds=7))):
            fits = [
                r for r in rows if (since is None or r.signed_at >= since) and (until is None or r.signed_at < until)
            ]
            assert_pages(
                partial(checkpoints.page_of_checkpoints, session, place.owner_id, since, until),
                "signed", lambda r: (r.signed_at, r.size),
                sorted(fits, key=lambda r: (r.signed_at, r.size)), lambda r: r.size,
            )  # fmt: skip


def test_generations(database: Database, place: Site) -> None:
    chance = random.Random(2)
    with database.write() as session:
        rows = [
            PolicyGeneration(
                owner_id=place.owner_id,
                generation=number,
                document={},
                sha256="a" * 64,
                published_by="k",
                published_at=moments(chance),
            )
            for number in range(1, COUNT)
        ]
        session.add_all(rows)
        session.flush()
        for since, until in itertools.product((None, NOW + timedelta(seconds=3)), (None, NOW + timedelta(seconds=7))):
            fits = [
                r
                for r in rows
                if (since is None or r.published_at >= since) and (until is None or r.published_at < until)
            ]
            assert_pages(
                partial(generations.page_of_generations, session, place.owner_id, since, until),
                "published", lambda r: (r.published_at, r.generation),
                sorted(fits, key=lambda r: (r.published_at, r.generation)), lambda r: r.generation,
            )  # fmt: skip


def test_versions_of_the_rules(database: Database, place: Site) -> None:
    chance = random.Random(3)
    with database.write() as session:
        rows = [
            add_rules(session, place, f"v{number}", moments(chance), group_key=chance.choice(("", "library")))
            for number in range(COUNT)
        ]
        for group in (None, "", "library", "nobody"):
            fits: list[RulesVersion] = [row for row in rows if group in (None, row.group_key)]
            assert_pages(
                partial(rules.page_of_versions, session, place.owner_id, group),
                "published", lambda r: (r.published_at, r.id),
                sorted(fits, key=lambda r: (r.published_at, r.id)), lambda r: r.id,
            )  # fmt: skip
        newest = sorted(rows, key=lambda r: (r.published_at, r.id), reverse=True)
        assert [each.label for each in rules.newest_labels(session, place.owner_id, 5)] == [r.label for r in newest[:5]]


def test_refreshes_of_a_list(database: Database, place: Site) -> None:
    with database.write() as session:
        for number in range(COUNT):
            session.add(
                ListRefresh(
                    owner_id=place.owner_id, gateway_id=place.gateway_id, source_key=f"list-{number % 2}",
                    started_at=NOW,
                    finished_at=NOW, outcome="updated", details={},
                )
            )  # fmt: skip
            session.flush()
        rows = session.query(ListRefresh).filter_by(source_key="list-1").order_by(ListRefresh.id).all()
        assert len(rows) == COUNT // 2
        assert_pages(
            partial(lists.page_of_history, session, place.owner_id, place.gateway_id, "list-1"),
            "id", lambda r: (r.finished_at, r.id), rows, lambda r: r.id,
        )  # fmt: skip


def test_signed_in_browsers(database: Database, place: Site) -> None:
    chance, idle = random.Random(4), timedelta(seconds=COUNT // 4 - 3)
    now = NOW + timedelta(seconds=COUNT // 4)
    with database.write() as session:
        names = ("åse", "Ola", "kari", "kari-2", "øyvind")
        accounts = [Staff(owner_id=place.owner_id, username=name, role="it", created_at=NOW) for name in names]
        rows = [
            StaffSession(
                token_sha256=f"{number:064}", staff=chance.choice(accounts), created_at=moments(chance),
                seen_at=moments(chance), expires_at=now + timedelta(seconds=chance.choice((0, 5))),
            )
            for number in range(COUNT)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        for name in ("", "KARI", "nobody", "%"):
            fits = [
                r
                for r in rows
                if r.expires_at > now and r.seen_at > now - idle and name.lower() in r.staff.username.lower()
            ]
            assert_pages(
                partial(staff.page_of_sessions, session, place.owner_id, now, idle, name),
                "seen", lambda r: (r.seen_at, r.id), sorted(fits, key=lambda r: (r.seen_at, r.id)), lambda r: r.id,
            )  # fmt: skip

        alive = sorted(
            (r for r in rows if r.expires_at > now and r.seen_at > now - idle), key=lambda r: (r.created_at, r.id)
        )
        for staff_id in ("", accounts[0].id, "nobody"):
            assert_pages(
                partial(staff.page_of_sign_ins, session, place.owner_id, now, idle, staff_id=staff_id),
                "created", lambda r: (r.created_at, r.id),
                [r for r in alive if staff_id in ("", r.staff_id)], lambda r: r.id,
            )  # fmt: skip


def test_accounts_and_their_tokens(database: Database, place: Site) -> None:
    chance = random.Random(6)
    names = ["", "åse", "Ola", "kari", "kari-2", "øyvind", *(f"vert.{number}" for number in range(30))]
    with database.write() as session:
        accounts = [Staff(owner_id=place.owner_id, username=name, role="it", created_at=NOW) for name in names]
        session.add_all(accounts)
        tokens = [
            ApiToken(
                staff=chance.choice(accounts[1:4]), name=f"{number}", token_sha256=f"{number:064}", scopes="",
                created_at=moments(chance), expires_at=NOW,
            )
            for number in range(COUNT)
        ]  # fmt: skip
        session.add_all(tokens)
        session.flush()
        assert_pages(
            partial(staff.page_of_accounts, session, place.owner_id, ""),
            "name", lambda r: (r.username, r.id),
            sorted((r for r in accounts if r.username), key=lambda r: r.username), lambda r: r.username,
        )  # fmt: skip
        made = sorted(tokens, key=lambda r: (r.created_at, r.id))
        for staff_id in ("", accounts[1].id, accounts[5].id):
            assert_pages(
                partial(api_tokens.page_of_tokens, session, place.owner_id, staff_id=staff_id),
                "created", lambda r: (r.created_at, r.id),
                [r for r in made if staff_id in ("", r.staff_id)], lambda r: r.id,
            )  # fmt: skip


def test_courses_that_are_over_and_those_that_are_not(database: Database, place: Site) -> None:
    chance, now = random.Random(5), NOW + timedelta(seconds=COUNT // 8)
    units = ("Nybø skule", "nybø skule", "Biblioteket")
    with database.write() as session:
        rows = [
            Course(
                owner_id=place.owner_id, site_id=place.site_id, title="K", unit=chance.choice(units), code=str(number),
                code_key=str(number), starts_at=NOW, ends_at=moments(chance), group_key="default", max_devices=1,
                offered="code", created_at=NOW, created_by="k", ended_at=chance.choice((None, None, moments(chance))),
            )
            for number in range(COUNT)
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        assert sorted(courses.units(session, place.owner_id)) == sorted(units)
        for of_units in (None, units[:1], units[:2], units, ()):
            fits = [r for r in rows if of_units is None or r.unit in of_units]
            over = sorted((r for r in fits if r.over_at <= now), key=lambda r: (r.ends_at, r.id))
            assert_pages(
                partial(courses.page_of_courses_over, session, place.owner_id, of_units, now),
                "ends", lambda r: (r.ends_at, r.id), over, lambda r: r.id,
            )  # fmt: skip
            ahead = courses.not_over(session, place.owner_id, of_units, now, COUNT).rows
            assert {r.id for r in ahead} == {r.id for r in fits if r.over_at > now}
            since = now - timedelta(seconds=2)
            assert_pages(
                partial(courses.page_of_courses, session, place.owner_id, of_units, since),
                "ends", lambda r: (r.ends_at, r.id),
                sorted((r for r in fits if r.over_at > since), key=lambda r: (r.ends_at, r.id)), lambda r: r.id,
            )  # fmt: skip


def test_requests_for_exemptions(database: Database, place: Site) -> None:
    chance = random.Random(6)
    with database.write() as session:
        guest = add_grant(session, place, add_rules(session, place))
        rows = []
        for number in range(COUNT):
            decision = chance.choice(("", "granted", "declined"))
            rows.append(
                ExemptionRequest(
                    owner_id=place.owner_id, site_id=place.site_id, grant_id=guest.id, name=f"{number}.example",
                    categories=[], group_key="default", asked_at=moments(chance), decision=decision,
                    decided_at=moments(chance) if decision else None,
                )
            )  # fmt: skip
        session.add_all(rows)
        session.flush()
        for by, decisions in (("asked", ("",)), ("decided", ("granted", "declined")), ("decided", ("declined",))):
            fits = [exemption_requests.Asked(r, guest) for r in rows if r.decision in decisions]

            def place_of(each: exemption_requests.Asked, by: str = by) -> Place:
                return exemption_requests.place_of(each, by)

            assert_pages(
                partial(exemption_requests.page_of_requests, session, place.owner_id, decisions),
                by, place_of, sorted(fits, key=place_of), lambda each: each.request.id,
            )  # fmt: skip


@pytest.mark.parametrize("worth", [0, 10**9])
def test_the_log_by_number_and_by_time(
    database: Database, place: Site, monkeypatch: pytest.MonkeyPatch, worth: int
) -> None:
    monkeypatch.setattr(headings, "WORTH_WALKING", worth)  # always, and only where nothing is left out
    chance = random.Random(7)
    with database.write() as session:
        rows = [
            LeafHeading(
                owner_id=place.owner_id, leaf_index=index, type=chance.choice(("acceptance", "export", "erased")),
                at=moments(chance), site=chance.choice(("s1", "s2")),
            )
            for index in range(COUNT)
        ]  # fmt: skip
        session.add_all(rows)
        session.add_all(
            Leaf(owner_id=place.owner_id, leaf_index=index, leaf_id=f"leaf-{index}", entry=b"{}")
            for index in range(COUNT)
        )
        session.flush()
        for by, types, since, until, sites in itertools.product(
            ("number", "at"), ((), ("export",), ("export", "erased"), ("none",)),
            (None, NOW + timedelta(seconds=3)), (None, NOW + timedelta(seconds=7)), (None, ("s1",)),
        ):  # fmt: skip
            query = LeafQuery(types, since, until, sites, ("acceptance",))
            fits = [
                r
                for r in rows
                if (not types or r.type in types)
                and (since is None or r.at >= since)
                and (until is None or r.at < until)
                and (sites is None or r.site in sites or r.type != "acceptance")
            ]
            key = (lambda r: (r.at, r.leaf_index)) if by == "at" else (lambda r: (r.leaf_index, r.leaf_index))
            found = [headings.FoundLeaf(r.leaf_index, "", b"", r.at) for r in sorted(fits, key=key)]
            assert_pages(
                partial(headings.page_of_leaves, session, place.owner_id, query),
                by, partial(place_of_leaf, by), found, lambda leaf: leaf.index,
            )  # fmt: skip


@pytest.mark.parametrize("few", [0, 9, 1000])
def test_acceptances_by_time_and_by_name(
    database: Database, place: Site, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    fill(database, place, COUNT // 2)
    monkeypatch.setattr(search, "PROBE", 5)
    monkeypatch.setattr(search_by_name, "FEW", few)  # so that guests are walked, sorted, or both by turns
    monkeypatch.setattr(search_by_name, "BATCH_IDS", 3)
    with database.read() as session:
        sites = tuple(session.scalars(text("SELECT id FROM site ORDER BY key")))
        version = session.scalars(text("SELECT id FROM rules_version WHERE label = '2'")).one()
        for name, at, site_ids, version_id in itertools.product(
            ("", "anne", "nobody"), (None, NOW + timedelta(seconds=9)), (None, sites[:1]), ("", version)
        ):
            query = AcceptanceQuery(since=at, name=name, site_ids=site_ids, version_id=version_id)
            assert_acceptances(session, place, query)
        for query in (AcceptanceQuery(mac="0003"), AcceptanceQuery(course="kurs-1"), AcceptanceQuery(course="x")):
            assert_acceptances(session, place, query)


def assert_acceptances(session: Session, place: Site, query: AcceptanceQuery) -> None:
    fits = [session.get_one(Acceptance, found) for found in slowly(session, query)]

    def by_time(row: Acceptance) -> Place:
        return row.accepted_at, row.id

    def by_name(row: Acceptance) -> Any:
        name = session.get_one(Visitor, row.visitor_id).name_key.replace("å", "þ")
        return name, row.visitor_id, row.id

    def fetch(cut: Cut) -> Part[Acceptance]:
        return page_of_acceptances(session, place.owner_id, query, cut)

    assert_pages(fetch, "at", by_time, sorted(fits, key=by_time), lambda row: row.id)
    assert_pages(fetch, "name", lambda row: (None, row.id), sorted(fits, key=by_name), lambda row: row.id)


def test_names_that_too_many_have_are_not_sorted(
    database: Database, place: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, place, 30)
    monkeypatch.setattr(search_by_name, "NAMES_MAX", 3)
    cut = Cut("name", descending=False, limit=7)
    with database.read() as session:
        with pytest.raises(search.TooManyNamesError):
            page_of_acceptances(session, place.owner_id, AcceptanceQuery(name="anne"), cut)
        assert page_of_acceptances(session, place.owner_id, AcceptanceQuery(name="nobody"), cut).rows == []
        few = AcceptanceQuery(
            name="anne", version_id=session.scalars(text("SELECT id FROM rules_version LIMIT 1")).one()
        )
        assert page_of_acceptances(session, place.owner_id, few, cut).is_first


@pytest.mark.parametrize("by", ["at", "name"])
def test_acceptances_that_come_and_go_between_pages(database: Database, place: Site, by: str) -> None:
    fill(database, place, COUNT)
    with database.read() as session:
        stayed = {row.id for row in session.query(Acceptance)}
    cut, seen = Cut(by, descending=True, limit=5), list[str]()
    while True:
        with database.read() as session:
            found = page_of_acceptances(session, place.owner_id, AcceptanceQuery(), cut)
        assert not seen or not found.is_first
        seen += [row.id for row in found.rows]
        if found.is_last:
            break
        last = found.rows[-1]
        cut = Cut(by, True, 5, (last.accepted_at if by == "at" else None, last.id))
        with database.write() as session:
            for name, seconds in (("Zz Nordmann", COUNT), ("Aa Nordmann", -1)):
                like = session.get_one(Acceptance, last.id)
                visitor = Visitor(owner_id=place.owner_id, name=name, created_at=NOW)
                session.add(visitor)
                session.flush()
                session.add(
                    Acceptance(
                        owner_id=place.owner_id, site_id=like.site_id, visitor_id=visitor.id, device_id=like.device_id,
                        rules_version_id=like.rules_version_id, language="nb", text_sha256="a" * 64,
                        identified_by="self_declared", accepted_at=NOW + timedelta(seconds=seconds),
                        receipt_code=new_id(), leaf_id=new_id(),
                    )
                )  # fmt: skip
            gone = next(each for each in sorted(stayed) if each not in (last.id, *seen)) if len(seen) < 20 else ""
            session.query(Acceptance).filter_by(id=gone).delete()
            stayed.discard(gone)
        if len(seen) > 3 * COUNT:
            raise AssertionError("it goes on for ever")
    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)


def test_a_name_that_was_erased_is_no_place(database: Database, place: Site) -> None:
    fill(database, place, 12)
    with database.read() as session:
        first = page_of_acceptances(session, place.owner_id, AcceptanceQuery(), Cut("name", False, 5))
        for backwards in (False, True):
            cut = Cut("name", False, 5, (None, new_id()), backwards)
            again = page_of_acceptances(session, place.owner_id, AcceptanceQuery(), cut)
            assert ([row.id for row in again.rows], again.is_first) == ([row.id for row in first.rows], True)
