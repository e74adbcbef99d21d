"""What a DNS worker needs to know, as plain values that survive JSON, so that a worker never imports pydantic."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.dns.errors import DnsError, DnsSettingsError

if TYPE_CHECKING:
    from gateway.settings import Settings

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """Settings of one DNS service. Addresses are numeric text; `sources` maps a network to a group's key."""

    listen: tuple[str, ...]
    port: int
    workers: int
    upstreams: tuple[Address, ...]
    sources: tuple[tuple[str, str], ...]
    private_zones: tuple[str, ...]
    portal_hostname: str
    portal_addresses: tuple[str, ...]
    snapshot: str
    reload_interval_s: float = 0.2
    tcp_idle_s: float = 10.0
    upstream_timeout_s: float = 4.0
    serve_stale_s: float = 86400.0

    def to_json(self) -> str:
        """The configuration as one line of text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DnsConfig:
        """The inverse of `to_json`."""
        fields = json.loads(text)
        for key in ("listen", "private_zones", "portal_addresses"):
            fields[key] = tuple(fields[key])
        fields["upstreams"] = tuple((host, port) for host, port in fields["upstreams"])
        fields["sources"] = tuple((network, group) for network, group in fields["sources"])
        return cls(**fields)


def from_settings(settings: Settings, resolv_conf: Path = Path("/etc/resolv.conf")) -> DnsConfig:
    """The part of the settings that concerns DNS; without configured upstreams, the host's own resolvers.

    Raises: DnsSettingsError when an upstream's address is not numeric.
    """
    dns = settings.dns
    listen = tuple(str(address) for address in dns.listen)
    upstreams = tuple(parse_address(text) for text in dns.upstreams)
    if not upstreams:
        upstreams = host_resolvers(resolv_conf, {(address, dns.port) for address in listen})
    guest = tuple(str(address) for address in settings.enforcement.guest_addresses)
    return DnsConfig(
        listen=listen,
        port=dns.port,
        workers=dns.workers,
        upstreams=upstreams,
        sources=tuple(dns.sources.items()),
        private_zones=dns.private_zones,
        portal_hostname=settings.portal.hostname,
        portal_addresses=guest or _numeric(settings.portal.host),
        serve_stale_s=dns.serve_stale_s,
        snapshot=str((settings.state / "policy" / "current.snapshot").absolute()),
    )


def parse_address(text: str) -> Address:
    """Read `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353` or either with `#port`.

    Raises: DnsSettingsError saying how to write it.
    """
    host, mark, port = text.strip().partition("#")
    if not mark:
        if host.startswith("["):
            host, _, rest = host[1:].partition("]")
            port = rest.removeprefix(":")
        elif host.count(":") == 1:
            host, _, port = host.partition(":")
    try:
        number = int(port or "53")
        ip_address(host)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise DnsSettingsError(
            f"upstream {text!r}: write a numeric address, with a port as 192.0.2.1:53 or [2001:db8::1]:53"
        )
    return host, number


def host_resolvers(path: Path, own: set[Address]) -> tuple[Address, ...]:
    """The nameservers of resolv.conf, except ourselves; none when the file is missing."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    found: list[Address] = []
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                address = parse_address(words[1])
            except DnsError:
                continue
            if address not in own and address not in found:
                found.append(address)
    return tuple(found)


def _numeric(host: str) -> tuple[str, ...]:
    try:
        return () if ip_address(host).is_unspecified else (str(ip_address(host)),)
    except ValueError:
        return ()
