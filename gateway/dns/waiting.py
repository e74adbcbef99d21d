"""How many questions of one device are with upstreams at once, so that its slow names don't fill the queue.

A device that has not accepted is known by its mark, whatever its addresses. Accepted ones share marks, so there it is
the address that counts: not its /64, which with SLAAC is the whole guest network's. Who has many addresses has many
shares; what is too much in all, the slowest questions give way to (`upstreams.forwarder`).
"""

from __future__ import annotations

from collections import Counter

from gateway.dns.unaccepted import DEVICE_MARK

PER_SOURCE_MAX = 256
"""A browser that opens twenty pages at once has some two hundred under way; an office's own forwarder 150."""
CROWDED = 256
"""From so many in all on, each source has its fair share only: half of what a server by TCP is asked at once."""
FAIR_SHARE = 32


class Waiting:
    """Counts the questions under way of each source; forgets one that waits for nothing. `total` is all of them."""

    def __init__(self, per_source_max: int = PER_SOURCE_MAX) -> None:
        self._per_source_max = per_source_max
        self._counts: Counter[int | bytes] = Counter()
        self.total = 0

    def enter(self, mark: int, source: bytes) -> bool:
        """Whether one more question with this mark and address may wait; if so it is counted until `leave`."""
        device = mark if mark >= DEVICE_MARK else source
        count = self._counts[device]
        if count >= self._per_source_max or (count >= FAIR_SHARE and self.total >= CROWDED):
            return False
        self._counts[device] = count + 1
        self.total += 1
        return True

    def leave(self, mark: int, source: bytes) -> None:
        """One that was let in has been answered, or given up."""
        device = mark if mark >= DEVICE_MARK else source
        self.total -= 1
        if self._counts[device] <= 1:
            del self._counts[device]
        else:
            self._counts[device] -= 1

    def __len__(self) -> int:
        return len(self._counts)
