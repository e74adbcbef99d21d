"""Issuing receipts: an entry with the proof that it stands in the log, under the newest checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.audit.checkpoint import Checkpoint, parse_checkpoint
from gateway.audit.receipt import Receipt, make_receipt
from gateway.storage import leaves
from gateway.storage.engine import Session
from gateway.storage.log_models import TreeHead


@dataclass(frozen=True, slots=True)
class Seal:
    """Where a leaf stands: its `index`, and the newest `checkpoint` over it with the moment it was signed."""

    index: int
    checkpoint: Checkpoint
    sealed_at: datetime


def seal_of(session: Session, owner_id: str, leaf_id: str) -> Seal | None:
    """The seal of a leaf; None while it waits for one."""
    index = leaves.leaf_index(session, leaf_id)
    head = None if index is None else _head(session, owner_id)
    if index is None or head is None or head.sealed_at is None:
        return None
    return Seal(index, parse_checkpoint(head.checkpoint.encode())[0], head.sealed_at)


def issue(session: Session, owner_id: str, leaf_id: str) -> Receipt | None:
    """The receipt of a leaf, which holds its entry and no personal value; None while the leaf waits to be sealed."""
    sealed = leaves.sealed_entry(session, leaf_id)
    head = None if sealed is None else _head(session, owner_id)
    if sealed is None or head is None:
        return None
    index, entry = sealed

    def node(level: int, position: int) -> bytes:
        return leaves.node(session, owner_id, level, position)

    return make_receipt(index, head.size, node, head.checkpoint.encode(), entry)


def _head(session: Session, owner_id: str) -> TreeHead | None:
    """The head, read after the leaf: so it covers it, whatever is sealed in between."""
    head = leaves.find_head(session, owner_id)
    return head if head is not None and head.checkpoint else None
