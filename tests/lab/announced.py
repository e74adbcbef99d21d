"""What a guest's device is told of the captive portal: `python -m tests.lab.announced`, on a guest; prints JSON.

`dhcp6`: option 103 of the answer to a DHCPv6 information-request (RFC 8415 §18.2.6). `ra`: option 37 as the device's
own kernel took it from router advertisements and passed it on, after a router solicitation; null: none came in time.
With `--listen` nothing is asked, and only `ra` is told.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time

INTERFACE = "eth0"
PATIENCE_S = 4.0
OPTION_DHCP6, OPTION_RA = 103, 37
_ND_USEROPT_GROUP, _RTM_NEWNDUSEROPT, _ROUTER_ADVERT = 20, 68, 134
_SERVERS, _ROUTERS = "ff02::1:2", "ff02::2"


def by_dhcp6() -> str | None:
    """Ask as a device that has its address from elsewhere."""
    index = socket.if_nametoindex(INTERFACE)
    transaction = b"\x07\x17\x27"
    client = struct.pack("!HHHH", 1, 8, 3, 1) + b"\x02\x00\x00\x00"  # DUID-LL, shortened
    wanted = struct.pack("!HHHH", 6, 4, 23, OPTION_DHCP6)
    elapsed = struct.pack("!HHH", 8, 2, 0)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        asking.bind(("::", 546))
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            asking.sendto(b"\x0b" + transaction + client + wanted + elapsed, (_SERVERS, 547, 0, index))
            try:
                answer = asking.recv(4096)
            except TimeoutError:
                continue
            if answer[:4] == b"\x07" + transaction:
                return _option(answer[4:])
    return None


def _option(options: bytes) -> str | None:
    while len(options) >= 4:
        code, size = struct.unpack_from("!HH", options)
        if code == OPTION_DHCP6:
            return options[4 : 4 + size].decode("ascii")
        options = options[4 + size :]
    return None


def by_router(*, asks: bool = True) -> str | None:
    """Ask for routers, or only listen, to what the kernel has to say about their advertisements."""
    index = socket.if_nametoindex(INTERFACE)
    with (
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel,
        socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as asking,
    ):
        kernel.bind((0, 1 << (_ND_USEROPT_GROUP - 1)))
        asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        if asks:
            asking.sendto(struct.pack("!BBHI", 133, 0, 0, 0), (_ROUTERS, 0, 0, index))
        else:
            print("listening", flush=True)
        deadline = time.monotonic() + PATIENCE_S * (1 if asks else 5)
        while (left_s := deadline - time.monotonic()) > 0:
            if not select.select([kernel], [], [], left_s)[0]:
                break
            message = kernel.recv(65536)
            _, kind, _, _, _ = struct.unpack_from("=IHHII", message)
            _, _, size, of, icmp, _, _, _ = struct.unpack_from("=BBHiBBHI", message, 16)
            option = message[32 : 32 + size]
            if (kind, of, icmp, option[:1]) == (_RTM_NEWNDUSEROPT, index, _ROUTER_ADVERT, bytes([OPTION_RA])):
                return option[2 : option[1] * 8].rstrip(b"\0").decode("ascii")
    return None


if __name__ == "__main__":
    if sys.argv[1:] == ["--listen"]:
        print(json.dumps({"ra": by_router(asks=False)}))
    else:
        print(json.dumps({"dhcp6": by_dhcp6(), "ra": by_router()}))
