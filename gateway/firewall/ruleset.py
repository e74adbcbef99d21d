"""The whole firewall as one text: a pure function from its configuration to an nft script that replaces it atomically.

The script never deletes the table, the map or its elements, so loading it again at a restart throws no guest out;
rules and interval sets are flushed and written anew in the same transaction. Only the mark decides who is forwarded,
and it is checked on every packet from the guest side: `established` is accepted only towards the guest. Switched
networks and devices kept out (`posture`) only change that mark, and so hold for forwarding, portal and DNS alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses

from gateway.dns.unaccepted import DEVICE_MARK
from policies import encrypted_dns

FAMILY = "inet"
TABLE = "gjestenett"
MARKS = "marks"
CLOSED, OPEN, BLOCKED = "closed_networks", "open_networks", "blocked_devices"
SENT, RECEIVED = "sent", "received"
TO_GUEST_MARK = 0x4000_0000  # of packets from the internet to a guest, for the chain that counts them
MOST_CONNECTIONS = 40  # of one device with the portal at once: a browser opens six, a phone's apps some more
MOST_DNS_CONNECTIONS = 20  # of one device with the resolver at once
UNACCEPTED_DNS_PER_S, UNACCEPTED_DNS_BURST = 5, 50
DNS_HANDSHAKES_PER_S, DNS_HANDSHAKES_BURST = 5, MOST_DNS_CONNECTIONS  # of TLS: each costs a signature
_COUNTED_TIMEOUT = "1h"  # of silence, then the device is no longer counted, or anew from nothing
_METER_TIMEOUT_S = 60  # longer than a bucket needs to be full again, so that forgetting one gives nothing away

Network = IPv4Network | IPv6Network

# IANA special-purpose registries (RFC 6890 and successors): nothing here is the internet.
_PROTECTED4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_PROTECTED6 = tuple(
    IPv6Network(text)
    for text in (
        "::/128",
        "::1/128",
        "::ffff:0:0/96",
        "64:ff9b:1::/48",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64 = int(IPv6Address("64:ff9b::"))


@dataclass(frozen=True, slots=True)
class FirewallConfig:
    """What the ruleset depends on: our own addresses on the guest side, and the ports that our services listen on."""

    guest_interfaces: tuple[str, ...]
    uplink: str
    guest_addresses: tuple[IPv4Address | IPv6Address, ...]
    dns_port: int
    portal_port: int
    https_port: int | None  # None: the portal has no certificate, and nothing listens
    console_port: int
    dns_tls_port: int | None = None  # as with https_port
    nat: bool = True
    local_time_server: bool = True
    protected: tuple[Network, ...] = ()
    close_public_resolvers: bool = True
    dns_per_s: int = 200  # packets of one accepted device
    dns_burst: int = 1000

    @property
    def portal_ports(self) -> tuple[int, ...]:
        """Where the portal listens."""
        return (self.portal_port,) if self.https_port is None else (self.portal_port, self.https_port)

    @property
    def address4(self) -> IPv4Address | None:
        """Where IPv4 guests are sent: the first IPv4 guest address."""
        return next((one for one in self.guest_addresses if isinstance(one, IPv4Address)), None)

    @property
    def address6(self) -> IPv6Address | None:
        """Where IPv6 guests are sent: the first IPv6 guest address."""
        return next((one for one in self.guest_addresses if isinstance(one, IPv6Address)), None)


def protected_networks(
    config: FirewallConfig, routes: Iterable[Network]
) -> tuple[tuple[IPv4Network, ...], tuple[IPv6Network, ...]]:
    """Where guests may never go: special-purpose, configured, and every non-default route; merged and sorted.

    The IPv4 ones are closed in their NAT64 form too (RFC 6052 §2.1). A default route passed in by mistake is ignored.
    """
    given = [one for one in (*config.protected, *routes) if one.prefixlen]
    four = tuple(collapse_addresses([*_PROTECTED4, *(one for one in given if isinstance(one, IPv4Network))]))
    mapped = (IPv6Network((_NAT64 | int(one.network_address), 96 + one.prefixlen)) for one in four)
    six = tuple(collapse_addresses([*_PROTECTED6, *mapped, *(one for one in given if isinstance(one, IPv6Network))]))
    return four, six


def render(config: FirewallConfig, routes: Iterable[Network] = ()) -> str:
    """The nft script that creates or atomically replaces the rules and keeps every admission.

    `routes`: the non-default routes of the machine at this moment.
    """
    four, six = protected_networks(config, routes)
    lines = [
        f"add table {FAMILY} {TABLE}",
        f"add map {FAMILY} {TABLE} {MARKS} {{ typeof iifname . ether saddr : meta mark; flags timeout; }}",
        f"add map {FAMILY} {TABLE} {OPEN} {{ typeof iifname : meta mark; flags timeout; }}",
        f"add set {FAMILY} {TABLE} {CLOSED} {{ typeof iifname; }}",
        f"add set {FAMILY} {TABLE} {BLOCKED} {{ type ether_addr; }}",
        f"add set {FAMILY} {TABLE} {SENT} {{ typeof iifname . ether saddr; {_COUNTED} }}",
        f"add set {FAMILY} {TABLE} portal_users {{ type ether_addr; size 65535; flags dynamic; }}",
        *_add_dns_sets(),
        f"add set {FAMILY} {TABLE} protected4 {{ type ipv4_addr; flags interval; }}",
        f"add set {FAMILY} {TABLE} protected6 {{ type ipv6_addr; flags interval; }}",
        f"add set {FAMILY} {TABLE} encrypted_dns4 {{ type ipv4_addr; flags interval; }}",
        f"add set {FAMILY} {TABLE} encrypted_dns6 {{ type ipv6_addr; flags interval; }}",
        f"flush table {FAMILY} {TABLE}",  # rules only: map and set elements stay
        *_fill(four, six),
        *_fill_public_resolvers(config),
    ]
    for name, hook, rules in _chains(config):
        lines.append(f"add chain {FAMILY} {TABLE} {name}{hook}")
        lines += [f"add rule {FAMILY} {TABLE} {name} {rule}" for rule in rules]
    return "\n".join(lines) + "\n"


def render_counting(config: FirewallConfig) -> str:
    """The nft script that counts what guests receive, by their devices: at the egress hook of the guest interfaces, the
    first place at which the kernel knows for which device a packet is (Linux 5.16, `CONFIG_NETFILTER_EGRESS`).
    """
    lines = [
        f"add table netdev {TABLE}",
        f"add set netdev {TABLE} {RECEIVED} {{ typeof oifname . ether daddr; {_COUNTED} }}",
    ]
    for number, interface in enumerate(config.guest_interfaces):
        chain = f"to_guests_{number}"
        hook = f'{{ type filter hook egress device "{interface}" priority filter; policy accept; }}'
        lines += [
            f"add chain netdev {TABLE} {chain} {hook}",
            f"flush chain netdev {TABLE} {chain}",
            f"add rule netdev {TABLE} {chain} meta mark {TO_GUEST_MARK} update @{RECEIVED} {{ oifname . ether daddr }}",
        ]
    return "\n".join(lines) + "\n"


def render_protected(config: FirewallConfig, routes: Iterable[Network]) -> str:
    """The nft script that replaces only the contents of the two protected sets."""
    return "\n".join(_fill(*protected_networks(config, routes))) + "\n"


_COUNTED = f"size 65535; flags dynamic, timeout; timeout {_COUNTED_TIMEOUT}; counter;"
_CLASSIFY = " { type filter hook prerouting priority mangle; policy accept; }"
_DSTNAT = " { type nat hook prerouting priority dstnat; policy accept; }"
_INPUT = " { type filter hook input priority filter; policy accept; }"
_FORWARD = " { type filter hook forward priority filter; policy drop; }"
_SRCNAT = " { type nat hook postrouting priority srcnat; policy accept; }"


def _chains(config: FirewallConfig) -> Sequence[tuple[str, str, list[str]]]:
    """Every chain with its hook and rules; a chain stands before those that jump to it."""
    return (
        ("classify", _CLASSIFY, _classify(config)),
        ("to_gateway", _DSTNAT, _to_gateway(config)),
        ("meter_dns", "", _meter_dns(config)),
        ("from_guest_in", "", _from_guest_in(config)),
        ("input", _INPUT, _input(config)),
        ("from_guest", "", _from_guest(config)),
        ("forward", _FORWARD, _forward(config)),
        ("source_nat", _SRCNAT, _source_nat(config)),
    )


def _classify(config: FirewallConfig) -> list[str]:
    guests = _guests(config)
    return [  # INVARIANT: before NAT, on every packet, so that each datagram carries its sender's policy
        f"iifname {guests} meta mark set 0",
        f"iifname {guests} meta mark set iifname map @{OPEN}",
        f"iifname {guests} meta mark set iifname . ether saddr map @{MARKS}",
        f"iifname {guests} ether saddr @{BLOCKED} meta mark set 0",
        f"iifname @{CLOSED} meta mark set 0",
    ]


def _to_gateway(config: FirewallConfig) -> list[str]:
    rules = [f"iifname != {_guests(config)} return"]
    for daddr, target, own in _families(config):
        rules += [
            f"meta l4proto {{ tcp, udp }} th dport 53 dnat {target}:{config.dns_port}",
            f"{daddr} {own} tcp dport 80 dnat {target}:{config.portal_port}",
            f"meta mark 0 tcp dport 80 dnat {target}:{config.portal_port}",
        ]
        if config.https_port is not None:
            rules.append(f"{daddr} {own} tcp dport 443 dnat {target}:{config.https_port}")
        if config.dns_tls_port is not None:  # only our own 853; that of others is refused when it is forwarded
            rules.append(f"meta mark != 0 {daddr} {own} tcp dport 853 dnat {target}:{config.dns_tls_port}")
        if config.local_time_server:
            rules.append(f"udp dport 123 dnat {target}:123")
    return rules


def _input(config: FirewallConfig) -> list[str]:
    """Whatever address our services listen on, the guests' are for guests, and the console isn't for the internet."""
    return [
        'iifname "lo" accept',
        f"iifname {_guests(config)} jump from_guest_in",
        f"tcp dport {_braces(sorted({config.dns_port, *config.portal_ports, *_dns_tls(config)}))} drop",
        f"udp dport {config.dns_port} drop",
        f'iifname "{config.uplink}" tcp dport {config.console_port} drop',
    ]


def _add_dns_sets() -> list[str]:
    """The buckets of each device, by its MAC address and so for all its addresses; a full set meters no newcomer.

    They start afresh, since a bucket keeps the rate that it was made with.
    """
    lines = []
    for name in ("dns_unaccepted", "dns_accepted", "dns_handshakes"):
        kind = f"{{ type ether_addr; size 65535; flags dynamic, timeout; timeout {_METER_TIMEOUT_S}s; }}"
        lines += [f"add set {FAMILY} {TABLE} {name} {kind}", f"flush set {FAMILY} {TABLE} {name}"]
    return [*lines, f"add set {FAMILY} {TABLE} dns_users {{ type ether_addr; size 65535; flags dynamic; }}"]


def _meter_dns(config: FirewallConfig) -> list[str]:
    """How much of what a device asks the resolver is let in; what is over is dropped, and asked again by the device."""

    def over(name: str, per_s: int, burst: int) -> str:
        return f"update @{name} {{ ether saddr limit rate over {per_s}/second burst {burst} packets }} drop"

    # What has not accepted is told apart for the resolver, which counts names by device. The seed is not given here, so
    # the kernel draws one at each installation, and nobody can choose a MAC address that shares another device's mark.
    device = f"jhash ether saddr mod {DEVICE_MARK} offset {DEVICE_MARK}"
    opens = "tcp flags & (syn | ack) == syn"
    handshakes = over("dns_handshakes", DNS_HANDSHAKES_PER_S, DNS_HANDSHAKES_BURST)
    return [
        f"{opens} add @dns_users {{ ether saddr ct count over {MOST_DNS_CONNECTIONS} }} drop",
        *(f"tcp dport {port} {opens} {handshakes}" for port in _dns_tls(config)),
        f"meta mark != 0 {over('dns_accepted', config.dns_per_s, config.dns_burst)}",
        f"meta mark 0 {over('dns_unaccepted', UNACCEPTED_DNS_PER_S, UNACCEPTED_DNS_BURST)}",
        f"meta mark 0 meta mark set {device}",
    ]


def _from_guest_in(config: FirewallConfig) -> list[str]:
    """What guests may send to the gateway itself; the console's port is not here, so it is out of their reach."""
    tcp = sorted({config.dns_port, *config.portal_ports})
    udp = sorted({config.dns_port, *((123,) if config.local_time_server else ())})
    rules = [
        f"meta l4proto {{ tcp, udp }} th dport {config.dns_port} jump meter_dns",  # first: on every packet
        # DNS over TLS is for those who have accepted. Others must not get into that chain, which gives them a mark.
        *(f"meta mark != 0 tcp dport {port} jump meter_dns" for port in _dns_tls(config)),
        # Answers to what we asked a guest, by the way that leads to it: not what a guest forges of an upstream server.
        "fib saddr . iif oif exists ct direction reply ct state established accept",
        "ct state invalid drop",
        "meta nfproto ipv4 udp sport 68 udp dport 67 accept",
        "meta nfproto ipv6 udp sport 546 udp dport 547 accept",
        "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept",
        "icmp type echo-request limit rate 20/second burst 40 packets accept",
        "icmpv6 type echo-request limit rate 20/second burst 40 packets accept",
    ]
    for family, ours in (("ip", _own4(config)), ("ip6", _own6(config))):
        if ours:
            # Errors about what guests began with us, such as "packet too big"; those about flows of our own, to
            # upstream servers say, are no guest's to tell.
            rules.append(f"ct direction original ct reply {family} saddr {_braces(ours)} ct state related accept")
    rules.append(  # one device must not use up what the portal can hold; a client tries again by itself
        f"tcp dport {_braces(config.portal_ports)} ct state new"
        f" add @portal_users {{ ether saddr ct count over {MOST_CONNECTIONS} }} drop"
    )
    for daddr, _, own in _families(config):
        rules.append(f"{daddr} {own} tcp dport {_braces(tcp)} accept")
        rules.append(f"{daddr} {own} udp dport {_braces(udp)} accept")
    rules += [f"meta mark != 0 tcp dport {port} accept" for port in _dns_tls(config)]
    return [*rules, "meta l4proto tcp reject with tcp reset", "counter drop"]


