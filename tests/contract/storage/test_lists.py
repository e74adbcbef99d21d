"""List sources and the history of refreshing them, on both databases."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.lists import due, sources
from gateway.lists.refresh import Refresh
from gateway.lists.source import Source
from gateway.storage import lists
from gateway.storage.engine import Database, Session
from gateway.storage.list_models import ListRefresh, ListSource
from gateway.storage.models import Gateway
from gateway.storage.places import Place
from tests.contract.storage.records import NOW, scalar

MINUTE = timedelta(minutes=1)


def source(place: Place, key: str, **more: object) -> ListSource:
    facts: dict[str, object] = {
        "category": "adult",
        "format": "auto",
        "options": {"member": "x/domains"},
        "interval_s": 86_400,
        "internal": False,
        "enabled": True,
        "added_by": "ola",
        "added_at": NOW,
    }
    return ListSource(owner_id=place.owner_id, key=key, **{**facts, **more})


def add(session: Session, place: Place, key: str, outcome: str, at: datetime = NOW, request_id: str = "") -> None:
    row = ListRefresh(
        owner_id=place.owner_id,
        gateway_id=place.gateway_id,
        source_key=key,
        started_at=at,
        finished_at=at,
        outcome=outcome,
        details={"lines": 3},
        request_id=request_id,
    )
    lists.add_refresh(session, row)


def test_sources_are_kept_replaced_and_dropped(database: Database, place: Place) -> None:
    with database.write() as session:
        for key in ("b", "a"):
            lists.put_source(session, source(place, key))
        lists.put_source(session, source(place, "b", enabled=False, category="dating"))
    with database.write() as session:
        found = lists.sources(session, place.owner_id)
        assert [(each.key, each.category, each.enabled, each.title) for each in found] == [
            ("a", "adult", True, ""),
            ("b", "dating", False, ""),
        ]
        assert found[0].options == {"member": "x/domains"}
        assert lists.drop_source(session, place.owner_id, "a")
        assert not lists.drop_source(session, place.owner_id, "a")
        assert not lists.drop_source(session, "another", "b")
    with database.read() as session:
        assert [each.key for each in lists.sources(session, place.owner_id)] == ["b"]
        assert lists.sources(session, "another") == []


def test_history_is_newest_first_and_failures_count_from_the_last_fine_one(database: Database, place: Place) -> None:
    ids = (place.owner_id, place.gateway_id)
    with database.write() as session:
        for outcome in ("failed", "updated", "refused", "failed"):
            add(session, place, "a", outcome)
        add(session, place, "b", "unchanged")
        add(session, place, "c", "failed")
    with database.read() as session:
        assert [each.outcome for each in lists.history(session, *ids, "a")] == [
            "failed",
            "refused",
            "updated",
            "failed",
        ]
        assert [each.source_key for each in lists.history(session, *ids, limit=2)] == ["c", "b"]
        assert {key: row.outcome for key, row in lists.last_refreshes(session, *ids).items()} == {
            "a": "failed",
            "b": "unchanged",
            "c": "failed",
        }
        assert [lists.failures(session, *ids, key) for key in ("a", "b", "c", "d")] == [2, 0, 1, 0]
        assert lists.history(session, place.owner_id, "another") == []
        assert lists.history(session, *ids, "a")[0].details == {"lines": 3}


def test_an_outcome_that_is_none_is_refused(database: Database, place: Place) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        add(session, place, "a", "splendid")


def test_what_is_asked_of_a_source_and_its_file_are_kept_replaced_and_go_with_it(
    database: Database, place: Place
) -> None:
    wanted = Source("mine", "gaming")
    with database.write() as session:
        due.upload(session, place, wanted, "a.txt", b"\0a.example\n" * 1000, "kari", NOW)
        due.upload(session, place, wanted, "b.txt", b"b.example\n", "ola", NOW + MINUTE)
    with database.read() as session:
        assert lists.uploads(session, place.owner_id) == {"mine": ("b.txt", NOW + MINUTE, "ola")}
        assert lists.upload_content(session, place.owner_id, "mine") == b"b.example\n"
        assert lists.uploads(session, "another") == {}
        [one] = due.due(session, place, NOW + MINUTE)
        assert (one.source.key, one.asked, one.accept, one.uploaded) == ("mine", True, False, True)
    with database.write() as session:
        due.ask(session, place, "mine", "kari", NOW + 2 * MINUTE, accept=True)
        [one] = due.due(session, place, NOW)
        assert one.accept
        add(session, place, "mine", "updated", NOW + 3 * MINUTE, one.request_id)
        assert due.due(session, place, NOW + 3 * MINUTE) == []
        assert [each.source.key for each in due.due(session, place, NOW, {"mine"})] == ["mine"]
        due.ask(session, place, "mine", "kari", NOW + 4 * MINUTE)
        assert [each.accept for each in due.due(session, place, NOW)] == [False]
        assert lists.drop_source(session, place.owner_id, "mine")
    for table in ("list_request", "list_upload"):
        assert scalar(database, f"SELECT count(*) FROM {table}") == 0


def test_since_when_a_list_stands_is_the_first_of_an_unbroken_row(database: Database, place: Place) -> None:
    def since(sha256: str) -> datetime | None:
        with database.read() as session:
            return lists.unchanged_since(session, place.owner_id, place.gateway_id, "mine", sha256)

    assert since("a") is None
    with database.write() as session:
        for number, sha256 in enumerate(("a", "b", "a", "a", "a")):
            row = ListRefresh(
                owner_id=place.owner_id, gateway_id=place.gateway_id, source_key="mine", sha256=sha256, details={},
                started_at=NOW, finished_at=NOW + number * MINUTE, outcome="failed" if number == 4 else "updated",
            )  # fmt: skip
            lists.add_refresh(session, row)
        add(session, place, "another", "updated", NOW + 9 * MINUTE)
    assert since("a") == NOW + 2 * MINUTE
    assert since("b") is None


def test_a_press_is_done_once_on_each_gateway_whatever_their_clocks_say(database: Database, place: Place) -> None:
    other = Place(**{**asdict(place), "gateway_id": "f" * 32})
    with database.write() as session:
        session.add(Gateway(id=other.gateway_id, site_id=place.site_id, key="gateway-2"))

    def asked(here: Place) -> list[due.Due]:
        with database.read() as session:
            return [each for each in due.due(session, here, NOW) if each.asked]

    def refresh(here: Place, one: due.Due, at: datetime) -> None:
        with database.write() as session:
            done = Refresh("mine", "unchanged", at, at, None)
            sources.record_refresh(session, here, done, one.request_id)

    fast, slow = NOW + 10 * MINUTE, NOW - 10 * MINUTE
    with database.write() as session:
        due.add(session, place, Source("mine", "gaming", url="https://lists.example/a"), "kari", NOW)
    for here, at in ((place, fast), (other, slow)):
        [one] = asked(here)
        refresh(here, one, at)
        assert asked(here) == [], "the slow one would fetch it again and again"
    with database.write() as session:  # a minute after the refresh, by a clock nine minutes behind the fast gateway's
        due.ask(session, place, "mine", "kari", NOW + MINUTE, accept=True)
    for here in (place, other):
        [one] = asked(here)
        assert one.accept, "the fast one would lose it"
    under_way = asked(place)[0]
    with database.write() as session:
        due.ask(session, place, "mine", "ola", NOW + MINUTE)
    refresh(place, under_way, fast)
    [again] = asked(place)
    assert not again.accept
    refresh(place, again, fast)
    with database.write() as session:  # what nobody asked for answers nothing, and asks for nothing
        add(session, place, "mine", "unchanged", slow)
    assert asked(place) == []
    assert len(asked(other)) == 1


def test_a_source_that_comes_back_is_fetched_at_once(database: Database, place: Place) -> None:
    back = Source("mine", "gambling", url="https://lists.example/a")
    with database.write() as session:
        due.add(session, place, replace(back, category="gaming", url="https://lists.example/b"), "kari", NOW)
        [one] = due.due(session, place, NOW)
        sources.record_refresh(session, place, Refresh("mine", "updated", NOW, NOW, None), one.request_id)
        assert sources.drop(session, place, "mine")
        assert lists.keys_ever_used(session, place.owner_id) == {"mine"}
        due.add(session, place, back, "kari", NOW)
        assert [(each.source, each.asked) for each in due.due(session, place, NOW)] == [(back, True)]
