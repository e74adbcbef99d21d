"""Which device is behind an address: the kernel's own neighbour table, asked per request.

An address alone is never an identity: addresses move between devices, and one device has several IPv6 addresses. The
link-layer address that the kernel sends its answers to is.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from gateway.link.netlink import Netlink, NetlinkError, attribute, attributes

Address = IPv4Address | IPv6Address

_RTM_GETNEIGH, _RTM_GETROUTE = 30, 26
_NDA_DST, _NDA_LLADDR = 1, 2
_RTA_DST, _RTA_OIF = 1, 4
_RTN_LOCAL = 2
_NDMSG = struct.Struct("=BxxxiHBB")  # family, interface index, state, flags, type
_RTMSG = struct.Struct("=8BI")  # family, dst_len, src_len, tos, table, protocol, scope, type, flags
_NUD_USABLE = 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80  # reachable, stale, delay, probe, noarp, permanent
_UNKNOWN = frozenset({errno.ENOENT, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENODEV, errno.EACCES, errno.EINVAL})
_LARGEST_INDEX = 0x7FFF_FFFF
NO_MAC = "00:00:00:00:00:00"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A device as the kernel sees it: the interface it is on and its link-layer address (`aa:bb:cc:dd:ee:ff`)."""

    interface: str
    mac: str


class NeighbourTable:
    """An open door to the neighbour table of the namespace it was opened in; one per thread."""

    def __init__(self) -> None:
        self._netlink = Netlink(socket.NETLINK_ROUTE)

    def close(self) -> None:
        """Close the netlink socket."""
        self._netlink.close()

    def resolve(self, address: str | Address) -> Neighbour | None:
        """The device that packets to `address` are delivered to; None when the kernel doesn't know it.

        `address` may be IPv4, IPv6, IPv4-mapped, or link-local with its zone (`fe80::1%guest0` or `%3`; without a zone
        it is unknown). Our own addresses are (`lo`, `00:00:00:00:00:00`), which is what Linux reports.
        """
        try:
            host, scope = _host_and_scope(ip_address(address) if isinstance(address, str) else address)
        except (ValueError, OSError):  # no address, or no such interface
            return None
        try:
            index, local = self._route(host, scope)
            if local:
                return Neighbour("lo", NO_MAC)
            body = _NDMSG.pack(_family(host), index, 0, 0, 0) + attribute(_NDA_DST, host.packed)
            answer = self._netlink.ask(_RTM_GETNEIGH, body)
            mac = _usable_mac(answer)
            return Neighbour(socket.if_indextoname(index), mac) if mac else None
        except NetlinkError as error:
            if error.errno in _UNKNOWN:
                return None
            raise
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.ENXIO):
                return None
            raise

    def addresses(self, devices: Iterable[Neighbour]) -> dict[Neighbour, tuple[Address, ...]]:
        """All addresses that the kernel knows of each of `devices`, in one reading of the table."""
        found: dict[Neighbour, list[Address]] = {device: [] for device in devices}
        for device, address in self._entries() if found else ():
            if device in found:
                found[device].append(address)
        return {device: tuple(addresses) for device, addresses in found.items()}

    def on(self, interfaces: Collection[str]) -> frozenset[Neighbour]:
        """The devices that the kernel knows on `interfaces`."""
        return frozenset(device for device, _ in self._entries() if device.interface in interfaces)

    def _entries(self) -> Iterator[tuple[Neighbour, Address]]:
        names: dict[int, str] = {}
        for body in self._netlink.dump(_RTM_GETNEIGH, _NDMSG.pack(0, 0, 0, 0, 0)):
            index = _NDMSG.unpack_from(body)[1]
            fields = attributes(body[_NDMSG.size :])
            mac, packed = fields.get(_NDA_LLADDR, b""), fields.get(_NDA_DST, b"")
            if len(mac) != 6 or len(packed) not in (4, 16):
                continue
            if index not in names:
                try:
                    names[index] = socket.if_indextoname(index)
                except OSError:
                    continue
            address = IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed)
            yield Neighbour(names[index], mac.hex(":")), address

    def _route(self, host: Address, index: int) -> tuple[int, bool]:
        family = _family(host)
        body = _RTMSG.pack(family, len(host.packed) * 8, 0, 0, 0, 0, 0, 0, 0) + attribute(_RTA_DST, host.packed)
        if index:
            body += attribute(_RTA_OIF, struct.pack("=I", index))
        answer = self._netlink.ask(_RTM_GETROUTE, body)
        kind = _RTMSG.unpack_from(answer)[7]
        oif = attributes(answer[_RTMSG.size :]).get(_RTA_OIF, bytes(4))
        return struct.unpack("=i", oif)[0], kind == _RTN_LOCAL


def resolve(address: str | Address) -> Neighbour | None:
    """`NeighbourTable.resolve` with a socket of its own, opened and closed; safe from any thread."""
    table = NeighbourTable()
    try:
        return table.resolve(address)
    finally:
        table.close()


def _family(host: Address) -> int:
    return int(socket.AF_INET if host.version == 4 else socket.AF_INET6)


def _host_and_scope(host: Address) -> tuple[Address, int]:
    """The plain address and the interface index of its zone (0: any).

    Raises: ValueError for a link-local address without zone; OSError for a zone that is no interface here.
    """
    if isinstance(host, IPv4Address):
        return host, 0
    if host.ipv4_mapped is not None:
        return host.ipv4_mapped, 0
    zone = host.scope_id
    if zone is None:
        if host.is_link_local:
            raise ValueError("a link-local address needs its interface")
        return host, 0
    index = int(zone[:10]) if zone.isascii() and zone.isdigit() else socket.if_nametoindex(zone)
    if index > _LARGEST_INDEX:
        raise ValueError("no interface has this index")
    return host, index


def _usable_mac(answer: bytes) -> str | None:
    state = _NDMSG.unpack_from(answer)[2]
    mac = attributes(answer[_NDMSG.size :]).get(_NDA_LLADDR, b"")
    return mac.hex(":") if state & _NUD_USABLE and len(mac) == 6 else None