def _from_guest(config: FirewallConfig) -> list[str]:
    refuse = "reject with icmpx admin-prohibited"
    closed = "853" if not config.local_time_server else "{ 123, 853 }"
    return [
        f"oifname {_guests(config)} drop",
        "meta mark 0 meta l4proto tcp reject with tcp reset",  # fails at once instead of hanging; cuts downloads
        f"meta mark 0 meta l4proto udp {refuse}",
        "meta mark 0 drop",
        "ct state invalid drop",
        f"ip daddr @protected4 {refuse}",
        f"ip6 daddr @protected6 {refuse}",
        "tcp dport { 53, 853 } reject with tcp reset",
        f"udp dport 53 {refuse}",
        f"udp dport {closed} {refuse}",
        # Port 53 to them has been led to our own resolver before it comes here; what is left goes round it.
        "ip daddr @encrypted_dns4 meta l4proto tcp reject with tcp reset",
        f"ip daddr @encrypted_dns4 meta l4proto udp {refuse}",
        "ip6 daddr @encrypted_dns6 meta l4proto tcp reject with tcp reset",
        f"ip6 daddr @encrypted_dns6 meta l4proto udp {refuse}",
        f'oifname "{config.uplink}" update @{SENT} {{ iifname . ether saddr }}',
        f'oifname "{config.uplink}" accept',
        "counter drop",
    ]


