"""Putting a backup back: who was erased after it was made is erased in it again before anything is served."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.audit import erasure_file
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import ErasureList, parse_erasure_list
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.installation import find_place
from gateway.settings import Settings
from gateway.storage import backup, erasures, leaves, schema
from gateway.storage.engine import Database, open_database


@dataclass(frozen=True)
class Restored:
    """The tree's size now, how many leaves were erased again, what is unfinished, where the database before is kept."""

    size: int
    erased_again: int
    unwiped: str | None
    kept: Path | None = None


def restore(settings: Settings, copy: Path, lists: list[Path], clock: Clock) -> Restored:
    """Put the backup `copy` in place of the database, migrated, with every erasure that the lists name done again.

    The lists are those in the files `lists`, the one in the state directory, and that of the database being replaced.
    Raises: GatewayError, OSError; the database in use is untouched then, but on PostgreSQL when erasing failed: no
        service starts before that has been made good.
    """
    database = open_database(settings.database_url)
    try:
        backup.refuse_in_use(database)
        backup.check_backup(database, copy)
        known = _known(settings, database, [parse_erasure_list(path.read_bytes()) for path in lists])
        database.close()  # our own connections would be in the way of replacing it
        if not database.is_sqlite:
            if known:
                erasure_file.put(settings.state, _merged(known))
            backup.restore_postgres(database, copy)
            done = Restored(*_bring_up(settings, database, known, clock))
            erasure_file.keep(database, find_place(settings, database), settings.state)
            return done
        fresh = database.sqlite_path.with_name(f"{database.sqlite_path.name}.restoring")
        backup.stage_sqlite(copy, fresh)
        try:
            done = Restored(*_aside(settings, fresh, known, clock))
            kept = backup.put_sqlite(database, fresh)
        except BaseException:
            backup.discard_sqlite(fresh)
            raise
        erasure_file.keep(database, find_place(settings, database), settings.state)
        return replace(done, kept=kept)
    finally:
        database.close()


def _aside(settings: Settings, fresh: Path, known: list[ErasureList], clock: Clock) -> tuple[int, int, str | None]:
    database = open_database(f"sqlite:///{fresh}")
    try:
        return _bring_up(settings, database, known, clock)
    finally:
        database.close()


def _bring_up(
    settings: Settings, database: Database, known: list[ErasureList], clock: Clock
) -> tuple[int, int, str | None]:
    schema.upgrade(database)
    place = find_place(settings, database)
    now = clock()
    again = sum(erasure_file.replay(database, place, listed, now) for listed in known)
    with database.read() as session:
        head = leaves.find_head(session, place.owner_id)
        pending = [leaf_id for leaf_id, _ in erasures.unwiped(session, place.owner_id)]
    unwiped = erasures.wipe(database) if pending else None
    if pending and unwiped is None:
        erasures.mark_wiped(database, pending, now)
    return head.size if head is not None else 0, again, unwiped


def _known(settings: Settings, database: Database, given: list[ErasureList]) -> list[ErasureList]:
    """Everything that is known to have been erased; nothing is known of a database that can't be read any more."""
    found = list(given)
    if (kept := erasure_file.read(settings.state)) is not None:
        found.append(kept)
    if not database.is_sqlite or database.sqlite_path.exists():
        with contextlib.suppress(GatewayError), database.read() as session:
            found.append(current_list(session, find_place(settings, database)))
    return found


def _merged(found: list[ErasureList]) -> ErasureList:
    merged = found[0]
    for listed in found[1:]:
        merged = merged.merged(listed)
    return merged
