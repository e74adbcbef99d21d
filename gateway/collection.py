"""Receiving what DNS workers counted: added up in memory for Prometheus and, each minute, by the hour in the database.

It runs beside the console, which has both the database and `/metrics`; workers have neither and don't wait for it. A
database that does not answer is tried again the next minute, with everything counted since.

# INVARIANT: a name is stored only for a group in whose policy in force IT has switched that on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from gateway.clock import Clock
from gateway.storage import dns_counters, generations, traffic
from gateway.storage.dns_counters import AnswerKey, NameKey
from gateway.storage.engine import Database, DataError, IntegrityError, Session, StorageUnavailableError
from gateway.storage.places import Place
from gateway.telemetry import KEYS_MAX, Totals, answers_in, read_report

log = logging.getLogger(__name__)

STORE_EVERY_S = 60.0
_LOOK_EVERY_S = 0.5
_BATCHES = 20
"""Of what devices sent and received, forgotten at a time: the rest goes the next minute."""
_MAX_BYTES = 1 << 17
_RECEIVE_BUFFER_BYTES = 1 << 20

Counted = TypeVar("Counted", AnswerKey, NameKey)


class Collection:
    """What was counted on one gateway and is not yet in the database."""

    def __init__(self, database: Database, place: Place, totals: Totals, clock: Clock) -> None:
        self._database = database
        self._place = place
        self._totals = totals
        self._clock = clock
        self._answers: Counter[AnswerKey] = Counter()
        self._names: Counter[NameKey] = Counter()
        self._failing = False
        self._lock = threading.Lock()

    def take(self, octets: bytes) -> None:
        """Add one datagram."""
        report = read_report(octets)
        if report is None:
            self._totals.unreadable += 1
            return
        self._totals.add(report, time.monotonic())
        hour = dns_counters.hour_of(self._clock())
        with self._lock:
            for (group, outcome, category), count in answers_in(report):
                _grow(self._answers, (hour, group, outcome, category), count)
            for (group, outcome, category, name), count in report.names.items():
                _grow(self._names, (hour, group, outcome, category, name), count)

    def store(self) -> bool:
        """Write to the database what is not yet there. Returns whether it took it."""
        with self._lock:
            return self._store()

    def _store(self) -> bool:
        # A transaction for each, so that what the database refuses of one costs nothing of the other.
        try:
            stored = [self._write(self._answers, self._add_answers), self._write(self._names, self._add_names)]
        except StorageUnavailableError as error:
            if not self._failing:
                log.warning("DNS counters wait for the database: %s", error)
            self._failing = True
            return False
        self._failing = False
        return all(stored)

    def _write(self, counts: Counter[Counted], add: Callable[[Session, Counter[Counted]], None]) -> bool:
        """Write `counts` and empty them; returns whether they were taken. Values that are refused once would be so
        every minute, and are dropped. Raises: StorageUnavailableError.
        """
        if not counts:
            return True
        try:
            with self._database.write() as session:
                add(session, counts)
        except IntegrityError:  # another console counts for this gateway too, and was first: it goes the next time
            log.warning("DNS counters wait a minute: another process counts for this gateway too")
            return False
        except DataError as fault:  # its text could hold a name
            log.error("DNS counters of a minute are lost: %s; please report this", type(fault).__name__)
            counts.clear()
            return False
        counts.clear()
        return True

    def _add_answers(self, session: Session, counts: Counter[AnswerKey]) -> None:
        dns_counters.add_answers(session, self._place.owner_id, self._place.gateway_id, counts)

    def _add_names(self, session: Session, counts: Counter[NameKey]) -> None:
        place = self._place
        kept = top_name_groups(session, place.owner_id)
        names = {key: count for key, count in counts.items() if key[1] in kept}
        dns_counters.add_names(session, place.owner_id, place.gateway_id, names)


def top_name_groups(session: Session, owner_id: str) -> frozenset[str]:
    """The groups of the policy in force for which IT has top names kept."""
    published = generations.in_force(session, owner_id)
    groups = published.document["groups"] if published is not None else {}
    return frozenset(key for key, group in groups.items() if group.get("top_names") is True)


class Forgetting:
    """Deletes, once a minute, counters and names whose time is over, and names of groups that IT has switched off; and
    what devices sent and received under grants that have been over for `keep_octets`.
    """

    def __init__(self, database: Database, owner_id: str, clock: Clock, keep_octets: timedelta = timedelta()) -> None:
        self._database = database
        self._owner_id = owner_id
        self._clock = clock
        self._keep_octets = keep_octets
        self._due = 0.0

    def poll(self) -> None:
        """Do it if it is due. A database that does not answer is tried again after a minute."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + STORE_EVERY_S
        now = self._clock()
        with contextlib.suppress(StorageUnavailableError):
            with self._database.write() as session:
                dns_counters.forget(session, self._owner_id, top_name_groups(session, self._owner_id), now)
            for _ in range(_BATCHES):  # a transaction each, so that guests come in between
                with self._database.write() as session:
                    if traffic.forget_ended(session, self._owner_id, now - self._keep_octets) < traffic.BATCH_IDS:
                        break


@contextlib.contextmanager
def collecting(path: Path, collection: Collection) -> Iterator[None]:
    """Receive at the socket `path` in a thread of its own as long as the block lasts, and store what came at its end.

    Where the socket can't be made nothing is counted, which is logged, and everything else goes on.
    """
    try:
        receiver = _bind(path)
    except OSError as error:
        log.error("DNS is not counted: %s can't be made (%s); check the state directory", path, error.strerror)
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_receive, args=(receiver, collection, stop), name="dns-counters", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        receiver.close()


def _receive(receiver: socket.socket, collection: Collection, stop: threading.Event) -> None:
    due = time.monotonic() + STORE_EVERY_S
    while not stop.is_set():
        octets = _next(receiver, stop)
        if octets is not None:
            with _survived():
                collection.take(octets)
        if time.monotonic() >= due:
            due = time.monotonic() + STORE_EVERY_S
            with _survived():
                collection.store()
    receiver.setblocking(False)
    while (octets := _next(receiver, stop)) is not None:
        with _survived():
            collection.take(octets)
    with _survived():
        collection.store()


def _next(receiver: socket.socket, stop: threading.Event) -> bytes | None:
    """The next datagram; None when none came in time."""
    try:
        return receiver.recv(_MAX_BYTES)
    except (TimeoutError, BlockingIOError):
        return None
    except OSError as error:  # such as no memory for a moment
        log.error("DNS counters can't be received: %s", error.strerror)
        stop.wait(_LOOK_EVERY_S)
        return None


@contextlib.contextmanager
def _survived() -> Iterator[None]:
    """A fault of ours costs what was just being counted, and not all that comes after it."""
    try:
        yield
    except Exception as fault:  # its text could hold a name
        log.error("DNS counters: %s; please report this", type(fault).__name__)


def _bind(path: Path) -> socket.socket:
    """A datagram socket at `path`, in place of one that an earlier process left; for owner and group. Raises:
    OSError.
    """
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    folder = -1
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        receiver.settimeout(_LOOK_EVERY_S)
        path.unlink(missing_ok=True)
        receiver.bind(f"/proc/self/fd/{folder}/{path.name}")  # an address has room for 107 bytes only
        path.chmod(0o660)
    except OSError:
        receiver.close()
        raise
    finally:
        if folder >= 0:
            os.close(folder)
    return receiver


def _grow(counts: Counter[AnswerKey] | Counter[NameKey], key: AnswerKey | NameKey, count: int) -> None:
    if key in counts or len(counts) < KEYS_MAX:
        counts[key] += count  # type: ignore[index]
