"""One entry's proof, step by step, as a person can follow it: the same calculation as `receipt.verify_receipt`, shown.

Pure. The path is that of RFC 9162 §2.1.3.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.audit import merkle, note
from gateway.audit.checkpoint import Checkpoint, parse_checkpoint
from gateway.audit.entry import Disclosure, belongs, parse_entry
from gateway.audit.errors import AuditError, NoteError
from gateway.audit.receipt import Receipt, verify_receipt


@dataclass(frozen=True, slots=True)
class Step:
    """Hashing with a neighbour: `sibling` stood to the `side` of what we had, and `result` came out."""

    side: Literal["left", "right"]
    sibling: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class Matched:
    """A disclosure, and whether its digest is among those of the entry."""

    disclosure: Disclosure
    matches: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. `signed_by` is the trusted key that signed the checkpoint; None when none did.

    `undisclosed` digests have no value any more: it was erased. `proved` is the verdict on all of it.
    """

    leaf: bytes
    steps: tuple[Step, ...]
    checkpoint: Checkpoint
    signed_by: note.VerifierKey | None
    disclosures: tuple[Matched, ...]
    undisclosed: int
    proved: bool

    @property
    def computed_root(self) -> bytes:
        """What the path leads to."""
        return self.steps[-1].result if self.steps else self.leaf

    @property
    def root_matches(self) -> bool:
        return self.computed_root == self.checkpoint.root


def inspect(
    entry: bytes,
    receipt: Receipt,
    disclosures: Iterable[Disclosure],
    keys: Sequence[note.VerifierKey],
    origin: str,
) -> Inspection:
    """Verify `entry` under its receipt with the trusted `keys` of the log `origin`. What fails is told, not raised.

    Raises: AuditError when the entry or the receipt's checkpoint can't even be read.
    """
    recorded = parse_entry(entry)["personal"]
    checkpoint, signed = parse_checkpoint(receipt.checkpoint)
    try:
        by = note.verified_by(signed, [key for key in keys if key.name == origin])[0]
    except NoteError:
        by = None
    matched = tuple(Matched(each, belongs(each, entry)) for each in disclosures)
    leaf = merkle.leaf_hash(entry)
    return Inspection(
        leaf,
        path(leaf, receipt.index, checkpoint.size, receipt.proof),
        checkpoint,
        by,
        matched,
        len(recorded) - sum(each.matches for each in matched),
        _holds(receipt, entry, keys, origin) and all(each.matches for each in matched),
    )


def path(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> tuple[Step, ...]:
    """From the leaf towards the root, as far as the proof has hashes."""
    steps: list[Step] = []
    value, at, last = leaf, index, size - 1
    for sibling in proof:
        if at % 2 or at == last:
            while not at % 2 and at:
                at, last = at >> 1, last >> 1
            value = merkle.node_hash(sibling, value)
            steps.append(Step("left", sibling, value))
        else:
            value = merkle.node_hash(value, sibling)
            steps.append(Step("right", sibling, value))
        at, last = at >> 1, last >> 1
    return tuple(steps)


def _holds(receipt: Receipt, entry: bytes, keys: Sequence[note.VerifierKey], origin: str) -> bool:
    try:
        verify_receipt(receipt, entry, keys, origin)
    except AuditError:
        return False
    return True
