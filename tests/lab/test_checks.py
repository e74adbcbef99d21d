"""Every operating system's connectivity check, replayed on a guest's device by that system's own rules.

Before acceptance each says "portal" and its login window opens on the form; afterwards each says "online".
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from captive_portal.probes import NAME_CHECKS, PROBES
from tests.lab import topology as net
from tests.lab.product import PORTAL, Product
from tests.lab.verdicts import ASK_THE_API, SYSTEMS
from tests.lab.world import API_URI, World

pytestmark = pytest.mark.timeout(300)
HALVES = (list(SYSTEMS)[::2], list(SYSTEMS)[1::2])  # what one device may ask of DNS before acceptance is bounded


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    """The product, with two guests that have joined; the first accepts in these tests, the second never does."""
    with Product(world) as product:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
        yield product


def test_before_acceptance_every_system_says_portal_and_opens_the_login_window(product: Product) -> None:
    for guest, systems in zip(net.GUESTS, HALVES, strict=True):
        told = product.verdicts(guest, apis=["", API_URI], systems=systems)
        for by_system in told.values():
            assert {name: verdict.says for name, verdict in by_system.items()} == dict.fromkeys(systems, "portal")
        assert {verdict.by for verdict in told[""].values()} == {"probe"}
        by_api = {name: verdict.login for name, verdict in told[API_URI].items() if verdict.by == "api"}
        assert by_api == dict.fromkeys([name for name in systems if name in ASK_THE_API], f"{PORTAL}/")


def test_after_acceptance_every_system_says_online_and_the_device_beside_it_still_portal(product: Product) -> None:
    product.accept("guest1")
    product.until_online("guest1")
    told = product.verdicts("guest1", apis=["", API_URI])
    for by_system in told.values():
        assert {name: verdict.says for name, verdict in by_system.items()} == dict.fromkeys(SYSTEMS, "online")
    assert told[API_URI]["iOS and macOS"].by == "api"
    assert told[API_URI]["Android"].info == f"{PORTAL}/status"
    assert product.curl("guest1", told[API_URI]["Android"].info).status == 200
    beside = product.verdicts("guest2", apis=[API_URI], systems=["Android", "iOS and macOS", "Windows"])
    assert {verdict.says for verdict in beside[API_URI].values()} == {"portal"}


def test_every_row_of_the_table_holds_before_and_after(product: Product) -> None:
    """Also those that no system above asks."""
    if product.capport("guest1")["captive"]:
        product.accept("guest1")
        product.until_online("guest1")
    for probe in PROBES:
        page = product.curl("guest1", probe.url)
        assert (page.status, page.body.strip()) == (probe.online.status, probe.online.body.decode().strip()), probe
        before = product.curl("guest2", probe.url)
        expected = {"redirect": (302, f"{PORTAL}/"), "reset": (0, None)}[probe.before]
        assert (before.status, before.location) == expected, probe


@pytest.mark.parametrize("guest", net.GUESTS)
def test_checks_by_name_alone_have_their_addresses_before_and_after(product: Product, guest: str) -> None:
    for check in NAME_CHECKS:
        for kind, address in zip(("A", "AAAA"), check.addresses, strict=True):
            assert address in product.dig(guest, check.name, kind), (check, kind)
