"""The sealer: the one leader that orders staged leaves into the tree and signs its checkpoint; only holder of the key.

Two sealers on one database are safe: the head row fences them, and whoever holds it sees the newest size. Before each
signature the tree is held against what is known to have been signed (`memory.py`, and what targets hold).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.audit import merkle
from gateway.audit.bundle import Sidecar
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from gateway.audit.errors import AuditError
from gateway.audit.memory import Memory, Remembered
from gateway.audit.note import SignerKey, encode_base64
from gateway.audit.restored import Known, RestoredError, contradiction
from gateway.audit.sealing import seal
from gateway.clock import Clock
from gateway.storage import leaves, log_restores, log_targets, places
from gateway.storage.engine import Database, Session, StorageUnavailableError
from gateway.storage.feed import open_feed
from gateway.storage.leaves import Staged
from gateway.storage.models import TreeHead

log = logging.getLogger(__name__)

EVERY_S = 0.2
BATCH_LEAVES = 5000
SOURCE_MEMORY = "the sealer's memory"


class KeyReplacedError(AuditError):
    """The log has another key than this sealer's: it has to open the key anew."""


def seal_staged(
    database: Database,
    owner_id: str,
    origin: str,
    signer: SignerKey,
    now: datetime,
    *,
    memory: Memory | None = None,
) -> int:
    """Order what is staged for an owner, at most one batch, and sign the new head. Returns how many leaves.

    Raises: RestoredError, KeyReplacedError, StorageUnavailableError, AuditError; then nothing was ordered and the
    leaves
    stay staged.
    """
    with database.read() as session:
        if not leaves.is_staged(session, owner_id) and _stands(session, owner_id, memory):
            return 0
    with database.write() as session:
        head = leaves.lock_head(session, owner_id)
        _check_key(session, owner_id, signer)
        remembered = memory.read() if memory is not None else None
        if memory is not None and remembered is None and head.size:
            log.warning("%s is missing: if the database was restored, only targets can tell", memory.path)
        edge = _compare(session, head, origin, remembered)
        waiting = _interrupted(session, head, origin, edge, remembered) or _next(session, owner_id)
        log_restores.withdraw(session, owner_id)
        if memory is not None and not waiting:
            memory.write(head.checkpoint)
        if not waiting:
            return 0
        sealed = seal(edge, head.size, [leaf.entry for leaf in waiting])
        note = sign_checkpoint(sealed.checkpoint(origin), signer).decode()
        if memory is not None:
            memory.write(head.checkpoint, note, [leaf.id for leaf in waiting])
        nodes = [(node.level, node.index, node.hash) for node in sealed.nodes]
        leaves.append(session, head, waiting, nodes, note, now)
        return len(waiting)


def _stands(session: Session, owner_id: str, memory: Memory | None) -> bool:
    """Whether the head is the one that is remembered and nobody knows a larger one, so that nothing has to be looked
    at.
    """
    if memory is None:
        return True
    head, remembered = leaves.find_head(session, owner_id), memory.read()
    if head is None or not head.checkpoint:
        return remembered is None or remembered.newest is None
    known = max((size for _, size, _ in log_targets.held(session, owner_id)), default=0)
    return (
        remembered is not None
        and remembered.newest == parse_checkpoint(head.checkpoint.encode())[0]
        and (known <= head.size or known <= log_restores.acknowledged_size(session, owner_id))
        and log_restores.open_restore(session, owner_id) is None
    )


def _compare(session: Session, head: TreeHead, origin: str, remembered: Remembered | None) -> merkle.Edge:
    """The head's edge, when the tree continues all that is known of it. Raises: RestoredError."""
    known = []
    acknowledging = max((size for _, size in log_restores.staged_acknowledgements(session, head.owner_id)), default=0)
    if remembered is not None:
        # A pending head beyond the tree is no contradiction yet: `_interrupted` makes it, or finds that it can't be.
        known += [
            Known(each.size, each.root, SOURCE_MEMORY)
            for each in (remembered.published, remembered.pending)
            if each is not None
            and each.size > acknowledging
            and (each is not remembered.pending or each.size <= head.size)
        ]
    past = log_restores.acknowledged_size(session, head.owner_id)
    for name, size, text in log_targets.held(session, head.owner_id):
        if size > past:
            root = parse_checkpoint(text.encode())[0].root if text else None
            known.append(Known(size, root, f"the target {name}"))

    def ask(node: merkle.NodeSource) -> tuple[merkle.Edge, Known | None]:
        return merkle.edge_of(head.size, node), contradiction(head.size, known, node)

    try:
        edge, wrong = leaves.prefetched(session, head.owner_id, ask)
    except KeyError as missing:
        raise AuditError(f"the tree has no node {missing}: the database is damaged; restore its backup") from missing
    if wrong is not None:
        if remembered is not None and remembered.pending is not None and remembered.pending.size > wrong.size:
            wrong = Known(remembered.pending.size, remembered.pending.root, SOURCE_MEMORY)
        raise RestoredError(Checkpoint(origin, head.size, merkle.root(edge)), wrong)
    return edge


