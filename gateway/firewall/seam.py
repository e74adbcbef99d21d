"""What the enforcer asks of a firewall; `nft.NftFirewall` is the kernel's, `memory.MemoryFirewall` is for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from gateway.firewall.meter import Octets
from gateway.firewall.plan import Change, Device, Entry
from gateway.firewall.posture import Posture
from gateway.firewall.ruleset import FirewallConfig

Network = IPv4Network | IPv6Network


class Firewall(Protocol):
    """One gateway's packet filter. Every method raises FirewallError when the kernel refuses."""

    def install(self, config: FirewallConfig, routes: Sequence[Network]) -> None:
        """Put the whole ruleset in force, atomically; whoever is admitted stays admitted."""

    def protect(self, config: FirewallConfig, routes: Sequence[Network]) -> None:
        """Replace only the protected networks."""

    def observe(self, now: datetime) -> Mapping[Device, Entry]:
        """Who is let through at `now`. `ends_at` may be up to a second early (the kernel tells whole seconds)."""

    def apply(self, changes: Sequence[Change], now: datetime) -> tuple[Change, ...]:
        """Carry out the changes; returns those that the kernel refused, one by one, the others being in force.

        An element of `before` that has expired meanwhile is no error.
        """

    def take_up(self, posture: Posture, now: datetime) -> None:
        """Put `posture` in place of the one before, atomically."""

    def counted(self) -> Mapping[Device, Octets]:
        """How many octets each device has sent and received since it was first counted; what was never counted, or not
        for an hour, is not in it.
        """

    def present(self, config: FirewallConfig) -> Set[Device]:
        """The devices that the kernel knows on the guest interfaces, admitted or not."""

    def cut(self, devices: Iterable[Device]) -> int:
        """Forget the live connections of these devices to the outside; returns how many there were."""

    def touched(self) -> int:
        """A number that changes whenever someone else has changed the ruleset, and never by what we do."""
