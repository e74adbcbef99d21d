"""Remembered answers, each kind bounded in bytes: finished ones by policy, upstream ones free of policy, failures."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import NamedTuple

from gateway.dns.counters import Cell
from gateway.dns.reply import Reply
from gateway.dns.review import Objection
from gateway.dns.upstreams.exchange import Key, Outcome

Finished = tuple[bytes, float, Cell]
"""A finished answer without its ID, the monotonic moment (s) from which it may no longer be given, and what counts
it.
"""

_ENTRY_BYTES = 280
_ID_BYTES = 2
_NONE: dict[tuple[str, str], tuple[Objection | None, datetime | None]] = {}
_SEEN_MAX = 16384
_DUE_SHARE = 0.1
_STEPS = 60
_DUE_LIFETIME_MIN_S = 10


class FinishedAnswers:
    """Level 1: for each policy, packet bytes after the ID → answer bytes after the ID.

    A policy's table is an ordinary dictionary that the hot path reads directly. A question enters on second
    sight only, so a flood of random names leaves nothing behind; when the bytes run out, all start afresh.
    """

    def __init__(self, max_bytes: int = 12 << 20) -> None:
        self._max_bytes = max_bytes
        self._tables: list[dict[bytes, Finished]] = []
        self._seen: set[int] = set()
        self.size_bytes = 0
        self.cleared = 0
        """How often the bytes have run out."""

    def table(self) -> dict[bytes, Finished]:
        """A new, empty table for one policy."""
        table: dict[bytes, Finished] = {}
        self._tables.append(table)
        return table

    def offer(self, table: dict[bytes, Finished], key: bytes, answer: bytes, until: float, cell: Cell) -> None:
        """Keep `answer` (with its ID, which is cut off) if `key` was asked before."""
        before = table.get(key)
        if before is None:
            sight = hash(key) ^ id(table)
            if sight not in self._seen:
                if len(self._seen) >= _SEEN_MAX:
                    self._seen.clear()
                self._seen.add(sight)
                return
            self._seen.discard(sight)
        else:
            self.size_bytes -= len(key) + _ENTRY_BYTES + len(before[0]) + _ID_BYTES
        size_bytes = len(key) + _ENTRY_BYTES + len(answer)
        if self.size_bytes + size_bytes > self._max_bytes:
            self.cleared += 1
            self.clear()
        self.size_bytes += size_bytes
        table[key] = (answer[2:], until, cell)

    def clear(self) -> None:
        """Forget every answer; the tables stay in use."""
        for table in self._tables:
            table.clear()
        self.size_bytes = 0

    def forget_tables(self) -> None:
        """Let go of all tables: a new policy brings its own."""
        self.clear()
        self._tables.clear()
        self._seen.clear()


class Kept(NamedTuple):
    """An upstream answer with the monotonic moments (s) at which it came and at which it ends."""

    reply: Reply
    stored_at: float
    expires_at: float
    reviewed: dict[tuple[str, str], tuple[Objection | None, datetime | None]] = _NONE
    """By policy (`View.token`) what review objected to, and until when that holds; kept of what leads somewhere."""

    def age(self, now_s: float) -> tuple[int, float]:
        """The age (s) by which to lessen its TTLs, and the moment until which they are then right.

        They are told up to a sixtieth of the lifetime too short, never too long, so that an answer in use is not
        rendered anew each second.
        """
        age_s = max(0.0, now_s - self.stored_at)
        if age_s >= 1:
            lifetime_s = self.expires_at - self.stored_at
            step_s = max(1, int(lifetime_s / _STEPS))
            later_s = ceil(age_s / step_s) * step_s
            if later_s < lifetime_s:
                return later_s, self.stored_at + later_s
        return int(age_s), self.stored_at + int(age_s) + 1

    def is_due(self, now_s: float) -> bool:
        """Whether so little of its lifetime is left that what is in use had better be asked for again."""
        lifetime_s = self.expires_at - self.stored_at
        return lifetime_s >= _DUE_LIFETIME_MIN_S and self.expires_at - now_s < _DUE_SHARE * lifetime_s


class _Generations:
    """Answers in two generations: what is asked for moves to the young one; when that is full, the old one goes."""

    __slots__ = ("_old_bytes", "_young_bytes", "evicted", "max_bytes", "old", "young")

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._young_bytes = self._old_bytes = 0
        self.young: dict[Key, Kept] = {}
        self.old: dict[Key, Kept] = {}
        self.evicted = 0

    @property
    def size_bytes(self) -> int:
        return self._young_bytes + self._old_bytes

    def insert(self, key: Key, kept: Kept) -> None:
        before = self.young.get(key)
        self._young_bytes += kept.reply.size_bytes - (before.reply.size_bytes if before is not None else 0)
        self.young[key] = kept
        if self._young_bytes * 2 > self.max_bytes:
            self.evicted += len(self.old)
            self.old, self.young = self.young, {}
            self._old_bytes, self._young_bytes = self._young_bytes, 0

    def pop(self, key: Key) -> Kept | None:
        kept = self.young.pop(key, None)
        if kept is not None:
            self._young_bytes -= kept.reply.size_bytes
            return kept
        return self.pop_old(key)

    def pop_old(self, key: Key) -> Kept | None:
        kept = self.old.pop(key, None)
        if kept is not None:
            self._old_bytes -= kept.reply.size_bytes
        return kept


class UpstreamAnswers:
    """Level 2: answers of upstreams, kept past their end for as long as stale ones may be given (RFC 8767).

    What was asked for again has up to three quarters of the room, what was asked for once has what is left. So a flood
    of random names leaves what is in use where it is, and no room is idle.
    """

    def __init__(self, max_bytes: int = 12 << 20, stale_max_s: float = 0.0) -> None:
        self._max_bytes = max_bytes
        self._stale_max_s = stale_max_s
        self._once = _Generations(max_bytes)
        self._again = _Generations(max_bytes - max_bytes // 4)

    def get(self, key: Key, now_s: float) -> Kept | None:
        """The answer in force at `now_s`, if any."""
        kept = self._again.young.get(key)
        if kept is None:
            kept = self._again.pop_old(key) or self._once.pop(key)
            if kept is None:
                return None
            if kept.expires_at + self._stale_max_s > now_s:
                self._again.insert(key, kept)
                self._once.max_bytes = self._max_bytes - self._again.size_bytes
        return kept if kept.expires_at > now_s else None

    def stale(self, key: Key, now_s: float) -> Kept | None:
        """The answer that has ended, if it may be given where upstream gives none."""
        kept = self._again.young.get(key)
        return kept if kept is not None and kept.expires_at + self._stale_max_s > now_s else None

    def put(self, key: Key, reply: Reply, now_s: float) -> Kept:
        """Keep `reply` for its lifetime; one with lifetime 0 is returned but not kept."""
        is_reviewed = reply.leads or reply.leads_inside
        kept = Kept(reply, now_s, now_s + reply.lifetime_s, {} if is_reviewed else _NONE)
        if reply.lifetime_s > 0 and reply.size_bytes < self._max_bytes // 32:
            again = self._again
            (again if key in again.young or key in again.old else self._once).insert(key, kept)
        return kept

    @property
    def evicted(self) -> int:
        """How many answers have made room for others."""
        return self._once.evicted + self._again.evicted

    def __len__(self) -> int:
        return sum(len(each) for part in (self._once, self._again) for each in (part.young, part.old))


class Failures:
    """What upstreams failed to answer, each remembered for a second: repeats cost them nothing (RFC 9520 §3.2)."""

    def __init__(self, lasting_s: float = 1.0, most: int = 4096) -> None:
        self._lasting_s = lasting_s
        self._most = most
        self._failed: dict[Key, tuple[Outcome, float]] = {}

    def put(self, key: Key, outcome: Outcome, now_s: float) -> None:
        """Remember that `outcome` is all there was."""
        if len(self._failed) >= self._most:
            self._failed.clear()
        self._failed[key] = (outcome, now_s + self._lasting_s)

    def get(self, key: Key, now_s: float) -> Outcome | None:
        """The outcome remembered, if it still stands."""
        if not self._failed:
            return None
        found = self._failed.get(key)
        if found is None:
            return None
        if found[1] > now_s:
            return found[0]
        del self._failed[key]
        return None

    def __len__(self) -> int:
        return len(self._failed)
