"""Two levels of remembered answers, each bounded in bytes: finished ones by policy, upstream ones free of policy."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dns.reply import Reply

Finished = tuple[bytes, float]
"""A finished answer without its ID, and the monotonic moment (s) from which it may no longer be given."""

_ENTRY_BYTES = 280
_SEEN_MAX = 16384


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

    def table(self) -> dict[bytes, Finished]:
        """A new, empty table for one policy."""
        table: dict[bytes, Finished] = {}
        self._tables.append(table)
        return table

    def offer(self, table: dict[bytes, Finished], key: bytes, answer: bytes, until: float) -> None:
        """Keep `answer` (with its ID, which is cut off) if `key` was asked before."""
        if key not in table:
            sight = hash((id(table), key))
            if sight not in self._seen:
                if len(self._seen) >= _SEEN_MAX:
                    self._seen.clear()
                self._seen.add(sight)
                return
            self._seen.discard(sight)
            self.size_bytes += len(key) + len(answer) + _ENTRY_BYTES
            if self.size_bytes > self._max_bytes:
                self.clear()
        table[key] = (answer[2:], until)

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


@dataclass(frozen=True, slots=True)
class Kept:
    """An upstream answer with the monotonic moments (s) at which it came and at which it ends."""

    reply: Reply
    stored_at: float
    expires_at: float


class UpstreamAnswers:
    """Level 2: (lower-case question, DO, CD) → upstream answer.

    Two generations: what is asked again moves to the young one; when the young one is full, the old one goes.
    So a flood of names asked once drives out other names asked once, and not those in use.
    """

    def __init__(self, max_bytes: int = 12 << 20) -> None:
        self._half_bytes = max_bytes // 2
        self._young: dict[tuple[bytes, bool, bool], Kept] = {}
        self._old: dict[tuple[bytes, bool, bool], Kept] = {}
        self._young_bytes = 0

    def get(self, key: tuple[bytes, bool, bool], now_s: float) -> Kept | None:
        """The answer in force at `now_s`, if any."""
        kept = self._young.get(key)
        if kept is None:
            kept = self._old.pop(key, None)
            if kept is None:
                return None
            if kept.expires_at > now_s:
                self._insert(key, kept)
        return kept if kept.expires_at > now_s else None

    def put(self, key: tuple[bytes, bool, bool], reply: Reply, now_s: float) -> Kept:
        """Keep `reply` for its lifetime; one with lifetime 0 is returned but not kept."""
        kept = Kept(reply, now_s, now_s + reply.lifetime_s)
        if reply.lifetime_s > 0 and reply.size_bytes < self._half_bytes // 16:
            self._insert(key, kept)
        return kept

    def _insert(self, key: tuple[bytes, bool, bool], kept: Kept) -> None:
        if key not in self._young:
            self._young_bytes += kept.reply.size_bytes
        self._young[key] = kept
        if self._young_bytes > self._half_bytes:
            self._old, self._young, self._young_bytes = self._young, {}, 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
