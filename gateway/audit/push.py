"""Pushing: the newest checkpoint and the erasure list to every target that is due, and how it went into the database.

Targets are sent to at the same time, so that one that hangs delays no other. Nothing here holds the log's key.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

from gateway.audit import merkle
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.custody import public_keys
from gateway.audit.note import VerifierKey, parse_verifiers
from gateway.audit.push_times import Standing, is_due
from gateway.audit.targets.build import build_target
from gateway.audit.targets.seam import Delivered, Package, Target, TargetError
from gateway.clock import Clock
from gateway.settings.log import AnyTarget
from gateway.storage import leaves, log_restores, log_targets
from gateway.storage.engine import Database, Session
from gateway.storage.log_models import LogTarget
from gateway.storage.places import Place

log = logging.getLogger(__name__)

ALARM_FAILURES = 3
LIMIT_S = 120.0
Erasures = Callable[[Session, Place, int], bytes]
"""The erasure list of the log as it stands when the tree has so many leaves."""


@dataclass(frozen=True)
class Outcome:
    """What came of one target: `reason` is empty when it took the checkpoint of `size`."""

    name: str
    kind: str
    size: int
    reason: str = ""


def standing_of(row: LogTarget | None) -> Standing:
    """How a target stands, by its row."""
    if row is None:
        return Standing()
    asked = row.request_id != row.served_request_id
    return Standing(asked, row.succeeded_at, row.sent_sha256, row.failed_at, row.failures)


def due_targets(database: Database, place: Place, chosen: Sequence[AnyTarget], clock: Clock) -> tuple[AnyTarget, ...]:
    """Those of the targets that are due. Raises: StorageUnavailableError."""
    with database.read() as session:
        head = leaves.find_head(session, place.owner_id)
        rows = log_targets.targets(session, place.owner_id)
        if head is None or not head.checkpoint or log_restores.open_restore(session, place.owner_id) is not None:
            return ()
        newest = hashlib.sha256(head.checkpoint.encode()).hexdigest()
    now = clock()
    return tuple(each for each in chosen if is_due(standing_of(rows.get(each.name)), newest, each.every, now))


def ask_witnesses(database: Database, place: Place, chosen: Sequence[AnyTarget]) -> None:
    """Have every witness asked now, as when services start: it may know that the database was restored meanwhile.

    Raises: StorageUnavailableError.
    """
    witnesses = [(each.name, each.kind) for each in chosen if each.kind == "witness"]
    if witnesses:
        with database.write() as session:
            log_targets.request(session, place.owner_id, witnesses)


def push(
    database: Database, place: Place, chosen: Sequence[AnyTarget], erasures: Erasures, clock: Clock
) -> tuple[Outcome, ...]:
    """Send the newest checkpoint to these targets; empty when nothing has been signed yet.

    Raises: StorageUnavailableError; NoteError when the database's own checkpoint does not hold.
    """
    with database.read() as session:
        package = _package(session, database, place, erasures)
        rows = log_targets.targets(session, place.owner_id)
        asked = {name: row.request_id for name, row in rows.items()}
        cosigned = {name: row.size or 0 for name, row in rows.items() if row.kind == "witness"}
    if package is None or not chosen:
        return ()
    targets = [build_target(each, place.log_origin) for each in chosen]
    pool = ThreadPoolExecutor(len(targets), thread_name_prefix="target")
    sending = {
        pool.submit(_send, target, replace(package, cosigned_size=cosigned.get(target.name, 0)), clock): target
        for target in targets
    }
    outcomes: dict[str, Outcome] = {}

    def note_down(target: Target, result: Delivered | TargetError) -> None:
        request_id = asked.get(target.name, "")
        outcomes[target.name] = _note_down(database, place, target, package, result, request_id, clock)

    try:
        for each in as_completed(sending, timeout=LIMIT_S):
            note_down(sending.pop(each), each.result())
    except TimeoutError:
        for target in sending.values():
            note_down(target, TargetError(f"it does not answer; given up after {LIMIT_S:.0f} s"))
    pool.shutdown(wait=False)  # a thread in a dead mount can't be ended: the caller ends the process
    return tuple(outcomes[target.name] for target in targets)


def log_keys(session: Session, place: Place) -> tuple[VerifierKey, ...]:
    """The log's public keys, oldest first, as the database knows them."""
    return parse_verifiers(public_keys(session, place))


def consistency(database: Database, owner_id: str, size: int) -> Callable[[int], tuple[bytes, ...]]:
    """Consistency proofs from smaller sizes to `size`. Raises (when called): StorageUnavailableError, ProofError."""

    def proof(old: int) -> tuple[bytes, ...]:
        with database.read() as session:
            return leaves.prefetched(session, owner_id, lambda node: merkle.consistency_proof(old, size, node))

    return proof


def _package(session: Session, database: Database, place: Place, erasures: Erasures) -> Package | None:
    head = leaves.find_head(session, place.owner_id)
    if head is None or not head.checkpoint:
        return None
    note, keys = head.checkpoint.encode(), log_keys(session, place)
    checkpoint = open_checkpoint(note, keys, place.log_origin)
    return Package(
        checkpoint,
        note,
        erasures(session, place, checkpoint.size),
        keys,
        consistency(database, place.owner_id, checkpoint.size),
    )


def _send(target: Target, package: Package, clock: Clock) -> Delivered | TargetError:
    try:
        return target.send(package, clock())
    except TargetError as error:
        return error
    except Exception as fault:
        log.exception("target %s", target.name)
        return TargetError(f"{type(fault).__name__}: please report this")


def _note_down(
    database: Database,
    place: Place,
    target: Target,
    package: Package,
    result: Delivered | TargetError,
    request_id: str,
    clock: Clock,
) -> Outcome:
    owner_id, size, now = place.owner_id, package.checkpoint.size, clock()
    with database.write() as session:
        if result.held is not None:
            log_targets.holds(session, owner_id, target.name, target.kind, result.held.size, result.held.note.decode())
        if isinstance(result, TargetError):
            failures = log_targets.failed(
                session, owner_id, target.name, target.kind, reason=str(result), request_id=request_id, now=now
            )
            level = logging.ERROR if failures >= ALARM_FAILURES else logging.WARNING
            log.log(level, "checkpoint not sent to %s (failure %d in a row): %s", target.name, failures, result)
            return Outcome(target.name, target.kind, size, str(result))
        for each in result.cosigned:
            leaves.add_cosignature(session, owner_id, size, each.key.name, each.line, now)
        log_targets.succeeded(
            session,
            owner_id,
            target.name,
            target.kind,
            size=size,
            sent_sha256=hashlib.sha256(package.note).hexdigest(),
            request_id=request_id,
            now=now,
        )
    return Outcome(target.name, target.kind, size)


def only(chosen: Sequence[AnyTarget], names: Collection[str]) -> tuple[AnyTarget, ...]:
    """The targets of these names; all when there are none."""
    return tuple(each for each in chosen if not names or each.name in names)
