"""What is no upstream: this service itself, which would ask itself for ever, and an address that no server has."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from gateway.dns.errors import DnsSettingsError
from gateway.dns.upstreams.address import ServerAddress

_BROADCAST = IPv4Address("255.255.255.255")


@dataclass(frozen=True, slots=True)
class Own:
    """Where this service answers. `tls_port` 0: not over TLS."""

    listen: tuple[str, ...]
    port: int
    tls_port: int = 0

    def has(self, server: ServerAddress) -> bool:
        """Whether whoever asks this server asks us."""
        if server.port != {"udp": self.port, "tcp": self.port, "tls": self.tls_port}.get(server.protocol):
            return False
        host = _plain(server.host)
        for text in self.listen:
            address = ip_address(text)
            if address == host:
                return True
            if address.is_unspecified and address.version == host.version and is_here(str(host)):
                return True
        return False

    def refuse(self, server: ServerAddress, setting: str) -> None:
        """Raises: DnsSettingsError when the server that `setting` names can't be an upstream."""
        host = _plain(server.host)
        if host.is_unspecified or host.is_multicast or host == _BROADCAST:
            raise DnsSettingsError(f"{setting}: {server} is no server's address; write the address of a resolver")
        if self.has(server):
            raise DnsSettingsError(
                f"{setting}: {server} is this service itself, which would ask itself for ever; name another resolver"
            )


def is_here(address: str) -> bool:
    """Whether this machine has the local address now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _plain(text: str) -> IPv4Address | IPv6Address:
    """The address, of IPv4 also where it is written as mapped into IPv6 (RFC 4291 §2.5.5.2)."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
