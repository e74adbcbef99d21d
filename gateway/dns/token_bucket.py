"""How often each of many may do something: a token bucket each, kept as the one moment when it is full again. Pure."""

from __future__ import annotations

from collections.abc import Hashable

KEYS_MAX = 4096


class TokenBuckets:
    """`per_s` a second after `burst` at once, for each key. The clock is a parameter.

    What is taken too early is owed: the next one waits longer, so that those who wait for one key go in turn.

    # INVARIANT: at most `keys_max` keys are held, each with one number; beyond, the one that was used longest ago is
    # forgotten, and begins with a full bucket.
    """

    def __init__(self, per_s: float, burst: float, keys_max: int = KEYS_MAX) -> None:
        self._each_s = 1.0 / per_s
        self._burst_s = burst / per_s
        self._keys_max = keys_max
        self._full_at: dict[Hashable, float] = {}

    def take(self, key: Hashable, now_s: float) -> float:
        """Take a token at the monotonic moment `now_s`; how many seconds to wait before it may be used."""
        full_at = self._full_at.pop(key, None)
        if full_at is None:
            full_at = now_s
            if len(self._full_at) >= self._keys_max:
                del self._full_at[next(iter(self._full_at))]
        self._full_at[key] = full_at = max(full_at, now_s) + self._each_s
        return max(0.0, full_at - self._burst_s - now_s)

    def __len__(self) -> int:
        return len(self._full_at)
