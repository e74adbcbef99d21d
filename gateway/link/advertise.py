"""When to send a router advertisement with the captive-portal option, and with which header: pure.

Ours adds one option to what another program on this machine advertises, as a router may spread its options over
several advertisements (RFC 4861 §6.2.3). So it repeats that program's header, with the lifetime that is left of it, and
makes no router live longer than it says. Where none has spoken it is an advertisement of no router (lifetime 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

MIN_GAP_S = 3.0  # between multicast advertisements (RFC 4861 §10, MIN_DELAY_BETWEEN_RAS)
MAX_ANSWER_DELAY_S = 0.5  # MAX_RA_DELAY_TIME
FIRST_COUNT, FIRST_INTERVAL_S = 3, 16.0
INTERVAL_S = (200.0, 600.0)


@dataclass(frozen=True)
class Header:
    """An advertisement's own fields, as they stand on the wire; lifetime in seconds, the last two in milliseconds."""

    hop_limit: int = 0
    flags: int = 0
    lifetime_s: int = 0
    reachable_ms: int = 0
    retransmit_ms: int = 0


NO_ROUTER = Header()


class Advertiser:
    """One interface's schedule. Times are seconds of any clock that only goes forward; `chance` gives 0 ≤ x < 1."""

    def __init__(self, now_s: float, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._header, self._heard_s = NO_ROUTER, now_s
        self._sent, self._last_s = 0, -MIN_GAP_S + now_s
        self.due_s = now_s
        """When the next one is to be sent."""

    def solicited(self, now_s: float) -> None:
        """A device asks: it is answered within half a second, or when the gap is over (RFC 4861 §6.2.6)."""
        self._hurry(now_s + self._chance() * MAX_ANSWER_DELAY_S)

    def advertised(self, header: Header, now_s: float) -> None:
        """This machine has sent an advertisement without the option: ours follows."""
        self._header, self._heard_s = header, now_s
        self._hurry(now_s)

    def sent(self, now_s: float) -> None:
        """One has been sent."""
        self._sent, self._last_s = self._sent + 1, now_s
        shortest, longest = INTERVAL_S
        usual_s = shortest + self._chance() * (longest - shortest)
        self.due_s = now_s + (FIRST_INTERVAL_S if self._sent < FIRST_COUNT else usual_s)

    def header(self, now_s: float) -> Header:
        """The header of one that is sent now."""
        left_s = self._header.lifetime_s - int(now_s - self._heard_s)
        return replace(self._header, lifetime_s=left_s) if left_s > 0 else NO_ROUTER

    def _hurry(self, at_s: float) -> None:
        self.due_s = min(self.due_s, max(at_s, self._last_s + MIN_GAP_S))