def _interrupted(
    session: Session, head: TreeHead, origin: str, edge: merkle.Edge, remembered: Remembered | None
) -> Sequence[Staged]:
    """The leaves of the head that was signed and not committed, when a sealer was cut off there: exactly they come
    next.

    Raises: RestoredError when they are not there: then it was committed, and the database is an older one.
    """
    pending = remembered.pending if remembered is not None else None
    if remembered is None or pending is None or pending.size <= head.size:
        return ()
    if any(size >= pending.size for _, size in log_restores.staged_acknowledgements(session, head.owner_id)):
        return ()
    waiting = leaves.staged_by_ids(session, head.owner_id, remembered.staged)
    if (
        len(waiting) != pending.size - head.size
        or seal(edge, head.size, [leaf.entry for leaf in waiting]).root != pending.root
    ):
        known = Known(pending.size, pending.root, SOURCE_MEMORY)
        raise RestoredError(Checkpoint(origin, head.size, merkle.root(edge)), known)
    return waiting


def _next(session: Session, owner_id: str) -> Sequence[Staged]:
    """The next batch: an acknowledged restore before everything else, then leaves as they were staged."""
    first = [leaf for leaf, _ in log_restores.staged_acknowledgements(session, owner_id)]
    found = leaves.staged(session, owner_id, BATCH_LEAVES)
    if not first:
        return found
    return [*leaves.staged_by_ids(session, owner_id, first), *(leaf for leaf in found if leaf.id not in first)]


def _check_key(session: Session, owner_id: str, signer: SignerKey) -> None:
    vkey = places.log_key(session, owner_id)
    if vkey is not None and vkey != str(signer.verifier):
        raise KeyReplacedError(f"the log's key is {vkey} now")


def sign_bundles(database: Database, owner_id: str, origin: str, signer: SignerKey) -> int:
    """Sign the hashes of bundles that wait for it. Returns how many. Raises: StorageUnavailableError,
    KeyReplacedError.
    """
    with database.read() as session:
        if not leaves.unsigned_bundles(session, owner_id):
            return 0
    with database.write() as session:
        _check_key(session, owner_id, signer)
        waiting = leaves.unsigned_bundles(session, owner_id)
        for row in waiting:
            sidecar = Sidecar(origin, row.size_bytes, row.zip_sha256, row.manifest_sha256)
            row.note = sidecar.sign(signer).decode()
        return len(waiting)


def report_restore(database: Database, owner_id: str, error: RestoredError, now: datetime) -> None:
    """Let everybody see that nothing is signed, and why. Raises: StorageUnavailableError."""
    with database.write() as session:
        log_restores.report(
            session,
            owner_id,
            size=error.head.size,
            root=encode_base64(error.head.root),
            known_size=error.known.size,
            known_root=encode_base64(error.known.root) if error.known.root is not None else "",
            known_from=error.known.source,
            now=now,
        )


@dataclass
class Sealer:
    """One sealer's work on one owner's log. `open_key` reads the key again when it was replaced; `beside` is what
    else is
    signed here, called at each round with the same key's safety: not at all while a restore waits to be acknowledged.
    """

    database: Database
    owner_id: str
    origin: str
    signer: SignerKey
    clock: Clock
    memory: Memory | None = None
    open_key: Callable[[], SignerKey] | None = None
    beside: Callable[[datetime], object] = lambda _now: None
    _troubles: dict[str, str] = field(default_factory=dict)

    def round(self) -> bool:
        """Do what waits. Returns whether more may wait already. What is in the way is logged once."""
        now = self.clock()
        try:
            sealed = seal_staged(self.database, self.owner_id, self.origin, self.signer, now, memory=self.memory)
            self._tell("sealing", "")
            sign_bundles(self.database, self.owner_id, self.origin, self.signer)
        except KeyReplacedError as error:
            if self.open_key is None:
                raise
            log.info("%s", error)
            self.signer = self.open_key()
            return True
        except RestoredError as error:
            self._tell("sealing", str(error))
            self._report(error, now)
            return False
        except StorageUnavailableError as error:
            log.warning("sealing waits: %s", error)
            return False
        except AuditError as error:
            self._tell("sealing", str(error))
            return False
        self._do_beside(now)
        return sealed >= BATCH_LEAVES

    def _do_beside(self, now: datetime) -> None:
        try:
            self.beside(now)
            self._tell("witnessing", "")
        except (AuditError, OSError, StorageUnavailableError) as error:
            self._tell("witnessing", str(error))

    def _report(self, error: RestoredError, now: datetime) -> None:
        try:
            report_restore(self.database, self.owner_id, error, now)
        except StorageUnavailableError as problem:
            log.warning("that nothing is signed can't be written down: %s", problem)

    def _tell(self, subject: str, trouble: str) -> None:
        if trouble != self._troubles.get(subject, ""):
            log.log(logging.ERROR if trouble else logging.INFO, "%s: %s", subject, trouble or "goes on")
            self._troubles[subject] = trouble

    def run(self, stopping: Callable[[], bool]) -> None:
        """Seal as leaves are staged, at most every 200 ms, until `stopping()`. The database may come and go
        meanwhile.
        """
        feed = open_feed(self.database, ("leaves",), stopping)
        try:
            while not stopping():
                started = time.monotonic()
                if self.round():
                    continue
                time.sleep(max(0.0, EVERY_S - (time.monotonic() - started)))
                feed.wait(5.0)
        finally:
            feed.close()


def run(
    database: Database, owner_id: str, origin: str, signer: SignerKey, clock: Clock, stopping: Callable[[], bool]
) -> None:
    """A sealer without memory, until `stopping()`."""
    Sealer(database, owner_id, origin, signer, clock).run(stopping)
