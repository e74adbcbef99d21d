"""What follows an erasure once it has been committed: bytes out of files, copies cleared up, the list kept outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.audit import erasure_file
from gateway.audit.errors import AuditError
from gateway.audit.leftovers import Leftovers, clear
from gateway.storage import erasures
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.places import Place


@dataclass(frozen=True)
class Aftermath:
    """`unwiped` says why the bytes may still stand in the database's files (`jobs` tries again); None: they don't."""

    unwiped: str | None
    leftovers: Leftovers


def finish(
    database: Database, place: Place, state: Path, leaf_ids: Sequence[str], marks: Sequence[bytes], now: datetime
) -> Aftermath:
    """Do it. Never fails: the erasure stands already, and what could not be done is in the answer."""
    problems = []
    try:
        erasure_file.keep(database, place, state)
    except (OSError, StorageUnavailableError, AuditError) as error:
        problems.append(f"the erasure list could not be written ({error})")
    problem = erasures.wipe(database, marks)
    if problem is None:
        try:
            erasures.mark_wiped(database, leaf_ids, now)
        except StorageUnavailableError as error:
            problems.append(str(error))
    else:
        problems.append(problem)
    leftovers = clear(state, marks, database.sqlite_path if database.is_sqlite else None)
    return Aftermath("; ".join(problems) or None, leftovers)
