"""The sealer: the one leader that orders staged leaves into the tree and signs its checkpoint; only holder of the key.

Two sealers on one database are safe: the head row fences them, and whoever holds it sees the newest size.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from gateway.audit import merkle
from gateway.audit.bundle import Sidecar
from gateway.audit.checkpoint import sign_checkpoint
from gateway.audit.note import SignerKey
from gateway.audit.sealing import seal
from gateway.clock import Clock
from gateway.storage import leaves
from gateway.storage.engine import Database, StorageUnavailableError
from gateway.storage.feed import open_feed

log = logging.getLogger(__name__)

EVERY_S = 0.2
BATCH_LEAVES = 2000


def seal_staged(database: Database, owner_id: str, origin: str, signer: SignerKey, now: datetime) -> int:
    """Order what is staged for an owner, at most one batch, and sign the new head. Returns how many leaves.

    Raises: StorageUnavailableError, AuditError; then nothing was ordered and the leaves stay staged.
    """
    with database.read() as session:
        if not leaves.staged(session, owner_id, 1):
            return 0
    with database.write() as session:
        head = leaves.lock_head(session, owner_id)
        waiting = leaves.staged(session, owner_id, BATCH_LEAVES)
        if not waiting:
            return 0
        edge = merkle.edge_of(head.size, lambda level, index: leaves.node(session, owner_id, level, index))
        sealed = seal(edge, head.size, [leaf.entry for leaf in waiting])
        note = sign_checkpoint(sealed.checkpoint(origin), signer).decode()
        nodes = [(node.level, node.index, node.hash) for node in sealed.nodes]
        leaves.append(session, head, waiting, nodes, note, now)
        return len(waiting)


def sign_bundles(database: Database, owner_id: str, origin: str, signer: SignerKey) -> int:
    """Sign the hashes of bundles that wait for it. Returns how many. Raises: StorageUnavailableError."""
    with database.read() as session:
        if not leaves.unsigned_bundles(session, owner_id):
            return 0
    with database.write() as session:
        waiting = leaves.unsigned_bundles(session, owner_id)
        for row in waiting:
            sidecar = Sidecar(origin, row.size_bytes, row.zip_sha256, row.manifest_sha256)
            row.note = sidecar.sign(signer).decode()
        return len(waiting)


def run(
    database: Database, owner_id: str, origin: str, signer: SignerKey, clock: Clock, stopping: Callable[[], bool]
) -> None:
    """Seal as leaves are staged, at most every 200 ms, until `stopping()`. The database may come and go meanwhile."""
    feed = open_feed(database, ("leaves",), stopping)
    try:
        while not stopping():
            started = time.monotonic()
            try:
                full = seal_staged(database, owner_id, origin, signer, clock()) == BATCH_LEAVES
                sign_bundles(database, owner_id, origin, signer)
            except StorageUnavailableError as error:
                log.warning("sealing waits: %s", error)
                full = False
            if full:
                continue
            time.sleep(max(0.0, EVERY_S - (time.monotonic() - started)))
            feed.wait(5.0)
    finally:
        feed.close()
