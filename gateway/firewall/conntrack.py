"""Live connections of a device, forgotten by the kernel on request: ctnetlink over a raw socket, no tool needed.

With its entry gone a download is no longer `established`, and IPv4 answers no longer find the way back through NAT.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from gateway.link.netlink import Netlink, NetlinkError, attribute, attributes

NETLINK_NETFILTER = 12
_SUBSYSTEM = 1 << 8
_GET, _DELETE = _SUBSYSTEM | 1, _SUBSYSTEM | 2
_NESTED = 0x8000
_CTA_TUPLE_ORIG, _CTA_STATUS, _CTA_ID = 1, 3, 12
_DST_NAT = 1 << 5  # IPS_DST_NAT
_CTA_TUPLE_IP = 1
_CTA_IP_V4_SRC, _CTA_IP_V6_SRC = 1, 3
_NFGENMSG = struct.Struct("=BBH")


def cut(addresses: Iterable[IPv4Address | IPv6Address]) -> int:
    """Delete every connection to the outside that one of `addresses` opened; returns how many.

    One with a translated destination ends here, at the portal or the resolver, and our answer must find its way back.

    Raises: gateway.link.netlink.NetlinkError (EPERM without NET_ADMIN).
    """
    wanted = {address.packed for address in addresses}
    count = 0
    if not wanted:
        return count
    with Netlink(NETLINK_NETFILTER) as netlink:
        for family, source in ((socket.AF_INET, _CTA_IP_V4_SRC), (socket.AF_INET6, _CTA_IP_V6_SRC)):
            header = _NFGENMSG.pack(family, 0, 0)
            for body in netlink.dump(_GET, header):
                fields = attributes(body[_NFGENMSG.size :])
                if int.from_bytes(fields.get(_CTA_STATUS, b"")) & _DST_NAT:
                    continue
                origin = fields.get(_CTA_TUPLE_ORIG, b"")
                if attributes(attributes(origin).get(_CTA_TUPLE_IP, b"")).get(source) not in wanted:
                    continue
                order = attribute(_CTA_TUPLE_ORIG | _NESTED, origin) + attribute(_CTA_ID, fields.get(_CTA_ID, b""))
                try:
                    netlink.tell(_DELETE, header + order)
                    count += 1
                except NetlinkError as error:
                    if error.errno != errno.ENOENT:  # gone by itself meanwhile
                        raise
    return count
