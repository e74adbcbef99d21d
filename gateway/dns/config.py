"""What a DNS worker needs to know, as plain values that survive JSON, so that a worker never imports pydantic."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.dns.errors import DnsError
from gateway.dns.own import Own
from gateway.dns.upstreams.address import ServerAddress, parse_server

if TYPE_CHECKING:
    from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """Settings of one DNS service. Addresses are numeric text; `sources` maps a network to a group's key, `zones` the
    name of a zone to upstreams of its own. Without a certificate there is no DNS over TLS, and without
    `counters_socket` counters go nowhere; without `refused_folder` no device's refusals are noted. `tcp_per_s` and
    `tcp_burst` are questions of one device by TCP and TLS.
    """

    listen: tuple[str, ...]
    port: int
    workers: int
    upstreams: tuple[ServerAddress, ...]
    sources: tuple[tuple[str, str], ...]
    private_zones: tuple[str, ...]
    portal_hostname: str
    portal_addresses: tuple[str, ...]
    snapshot: str
    reload_interval_s: float = 0.2
    tcp_idle_s: float = 10.0
    tcp_per_s: float = 200.0
    tcp_burst: float = 1000.0
    upstream_timeout_s: float = 4.0
    serve_stale_s: float = 86400.0
    version: str = ""
    zones: tuple[tuple[str, tuple[ServerAddress, ...]], ...] = ()
    upstream_ca: str = ""
    tls_port: int = 0
    tls_certificate: str = ""
    tls_key: str = ""
    counters_socket: str = ""
    counters_every_s: float = 10.0
    refused_folder: str = ""

    def to_json(self) -> str:
        """The configuration as one line of text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DnsConfig:
        """The inverse of `to_json`."""
        fields = json.loads(text)
        for key in ("listen", "private_zones", "portal_addresses"):
            fields[key] = tuple(fields[key])
        fields["upstreams"] = _servers(fields["upstreams"])
        fields["zones"] = tuple((zone, _servers(rows)) for zone, rows in fields.get("zones", ()))
        fields["sources"] = tuple((network, group) for network, group in fields["sources"])
        return cls(**fields)


def _servers(rows: list[list[Any]]) -> tuple[ServerAddress, ...]:
    return tuple(ServerAddress.from_row(row) for row in rows)


def from_settings(settings: Settings, resolv_conf: Path = Path("/etc/resolv.conf")) -> DnsConfig:
    """The part of the settings that concerns DNS; without configured upstreams, the host's own resolvers.

    A zone with servers of its own may hold private addresses, as one in `private_zones` may: it is there for that.
    Raises: DnsSettingsError when an upstream is not written as it should be, or can be none.
    """
    dns = settings.dns
    listen = tuple(str(address) for address in dns.listen)
    upstreams = tuple(map(parse_server, dns.upstreams))
    zones = tuple((zone, tuple(map(parse_server, servers))) for zone, servers in dns.zones.items())
    own = Own(listen, dns.port, dns.tls_port if settings.portal.tls_certificate else 0)
    for setting, servers in (("dns.upstreams", upstreams), *((f'dns.zones."{zone}"', those) for zone, those in zones)):
        for server in servers:
            own.refuse(server, setting)
    if not upstreams:
        upstreams = host_resolvers(resolv_conf, own)
    guest = tuple(str(address) for address in settings.enforcement.guest_addresses)
    return DnsConfig(
        listen=listen,
        port=dns.port,
        workers=dns.workers,
        upstreams=upstreams,
        sources=tuple(dns.sources.items()),
        private_zones=tuple(dict.fromkeys((*dns.private_zones, *dns.zones))),
        portal_hostname=settings.portal.hostname,
        portal_addresses=guest or _numeric(settings.portal.host),
        tcp_per_s=settings.enforcement.dns_per_s,
        tcp_burst=settings.enforcement.dns_burst,
        serve_stale_s=dns.serve_stale_s,
        version=dns.version,
        snapshot=str((settings.state / "policy" / "current.snapshot").absolute()),
        zones=zones,
        upstream_ca=str(dns.upstream_ca.absolute()) if dns.upstream_ca else "",
        tls_port=dns.tls_port,
        tls_certificate=_path(settings.portal.tls_certificate),
        tls_key=_path(settings.portal.tls_key),
        counters_socket=_path(counters_socket(settings)),
        refused_folder=_path(refused_folder(settings)),
    )


def counters_socket(settings: Settings) -> Path:
    """Where workers send what they count, and the console receives it."""
    return settings.state / "run" / "dns-counters.sock"


def refused_folder(settings: Settings) -> Path:
    """Where each worker has a socket by which the portal has a device's refusals noted."""
    return settings.state / "run" / "dns-refused"


def _path(path: Path | None) -> str:
    return "" if path is None else str(path.absolute())


def host_resolvers(path: Path, own: Own) -> tuple[ServerAddress, ...]:
    """The nameservers of resolv.conf, except ourselves; none when the file is missing."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    found: list[ServerAddress] = []
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                address = parse_server(words[1])
            except DnsError:
                continue
            if not own.has(address) and address not in found:
                found.append(address)
    return tuple(found)


def _numeric(host: str) -> tuple[str, ...]:
    try:
        return () if ip_address(host).is_unspecified else (str(ip_address(host)),)
    except ValueError:
        return ()
