"""What directory targets hold, looked at when the sealer starts: after a restore of the whole machine they alone know
better.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence

from gateway.audit.push import log_keys
from gateway.audit.targets.directory import DirectoryTarget
from gateway.audit.targets.seam import Held
from gateway.settings.log import AnyTarget
from gateway.storage import log_targets
from gateway.storage.engine import Database
from gateway.storage.places import Place

log = logging.getLogger(__name__)

WAIT_S = 5.0


def look_into_directories(database: Database, place: Place, chosen: Sequence[AnyTarget]) -> None:
    """Write down the largest checkpoint that each directory holds; one that does not answer in time is passed over.

    Raises: StorageUnavailableError.
    """
    directories = [
        DirectoryTarget(each.name, each.path, place.log_origin) for each in chosen if each.kind == "directory"
    ]
    with database.read() as session:
        keys = log_keys(session, place)
    for target in directories:
        answers: queue.SimpleQueue[Held | OSError | None] = queue.SimpleQueue()

        def look(target: DirectoryTarget = target, answers: queue.SimpleQueue[Held | OSError | None] = answers) -> None:
            try:
                answers.put(target.held(keys))
            except OSError as error:
                answers.put(error)

        threading.Thread(target=look, daemon=True).start()  # a dead mount may never answer
        try:
            found = answers.get(timeout=WAIT_S)
        except queue.Empty:
            found = OSError("it does not answer")
        if isinstance(found, OSError):
            log.warning("the target %s can't be looked into: %s", target.name, found.strerror or found)
        elif found is not None:
            with database.write() as session:
                log_targets.holds(session, place.owner_id, target.name, target.kind, found.size, found.note.decode())
