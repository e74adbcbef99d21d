"""When to send a router advertisement with the captive-portal option, and with which header: pure.

Ours adds one option to what another program on this machine advertises, as a router may spread its options over
several advertisements (RFC 4861 §6.2.3). So it repeats that program's header, with the lifetime that is left of it, and
makes no router live longer than it says. Where none has spoken it is an advertisement of no router (lifetime 0), from
an address that no router has: from a router's own it would make every device drop that router (§6.3.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv6Address

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


@dataclass(frozen=True)
class Origin:
    """Whose advertisement it is: its header and the link-local address that it comes from."""

    header: Header
    address: IPv6Address


def bystander(mac: str) -> IPv6Address:
    """The link-local address of no router: made from the MAC address, as neither EUI-64 nor DHCP makes one."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return IPv6Address(b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"gj" + octets[3:])


class Advertiser:
    """One interface's schedule. Times are seconds of any clock that only goes forward; `chance` gives 0 ≤ x < 1."""

    def __init__(self, now_s: float, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._router: Origin | None = None
        self._heard_s = now_s
        self._last_s = now_s - MIN_GAP_S
        self.begin(now_s)

    def begin(self, now_s: float) -> None:
        """There is something new to tell: as soon as may be, and then twice more before long."""
        self._sent = 0
        self.due_s = max(now_s, self._last_s + MIN_GAP_S)
        """When the next one is to be sent."""

    def solicited(self, now_s: float) -> None:
        """A device asks: it is answered within half a second, or when the gap is over (RFC 4861 §6.2.6)."""
        self._hurry(now_s + self._chance() * MAX_ANSWER_DELAY_S)

    def advertised(self, router: Origin, now_s: float) -> None:
        """This machine has sent an advertisement without the option: ours follows."""
        self._router, self._heard_s = router, now_s
        self._hurry(now_s)

    def sent(self, now_s: float) -> None:
        """One has been sent."""
        self._sent, self._last_s = self._sent + 1, now_s
        shortest, longest = INTERVAL_S
        usual_s = shortest + self._chance() * (longest - shortest)
        self.due_s = now_s + (FIRST_INTERVAL_S if self._sent < FIRST_COUNT else usual_s)

    def origin(self, mac: str, now_s: float) -> Origin:
        """Header and address of one that is sent now from the interface with this MAC address.

        # INVARIANT: a router's address never stands beside lifetime 0.
        """
        if self._router is not None:
            header = self._router.header
            left_s = header.lifetime_s - math.ceil(now_s - self._heard_s)
            if left_s > 0:
                return replace(self._router, header=replace(header, lifetime_s=left_s))
        return Origin(NO_ROUTER, bystander(mac))

    def _hurry(self, at_s: float) -> None:
        self.due_s = min(self.due_s, max(at_s, self._last_s + MIN_GAP_S))
