"""How the log stands outside its database, in one look: for metrics, the console's banner and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.audit.push import ALARM_FAILURES
from gateway.settings.log import AnyTarget
from gateway.storage import log_restores, log_targets
from gateway.storage.engine import Session

LATE_HOURS = 26
"""A target that has not had a checkpoint for so long misses the daily one too."""


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """A target of the settings. `alarm`: it has failed again and again, or has had nothing for more than a day."""

    name: str
    kind: str
    succeeded_at: datetime | None
    size: int | None
    failed_at: datetime | None
    failures: int
    reason: str
    alarm: bool


@dataclass(frozen=True, slots=True)
class RestoreStanding:
    """The database holds `size` entries, while `known_from` knows `known_size`: nothing is signed."""

    size: int
    known_size: int
    known_from: str
    detected_at: datetime


@dataclass(frozen=True, slots=True)
class LogStanding:
    """What is to be known of the log beside its size."""

    targets: tuple[TargetStanding, ...]
    restore: RestoreStanding | None


def log_standing(session: Session, owner_id: str, chosen: Sequence[AnyTarget], now: datetime) -> LogStanding:
    """How the log stands now, with every target of the settings, also those that nothing was ever sent to."""
    known = log_targets.targets(session, owner_id)
    targets = []
    for each in chosen:
        row = known.get(each.name)
        if row is None or row.kind != each.kind:
            targets.append(TargetStanding(each.name, each.kind, None, None, None, 0, "", alarm=False))
            continue
        last = row.succeeded_at
        late = last is not None and (now - last).total_seconds() > LATE_HOURS * 3600
        targets.append(
            TargetStanding(
                each.name,
                each.kind,
                last,
                row.size,
                row.failed_at,
                row.failures,
                row.reason,
                alarm=row.failures >= ALARM_FAILURES or late,
            )
        )
    found = log_restores.open_restore(session, owner_id)
    restore = (
        RestoreStanding(found.size, found.known_size, found.known_from, found.detected_at)
        if found is not None
        else None
    )
    return LogStanding(tuple(targets), restore)
