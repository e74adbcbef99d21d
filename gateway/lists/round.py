"""One round of refreshing: each source from its address or from its uploaded file, and what came of it written down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.clock import Clock
from gateway.lists import sources
from gateway.lists.addresses import Resolve
from gateway.lists.due import Due
from gateway.lists.progress import Progress
from gateway.lists.refresh import Refresh, import_file, refresh
from gateway.storage import lists as stored
from gateway.storage.engine import Database
from gateway.storage.places import Place


def refresh_all(
    database: Database,
    place: Place,
    state: Path,
    due: Iterable[Due],
    resolve: Resolve,
    clock: Clock,
    *,
    progress: Callable[[str], Progress],
) -> list[Refresh]:
    """Refresh these sources one after the other; each is in the history before the next begins.

    Raises: StorageUnavailableError.
    """
    done: list[Refresh] = []
    for each in due:
        watch = progress(each.source.key)
        if each.uploaded:
            result = _from_upload(database, place, state, each, clock, watch)
        else:
            result = refresh(state, each.source, resolve, clock, accept=each.accept, progress=watch)
        with database.write() as session:
            sources.record_refresh(session, place, result, each.request_id)
            if each.uploaded and result.outcome == "refused":
                sources.drop_unusable(session, place, each.source.key)
        done.append(result)
    return done


def _from_upload(database: Database, place: Place, state: Path, each: Due, clock: Clock, progress: Progress) -> Refresh:
    with database.read() as session:
        content = stored.upload_content(session, place.owner_id, each.source.key) or b""
    folder = state / "lists"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".upload-") as file:
        file.write(content)
        file.flush()
        return import_file(state, each.source, Path(file.name), clock, accept=each.accept, progress=progress)
