"""How one upstream is doing: counters, smoothed round trip, and whether it is up, suspect or down.

Some silence, in which nothing at all came, makes it suspect, and so does ICMP: others go first, and it is probed with a
question that every live resolver has the answer to at hand. Only silence to probes that were sent makes it down; so
names that take long to resolve never do, nor does a forged ICMP. Any answer makes it up.
"""

from __future__ import annotations

from typing import NamedTuple

UP, SUSPECT, DOWN = 0, 1, 2
STATES = ("up", "suspect", "down")

FAILURES = ("timeout", "refused", "reset", "certificate", "mismatched", "malformed", "truncated", "rcode")
"""Kinds: silent; ICMP or TCP said no; a connection broke; not who it should be; an answer to another question or with
another spelling; not a DNS message; too long for UDP; an rcode that is no answer.
"""

_MISSES_UNTIL_SUSPECT = 3
_DOWN_AFTER_S = 0.5
_PROBE_FIRST_S = 0.1
_PROBE_LAST_S = 1.0
_PATIENCE_MIN_S = 0.08
_PATIENCE_MAX_S = 0.4


class UpstreamReport(NamedTuple):
    """What is told of one upstream: plain values, and no name that anybody asked for. Counts are since the start."""

    server: str
    protocol: str
    state: str
    sent: int
    answered: int
    by_stream: int
    connections: int
    failures: tuple[tuple[str, int], ...]
    rtt_s: float
    outstanding: int


class Health:
    """Moments are monotonic seconds, passed in. `patience_s` is how long to wait before another server is asked too."""

    __slots__ = (
        "_heard_at",
        "_misses",
        "_probe_interval_s",
        "_silent_since",
        "_variation_s",
        "answered",
        "by_stream",
        "connections",
        "failures",
        "patience_s",
        "probe_at",
        "rtt_s",
        "sent",
        "state",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sent = self.answered = self.by_stream = self.connections = 0
        self.failures = dict.fromkeys(FAILURES, 0)
        self.rtt_s = 0.0
        self.patience_s = _PATIENCE_MAX_S
        self.state = UP
        self.probe_at = 0.0
        self._variation_s = 0.0
        self._misses = 0
        self._heard_at = 0.0
        self._silent_since: float | None = None
        self._probe_interval_s = _PROBE_FIRST_S

    def heard(self, answers: int, rtt_s: float | None, now_s: float) -> bool:
        """So many answers came. Returns whether its state changed. The smoothing is that of RFC 6298 §2."""
        self.answered += answers
        self._misses = 0
        self._heard_at = now_s
        if rtt_s is not None:
            if not self.rtt_s:
                self.rtt_s, self._variation_s = rtt_s, rtt_s / 2
            else:
                error = rtt_s - self.rtt_s
                self.rtt_s += error / 8
                self._variation_s += (abs(error) - self._variation_s) / 4
            patience = self.rtt_s + 4 * self._variation_s
            self.patience_s = min(max(patience, _PATIENCE_MIN_S), _PATIENCE_MAX_S)
        if self.state == UP:
            return False
        self.state = UP
        return True

    def missed(self, now_s: float, asked_at: float) -> bool:
        """A question put to it at `asked_at` has waited too long: a miss if nothing has come since, else a slow name.

        Returns whether its state changed.
        """
        self.failures["timeout"] += 1
        if self._heard_at >= asked_at:
            return False
        self._misses += 1
        if self.state != UP or self._misses < _MISSES_UNTIL_SUSPECT:
            return False
        self._trouble(SUSPECT, now_s)
        return True

    def doubted(self, now_s: float) -> bool:
        """Somebody says that nobody serves there. Returns whether its state changed."""
        if self.state != UP:
            return False
        self._trouble(SUSPECT, now_s)
        return True

    def broken(self, now_s: float) -> bool:
        """Nobody serves there. Returns whether its state changed."""
        if self.state == DOWN:
            return False
        self._trouble(DOWN, now_s)
        return True

    def _trouble(self, state: int, now_s: float) -> None:
        self.state = state
        self._silent_since = None
        self.probe_at = now_s
        self._probe_interval_s = _PROBE_FIRST_S
        if state == DOWN:
            self.probe_at += _PROBE_FIRST_S

    def probed(self, now_s: float) -> None:
        """A probe goes out now; the next one is due at `probe_at`, a second later at most."""
        self.probe_at = now_s + self._probe_interval_s
        self._probe_interval_s = min(2 * self._probe_interval_s, _PROBE_LAST_S)
        if self._silent_since is None:
            self._silent_since = now_s

    def unsent(self) -> None:
        """The probe could not be sent: who was not asked is not silent."""
        self._silent_since = None

    def given_up(self, now_s: float) -> bool:
        """Whether the silence to probes has lasted until it counts as down, which it does from now on."""
        silent_since = self._silent_since
        if self.state != SUSPECT or silent_since is None or now_s - silent_since < _DOWN_AFTER_S:
            return False
        self.state = DOWN
        return True
