"""What a worker has counted, out of it by Unix datagram: a collector that is slow or missing costs it nothing.

A datagram is compact JSON, `{"v": 1, "worker": "…", "counts": [["answers", "course", "refused", "gaming", 12], …]}`:
what each counter grew by since it last got through, in at most 64 KiB. One that can't be sent is not waited for and
not kept: the growth is simply larger the next time. Top names (`gateway.dns.top_names`) go in datagrams of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from gateway.dns.counters import Counters, Key
from gateway.dns.top_names import TopNames

EVERY_S = 10.0
MAX_BYTES = 1 << 16
ROWS_MAX = 400
NAMES_MAX = 150
Row = Sequence[str | int | float]
T = TypeVar("T")


class Reporter:
    """Sends a worker's counters to the socket at `path` every `every_s` seconds, and once more when it is closed."""

    def __init__(
        self,
        counters: Counters,
        top_names: TopNames,
        path: str,
        loop: asyncio.AbstractEventLoop,
        every_s: float = EVERY_S,
    ) -> None:
        self._counters = counters
        self._top_names = top_names
        self._path = Path(path)
        self._loop = loop
        self._every_s = every_s
        self._worker = secrets.token_hex(8)
        self._sent: Counter[Key] = Counter()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._timer: asyncio.TimerHandle | None = loop.call_later(every_s, self._tick)

    def close(self) -> None:
        """Send what is left, and stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self.send()
            self._socket.close()

    def _tick(self) -> None:
        self.send()
        self._timer = self._loop.call_later(self._every_s, self._tick)

    def send(self) -> bool:
        """Send everything that grew. Returns whether all of it got through; never waits."""
        try:
            folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # By way of the folder, since a socket's address has room for 107 bytes only.
            address = f"/proc/self/fd/{folder}/{self._path.name}"
            return self._send_counts(address) and self._send_names(address)
        finally:
            os.close(folder)

    def _send_counts(self, address: str) -> bool:
        self._top_names.fold()
        totals = self._counters.totals()
        grown = ((key, total, total - self._sent[key]) for key, total in totals.items() if total > self._sent[key])
        gauges: list[Row] = [[*key, value] for key, value in self._counters.gauges().items()]
        for part in _parts(grown, ROWS_MAX):
            rows: list[Row] = [[*key, growth] for key, _, growth in part]
            if not self._send_one(address, {"counts": rows, "gauges": gauges}):
                return False
            self._sent.update({key: growth for key, _, growth in part})
            gauges = []
        return not gauges or self._send_one(address, {"counts": [], "gauges": gauges})

    def _send_names(self, address: str) -> bool:
        for part in _parts(self._top_names.grown(), NAMES_MAX):
            if not self._send_one(address, {"names": [[*entry.labels, entry.new] for entry in part]}):
                return False
            for entry in part:
                entry.new = 0
        return True

    def _send_one(self, address: str, content: dict[str, list[Row]]) -> bool:
        octets = json.dumps({"v": 1, "worker": self._worker, **content}, separators=(",", ":")).encode()
        if len(octets) > MAX_BYTES:  # cannot be, with labels as long as they may be
            return False
        try:
            self._socket.sendto(octets, address)
        except OSError:  # nobody there, or its queue is full
            return False
        return True


def _parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
