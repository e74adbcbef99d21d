"""Router solicitations and advertisements as link-layer frames: read, and made with the captive-portal option."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptCaptivePortal,
    IPv6,
)
from scapy.layers.l2 import Ether

from gateway.link.advertise import Header, Origin

_ALL_NODES, _ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
_HOP_LIMIT = 255  # what has come through a router has less, and does not count (RFC 4861 §6.1)


@dataclass(frozen=True)
class Solicitation:
    """A device asks for routers."""


@dataclass(frozen=True)
class Advertisement:
    """A router's word; `has_portal` where it holds the captive-portal option (RFC 8910 §2.3)."""

    origin: Origin
    has_portal: bool


def read_frame(frame: bytes) -> Solicitation | Advertisement | None:
    """What an Ethernet frame says; None for everything else, and for what can't be read."""
    try:
        packet = Ether(frame)
        if IPv6 not in packet or packet[IPv6].hlim != _HOP_LIMIT:
            return None
        if ICMPv6ND_RS in packet:
            return Solicitation() if packet[ICMPv6ND_RS].code == 0 else None
        if ICMPv6ND_RA not in packet:
            return None
        said = packet[ICMPv6ND_RA]
        flags = bytes(said)[5]
        header = Header(said.chlim, flags, said.routerlifetime, said.reachabletime, said.retranstimer)
        return Advertisement(Origin(header, IPv6Address(packet[IPv6].src)), ICMPv6NDOptCaptivePortal in packet)
    except Exception:
        return None


def advertisement_frame(origin: Origin, uri: str, mac: str) -> bytes:
    """An Ethernet frame from `mac` to all nodes: the header and the URI, nothing else."""
    header = origin.header
    said = ICMPv6ND_RA(
        chlim=header.hop_limit,
        M=header.flags >> 7 & 1,
        O=header.flags >> 6 & 1,
        H=header.flags >> 5 & 1,
        prf=header.flags >> 3 & 3,
        P=header.flags >> 2 & 1,
        res=header.flags & 3,
        routerlifetime=header.lifetime_s,
        reachabletime=header.reachable_ms,
        retranstimer=header.retransmit_ms,
    )
    packet = (
        Ether(src=mac, dst=_ALL_NODES_MAC)
        / IPv6(src=str(origin.address), dst=_ALL_NODES, hlim=_HOP_LIMIT)
        / said
        / ICMPv6NDOptCaptivePortal(URI=uri)
    )
    return bytes(packet)