def _forward(config: FirewallConfig) -> list[str]:
    guests, uplink = _guests(config), config.uplink
    return [
        f"iifname {guests} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
        f"oifname {guests} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
        f"iifname {guests} jump from_guest",
        f'iifname "{uplink}" oifname {guests} ct state established,related meta mark set {TO_GUEST_MARK} accept',
        "counter",
    ]


def _source_nat(config: FirewallConfig) -> list[str]:
    if not config.nat:
        return []
    return [f'iifname {_guests(config)} oifname "{config.uplink}" meta nfproto ipv4 masquerade']


def _dns_tls(config: FirewallConfig) -> tuple[int, ...]:
    return () if config.dns_tls_port is None else (config.dns_tls_port,)


def _families(config: FirewallConfig) -> list[tuple[str, str, str]]:
    """For each family with a guest address: its `daddr` expression, its dnat target, and all our addresses in it."""
    found = []
    if config.address4:
        found.append(("ip daddr", f"ip to {config.address4}", _braces(_own4(config))))
    if config.address6:
        found.append(("ip6 daddr", f"ip6 to [{config.address6}]", _braces(_own6(config))))
    return found


def _own4(config: FirewallConfig) -> list[IPv4Address]:
    return [one for one in config.guest_addresses if isinstance(one, IPv4Address)]


