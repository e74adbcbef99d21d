"""Which addresses a download may go to: public ones, unless the source is marked internal (against SSRF).

Never link-local ones, where clouds keep their secrets; this machine's own only when the URL itself says so.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from gateway.dns.upstreams.address import ServerAddress
from gateway.lists.errors import DownloadError

if TYPE_CHECKING:
    from dns.nameserver import Nameserver

Resolve = Callable[[str], Awaitable[Sequence[str]]]
LIFETIME_S = 6.0
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_SIX_TO_FOUR = IPv6Network("2002::/16")


def is_public(address: str) -> bool:
    """Whether an address belongs to somebody out there, also seen through the ways of writing IPv4 within IPv6."""
    found = _meant(address)
    return found.is_global and not found.is_multicast and not found.is_reserved


def _meant(address: str) -> IPv4Address | IPv6Address:
    """The address itself, or the IPv4 one that is written within it."""
    found = ip_address(address.partition("%")[0])
    return (_embedded(found) or found) if isinstance(found, IPv6Address) else found


def says_this_machine(host: str) -> bool:
    """Whether the host of a URL is this machine by its very name or address (RFC 6761 §6.3)."""
    try:
        return _meant(host).is_loopback
    except ValueError:
        return f".{host.rstrip('.').lower()}".endswith(".localhost")


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return None


async def choose_address(host: str, resolve: Resolve, *, internal: bool) -> str:
    """The address to connect to for a host. Every address it has is looked at: one that may not be refuses it.

    `internal`: the host may lie at a private address.
    Raises: DownloadError with reason `private_address` or `no_address`.
    """
    try:
        found: Sequence[str] = (str(ip_address(host)),)
    except ValueError:
        found = await resolve(host)
    if not found:
        raise DownloadError("no_address", f"{host} has no address; check the name, and dns.upstreams")
    for address in found:
        meant = _meant(address)
        if meant.is_multicast or meant.is_unspecified or meant.is_link_local:
            raise DownloadError("private_address", f"{host} leads to {address}, which is no server's address")
        if is_public(address):
            continue
        if not internal:
            raise DownloadError(
                "private_address",
                f"{host} leads to {address}, inside a private network: "
                "add the source by that address with --internal if that is meant",
            )
        if meant.is_loopback and not says_this_machine(host):
            raise DownloadError("private_address", f"{host} leads to {address}, which is this machine itself")
    return min(found, key=lambda each: ":" in each)  # IPv4 first: a gateway without IPv6 must not wait for it


def upstream_resolver(upstreams: Sequence[ServerAddress], ca_file: str = "") -> Resolve:
    """A resolver that asks these DNS servers, so that lists come also when our own DNS is not up yet; without any, the
    host's own.
    """

    async def through_upstreams(host: str) -> Sequence[str]:
        import dns.asyncresolver  # noqa: PLC0415 - for downloads only
        import dns.exception  # noqa: PLC0415

        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [_nameserver(each, ca_file) for each in upstreams]
        resolver.lifetime = LIFETIME_S
        try:
            answers = await resolver.resolve_name(host)
        except dns.exception.DNSException as problem:
            raise DownloadError("no_address", f"{host} was not found through dns.upstreams ({problem})") from problem
        return list(answers.addresses())

    async def through_host(host: str) -> Sequence[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as problem:
            raise DownloadError("no_address", f"{host} was not found ({problem.strerror or problem})") from problem
        return sorted({str(each[4][0]) for each in found})

    return through_upstreams if upstreams else through_host


def _nameserver(server: ServerAddress, ca_file: str) -> Nameserver:
    from dns import nameserver  # noqa: PLC0415

    verify = ca_file or True
    if server.protocol == "tls":
        if not server.name:
            raise DownloadError(
                "no_address", f"dns.upstreams: {server} has only a pin; add the certificate's name to look up lists"
            )
        return nameserver.DoTNameserver(server.host, server.port, server.name, verify)
    if server.protocol == "https":
        return nameserver.DoHNameserver(f"https://{server.name}:{server.port}{server.path}", server.host, verify)
    return nameserver.Do53Nameserver(server.host, server.port)
