"""Which devices the kernel has heard from, at which addresses and how long ago: the neighbour table with its times.

Reading it needs no privilege, and nothing of it is kept.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address

from gateway.link.neighbours import Address, Neighbour
from gateway.link.netlink import Netlink, attributes

_RTM_GETNEIGH = 30
_NDA_DST, _NDA_LLADDR, _NDA_CACHEINFO = 1, 2, 3
_NDMSG = struct.Struct("=BxxxiHBB")  # family, interface index, state, flags, type
_CACHEINFO = struct.Struct("=IIII")  # since confirmed, since used, since updated (in clock ticks); references
_NUD_ANSWERS = 0x02 | 0x04 | 0x08 | 0x10 | 0x80  # reachable, stale, delay, probe, permanent
_FOR_MANY = 0x01  # of the first octet: a group's address, not a device's


@dataclass(frozen=True, slots=True)
class Heard:
    """A device at one of its addresses, and how long ago the kernel last had proof that it answers there."""

    device: Neighbour
    address: Address
    ago: timedelta


def heard(interfaces: Collection[str]) -> list[Heard]:
    """Everything that the kernel knows on `interfaces`, however long ago.

    Raises: NetlinkError when the table can't be read; DumpInterruptedError when it kept changing.
    """
    indices: dict[int, str] = {}
    for name in interfaces:
        try:
            indices[socket.if_nametoindex(name)] = name
        except OSError:  # no such interface here, now
            continue
    netlink = Netlink(socket.NETLINK_ROUTE)
    try:
        bodies = netlink.dump(_RTM_GETNEIGH, _NDMSG.pack(0, 0, 0, 0, 0))
    finally:
        netlink.close()
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    return [each for body in bodies if (each := read_entry(body, indices, ticks_per_s)) is not None]


def read_entry(body: bytes, indices: dict[int, str], ticks_per_s: int) -> Heard | None:
    """One entry of the table (rtnetlink(7), RTM_GETNEIGH); None for what is no answering device on `indices`."""
    if len(body) < _NDMSG.size:
        return None
    _, index, state, _, _ = _NDMSG.unpack_from(body)
    fields = attributes(body[_NDMSG.size :])
    mac, packed, times = (fields.get(kind, b"") for kind in (_NDA_LLADDR, _NDA_DST, _NDA_CACHEINFO))
    if index not in indices or not state & _NUD_ANSWERS or len(mac) != 6 or len(packed) not in (4, 16):
        return None
    if mac[0] & _FOR_MANY or not any(mac) or len(times) < _CACHEINFO.size:
        return None
    address = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
    ago = timedelta(seconds=_CACHEINFO.unpack_from(times)[0] / ticks_per_s)
    return Heard(Neighbour(indices[index], mac.hex(":")), address, ago)
