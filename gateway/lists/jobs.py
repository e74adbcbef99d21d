"""The jobs service: compiles the policy in force and the lists in use into the snapshot that DNS reads, whenever one of
them changes, and refreshes lists when they are due.

A compile that fails replaces nothing: the old snapshot serves on, and the reason is logged. Refreshing runs in a
process of its own, so that what strangers publish can neither delay a policy nor take this service down.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from gateway.clock import utc_now
from gateway.lists import sources, store
from gateway.lists.active import StoredList, active_lists
from gateway.lists.compile import ListsError, compile_policy, starter_lists
from gateway.lists.due import due
from gateway.lists.judge import Trainer, sections
from gateway.lists.publish import publish
from gateway.lists.reader import SnapshotFile, current_path
from gateway.lists.store import DamagedListError
from gateway.storage import generations
from gateway.storage import lists as stored
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.feed import open_feed
from gateway.storage.places import Place
from policies.compiler import ListLike

log = logging.getLogger(__name__)

RECHECK_S = 5.0
RETRY_S = 60.0
SYNC_EVERY_S = 60.0
HURRY_EVERY_S = 2.0
SYNC_LIMIT_S = 3600.0
PR_SET_PDEATHSIG = 1
DIGEST_BYTES = 32  # a snapshot ends with the SHA-256 of all before it

Inputs = tuple[tuple[str, str, str], ...]


def compile_in_force(
    database: Database, place: Place, state: Path, own_names: tuple[str, ...], *, anew: bool = False
) -> int | None:
    """Bring the snapshot file up to the generation in force. Returns the number published, None when it was there.

    `anew`: compile even when the file is of that generation already, as after a change of the lists or settings.
    Raises: StorageUnavailableError, ListsError; the file in place is untouched then.
    """
    with database.read() as session:
        published = generations.in_force(session, place.owner_id)
        if published is None:
            return None
        number, document = published.generation, dict(published.document)
        configured = sources.configured(session, place)
    reader = SnapshotFile(current_path(state))
    reader.poll()
    standing = reader.current
    if standing is not None and standing.generation == number and not anew:
        return None
    try:
        lists: list[ListLike] = [*starter_lists(), *active_lists(state, configured)]
        octets = compile_policy(document, number, own_names=own_names, lists=lists, sections=sections(state))
    except OSError as problem:
        raise ListsError(f"a list cannot be read: {problem.filename}: {problem.strerror}") from problem
    if standing is not None and standing.sha256 == octets[-DIGEST_BYTES:].hex():
        return None
    publish(state, octets)
    return number


def lists_in_use(database: Database, place: Place, state: Path) -> Inputs:
    """(source, category, hash) of every list that goes into a snapshot now: another value means another snapshot.

    Raises: StorageUnavailableError.
    """
    return tuple((each.source, each.category, each.sha256) for each in _active(database, place, state))


def _active(database: Database, place: Place, state: Path) -> tuple[StoredList, ...]:
    with database.read() as session:
        configured = sources.configured(session, place)
    return active_lists(state, configured)


def is_asked(database: Database, place: Place, now: datetime) -> bool:
    """Whether a source waits to be refreshed that can't wait for the next round. Raises: StorageUnavailableError."""
    with database.read() as session:
        return any(each.asked for each in due(session, place, now))


def look_for_damage(database: Database, place: Place, state: Path) -> dict[str, str]:
    """Every list in use that is damaged, marked so that it is fetched again at once, and what is done about each.

    Raises: StorageUnavailableError, OSError.
    """
    with database.read() as session:
        configured = {each.key: each for each in sources.configured(session, place) if each.enabled}
        uploaded = stored.uploads(session, place.owner_id)
    found: dict[str, str] = {}
    for key in sorted(store.mark_damaged(state, configured)):
        if configured[key].url or key in uploaded:
            found[key] = f"{key} is fetched again now"
        else:
            found[key] = (
                f"{key} came from a file of this machine and can't be fetched: import it again with "
                f"gjestenett lists import {configured[key].category} FILE --name {key}"
            )
    return found


def _die_with(parent: int, libc: ctypes.CDLL) -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died between fork and prctl
        os._exit(1)


