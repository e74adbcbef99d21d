"""From the settings file to what the ruleset depends on."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from gateway.firewall.errors import FirewallConfigError
from gateway.firewall.ruleset import FirewallConfig
from gateway.settings import Settings


def firewall_config(settings: Settings) -> FirewallConfig:
    """The firewall that the settings ask for.

    Raises: FirewallConfigError when they name no guest interface, no uplink or no guest address, or when the console
    shares a port with what guests may reach.
    """
    wanted = settings.enforcement
    if not wanted.guest_interfaces:
        raise FirewallConfigError("enforcement.guest_interfaces is empty: name the interface that guests are on")
    if wanted.uplink is None:
        raise FirewallConfigError("enforcement.uplink is not set: name the interface that leads to the internet")
    if wanted.uplink in wanted.guest_interfaces:
        raise FirewallConfigError(
            f"{wanted.uplink} is both enforcement.uplink and in enforcement.guest_interfaces: it must be one of them"
        )
    if not wanted.guest_addresses:
        raise FirewallConfigError(
            "enforcement.guest_addresses is empty: give the gateway's own addresses on the guest network"
        )
    has_certificate = settings.portal.tls_certificate is not None
    https_port = settings.portal.https_port if has_certificate else None
    dns_tls_port = settings.dns.tls_port if has_certificate else None
    for key, port in (
        ("dns.port", settings.dns.port),
        ("dns.tls_port", dns_tls_port),
        ("portal.port", settings.portal.port),
        ("portal.https_port", https_port),
    ):
        if port == settings.console.port:
            raise FirewallConfigError(f"console.port and {key} are both {port}: guests would reach it; change one")
    return FirewallConfig(
        guest_interfaces=wanted.guest_interfaces,
        uplink=wanted.uplink,
        guest_addresses=tuple(ip_address(str(one)) for one in wanted.guest_addresses),
        dns_port=settings.dns.port,
        portal_port=settings.portal.port,
        https_port=https_port,
        console_port=settings.console.port,
        dns_tls_port=dns_tls_port,
        nat=wanted.nat,
        local_time_server=wanted.local_time_server,
        dns_per_s=wanted.dns_per_s,
        dns_burst=wanted.dns_burst,
        protected=tuple(ip_network(str(one)) for one in wanted.protected),
    )
