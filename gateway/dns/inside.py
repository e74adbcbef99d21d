"""Addresses inside: those that no public name should lead to. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network

_PRIVATE_V4 = tuple(
    (int(net.network_address), int(net.netmask))
    for net in map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "100.64.0.0/10",
            "0.0.0.0/8",
        ),
    )
)
_PRIVATE_V4_BY_FIRST = {
    first: tuple(pair for pair in _PRIVATE_V4 if pair[0] >> 24 == first)
    for first in {net >> 24 for net, _ in _PRIVATE_V4}
}
_PRIVATE_V6 = tuple(
    (int(net.network_address), int(net.netmask)) for net in map(ip_network, ("fc00::/7", "fe80::/10", "fec0::/10"))
)
_NAT64 = int(IPv6Address("64:ff9b::"))


def is_private(address: bytes) -> bool:
    """Whether 4 or 16 bytes are an address that no public name should lead to (also mapped, and by NAT64)."""
    if len(address) == 4 and address[0] not in _PRIVATE_V4_BY_FIRST:  # nearly always
        return False
    number = int.from_bytes(address, "big")
    if len(address) == 4:
        return any(number & mask == network for network, mask in _PRIVATE_V4_BY_FIRST[address[0]])
    if number >> 32 in (0, 0xFFFF, _NAT64 >> 32):  # ::, ::1 and compatible; ::ffff:a.b.c.d; 64:ff9b::a.b.c.d
        return is_private(address[12:]) or number >> 32 == 0
    return any(number & mask == network for network, mask in _PRIVATE_V6)