def _own6(config: FirewallConfig) -> list[IPv6Address]:
    return [one for one in config.guest_addresses if isinstance(one, IPv6Address)]


def _guests(config: FirewallConfig) -> str:
    return _braces(f'"{name}"' for name in config.guest_interfaces)


def _braces(items: Iterable[object]) -> str:
    return "{ " + ", ".join(str(item) for item in items) + " }"


def _fill(four: Sequence[IPv4Network], six: Sequence[IPv6Network]) -> list[str]:
    lines = []
    for name, networks in (("protected4", four), ("protected6", six)):
        lines.append(f"flush set {FAMILY} {TABLE} {name}")
        lines.append(f"add element {FAMILY} {TABLE} {name} {_braces(networks)}")
    return lines


def _fill_public_resolvers(config: FirewallConfig) -> list[str]:
    four = tuple(collapse_addresses(encrypted_dns.IPV4)) if config.close_public_resolvers else ()
    six = tuple(collapse_addresses(encrypted_dns.IPV6)) if config.close_public_resolvers else ()
    lines = []
    for name, networks in (("encrypted_dns4", four), ("encrypted_dns6", six)):
        lines.append(f"flush set {FAMILY} {TABLE} {name}")
        if networks:
            lines.append(f"add element {FAMILY} {TABLE} {name} {_braces(networks)}")
    return lines
