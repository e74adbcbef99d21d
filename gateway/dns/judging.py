"""The judge of unlisted names beside the answers: asked after an answer has gone out, in the worker's idle time.

A name that no list has is put into a short queue when it has been answered. A timer takes a few names at a time from
there. What the judge held is remembered, for the next question of that name; how many names look like what is counted.

# INVARIANT: no name is written anywhere, and none is kept after it was judged: verdicts are found by the name's hash.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable

from gateway.dns.wire import name_text
from policies.lexical import Judge
from policies.model import Judged
from policies.names import PolicyError, parents
from policies.snapshot import Snapshot

log = logging.getLogger(__name__)

SECTION = "judge"
QUEUE_MAX = 1024
VERDICTS_MAX = 8192
REPORT_AT = 0.5
"""Confidence from which a verdict is remembered; below it a name looks like nothing."""
_SLICE_S = 0.001
_PAUSE_S = 0.02
_TELL_EVERY_S = 3600.0
_PIECES_TOLD = 3


class Judging:
    """Verdicts of one worker. `offer` and `known` are cheap and never judge; judging runs on the loop's timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._loop = loop
        self._monotonic = monotonic
        self._judge: Judge | None = None
        self._snapshot: Snapshot | None = None
        self._queue: deque[bytes] = deque()
        self._young: dict[int, tuple[Judged, ...]] = {}
        self._old: dict[int, tuple[Judged, ...]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._told_at = monotonic()
        self._told: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """How many names looked like each category."""
        self.judged = 0
        """How many names were judged."""
        self.passed_over = 0
        """How many names found the queue full."""

    def adopt(self, snapshot: Snapshot) -> None:
        """Judge by the model in `snapshot`, if it has one, from now on; verdicts of the old one are forgotten."""
        self.close()
        self._snapshot, self._judge = snapshot, None
        self._young, self._old = {}, {}
        section = snapshot.section(SECTION)
        if section is None:
            return
        try:
            self._judge = Judge(section, verified=True)  # the snapshot's own checksum covers it
        except PolicyError as problem:
            log.warning("unlisted names are not judged: %s", problem)

    def known(self, name: bytes) -> tuple[Judged, ...]:
        """What was held of `name` (on the wire, in lower case) when it was judged; empty before that, and where it
        looks like nothing.
        """
        if self._judge is None:
            return ()
        key = hash(name)
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found:
                self._keep(key, found)
        return found or ()

    def offer(self, name: bytes) -> None:
        """Have `name`, which has been answered, judged when there is time; passed over when too many wait."""
        if self._judge is None:
            return
        key = hash(name)
        if key in self._young or key in self._old:
            return
        if len(self._queue) >= QUEUE_MAX:
            self.passed_over += 1
            return
        self._queue.append(name)
        if self._timer is None:
            self._timer = self._loop.call_later(_PAUSE_S, self._work)

    def close(self) -> None:
        """Stop; what waits is forgotten, and what was counted since the last time is told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self._tell()

    def _work(self) -> None:
        until = self._monotonic() + _SLICE_S
        while self._queue and self._monotonic() < until:
            self._judge_one(self._queue.popleft())
        if self._monotonic() - self._told_at >= _TELL_EVERY_S:
            self._tell()
        self._timer = self._loop.call_later(_PAUSE_S, self._work) if self._queue else None

    def _judge_one(self, owner: bytes) -> None:
        key, judge, snapshot = hash(owner), self._judge, self._snapshot
        if judge is None or snapshot is None or key in self._young or key in self._old:
            return
        name = name_text(owner)
        try:
            listed = bool(snapshot.lookup(name)) or any(each in snapshot.never_blocked for each in parents(name))
        except PolicyError:  # the file is damaged: the resolver says so
            return
        held: tuple[Judged, ...] = ()
        if not listed:
            self.judged += 1
            held = tuple(
                Judged(
                    each.category,
                    each.confidence,
                    tuple(piece.text for piece in judge.deciding(name, each.category, _PIECES_TOLD)),
                )
                for each in judge.opinions(name, REPORT_AT)
            )
            self.counts.update(each.category for each in held)
        self._keep(key, held)

    def _keep(self, key: int, held: tuple[Judged, ...]) -> None:
        if len(self._young) >= VERDICTS_MAX // 2:
            self._old, self._young = self._young, {}
        self._young[key] = held

    def _tell(self) -> None:
        self._told_at = self._monotonic()
        new = self.counts - self._told
        if new:
            log.info("unlisted names that look like: %s", ", ".join(f"{key} {new[key]}" for key in sorted(new)))
        self._told = Counter(self.counts)
