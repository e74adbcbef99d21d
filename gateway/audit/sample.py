"""The sample (*stikkprøve*): rows drawn so that neither who exports nor who audits could choose them.

The seed is SHA-256("gjestenett sample v1\\n" ‖ root ‖ number): the log's root, which nobody chose freely, and the
auditor's own number, which who kept the log did not know. Drawn are the rows with the smallest
SHA-256(seed ‖ index in decimal); all, where there are fewer. Pure.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

PREFIX = b"gjestenett sample v1\n"
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Sample:
    """How many rows to draw, and the auditor's number as text."""

    count: int
    number: str

    def seed(self, root: bytes) -> bytes:
        """The 32 bytes that the draw from the tree with this root begins with."""
        return hashlib.sha256(PREFIX + root + self.number.encode()).digest()


class Draw:
    """Rows are offered one by one; what is drawn so far is kept, never more than the sample has."""

    def __init__(self, sample: Sample, root: bytes) -> None:
        self._count = sample.count
        self._seeded = hashlib.sha256(sample.seed(root))
        self._kept: list[tuple[int, int, Sequence[str]]] = []  # a heap of (-rank, index, row): the largest rank on top

    def offer(self, index: int, row: Sequence[str]) -> None:
        """Consider the row of acceptance `index`."""
        ranking = self._seeded.copy()
        ranking.update(str(index).encode())
        rank = -int.from_bytes(ranking.digest(), "big")
        if len(self._kept) < self._count:
            heapq.heappush(self._kept, (rank, index, row))
        elif rank > self._kept[0][0]:
            heapq.heapreplace(self._kept, (rank, index, row))

    def drawn(self) -> list[Sequence[str]]:
        """The rows that were drawn, in the order of the log."""
        return [row for _, _, row in sorted(self._kept, key=itemgetter(1))]
