"""Who is where in the lab: names, addresses and links, and the commands that build them."""

from __future__ import annotations

from captive_portal.probes import NAME_CHECKS, PROBES

GUESTS = {"guest1": "02:00:00:00:77:01", "guest2": "02:00:00:00:77:02"}
NAMESPACES = ("gateway", *GUESTS, "internet", "inside", "mgmt")

GUEST_IF, UPLINK_IF, INSIDE_IF, MGMT_IF = "guest0", "uplink0", "inside0", "mgmt0"
GATEWAY_MAC = "02:00:00:00:77:fe"
GUEST4, GUEST6 = "10.77.0.1", "2001:db8:77::1"
UPLINK4, UPLINK6 = "198.51.100.2", "2001:db8:fe::2"
INSIDE4, INSIDE_PUBLIC4, INSIDE6 = "10.20.0.10", "192.0.2.10", "2001:db8:20::10"
MGMT4, MGMT_GATEWAY4 = "172.31.0.2", "172.31.0.1"
DHCP_RANGE4 = ("10.77.0.50", "10.77.0.150")

PROBE4, PROBE6 = "203.0.113.10", "2001:db8:ffff::10"  # connectivity checks
SITE4, SITE6 = "203.0.113.80", "2001:db8:ffff::80"  # an ordinary site
GAME4, GAME6 = "203.0.113.81", "2001:db8:ffff::81"  # a gaming site
RESOLVER4, RESOLVER6 = "203.0.113.53", "2001:db8:ffff::53"
INTERNET = (PROBE4, PROBE6, SITE4, SITE6, GAME4, GAME6)

HOSTS = {  # what the lab's resolver knows
    **{probe.host: (PROBE4, PROBE6) for probe in PROBES},
    **{check.name: check.addresses for check in NAME_CHECKS},
    "www.example.com": (SITE4, SITE6),
    "example.org": (SITE4, SITE6),
    "store.steampowered.com": (GAME4, GAME6),
    "steampowered.com": (GAME4, GAME6),
    "www.tinder.com": (GAME4, GAME6),
}

WILD = "wild.example.net"  # the lab's resolver knows every name under it, as SITE4


def build_script() -> str:
    """One shell script, run as (namespace) root in the holder: namespaces, links, addresses, routes.

    Duplicate address detection is off, so that IPv6 works at once. The guests' bridge ports are isolated from each
    other, as on an access point; the internet has no route back to the guests' IPv4 network, which needs NAT therefore.
    """
    lines = ["set -e"]
    for name in NAMESPACES:
        lines += [
            f"ip netns add {name}",
            f"ip -n {name} link set lo up",
            f"nsenter --net=/run/netns/{name} sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad; "
            "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; "
            "echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits; "
            "echo 1 >/proc/sys/net/ipv6/conf/default/router_solicitation_interval'",
        ]
    lines += [
        f"ip -n gateway link add {GUEST_IF} type bridge mcast_snooping 0 forward_delay 0",
        f"ip -n gateway link set {GUEST_IF} address {GATEWAY_MAC}",
    ]
    for name, mac in GUESTS.items():
        lines += [
            f"ip -n gateway link add {name} type veth peer name eth0 address {mac} netns {name}",
            f"ip -n gateway link set {name} master {GUEST_IF} up",
            f"ip -n gateway link set dev {name} type bridge_slave isolated on",
            f"ip -n {name} link set eth0 up",
        ]
    for name, interface in (("internet", UPLINK_IF), ("inside", INSIDE_IF), ("mgmt", MGMT_IF)):
        lines += [
            f"ip -n gateway link add {interface} type veth peer name eth0 netns {name}",
            f"ip -n gateway link set {interface} up",
            f"ip -n {name} link set eth0 up",
        ]
    lines += [
        f"ip -n gateway address add {GUEST4}/24 dev {GUEST_IF}",
        f"ip -n gateway address add {GUEST6}/64 dev {GUEST_IF} nodad",
        f"ip -n gateway link set {GUEST_IF} up",
        f"ip -n gateway address add {UPLINK4}/30 dev {UPLINK_IF}",
        f"ip -n gateway address add {UPLINK6}/64 dev {UPLINK_IF} nodad",
        f"ip -n gateway address add 10.20.255.1/30 dev {INSIDE_IF}",
        f"ip -n gateway address add 2001:db8:21::1/64 dev {INSIDE_IF} nodad",
        f"ip -n gateway address add {MGMT_GATEWAY4}/24 dev {MGMT_IF}",
        "ip -n internet address add 198.51.100.1/30 dev eth0",
        "ip -n internet address add 2001:db8:fe::1/64 dev eth0 nodad",
        "ip -n inside address add 10.20.255.2/30 dev eth0",
        "ip -n inside address add 2001:db8:21::2/64 dev eth0 nodad",
        f"ip -n mgmt address add {MGMT4}/24 dev eth0",
    ]
    for address in (*INTERNET, RESOLVER4, RESOLVER6):
        lines.append(f"ip -n internet address add {address}/{128 if ':' in address else 32} dev lo")
    lines += [
        *(f"ip -n inside address add {address}/32 dev lo" for address in (INSIDE4, INSIDE_PUBLIC4)),
        f"ip -n inside address add {INSIDE6}/128 dev lo",
        "ip -n inside route add default via 10.20.255.1",
        "ip -n inside -6 route add default via 2001:db8:21::1",
        "ip -n internet -6 route add 2001:db8:77::/64 via 2001:db8:fe::2",
        "ip -n gateway route add default via 198.51.100.1",
        "ip -n gateway -6 route add default via 2001:db8:fe::1",
        "ip -n gateway route add 10.20.0.0/24 via 10.20.255.2",
        "ip -n gateway route add 192.0.2.0/24 via 10.20.255.2",
        "ip -n gateway -6 route add 2001:db8:20::/64 via 2001:db8:21::2",
        "ip -n mgmt route add default via 172.31.0.1",
    ]
    return "\n".join(lines) + "\n"
