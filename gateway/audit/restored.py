"""Was the database restored? Pure: a tree against the checkpoints of it that are known from elsewhere.

Each contradiction is acknowledged by itself, by an entry that names the known size and root: whoever knows of another
one is not silenced by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.entry import parse_entry
from gateway.audit.errors import AuditError
from gateway.audit.note import encode_base64


@dataclass(frozen=True, slots=True)
class Known:
    """A head that the log once had, as `source` knows it; `root` is None where only the size is known."""

    size: int
    root: bytes | None
    source: str

    @property
    def root_text(self) -> str:
        """The root as entries name it."""
        return encode_base64(self.root) if self.root is not None else ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What an entry `restored` says: a tree of this size and root goes on, although that one was known."""

    size: int
    root: str
    known_size: int
    known_root: str

    def covers(self, known: Known) -> bool:
        """Whether it is this contradiction that was acknowledged."""
        return (self.known_size, self.known_root) == (known.size, known.root_text)


class RestoredError(AuditError):
    """The tree lacks, or contradicts, what was signed: it was restored, and nothing is signed until that is
    acknowledged. `known` are the contradictions, the largest first.
    """

    def __init__(self, head: Checkpoint, found: Sequence[Known]) -> None:
        known = found[0]
        less = "holds less" if head.size < known.size else "holds another history"
        super().__init__(
            f"the database {less} than was signed: it has {head.size} log entries, {known.source} knows {known.size}."
            " It was restored from a backup, or changed. Nothing is signed until you acknowledge it with gjestenett"
            " audit acknowledge-restore --reason '…', or restore the newer database"
        )
        self.head = head
        self.known = tuple(found)


def contradictions(size: int, known: Sequence[Known], node: merkle.NodeSource) -> tuple[Known, ...]:
    """Those of the known heads that the tree of `size` leaves does not continue, the largest first.

    `node` is asked for the same nodes whatever they are.
    """
    wrong = [
        each
        for each in known
        if each.size > size or (each.root is not None and merkle.root(merkle.edge_of(each.size, node)) != each.root)
    ]
    return tuple(sorted(wrong, key=lambda each: each.size, reverse=True))


def acknowledged(entry: bytes) -> Acknowledged | None:
    """What an entry acknowledges; None when it is of another type, or no entry."""
    try:
        document = parse_entry(entry)
    except AuditError:
        return None
    if document["type"] != "restored":
        return None
    values = document["size"], document["root"], document["known_size"], document["known_root"]
    if not all(isinstance(value, kind) for value, kind in zip(values, (int, str, int, str), strict=True)):
        return None
    return Acknowledged(*values)
