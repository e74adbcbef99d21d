"""What sealing does to the tree, as pure logic: staged entries in order → new complete nodes, edge and size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint
from gateway.audit.entry import MAX_ENTRY_BYTES
from gateway.audit.errors import EntryError


@dataclass(frozen=True, slots=True)
class Sealed:
    """The tree after sealing: `nodes` are new since before (level 0 = the leaves), `edge` and `size` the new head."""

    nodes: tuple[merkle.Node, ...]
    edge: merkle.Edge
    size: int

    @property
    def root(self) -> bytes:
        """The root hash of the tree of `size` leaves."""
        return merkle.root(self.edge)

    def checkpoint(self, origin: str) -> Checkpoint:
        """The unsigned checkpoint of this head under the log's `origin`."""
        return Checkpoint(origin, self.size, self.root)


def seal(edge: merkle.Edge, size: int, entries: Iterable[bytes]) -> Sealed:
    """Append the entries in the order given; the first gets index `size`.

    Raises: ProofError when edge and size don't belong together; EntryError for an entry beyond 65,535 bytes.
    """
    leaves: list[bytes] = []
    for entry in entries:
        if not 0 < len(entry) <= MAX_ENTRY_BYTES:
            raise EntryError(
                f"staged entry for index {size + len(leaves)} has {len(entry)} bytes; 1 to {MAX_ENTRY_BYTES} can be"
                " sealed"
            )
        leaves.append(merkle.leaf_hash(entry))
    nodes, edge = merkle.append(size, leaves, edge)
    return Sealed(nodes, edge, size + len(leaves))
