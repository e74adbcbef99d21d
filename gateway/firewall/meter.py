"""From the kernel's counters of octets by device to what was counted under each grant since it was last told: pure.

The kernel counts for as long as it knows a device; a grant is shorter or longer than that. So differences are added up,
for the grant that the device has when they are read. What passed before the first reading is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gateway.firewall.plan import Device


class Octets(NamedTuple):
    """Octets that a device has sent to the internet, and received from it."""

    sent: int
    received: int


NOTHING = Octets(0, 0)


class Meter:
    """The readings of one gateway; `due` is what has not been taken yet, by grant."""

    def __init__(self) -> None:
        self._last: Mapping[Device, Octets] | None = None
        self._due: dict[str, Octets] = {}

    @property
    def due(self) -> Mapping[str, Octets]:
        """What was counted and not yet taken."""
        return dict(self._due)

    def read(self, seen: Mapping[Device, Octets], grants: Mapping[Device, str]) -> None:
        """A new reading of the kernel's counters. One that went down began anew, from nothing."""
        if self._last is not None:
            for device, now in seen.items():
                grant_id = grants.get(device)
                if grant_id is None:
                    continue
                more = _since(self._last.get(device, NOTHING), now)
                if more != NOTHING:
                    before = self._due.get(grant_id, NOTHING)
                    self._due[grant_id] = Octets(before.sent + more.sent, before.received + more.received)
        self._last = dict(seen)

    def taken(self, told: Mapping[str, Octets]) -> None:
        """What was due has been written down."""
        for grant_id, octets in told.items():
            left = _since(octets, self._due.get(grant_id, octets))
            if left == NOTHING:
                self._due.pop(grant_id, None)
            else:
                self._due[grant_id] = left


def _since(before: Octets, now: Octets) -> Octets:
    return Octets(*(later - sooner if later >= sooner else later for sooner, later in zip(before, now, strict=True)))
