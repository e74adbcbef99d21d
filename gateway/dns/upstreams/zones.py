"""Which servers a name belongs to: the longest configured zone that it lies in, else the servers for everything else.

A zone's servers are all that is ever asked for its names: an internal name never leaks to those for everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.dns.upstreams.health import DOWN
from policies.names import to_wire

if TYPE_CHECKING:
    from gateway.dns.upstreams.upstream import Upstream

_DS = b"\0\x2b\0\1"


class Group:
    """The servers of one zone. `order` is how they are tried: those in good health first, then as written."""

    __slots__ = ("all_down", "order", "upstreams")

    def __init__(self, upstreams: tuple[Upstream, ...]) -> None:
        self.upstreams = self.order = upstreams
        self.all_down = False

    def rank(self) -> None:
        """To be called when the state of one of them has changed."""
        self.order = tuple(sorted(self.upstreams, key=lambda each: each.health.state))
        self.all_down = all(each.health.state == DOWN for each in self.upstreams)


class Zones:
    """Zone names as on the wire, in lower case, to their servers; `rest` has every other name."""

    __slots__ = ("_zones", "rest")

    def __init__(self, rest: Group, zones: Mapping[str, Group]) -> None:
        self.rest = rest
        self._zones = {to_wire(zone): group for zone, group in zones.items()}

    def find(self, question: bytes) -> Group:
        """The group for a question (lower case, on the wire). A zone's DS belongs to its parent (RFC 4035 §3.1.4.1)."""
        name = question[:-4]
        if question[-4:] == _DS:
            name = name[name[0] + 1 :]
        while len(name) > 1:
            group = self._zones.get(name)
            if group is not None:
                return group
            name = name[name[0] + 1 :]
        return self.rest
