"""The change feed: how a service learns within 50 ms that intent it reads has changed.

On SQLite a counter a topic is raised in the writer's transaction, and readers watch `PRAGMA data_version` on a
connection of their own in autocommit (it stands still inside a read transaction, and differs between connections,
so a pooled one would not do). On PostgreSQL writers NOTIFY and readers LISTEN, also on a connection of their own; a
counter row there would serialise all writers. A wake-up is a hint: readers re-read everything now and then anyway.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, Protocol

from sqlalchemy import text

from gateway.storage.engine import Database, Session, file_identity

if TYPE_CHECKING:
    import psycopg

Topic = Literal["grants", "policy", "leaves", "rules", "lists", "settings"]
POLL_S = 0.05
CHANNEL = "gjestenett_change"


def announce(session: Session, topic: Topic) -> None:
    """Tell every feed, once this transaction commits, that something under `topic` changed."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(_RAISE, {"topic": topic})
    else:
        session.execute(_NOTIFY, {"channel": CHANNEL, "topic": topic})


_RAISE = text(
    "INSERT INTO change (topic, seq) VALUES (:topic, 1) ON CONFLICT (topic) DO UPDATE SET seq = change.seq + 1"
)
_NOTIFY = text("SELECT pg_notify(:channel, :topic)")


class ChangeFeed(Protocol):
    """One reader's end of the feed; not shared between threads."""

    def wait(self, timeout_s: float) -> bool:
        """Block until a topic of this feed changes (True) or `timeout_s` has passed (False).

        A feed that can't reach the database sleeps and says True, so that its reader finds out by reading.
        """

    def close(self) -> None: ...


def open_feed(database: Database, topics: Iterable[Topic], stopping: Callable[[], bool]) -> ChangeFeed:
    """A feed for `topics`; `wait` returns within 0.2 s once `stopping()` is true."""
    wanted = frozenset[str](topics)
    return _SqliteFeed(database, wanted, stopping) if database.is_sqlite else _PostgresFeed(database, wanted, stopping)


def _pause(pause_s: float, stopping: Callable[[], bool]) -> bool:
    """Sleep, and say True as `ChangeFeed.wait` does of a database out of reach; False when stopping."""
    deadline = time.monotonic() + pause_s
    while not stopping():
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return True
        time.sleep(min(POLL_S, left_s))
    return False


class _SqliteFeed:
    def __init__(self, database: Database, topics: frozenset[str], stopping: Callable[[], bool]) -> None:
        self._path = database.sqlite_path
        self._topics = topics
        self._stopping = stopping
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version = -1
        self._seen: dict[str, int] = {}

    def wait(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not self._stopping():
            try:
                if self._changed():
                    return True
            except sqlite3.Error:
                self.close()
                return _pause(min(1.0, timeout_s), self._stopping)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            time.sleep(min(POLL_S, left_s))
        return False

    def _changed(self) -> bool:
        identity = file_identity(self._path)
        if identity != self._file:
            self.close()  # deleted, or restored over: this connection would watch the old file for ever
        first = self._connection is None
        if self._connection is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1, check_same_thread=False)
            self._file = identity
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return False
        seen = dict(self._connection.execute("SELECT topic, seq FROM change").fetchall())
        moved = any(seen.get(topic) != self._seen.get(topic) for topic in self._topics)
        self._version, self._seen = version, seen
        return moved or first

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._version = None, -1


class _PostgresFeed:
    def __init__(self, database: Database, topics: frozenset[str], stopping: Callable[[], bool]) -> None:
        url = database.engine.url.set(drivername="postgresql")
        import psycopg  # noqa: PLC0415 - 6 MB that a process on SQLite has no use for

        self._driver = psycopg
        self._conninfo = url.render_as_string(hide_password=False)
        self._topics = topics
        self._stopping = stopping
        self._connection: psycopg.Connection | None = None

    def wait(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not self._stopping():
            try:
                if self._connection is None:
                    self._connection = self._driver.connect(self._conninfo, autocommit=True, connect_timeout=3)
                    self._connection.execute(f"LISTEN {CHANNEL}")
                    return True  # whatever happened before LISTEN is found by reading
                left_s = deadline - time.monotonic()
                for notice in self._connection.notifies(timeout=max(0.0, min(0.2, left_s)), stop_after=1):
                    if notice.payload in self._topics:
                        return True
            except self._driver.Error:
                self.close()
                return _pause(min(1.0, timeout_s), self._stopping)
            if left_s <= 0:
                return False
        return False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
