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
from gateway.audit.restored import Known, RestoredError, acknowledged, contradictions
from gateway.audit.sealing import seal
from gateway.clock import Clock
from gateway.storage import leaves, log_restores, log_targets, places
from gateway.storage.engine import Database, Session, StorageUnavailableError
from gateway.storage.feed import open_feed
from gateway.storage.leaves import Staged
from gateway.storage.log_models import TreeHead

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
        edge, interrupted, first = _compare(session, head, origin, remembered)
        waiting = interrupted or [
            *first,
            *(leaf for leaf in leaves.staged(session, owner_id, BATCH_LEAVES) if leaf not in first),
        ]
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
    return (
        remembered is not None
        and remembered.newest == parse_checkpoint(head.checkpoint.encode())[0]
        and not _unacknowledged(session, head, [each for each in _held(session, owner_id) if each.size > head.size])
        and log_restores.open_restore(session, owner_id) is None
    )


def _held(session: Session, owner_id: str) -> list[Known]:
    """What targets hold: each one's largest signed checkpoint, and the larger sizes that directories have files of.

    The number alone that a witness tells does not count: nothing that was signed here is behind it.
    """
    known = []
    for name, kind, size, text in log_targets.held(session, owner_id):
        signed = parse_checkpoint(text.encode())[0] if text else None
        if signed is not None:
            known.append(Known(signed.size, signed.root, f"the target {name}"))
        if kind == "directory" and (signed is None or signed.size < size):
            known.append(Known(size, None, f"the target {name}"))
    return known


def _unacknowledged(session: Session, head: TreeHead, known: Sequence[Known]) -> list[Known]:
    """Those that no entry of the tree acknowledges."""
    if not known:
        return []
    said = [acknowledged(entry) for entry in log_restores.sealed_acknowledgements(session, head.owner_id, head.size)]
    return [each for each in known if not any(one is not None and one.covers(each) for one in said)]


def _compare(
    session: Session, head: TreeHead, origin: str, remembered: Remembered | None
) -> tuple[merkle.Edge, Sequence[Staged], Sequence[Staged]]:
    """The head's edge, the leaves of a head that was signed and not committed, and the acknowledgements that come
    first otherwise; when the tree continues all that is known of it, or what it doesn't is acknowledged.

    The memory counts whatever entries say: only a staged acknowledgement, of just this, leads past it. Raises:
    RestoredError.
    """
    pending = remembered.pending if remembered is not None else None
    cut_off = pending is not None and pending.size > head.size
    mine = [
        Known(each.size, each.root, SOURCE_MEMORY)
        for each in (remembered.published if remembered is not None else None, pending if not cut_off else None)
        if each is not None
    ]
    others = _unacknowledged(session, head, _held(session, head.owner_id))

    def ask(node: merkle.NodeSource) -> tuple[merkle.Edge, tuple[Known, ...], tuple[Known, ...]]:
        edge = merkle.edge_of(head.size, node)
        return edge, contradictions(head.size, mine, node), contradictions(head.size, others, node)

    try:
        edge, wrong, more = leaves.prefetched(session, head.owner_id, ask)
    except KeyError as missing:
        raise AuditError(f"the tree has no node {missing}: the database is damaged; restore its backup") from missing
    interrupted: Sequence[Staged] = ()
    if remembered is not None and pending is not None and cut_off:
        interrupted = _interrupted(session, head, edge, pending, remembered.staged)
        if not interrupted:
            wrong = (Known(pending.size, pending.root, SOURCE_MEMORY), *wrong)
    found = sorted((*wrong[:1], *more), key=lambda each: each.size, reverse=True)
    first = _acknowledging(session, head, merkle.root(edge), found) if found else {}
    left = [known for known in found if known not in first]
    if left:
        raise RestoredError(Checkpoint(origin, head.size, merkle.root(edge)), left)
    return edge, interrupted, sorted(set(first.values()))


def _interrupted(
    session: Session, head: TreeHead, edge: merkle.Edge, pending: Checkpoint, staged: Sequence[int]
) -> Sequence[Staged]:
    """The leaves of the head that was signed and not committed, when a sealer was cut off there: exactly they come
    next.

    Empty when they are not there: then it was committed, and the database is an older one.
    """
    waiting = leaves.staged_by_ids(session, head.owner_id, staged)
    if len(waiting) != pending.size - head.size:
        return ()
    return waiting if seal(edge, head.size, [leaf.entry for leaf in waiting]).root == pending.root else ()


def _acknowledging(session: Session, head: TreeHead, root: bytes, found: Sequence[Known]) -> dict[Known, Staged]:
    """The staged leaf that acknowledges each contradiction: an entry that names this very head and this very one."""
    first: dict[Known, Staged] = {}
    for leaf in log_restores.staged_acknowledgements(session, head.owner_id):
        said = acknowledged(leaf.entry)
        if said is not None and (said.size, said.root) == (head.size, encode_base64(root)):
            first.update({known: leaf for known in found if known not in first and said.covers(known)})
    return first


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
            found=[log_restores.Found(each.size, each.root_text, each.source) for each in error.known],
            now=now,
        )


@dataclass
class Sealer:
    """One sealer's work on one owner's log. `open_key` reads the key again when it was replaced; `beside` is what
    else is signed here, called at each round with the same key's safety: not at all while a restore waits to be
    acknowledged. `each_round` is called at each round of `run`, whatever is in the way.
    """

    database: Database
    owner_id: str
    origin: str
    signer: SignerKey
    clock: Clock
    memory: Memory | None = None
    open_key: Callable[[], SignerKey] | None = None
    beside: Callable[[datetime], object] = lambda _now: None
    each_round: Callable[[], object] = lambda: None
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
                self.each_round()
                if self.round():
                    continue
                time.sleep(max(0.0, EVERY_S - (time.monotonic() - started)))
                feed.wait(5.0)
        finally:
            feed.close()
