"""Retention: what is older than its period is erased a little at a time, once a day, and its bytes after it.

A run walks over the leaves that still disclose something, oldest first, and takes what has expired of each batch in one
transaction with its `erased` leaf; between batches others can write. When it is through it leaves a `retention_run`.
A run that is killed is begun anew and finds what is left. Erasures whose bytes could not be got out of the database's
files at once, by whomever they were made, are finished here.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gateway.audit import erasure_file
from gateway.audit.erasing import forget_rows, note_erased
from gateway.audit.errors import AuditError
from gateway.audit.periods import parse_period
from gateway.audit.record import record
from gateway.clock import MUNICIPAL_ZONE, Clock, format_utc
from gateway.settings import Privacy, Settings
from gateway.storage import api_tokens, blocks, erasures, exemption_requests, kept_answers, outages, persons, staff
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.persons import STAFF_FIELDS, About
from gateway.storage.places import Place

log = logging.getLogger(__name__)

BATCH_LEAVES = 200
WORK_S = 1.0  # at a time: the service that calls compiles policies, too
PAUSE_S = 0.02
LATE = timedelta(days=2)  # leaves are ordered as they were staged, nearly by time
WIPE_AFTER = timedelta(minutes=1)  # whoever erased something wipes it, too, if nothing is in the way
WIPE_EVERY_S = 60.0
OF_GUESTS = frozenset(
    {
        "acceptance",
        "grant_moved",
        "grant_revoked",
        "grant_extended",
        "grant_ended",
        "device_admitted",
        "device_blocked",
        "host_answered",
        "exemption_changed",
        "exemption_decided",
        "erased",
        "subject_access",
    }
)
OF_EXPORTS = frozenset({"filter", "purpose"})
"""Fields of an export that staff write, and so may name guests in."""
NAMES_OF_STAFF = frozenset({*STAFF_FIELDS, "subject"})


@dataclass(frozen=True)
class Cutoffs:
    """What was recorded before these moments has expired."""

    acceptances: datetime
    staff_logins: datetime
    staff_names: datetime

    @property
    def newest(self) -> datetime:
        """Nothing later has expired."""
        return max(self.acceptances, self.staff_logins, self.staff_names)


def cutoffs(privacy: Privacy, now: datetime) -> Cutoffs:
    """The cutoffs at `now`."""
    return Cutoffs(
        *(
            parse_period(text).cutoff(now, MUNICIPAL_ZONE)
            for text in (privacy.acceptances, privacy.staff_logins, privacy.staff_names)
        )
    )


def expired(kind: str, at: datetime, fields: Collection[str], over: Cutoffs) -> frozenset[str]:
    """Which of these fields of an entry of type `kind`, recorded at `at`, have expired."""
    if kind in OF_GUESTS:
        gone = {field for field in fields if field not in STAFF_FIELDS and at < over.acceptances}
        last = over.acceptances
    elif kind == "export":
        gone = {field for field in fields if field in OF_EXPORTS and at < over.acceptances}
        last = over.staff_names
    elif kind == "staff_login":
        gone = {field for field in fields if field not in NAMES_OF_STAFF and at < over.staff_logins}
        last = over.staff_logins
    else:
        gone, last = set(), over.staff_names
    if at < min(last, over.staff_names):
        gone |= set(fields)
    return frozenset(gone)


@dataclass
class _Run:
    over: Cutoffs
    day: date
    next_index: int = 0
    erased: int = 0


class Retention:
    """Called again and again by a service; each call works for about a second at most, and seldom has to."""

    def __init__(self, database: Database, place: Place, settings: Settings, clock: Clock) -> None:
        self._database, self._place, self._clock = database, place, clock
        self._privacy, self._state = settings.privacy, settings.state
        self._run: _Run | None = None
        self._done: date | None = None
        self._wipe_at = 0.0
        self._requests_gone = False
        self._told = ""

    @property
    def is_running(self) -> bool:
        """Whether a run has been begun and is not through."""
        return self._run is not None

    def poll(self) -> None:
        """Go on. A database that does not answer, or a full disk, is tried again at the next call."""
        try:
            self._work()
            self._told = ""
        except (StorageUnavailableError, AuditError, OSError) as error:
            if str(error) != self._told:
                log.error("retention waits: %s", error)
            self._told = str(error)

    def _work(self) -> None:
        now = self._clock()
        today = now.astimezone(MUNICIPAL_ZONE).date()
        if self._run is None and today != self._done:
            self._run = _Run(cutoffs(self._privacy, now), today)
        deadline = time.monotonic() + WORK_S
        while self._run is not None and time.monotonic() < deadline:
            if not self._step(self._run):
                self._finish(self._run)
            time.sleep(PAUSE_S)
        if self._run is None and time.monotonic() >= self._wipe_at:
            self._wipe_at = time.monotonic() + WIPE_EVERY_S
            self._forget_answers()
            self._wipe()

    def _step(self, run: _Run) -> bool:
        """One batch; False when there is nothing later that could have expired."""
        with self._database.read() as session:
            batch = persons.disclosing(session, self._place.owner_id, run.next_index, BATCH_LEAVES)
        due = [leaf for leaf in batch if _expired(leaf, run.over)]
        if due:
            run.erased += self._erase(due, run.over)
        if not batch or _at(batch[-1]) >= run.over.newest + LATE:
            return False
        assert batch[-1].index is not None
        run.next_index = batch[-1].index + 1
        return True

    def _erase(self, due: Sequence[About], over: Cutoffs) -> int:
        now, owner_id = self._clock(), self._place.owner_id
        with self._database.write() as session:
            persons.take_turns(session)
            found = persons.about(session, owner_id, [leaf.leaf_id for leaf in due])
            rows = persons.by_leaves(session, owner_id, [leaf.leaf_id for leaf in found])
            grants = persons.grants_of(session, [row.id for row in rows])
            online = {
                row.leaf_id
                for row in rows
                if row.id in grants and grants[row.id].revoked_at is None and grants[row.id].ends_at > now
            } | {
                grant.admission_leaf_id
                for grant in persons.admissions_by_leaves(session, [leaf.leaf_id for leaf in found])
                if grant.revoked_at is None and grant.ends_at > now
            }
            found = [leaf for leaf in found if leaf.leaf_id not in online and _expired(leaf, over)]
            if not found:
                return 0
            forget_rows(session, self._place, found)
            by_fields: dict[frozenset[str], list[str]] = {}
            for leaf in found:
                by_fields.setdefault(_expired(leaf, over), []).append(leaf.leaf_id)
            for fields, leaf_ids in by_fields.items():
                persons.delete_values(session, leaf_ids, fields)
            note_erased(session, self._place, found, "retention", now)
            return len(found)

    def _finish(self, run: _Run) -> None:
        with self._database.write() as session:
            persons.forget_staff(session, self._place.owner_id, run.over.staff_names)
            staff.end_expired_sessions(session, self._clock())  # they hold addresses
            api_tokens.forget(session, self._place.owner_id, self._clock())
            old = self._clock() - exemption_requests.KEPT
            gone = exemption_requests.forget(session, self._place.owner_id, old, run.over.staff_names)
            gone += blocks.forget_ended(session, self._place.owner_id, self._clock())
            gone += outages.forget_ended(session, self._place.owner_id, self._clock())
            self._requests_gone = self._requests_gone or gone > 0
            if run.erased:
                before = format_utc(run.over.acceptances)
                record(
                    session, self._place, "retention_run", {"before": before, "erased": run.erased}, {}, self._clock()
                )
        self._run, self._done, self._wipe_at = None, run.day, 0.0
        if run.erased:
            log.info("retention: the personal values of %d entries of the log were erased", run.erased)

    def _forget_answers(self) -> None:
        """Answers of the JSON API that were kept for calls that might come again: a day, and not the next one too."""
        now, owner_id = self._clock(), self._place.owner_id
        with self._database.read() as session:
            old = kept_answers.count_old(session, owner_id, now)
        if old:
            with self._database.write() as session:
                kept_answers.forget(session, owner_id, now)

    def _wipe(self) -> None:
        now = self._clock()
        with self._database.read() as session:
            waiting = [
                leaf_id for leaf_id, at in erasures.unwiped(session, self._place.owner_id) if at <= now - WIPE_AFTER
            ]
        erasure_file.replay_pending(self._database, self._place, self._state, now)  # what has been sealed since
        erasure_file.keep(self._database, self._place, self._state)
        if not waiting and not self._requests_gone:
            return
        problem = erasures.wipe(self._database, patience_s=WORK_S)
        if problem is not None:
            raise AuditError(f"what was erased may still stand in the database's files: {problem}")
        self._requests_gone = False
        erasures.mark_wiped(self._database, waiting, now)


def _expired(leaf: About, over: Cutoffs) -> frozenset[str]:
    return expired(json.loads(leaf.entry)["type"], _at(leaf), leaf.values, over)


def _at(leaf: About) -> datetime:
    return datetime.fromisoformat(json.loads(leaf.entry)["at"])
