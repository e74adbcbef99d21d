"""A guest's device that sends what it should not: `python -m tests.lab.forge KIND OWN FROM FROM_PORT TO TO_PORT`.

KIND `reply` is a datagram `forged` from FROM to TO, whoever FROM is. `unreachable` and `too-big` are errors that OWN
reports to FROM about a datagram which FROM has sent to TO.
"""

from __future__ import annotations

import socket
import struct
import sys
from ipaddress import ip_address

from tests.lab import topology as net

MTU = 1300
_GATEWAY_MAC = bytes.fromhex(net.GATEWAY_MAC.replace(":", ""))
_ICMP = {  # type, code, and what stands before the packet
    ("unreachable", 4): (3, 3, 0),
    ("too-big", 4): (3, 4, MTU),
    ("unreachable", 6): (1, 4, 0),
    ("too-big", 6): (2, 0, MTU),
}


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def pseudo(source: str, target: str, protocol: int, size: int) -> bytes:
    """What a checksum covers beside the data."""
    return ip_address(source).packed + ip_address(target).packed + struct.pack("!II", size, protocol)


def packet(source: str, target: str, protocol: int, data: bytes) -> bytes:
    """An IP packet of either family (for ICMP, 1 means that of the family)."""
    ends = ip_address(source).packed + ip_address(target).packed
    if ":" in source:
        return struct.pack("!IHBB", 6 << 28, len(data), 58 if protocol == 1 else protocol, 64) + ends + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0)
    return head[:10] + struct.pack("!H", checksum(head + ends)) + ends + data


def datagram(source: str, source_port: int, target: str, target_port: int, data: bytes) -> bytes:
    """A UDP packet."""
    head = struct.pack("!HHHH", source_port, target_port, 8 + len(data), 0)
    check = checksum(pseudo(source, target, 17, 8 + len(data)) + head + data)
    return packet(source, target, 17, head[:6] + struct.pack("!H", check) + data)


def error(kind: str, own: str, about: bytes, target: str) -> bytes:
    """An ICMP error about the packet `about`."""
    version = 6 if ":" in own else 4
    icmp_type, code, rest = _ICMP[kind, version]
    body = struct.pack("!BBHI", icmp_type, code, 0, rest) + about
    covered = pseudo(own, target, 58, len(body)) if version == 6 else b""
    return packet(own, target, 1, body[:2] + struct.pack("!H", checksum(covered + body)) + body[4:])


def main() -> None:
    """Send it once to the gateway's link-layer address."""
    kind, own, source, source_port, target, target_port = sys.argv[1:]
    whole = datagram(source, int(source_port), target, int(target_port), b"forged")
    if kind != "reply":
        whole = error(kind, own, whole, source)
    door = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    door.sendto(whole, ("eth0", 0x86DD if ":" in own else 0x0800, 0, 0, _GATEWAY_MAC))


if __name__ == "__main__":
    main()
