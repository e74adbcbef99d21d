"""A committed change wakes the readers of its topic within 300 ms; nothing else does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.storage.engine import Database
from gateway.storage.feed import ChangeFeed, Topic, announce, open_feed
from tests.postgres import Cluster

LONG_S = 10.0
SHORT_S = 0.3
only_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


class Stop:
    """A switch that a feed looks at."""

    def __init__(self) -> None:
        self.pressed = False

    def __call__(self) -> bool:
        return self.pressed


@pytest.fixture
def stop() -> Stop:
    return Stop()


@pytest.fixture
def feed(database: Database, stop: Stop) -> Iterator[ChangeFeed]:
    """A feed for grants and policy whose first wake-up, on opening, is past."""
    opened = open_feed(database, ["grants", "policy"], stop)
    assert opened.wait(LONG_S)
    assert not opened.wait(0)
    yield opened
    opened.close()


def change(database: Database, topic: Topic) -> None:
    with database.write() as session:
        announce(session, topic)


@contextmanager
def soon(work: object, *arguments: object, after_s: float = 0.2) -> Iterator[list[float]]:
    """Call `work` in a thread after a while; the list is given the moment at which it was done."""
    done: list[float] = []

    def run() -> None:
        work(*arguments)  # type: ignore[operator]
        done.append(time.monotonic())

    timer = threading.Timer(after_s, run)
    timer.start()
    yield done
    timer.join(20)


@pytest.mark.parametrize("topic", ["grants", "policy"])
def test_a_committed_change_wakes_within_300_ms(feed: ChangeFeed, database: Database, topic: Topic) -> None:
    with soon(change, database, topic) as done:
        assert feed.wait(LONG_S)
        woken = time.monotonic()
    assert woken - done[0] < 0.3
    assert not feed.wait(SHORT_S)


def test_a_change_between_two_waits_is_not_missed(feed: ChangeFeed, database: Database) -> None:
    change(database, "grants")
    time.sleep(0.1)
    assert feed.wait(LONG_S)


def test_a_change_that_is_rolled_back_does_not_wake(feed: ChangeFeed, database: Database) -> None:
    with pytest.raises(LookupError), database.write() as session:
        announce(session, "grants")
        raise LookupError
    assert not feed.wait(SHORT_S)


def test_a_change_is_not_heard_before_it_is_committed(feed: ChangeFeed, database: Database) -> None:
    with database.write() as session:
        announce(session, "grants")
        assert not feed.wait(SHORT_S)
    assert feed.wait(LONG_S)


def test_another_topic_does_not_wake(feed: ChangeFeed, database: Database) -> None:
    change(database, "leaves")
    began = time.monotonic()
    assert not feed.wait(SHORT_S)
    assert time.monotonic() - began >= SHORT_S - 0.05
    change(database, "rules")
    change(database, "grants")
    assert feed.wait(LONG_S)


def test_a_write_that_announces_nothing_does_not_wake(feed: ChangeFeed, database: Database) -> None:
    from sqlalchemy import text

    with database.write() as session:
        session.execute(text("INSERT INTO disclosure VALUES ('a', 'b', 'c', 'd')"))
    assert not feed.wait(SHORT_S)


def test_every_reader_is_woken(feed: ChangeFeed, database: Database, stop: Stop) -> None:
    second = open_feed(database, ["grants"], stop)
    assert second.wait(LONG_S)
    change(database, "grants")
    assert feed.wait(LONG_S)
    assert second.wait(LONG_S)
    second.close()


def test_stopping_ends_a_wait_within_300_ms(feed: ChangeFeed, stop: Stop) -> None:
    with soon(setattr, stop, "pressed", True) as done:
        assert not feed.wait(LONG_S)
        ended = time.monotonic()
    assert ended - done[0] < 0.3
    assert not feed.wait(LONG_S)


def test_a_feed_can_be_closed_and_goes_on_when_asked_again(feed: ChangeFeed) -> None:
    feed.close()
    feed.close()
    assert feed.wait(LONG_S)


def test_waiting_costs_little_processor(feed: ChangeFeed) -> None:
    began = time.process_time()
    assert not feed.wait(1.0)
    assert time.process_time() - began < 0.15


@only_postgresql
def test_a_feed_survives_a_restart_of_the_server(feed: ChangeFeed, database: Database, postgres: Cluster) -> None:
    postgres.stop()
    try:
        assert feed.wait(SHORT_S)  # out of reach: the reader is to find out by reading
        assert feed.wait(SHORT_S)
    finally:
        postgres.start()
    assert feed.wait(LONG_S)  # listening again
    assert not feed.wait(SHORT_S)
    change(database, "grants")
    assert feed.wait(LONG_S)


@only_postgresql
def test_stopping_ends_a_wait_on_a_stopped_server(
    feed: ChangeFeed, stop: Stop, postgres: Cluster, database: Database
) -> None:
    postgres.stop()
    try:
        with soon(setattr, stop, "pressed", True) as done:
            assert not feed.wait(LONG_S)
            ended = time.monotonic()
        assert ended - done[0] < 0.3
    finally:
        postgres.start()


@only_sqlite
def test_a_feed_survives_a_missing_file_and_its_return(feed: ChangeFeed, database: Database, stop: Stop) -> None:
    aside = database.sqlite_path.with_suffix(".aside")
    change(database, "grants")
    assert feed.wait(LONG_S)
    database.close()
    database.sqlite_path.rename(aside)
    for _ in range(2):
        began = time.monotonic()
        assert feed.wait(SHORT_S)
        assert time.monotonic() - began >= SHORT_S - 0.05  # it slept: a missing file is no busy loop
    with soon(setattr, stop, "pressed", True) as done:
        assert not feed.wait(LONG_S)
        ended = time.monotonic()
    assert ended - done[0] < 0.3
    stop.pressed = False
    aside.rename(database.sqlite_path)
    assert feed.wait(LONG_S)
    assert not feed.wait(SHORT_S)
    change(database, "grants")
    assert feed.wait(LONG_S)


@only_sqlite
def test_a_feed_on_a_file_that_nobody_else_has_open_works(database: Database, stop: Stop) -> None:
    database.close()
    alone = open_feed(database, ["grants"], stop)
    assert alone.wait(LONG_S)
    assert not alone.wait(SHORT_S)
    change(database, "grants")
    assert alone.wait(LONG_S)
    alone.close()
