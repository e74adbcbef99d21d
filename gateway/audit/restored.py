"""Was the database restored? Pure: a tree against the checkpoints of it that are known from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.errors import AuditError


@dataclass(frozen=True, slots=True)
class Known:
    """A head that the log once had, as `source` knows it; `root` is None where only the size is known."""

    size: int
    root: bytes | None
    source: str


class RestoredError(AuditError):
    """The tree lacks, or contradicts, what was signed: it was restored, and nothing is signed until that is
    acknowledged.
    """

    def __init__(self, head: Checkpoint, known: Known) -> None:
        less = "holds less" if head.size < known.size else "holds another history"
        super().__init__(
            f"the database {less} than was signed: it has {head.size} log entries, {known.source} knows {known.size}."
            " It was restored from a backup, or changed. Nothing is signed until you acknowledge it with gjestenett"
            " audit acknowledge-restore --reason '…', or restore the newer database"
        )
        self.head = head
        self.known = known


def contradiction(size: int, known: Sequence[Known], node: merkle.NodeSource) -> Known | None:
    """The largest of the known heads that the tree of `size` leaves does not continue; None: it continues all.

    `node` is asked for the same nodes whatever they are.
    """
    wrong = [
        each
        for each in known
        if each.size > size or (each.root is not None and merkle.root(merkle.edge_of(each.size, node)) != each.root)
    ]
    return max(wrong, key=lambda each: each.size, default=None)
