"""DNS over TLS in the lab: a guest's device gets the policy of its mark, and nobody else gets in."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from gateway.firewall.ruleset import DNS_HANDSHAKES_BURST, DNS_HANDSHAKES_PER_S, MOST_DNS_CONNECTIONS
from tests.lab import topology as net
from tests.lab.product import CONSOLE_PORT, HOSTNAME, PORTAL, Product
from tests.lab.world import World

OPEN = """
import select, socket, sys, time
hold, held, opened = sys.argv[1] == "hold", [], 0
began = time.monotonic()
for number in range(60):
    host = sys.argv[2 + number % 2]
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.setblocking(False)
    s.connect_ex((host, 853))
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    opened += [events for _, events in poll.poll(40)] == [select.POLLOUT]
    held.append(s)
    if not hold:
        s.close()
print(opened, time.monotonic() - began, flush=True)
"""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    """The product, with a guest that has joined; its policies come from marks alone (`dns.sources` is empty)."""
    with Product(world) as running:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
        yield running


def dig(product: Product, guest: str, name: str, server: str) -> str:
    tls = ("+tls", f"+tls-ca={product.ca}", f"+tls-hostname={HOSTNAME}", "+tries=1", "+time=3", "+nocookie")
    return product.world.run(guest, "dig", *tls, f"@{server}", name, check=False).stdout


def test_dns_over_tls_follows_the_mark_and_is_counted(product: Product) -> None:
    for server in (net.GUEST4, net.GUEST6):
        assert "connection refused" in dig(product, "guest1", "www.example.com", server)  # has not accepted
    assert product.accept("guest1").location == f"{PORTAL}/status"
    product.until_online("guest1")
    for server in (net.GUEST4, net.GUEST6):
        assert f"IN\tA\t{net.SITE4}" in dig(product, "guest1", "www.example.com", server)
        refused = dig(product, "guest1", "store.steampowered.com", server)
        assert "IN\tA\t0.0.0.0" in refused
        assert "(gaming)" in refused
        assert "connection refused" in dig(product, "guest2", "www.example.com", server)
    for server in (net.RESOLVER4, net.RESOLVER6):  # round the gateway there is no way
        assert "refused" in dig(product, "guest1", "www.example.com", server)
    product.world.until(lambda: 'event="accepted",transport="tls"' in metrics(product), "the figures", 20)
    assert 'category="gaming",group="default",outcome="refused"' in metrics(product)
    assert "steampowered" not in metrics(product)

    grant = product.cli("grants", "list").stdout.splitlines()[1].split()[0]
    product.cli("grants", "revoke", grant)
    product.world.until(
        lambda: "connection refused" in dig(product, "guest1", "www.example.com", net.GUEST4), "a closed door"
    )


def test_a_device_is_one_device_by_whatever_address_it_asks(product: Product) -> None:
    """Top names count devices: the kernel's neighbour table says which, for both families and privacy addresses."""
    world = product.world
    world.run("guest1", "ip", "-6", "address", "add", "2001:db8:77::abcd/64", "dev", "eth0", "nodad")
    addresses = [world.address4("guest1"), world.address6("guest1"), "2001:db8:77::abcd", world.address4("guest2")]
    for address in addresses[:3]:
        server = net.GUEST6 if ":" in str(address) else net.GUEST4
        world.run("guest1", "dig", "+tries=2", "+time=2", "-b", str(address), f"@{server}", "www.example.com")
    world.run("guest2", "dig", "+tries=2", "+time=2", f"@{net.GUEST4}", "www.example.com")
    script = (
        "import sys, time; from ipaddress import ip_address; from gateway.dns.top_names import Devices;"
        "devices = Devices(time.monotonic);"
        "print(*[(devices.identify(ip_address(one).packed) or b'').decode() for one in sys.argv[1:]])"
    )
    told = world.run("gateway", sys.executable, "-c", script, *map(str, addresses)).stdout.split()
    assert told == [net.GUESTS["guest1"]] * 3 + [net.GUESTS["guest2"]]


@pytest.mark.parametrize("how", ["hold", "close"])
def test_one_device_holds_few_connections_and_shakes_hands_seldom(product: Product, how: str) -> None:
    world = product.world
    if how == "hold":
        assert product.accept("guest2").location == f"{PORTAL}/status"
        product.until_online("guest2")
    else:
        time.sleep(DNS_HANDSHAKES_BURST / DNS_HANDSHAKES_PER_S + 5)  # the bucket is full, and what was held is gone
    told = world.run("guest2", sys.executable, "-c", OPEN, how, net.GUEST4, net.GUEST6, timeout_s=60).stdout.split()
    opened, took_s = int(told[0]), float(told[1])
    if how == "hold":
        assert MOST_DNS_CONNECTIONS - 4 <= opened <= MOST_DNS_CONNECTIONS
    else:
        assert DNS_HANDSHAKES_BURST - 4 <= opened <= DNS_HANDSHAKES_BURST + DNS_HANDSHAKES_PER_S * took_s + 1


def metrics(product: Product) -> str:
    return product.world.run("gateway", "curl", "-sk", f"https://127.0.0.1:{CONSOLE_PORT}/metrics").stdout