class Syncer:
    """Starts the process that refreshes due lists, once a minute and one at a time; ends one that never finishes.

    The process dies with this one, even of `kill -9`: an orphan would hold the lists that the next service refreshes.
    """

    def __init__(self, command: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._command = list(command)
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -SYNC_EVERY_S + clock()
        self._hurried, self._wanted = 0, False
        self._libc = ctypes.CDLL(None)

    def poll(self, *, hurry: bool = False) -> None:
        """Look after the process; never blocks for longer than ending one takes.

        `hurry`: don't wait for the minute. As long as it is asked for without a pause, the wait doubles each time.
        """
        self._wanted = self._wanted or hurry  # until it starts: one may be running just now
        if not self._wanted:
            self._hurried = 0
        if not self._command:
            return
        age_s = self._clock() - self._started
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                if age_s > SYNC_LIMIT_S:
                    log.error("refreshing lists took longer than %d s and is ended; they stay as they are", age_s)
                    self.close()
                return
            if code != 0:
                log.warning("some lists were not refreshed; see: gjestenett lists show")
            self._process = None
        if age_s >= (min(HURRY_EVERY_S * 2**self._hurried, SYNC_EVERY_S) if self._wanted else SYNC_EVERY_S):
            self._hurried, self._wanted = self._hurried + self._wanted, False
            self._started = self._clock()
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    preexec_fn=partial(_die_with, os.getpid(), self._libc),  # noqa: PLW1509 - no lock is taken in it
                )
            except OSError as problem:
                log.error("refreshing lists can't be started: %s", problem)

    def close(self) -> None:
        """End the process, if one runs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def run(
    database: Database,
    place: Place,
    state: Path,
    own_names: tuple[str, ...],
    stopping: Callable[[], bool],
    sync_command: Sequence[str] = (),
    beside: Callable[[], object] = lambda: None,
) -> None:
    """Compile whenever a policy or a list changes, and look again every few seconds, until `stopping()`.

    The judge of unlisted names is trained beside when lists have changed, and joins the next snapshot. `beside` is
    called at every look.
    """
    feed = open_feed(database, ("policy", "lists"), stopping)
    syncer, trainer, troubles = Syncer(sync_command), Trainer(state), Troubles()
    compiled: Inputs | None = None
    damaged: dict[str, str] = {}
    not_before = 0.0  # a compile that failed is not tried again at every look, unless something has changed
    try:
        while not stopping():
            newly_damaged = False
            try:
                inputs = lists_in_use(database, place, state)
                if trainer.poll() or inputs != compiled:
                    compiled = None
                if time.monotonic() >= not_before:
                    number = compile_in_force(database, place, state, own_names, anew=compiled is None)
                    compiled, damaged = inputs, {}
                    troubles.tell("compiling", None)
                    if number is not None:
                        log.info("policy generation %d compiled with %d lists and in force", number, len(inputs))
                trainer.start([*starter_lists(), *_active(database, place, state)])
            except StorageUnavailableError as error:
                troubles.tell("compiling", f"it waits for the database: {error}")
            except (ListsError, OSError) as error:
                troubles.tell("compiling", f"policy not compiled, the one before it serves on: {error}")
                compiled, not_before = None, time.monotonic() + RETRY_S
                if isinstance(error, DamagedListError):
                    before, damaged = damaged, _damage(database, place, state)
                    newly_damaged = damaged != before
            troubles.tell("damaged lists", "; ".join(damaged.values()) or None)
            unwanted = trainer.lacks_numpy and not _judging_wanted(database, place)
            troubles.tell("judge", trainer.problem, logging.INFO if unwanted else logging.ERROR)
            syncer.poll(hurry=newly_damaged or _is_asked(database, place))
            beside()
            if feed.wait(RECHECK_S):
                not_before = 0.0
    finally:
        syncer.close()
        trainer.close()
        feed.close()


def _is_asked(database: Database, place: Place) -> bool:
    try:
        return is_asked(database, place, utc_now())
    except StorageUnavailableError:
        return False


def _judging_wanted(database: Database, place: Place) -> bool:
    """Whether some group has names blocked that only the judge knows."""
    try:
        with database.read() as session:
            published = generations.in_force(session, place.owner_id)
            groups = published.document.get("groups", {}) if published is not None else {}
            return any(group.get("judge") for group in groups.values())
    except StorageUnavailableError:
        return False


def _damage(database: Database, place: Place, state: Path) -> dict[str, str]:
    try:
        return look_for_damage(database, place, state)
    except (StorageUnavailableError, OSError) as problem:
        return {"": f"they can't be looked at: {problem}"}


class Troubles:
    """Standing problems, each logged when it begins or changes and not at every look; its end is logged too."""

    def __init__(self) -> None:
        self._standing: dict[str, tuple[str, int]] = {}

    def tell(self, subject: str, problem: str | None, level: int = logging.ERROR) -> None:
        """Say how `subject` stands now, and how grave that is; None: all is well."""
        standing = self._standing.get(subject)
        if problem is None:
            if standing is not None:
                del self._standing[subject]
                log.info("%s is well again", subject)
        elif standing != (problem, level):
            self._standing[subject] = problem, level
            log.log(level, "%s: %s", subject, problem)
