"""The firewall of tests: the same contract as the kernel's, kept in a dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from gateway.firewall.errors import FirewallError
from gateway.firewall.meter import Octets
from gateway.firewall.plan import Change, Device, Entry
from gateway.firewall.posture import Posture
from gateway.firewall.ruleset import FirewallConfig
from gateway.firewall.seam import Network


class MemoryFirewall:
    """Admissions in a dictionary that forgets by `now`; records what was cut."""

    def __init__(self) -> None:
        self.config: FirewallConfig | None = None
        self.routes: tuple[Network, ...] = ()
        self.near: set[Device] = set()
        self.was_cut: list[Device] = []
        self.posture = Posture()
        self.octets: dict[Device, Octets] = {}
        self._entries: dict[Device, Entry] = {}
        self._touched = 0

    def install(self, config: FirewallConfig, routes: Sequence[Network]) -> None:
        """See `seam.Firewall`."""
        self.config, self.routes = config, tuple(routes)

    def protect(self, config: FirewallConfig, routes: Sequence[Network]) -> None:
        """See `seam.Firewall`."""
        self._require_installed()
        self.config, self.routes = config, tuple(routes)

    def observe(self, now: datetime) -> Mapping[Device, Entry]:
        """See `seam.Firewall`."""
        self._require_installed()
        self._entries = {device: entry for device, entry in self._entries.items() if entry.ends_at > now}
        return dict(self._entries)

    def apply(self, changes: Sequence[Change], now: datetime) -> tuple[Change, ...]:
        """See `seam.Firewall`. Refuses, as the kernel does, a change whose `before` has another mark."""
        self._require_installed()
        self.observe(now)
        refused = []
        for change in changes:
            held, first = self._entries.get(change.device), change.before or change.after
            if held is not None and first is not None and held.mark != first.mark:
                refused.append(change)
                continue
            self._entries.pop(change.device, None)
            if change.after is not None and change.after.ends_at - now >= timedelta(milliseconds=1):
                self._entries[change.device] = change.after
        return tuple(refused)

    def take_up(self, posture: Posture, now: datetime) -> None:
        """See `seam.Firewall`."""
        self._require_installed()
        self.posture = posture

    def counted(self) -> Mapping[Device, Octets]:
        """See `seam.Firewall`. Whatever a test put into `octets`."""
        return dict(self.octets)

    def present(self, config: FirewallConfig) -> Set[Device]:
        """See `seam.Firewall`. Whoever a test put into `near`."""
        return {device for device in self.near if device.interface in config.guest_interfaces}

    def cut(self, devices: Iterable[Device]) -> int:
        """See `seam.Firewall`."""
        self.was_cut += devices
        return 0

    def touched(self) -> int:
        """See `seam.Firewall`."""
        return self._touched

    def meddle(self, device: Device, entry: Entry | None) -> None:
        """What someone else's `nft` would do behind the enforcer's back."""
        self._touched += 1
        if entry is None:
            self._entries.pop(device, None)
        else:
            self._entries[device] = entry

    def _require_installed(self) -> None:
        if self.config is None:
            raise FirewallError("the firewall table is not installed: start the enforcer")
