"""Addresses of well-known public resolvers: what a device on the guest network would use to go round ours.

Written from the operators' own published set-up pages. Only addresses that serve nothing but resolution: none of a
shared content network. Port 53 is led to our own resolver for every address anyway; these close the encrypted ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType

_BY_OPERATOR = {
    "Google Public DNS": "8.8.8.8 8.8.4.4 2001:4860:4860::8888 2001:4860:4860::8844 2001:4860:4860::6464 "
    "2001:4860:4860::64",
    "Cloudflare": "1.1.1.1 1.0.0.1 1.1.1.2 1.0.0.2 1.1.1.3 1.0.0.3 2606:4700:4700::1111 2606:4700:4700::1001 "
    "2606:4700:4700::1112 2606:4700:4700::1002 2606:4700:4700::1113 2606:4700:4700::1003 2606:4700:4700::64 "
    "2606:4700:4700::6400",
    "Quad9": "9.9.9.9 149.112.112.112 9.9.9.10 149.112.112.10 9.9.9.11 149.112.112.11 9.9.9.12 149.112.112.12 "
    "2620:fe::fe 2620:fe::9 2620:fe::10 2620:fe::fe:10 2620:fe::11 2620:fe::fe:11 2620:fe::12 2620:fe::fe:12",
    "OpenDNS": "208.67.222.222 208.67.220.220 208.67.222.123 208.67.220.123 208.67.222.2 208.67.220.2 "
    "2620:119:35::35 2620:119:53::53 2620:119:35::123 2620:119:53::123 2620:0:ccc::2 2620:0:ccd::2",
    "AdGuard DNS": "94.140.14.14 94.140.15.15 94.140.14.15 94.140.15.16 94.140.14.140 94.140.14.141 "
    "2a10:50c0::ad1:ff 2a10:50c0::ad2:ff 2a10:50c0::bad1:ff 2a10:50c0::bad2:ff 2a10:50c0::1:ff 2a10:50c0::2:ff",
    "CleanBrowsing": "185.228.168.9 185.228.169.9 185.228.168.10 185.228.169.11 185.228.168.168 185.228.169.168 "
    "2a0d:2a00:1::2 2a0d:2a00:2::2 2a0d:2a00:1:: 2a0d:2a00:2:: 2a0d:2a00:1::1 2a0d:2a00:2::1",
    "NextDNS": "45.90.28.0/22 2a07:a8c0::/32 2a07:a8c1::/32",
    "Control D": "76.76.2.0/24 76.76.10.0/24 2606:1a40::/48 2606:1a40:1::/48",
    "Mullvad": "194.242.2.0/28 2a07:e340::/64",
    "DNS0.EU": "193.110.81.0/24 185.253.5.0/24 2a0f:fc80::/32 2a0f:fc81::/32",
    "DNS4EU": "86.54.11.0/24",
    "Level3": "4.2.2.1 4.2.2.2 4.2.2.3 4.2.2.4 4.2.2.5 4.2.2.6",
    "Verisign, UltraDNS": "64.6.64.6 64.6.65.6 156.154.70.0/24 156.154.71.0/24",
    "Alibaba": "223.5.5.5 223.6.6.6 2400:3200::1 2400:3200:baba::1",
    "DNSPod": "119.29.29.29 1.12.12.12 120.53.53.53",
    "Yandex": "77.88.8.8 77.88.8.1 77.88.8.88 77.88.8.2 77.88.8.7 77.88.8.3 2a02:6b8::feed:ff 2a02:6b8:0:1::feed:ff",
    "Comodo": "8.26.56.26 8.20.247.20",
    "DNS.WATCH": "84.200.69.80 84.200.70.40 2001:1608:10:25::1c04:b12f 2001:1608:10:25::9249:d69b",
    "Digitalcourage": "5.9.164.112",
    "UncensoredDNS": "91.239.100.100 89.233.43.71 2001:67c:28a4:: 2a01:3a0:53:53::",
    "Applied Privacy": "146.255.56.98 2a01:4f8:c0c:83ed::1",
    "Switch": "130.59.31.248 130.59.31.251 2001:620:0:ff::2 2001:620:0:ff::3",
    "Hurricane Electric": "74.82.42.42 2001:470:20::2",
}

OPERATORS: Mapping[str, tuple[IPv4Network | IPv6Network, ...]] = MappingProxyType(
    {operator: tuple(ip_network(text) for text in texts.split()) for operator, texts in _BY_OPERATOR.items()}
)
"""Operator → its resolvers' addresses, single ones and whole networks."""

IPV4 = tuple(sorted(net for nets in OPERATORS.values() for net in nets if isinstance(net, IPv4Network)))
IPV6 = tuple(sorted(net for nets in OPERATORS.values() for net in nets if isinstance(net, IPv6Network)))
