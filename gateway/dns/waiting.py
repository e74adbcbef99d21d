"""How many questions of one source are with upstreams at once, so that one device's slow names don't fill the queue."""

from __future__ import annotations

from collections import Counter

PER_SOURCE_MAX = 256
"""A browser that opens twenty pages at once has some two hundred under way; an office's own forwarder 150."""


class Waiting:
    """Counts the questions under way of each source address; forgets a source that waits for nothing."""

    def __init__(self, per_source_max: int = PER_SOURCE_MAX) -> None:
        self._per_source_max = per_source_max
        self._counts: Counter[bytes] = Counter()

    def enter(self, source: bytes) -> bool:
        """Whether one more question of `source` may wait; if so it is counted until `leave`."""
        count = self._counts[source]
        if count >= self._per_source_max:
            return False
        self._counts[source] = count + 1
        return True

    def leave(self, source: bytes) -> None:
        """One that was let in has been answered, or given up."""
        if self._counts[source] <= 1:
            del self._counts[source]
        else:
            self._counts[source] -= 1

    def __len__(self) -> int:
        return len(self._counts)
