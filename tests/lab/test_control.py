"""What IT does to a device or a network, as guests meet it: blocked, all closed, open to everybody, and counted."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import MUNICIPAL_ZONE
from tests.lab import topology as net
from tests.lab.product import PORTAL, Product
from tests.lab.world import World

pytestmark = pytest.mark.timeout(300)
CHECK = "http://connectivitycheck.gstatic.com/generate_204"
WITHIN_S = 15.0  # the lab's machine may be busy; the feed itself takes 50 ms
SITES = (net.SITE4, net.SITE6)


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    with Product(world) as running:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
        yield running


@pytest.fixture(autouse=True)
def as_usual(product: Product) -> Iterator[None]:
    """Both devices held and not blocked, the network as usual, before and after."""
    yield
    product.cli("networks", "outage", net.GUEST_IF, "normal", check=False)
    for mac in net.GUESTS.values():
        product.cli("devices", "unblock", mac, check=False)
    for grant in json.loads(product.cli("grants", "list", "--json").stdout):
        product.cli("grants", "revoke", grant["grant"])


def later(hours: float = 2) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).astimezone(MUNICIPAL_ZONE).strftime("%Y-%m-%dT%H:%M")


def switch(product: Product, state: str) -> None:
    product.cli(
        "networks", "outage", net.GUEST_IF, state, "--until", later(), "--reason", "a test",
        "--notice", "nb=Nettet er stengt for arbeid", "--notice", "en=Closed for maintenance",
    )  # fmt: skip


def online(product: Product, guest: str) -> None:
    assert product.accept(guest).status == 303
    product.until_online(guest)
    assert all(product.reaches(guest, site) for site in SITES)


def endless(product: Product, guest: str, site: str) -> subprocess.Popen[str]:
    """A download that runs."""
    received = product.world.directory / f"endless-{guest}-{site.replace(':', '-')}"
    host = f"[{site}]" if ":" in site else site
    received.unlink(missing_ok=True)
    download = product.world.popen(guest, "curl", "-s", "-o", str(received), f"http://{host}/endless")
    product.world.until(lambda: received.exists() and received.stat().st_size > 50_000, "the download to run")
    assert download.poll() is None
    return download


def is_shut(product: Product, guest: str) -> bool:
    """Nothing passes over either family, the phone's check leads to the portal, and the API says captive."""
    check = product.curl(guest, CHECK)
    return (
        not any(product.reaches(guest, site) for site in SITES)
        and (check.status, check.location) == (302, f"{PORTAL}/")
        and product.capport(guest)["captive"] is True
    )


def test_a_blocked_device_is_shut_off_at_once_and_stays_so(product: Product) -> None:
    online(product, "guest1")
    downloads = [endless(product, "guest1", site) for site in SITES]
    product.cli("devices", "block", net.GUESTS["guest1"], "--reason", "spam", "--tell", "Ring IKT på 61 00 00 00")
    assert [download.wait(WITHIN_S) for download in downloads] == [56, 56]  # reset
    assert is_shut(product, "guest1")
    page = product.curl("guest1", CHECK, follow=True)
    assert "Ring IKT på 61 00 00 00" in page.body
    assert "spam" not in page.body
    assert 'name="name"' not in page.body
    assert "sperr" not in product.curl("guest2", f"{PORTAL}/").body.lower()
    for path in ("/form", "/return", "/status", "/add"):
        product.curl("guest1", f"{PORTAL}{path}", follow=True)
    assert is_shut(product, "guest1")

    assert product.cli("devices", "unblock", net.GUESTS["guest1"]).returncode == 0
    online(product, "guest1")


def test_a_form_that_was_open_before_the_block_is_not_accepted(product: Product) -> None:
    from tests.lab.product import form_fields

    fields = form_fields(product.curl("guest2", f"{PORTAL}/form").body) | {"name": "Kari Nordmann"}
    product.cli("devices", "block", net.GUESTS["guest2"], "--reason", "spam")
    data = [part for key, value in fields.items() for part in ("--data-urlencode", f"{key}={value}")]
    answer = product.curl("guest2", f"{PORTAL}/accept", *data)
    assert (answer.status, answer.location) == (303, f"{PORTAL}/")
    assert json.loads(product.cli("grants", "list", "--json").stdout) == []
    assert is_shut(product, "guest2")


