"""The jobs service: compiles the policy in force into the snapshot that DNS reads, whenever one is published.

A compile that fails replaces nothing: the old snapshot serves on, and the reason is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from gateway.lists.compile import ListsError, compile_policy
from gateway.lists.publish import publish
from gateway.lists.reader import SnapshotFile, current_path
from gateway.storage import generations
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.feed import open_feed

log = logging.getLogger(__name__)

RECHECK_S = 5.0
DIGEST_BYTES = 32  # a snapshot ends with the SHA-256 of all before it


def compile_in_force(
    database: Database, owner_id: str, state: Path, own_names: tuple[str, ...], *, anew: bool = False
) -> int | None:
    """Bring the snapshot file up to the generation in force. Returns the number published, None when it was there.

    `anew`: compile even when the file is of that generation already, as after an upgrade of the lists or settings.
    Raises: StorageUnavailableError, ListsError; the file in place is untouched then.
    """
    with database.read() as session:
        published = generations.in_force(session, owner_id)
        if published is None:
            return None
        number, document = published.generation, dict(published.document)
    reader = SnapshotFile(current_path(state))
    reader.poll()
    standing = reader.current
    if standing is not None and standing.generation == number and not anew:
        return None
    octets = compile_policy(document, number, own_names=own_names)
    if standing is not None and standing.sha256 == octets[-DIGEST_BYTES:].hex():
        return None
    publish(state, octets)
    return number


def run(
    database: Database, owner_id: str, state: Path, own_names: tuple[str, ...], stopping: Callable[[], bool]
) -> None:
    """Compile whenever a policy is published, and look again every few seconds, until `stopping()`."""
    feed = open_feed(database, ("policy",), stopping)
    anew = True
    try:
        while not stopping():
            try:
                number = compile_in_force(database, owner_id, state, own_names, anew=anew)
                anew = False
                if number is not None:
                    log.info("policy generation %d compiled and in force", number)
            except StorageUnavailableError as error:
                log.warning("compiling waits: %s", error)
            except ListsError as error:
                log.error("policy not compiled, the one before it serves on: %s", error)
            feed.wait(RECHECK_S)
    finally:
        feed.close()
