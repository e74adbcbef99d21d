"""Versions of the rules that come into force later: withdrawn before, or what follows when their moment has come.

That a version is in force needs nobody: every question for the rules looks at the clock. What needs somebody is ending
the access of those who are asked again then, which the `jobs` of one gateway does, whichever comes first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from gateway.audit.record import record
from gateway.clock import Clock
from gateway.storage import places, rules, rules_drafts, rules_proposals
from gateway.storage.engine import Database, Session, StorageUnavailableError
from gateway.storage.feed import announce
from gateway.storage.models import RulesVersion
from gateway.storage.places import Place
from gateway.terms.drafting import end_access

log = logging.getLogger(__name__)

Withdrawal = Literal["done", "unknown", "in_force", "withdrawn"]
THE_PRODUCT = "gjestenett"
"""Who ends the access of those that are asked again when nobody is there."""
EXPIRED_KEPT = timedelta(days=30)
FORGET_EVERY_S = 3600.0


def withdraw(session: Session, place: Place, label: str, by: str, now: datetime) -> Withdrawal:
    """Withdraw a version before it is in force, as a leaf of the log; else why it can't be. Its label stays taken."""
    places.lock_owner(session, place.owner_id)
    version = rules.version_labelled(session, place.owner_id, label)
    if version is None:
        return "unknown"
    outcome = rules.outcomes(session, place.owner_id).get(version.id)
    if outcome == "withdrawn":
        return "withdrawn"
    if outcome is not None or version.in_force_from is None or version.in_force_from <= now:
        return "in_force"
    rules.end_wait(session, version.id, "withdrawn", now)
    record(session, place, "rules_withdrawn", {"version": label}, {"by": by}, now)
    announce(session, "rules")
    return "done"


def is_due(session: Session, place: Place, now: datetime) -> bool:
    """Whether a version has come into force whose wait nobody has ended."""
    return any(_has_come(version, now) for version in rules.waiting(session, place.owner_id))


def turn(session: Session, place: Place, now: datetime) -> int:
    """Do what follows from the versions that have come into force; how many accesses ended.

    Whoever has accepted the version meanwhile, or one that is in force after it, stays. Done once, whichever gateway
    does it first.
    """
    places.lock_owner(session, place.owner_id)
    ended = 0
    for version in rules.waiting(session, place.owner_id):
        if not _has_come(version, now):
            break
        if version.ask_again:
            current = rules.id_in_force(session, place.owner_id, version.group_key, now=now)
            accepted = {version.id} | ({current} if current is not None else set())
            reached = rules_drafts.grants_reached(session, place.owner_id, version.group_key, now, accepted)
            ended += end_access(session, place, reached, THE_PRODUCT, now)
        rules.end_wait(session, version.id, "in_force", now)
        announce(session, "rules")
        log.info("rules %s are in force", version.label)
    return ended


class ComingRules:
    """Called again and again by a service: does what follows when a version has come into force."""

    def __init__(
        self, database: Database, place: Place, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database, self._place, self._clock = database, place, clock
        self._monotonic, self._forget_at = monotonic, 0.0

    def poll(self) -> None:
        """Look; a database that does not answer is asked again at the next call."""
        now = self._clock()
        try:
            with self._database.read() as session:
                due = is_due(session, self._place, now)
            if due:
                with self._database.write() as session:
                    turn(session, self._place, now)
            if self._monotonic() >= self._forget_at:
                with self._database.write() as session:
                    rules_proposals.forget(session, self._place.owner_id, now - EXPIRED_KEPT)
                self._forget_at = self._monotonic() + FORGET_EVERY_S
        except StorageUnavailableError:
            return


def _has_come(version: RulesVersion, now: datetime) -> bool:
    return version.in_force_from is not None and version.in_force_from <= now
