"""The kernel's firewall: the only module that runs `nft`."""

from __future__ import annotations

import json
import logging
import struct
import subprocess
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from gateway.firewall import conntrack
from gateway.firewall.errors import FirewallError
from gateway.firewall.meter import Octets
from gateway.firewall.plan import Change, Device, Entry, batches, render_changes
from gateway.firewall.posture import Posture, render_posture
from gateway.firewall.ruleset import (
    FAMILY,
    MARKS,
    RECEIVED,
    SENT,
    TABLE,
    FirewallConfig,
    render,
    render_counting,
    render_protected,
)
from gateway.firewall.seam import Network
from gateway.link.neighbours import Neighbour, NeighbourTable
from gateway.link.netlink import Netlink, attributes

_TIMEOUT_S = 20.0
_GETGEN = (10 << 8) | 16  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
_GEN_ID = 1

_log = logging.getLogger(__name__)


class NftFirewall:
    """nftables of the network namespace this process is in; needs NET_ADMIN. See `seam.Firewall` for the methods."""

    def __init__(self, nft: str = "nft") -> None:
        self._nft = nft
        self._own_transactions = 0
        self._counts_received = True

    def install(self, config: FirewallConfig, routes: Sequence[Network]) -> None:
        """See `seam.Firewall`. The script is checked as a whole (`nft -c`) before it is loaded."""
        script = render(config, routes)
        self._run(("-c", "-f", "-"), script)
        self._load(script)
        try:
            self._load(render_counting(config))
        except FirewallError as error:  # Linux before 5.16, or one without CONFIG_NETFILTER_EGRESS
            if self._counts_received:
                _log.warning("what devices receive is not counted: %s", error)
            self._counts_received = False

    def protect(self, config: FirewallConfig, routes: Sequence[Network]) -> None:
        """See `seam.Firewall`."""
        self._load(render_protected(config, routes))

    def observe(self, now: datetime) -> Mapping[Device, Entry]:
        """See `seam.Firewall`."""
        return parse_marks(self._run(("-j", "list", "map", FAMILY, TABLE, MARKS)), now)

    def apply(self, changes: Sequence[Change], now: datetime) -> tuple[Change, ...]:
        """See `seam.Firewall`. A refused batch is halved until only what is really refused is left out."""
        refused: list[Change] = []
        pending = list(batches(changes))
        while pending:
            batch = pending.pop(0)
            try:
                self._load(render_changes(batch, now))
            except FirewallError:
                if len(batch) == 1:
                    refused += batch
                else:
                    middle = len(batch) // 2
                    pending[:0] = [batch[:middle], batch[middle:]]
        return tuple(refused)

    def take_up(self, posture: Posture, now: datetime) -> None:
        """See `seam.Firewall`."""
        self._load(render_posture(posture, now))

    def counted(self) -> Mapping[Device, Octets]:
        """See `seam.Firewall`."""
        sent = parse_counters(self._run(("-j", "list", "set", FAMILY, TABLE, SENT)))
        received = {}
        if self._counts_received:
            received = parse_counters(self._run(("-j", "list", "set", "netdev", TABLE, RECEIVED)))
        return {
            device: Octets(sent.get(device, 0), received.get(device, 0)) for device in sent.keys() | received.keys()
        }

    def present(self, config: FirewallConfig) -> Set[Device]:
        """See `seam.Firewall`. By the kernel's neighbour table."""
        with closing(NeighbourTable()) as table:
            return {Device(one.interface, one.mac) for one in table.on(config.guest_interfaces)}

    def cut(self, devices: Iterable[Device]) -> int:
        """See `seam.Firewall`. A device's addresses are those of the kernel's neighbour table."""
        wanted = [Neighbour(device.interface, device.mac) for device in devices]
        if not wanted:
            return 0
        with closing(NeighbourTable()) as table:
            known = table.addresses(wanted)
        return conntrack.cut(address for addresses in known.values() for address in addresses)

    def touched(self) -> int:
        """See `seam.Firewall`. The kernel counts every transaction in the namespace; ours are subtracted."""
        with Netlink(conntrack.NETLINK_NETFILTER) as netlink:
            answer = netlink.ask(_GETGEN, bytes(4))
        generation: int = struct.unpack(">I", attributes(answer[4:])[_GEN_ID])[0]
        return generation - self._own_transactions

    def _load(self, script: str) -> None:
        if script:
            self._run(("-f", "-"), script)
            self._own_transactions += 1

    def _run(self, arguments: Sequence[str], script: str | None = None) -> str:
        try:
            done = subprocess.run(
                (self._nft, *arguments),
                input=script or "",
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError as error:
            raise FirewallError("the program nft is missing: install the package nftables") from error
        except subprocess.TimeoutExpired as error:
            raise FirewallError(f"nft did not answer within {_TIMEOUT_S:.0f} s") from error
        if done.returncode:
            reason = next((line for line in done.stderr.splitlines() if line.strip()), "no reason given")
            raise FirewallError(f"nft refused: {reason}")
        return done.stdout


def parse_marks(text: str, now: datetime) -> dict[Device, Entry]:
    """The elements of the map in `nft -j list map` output. An element without a timeout counts as ending at `now`.

    Nobody but a meddler adds one without; ending now, it differs from any grant and is written again.
    """
    found: dict[Device, Entry] = {}
    for item in json.loads(text)["nftables"]:
        for key, mark in item.get("map", {}).get("elem", ()):
            element: dict[str, Any] = key.get("elem", key)
            interface, mac = element.get("val", element)["concat"]
            ends_at = now + timedelta(seconds=element.get("expires", 0))
            found[Device(interface, mac)] = Entry(int(mark), ends_at)
    return found


def parse_counters(text: str) -> dict[Device, int]:
    """The octets of each element of the set in `nft -j list set` output."""
    found = {}
    for item in json.loads(text)["nftables"]:
        for key in item.get("set", {}).get("elem", ()):
            element: dict[str, Any] = key["elem"]
            interface, mac = element["val"]["concat"]
            found[Device(interface, mac)] = int(element["counter"]["bytes"])
    return found