def test_a_closed_network_lets_nobody_through_tells_why_and_gives_access_back(product: Product) -> None:
    online(product, "guest1")
    downloads = [endless(product, "guest1", site) for site in SITES]
    switch(product, "closed")
    assert [download.wait(WITHIN_S) for download in downloads] == [56, 56]
    for guest in net.GUESTS:
        assert is_shut(product, guest)
        page = product.curl(guest, CHECK, follow=True)
        assert "Nettet er stengt for arbeid" in page.body
        assert 'name="name"' not in page.body
        assert "Closed for maintenance" in product.curl(guest, f"{PORTAL}/", language="en").body
        assert "Nettet er stengt for arbeid" in product.curl(guest, f"{PORTAL}/", language="de").body
    [network] = json.loads(product.cli("networks", "list", "--json").stdout)
    assert (network["state"], network["applied"]) == ("closed", True)

    [old] = product.pids("enforcer")
    product.kill("enforcer")  # the kernel keeps it, and another enforcer finds it again
    assert not any(product.reaches(guest, site) for guest in net.GUESTS for site in SITES)
    product.world.until(lambda: product.pids("enforcer") not in ([], [old]), "the enforcer again", 60)
    assert is_shut(product, "guest1")

    product.cli("networks", "outage", net.GUEST_IF, "normal")
    product.world.until(lambda: product.reaches("guest1"), "access again, without accepting anew", WITHIN_S)
    assert product.capport("guest1")["captive"] is False
    assert is_shut(product, "guest2")


def test_an_open_network_lets_everybody_through_but_blocked_devices(product: Product) -> None:
    product.cli("devices", "block", net.GUESTS["guest2"], "--reason", "spam")
    switch(product, "rules-only")
    product.world.until(lambda: all(product.reaches("guest1", site) for site in SITES), "everybody through", WITHIN_S)
    product.world.until(lambda: product.capport("guest1")["captive"] is False, "the API to say so", WITHIN_S)
    assert product.curl("guest1", CHECK).status == 204
    assert "0.0.0.0" in product.dig("guest1", "store.steampowered.com")  # under the network's own policy
    assert not product.reaches("guest1", net.INSIDE4)
    page = product.curl("guest1", f"{PORTAL}/")
    assert "Nettet er stengt for arbeid" in page.body
    assert 'name="name"' not in page.body
    assert json.loads(product.cli("grants", "list", "--json").stdout) == []
    assert is_shut(product, "guest2")

    downloads = [endless(product, "guest1", site) for site in SITES]
    product.kill("enforcer")  # the kernel goes on
    assert product.reaches("guest1")
    product.world.until(lambda: bool(product.pids("enforcer")), "the enforcer again", 60)
    product.cli("networks", "outage", net.GUEST_IF, "normal")
    assert [download.wait(60) for download in downloads] == [56, 56]
    product.world.until(lambda: is_shut(product, "guest1"), "the portal again", WITHIN_S)


def test_octets_are_counted_by_grant_in_both_directions(product: Product) -> None:
    online(product, "guest1")
    wanted = 400_000
    for site in SITES:
        host = f"[{site}]" if ":" in site else site
        script = f"curl -s http://{host}/endless | head -c {wanted} | wc -c"
        assert product.world.run("guest1", "sh", "-c", script).stdout.strip() == str(wanted)
    deadline = time.monotonic() + 45

    def counted() -> dict[str, int]:
        [grant] = json.loads(product.cli("grants", "list", "--json").stdout)
        assert isinstance(grant, dict)
        return grant

    while counted()["received"] < 2 * wanted:
        assert time.monotonic() < deadline, counted()
        time.sleep(1)
    found = counted()
    assert 2 * wanted <= found["received"] < 20 * wanted  # what is under way when the reader stops comes on top
    assert 0 < found["sent"] < found["received"]
