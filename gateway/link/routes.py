"""Which networks this machine reaches by another way than the default: what guests must be kept out of."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Network, IPv6Network

from gateway.link.netlink import Netlink, attributes

Network = IPv4Network | IPv6Network

_RTM_GETROUTE = 26
_RTA_DST, _RTA_TABLE = 1, 15
_RT_TABLE_MAIN = 254
_RTN_UNICAST = 1
_RTMSG = struct.Struct("=8BI")
_RTM_F_CLONED = 0x200


def non_default_routes() -> tuple[Network, ...]:
    """Destinations of all unicast routes in the main table except the default ones, both families, sorted.

    Raises: gateway.link.netlink.NetlinkError.
    """
    found: set[Network] = set()
    with Netlink(socket.NETLINK_ROUTE) as netlink:
        for family in (socket.AF_INET, socket.AF_INET6):
            for body in netlink.dump(_RTM_GETROUTE, _RTMSG.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
                if len(body) < _RTMSG.size:
                    continue
                _, length, _, _, table, _, _, kind, flags = _RTMSG.unpack_from(body)
                fields = attributes(body[_RTMSG.size :])
                table = struct.unpack("=I", fields[_RTA_TABLE])[0] if _RTA_TABLE in fields else table
                if table != _RT_TABLE_MAIN or kind != _RTN_UNICAST or flags & _RTM_F_CLONED:
                    continue
                if length == 0 or _RTA_DST not in fields:
                    continue
                packed = fields[_RTA_DST]
                network: Network = (
                    IPv4Network((packed, length)) if family == socket.AF_INET else IPv6Network((packed, length))
                )
                found.add(network)
    return tuple(
        sorted(found, key=lambda network: (network.version, network.network_address.packed, network.prefixlen))
    )
