"""Faults while everything runs: what is in force stays in force, nobody is thrown out and nobody let in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import topology as net
from tests.lab.product import PORTAL, SERVICES, Product
from tests.lab.world import World

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    """The product with one guest online and one that has only joined."""
    with Product(world) as running:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
        assert running.accept("guest1").status == 303
        running.until_online("guest1")
        yield running


def refuses_gaming(product: Product) -> bool:
    return "EDE: 15" in product.dig("guest1", "steampowered.com")


def back(product: Product, service: str, before: list[int]) -> None:
    product.world.until(
        lambda: bool(product.pids(service)) and not set(product.pids(service)) & set(before), f"{service} back", 20
    )


def test_only_the_enforcer_has_any_capability(product: Product) -> None:
    for service in SERVICES:
        pid = product.pids(service)[0]
        status = product.world.run("gateway", "cat", f"/proc/{pid}/status").stdout
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        assert (int(fields["CapEff"], 16) != 0) is (service == "enforcer"), service


def test_settings_damaged_while_running_harm_nothing(product: Product) -> None:
    sound = product.config.read_bytes()
    product.config.write_bytes(sound + b"\nportal = [\n")
    try:
        refused = product.cli("config", "check", check=False)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
        for service in ("portal", "dns", "enforcer"):
            before = product.pids(service)
            product.kill(service)
            back(product, service, before)
        product.world.until(lambda: product.curl("guest2", f"{PORTAL}/").status == 200, "the portal", 20)
        product.world.until(lambda: refuses_gaming(product), "the policy", 20)
        assert product.reaches("guest1")
        assert not product.reaches("guest2")
    finally:
        product.config.write_bytes(sound)


def test_a_corrupt_policy_file_leaves_the_old_policy_in_force(product: Product) -> None:
    assert refuses_gaming(product)
    current = product.state / "policy" / "current.snapshot"
    broken = current.with_name("broken")
    broken.write_bytes(current.read_bytes()[:-100] + b"x" * 100)
    broken.replace(current)
    for _ in range(10):
        assert refuses_gaming(product)
    product.world.until(lambda: (product.state / "policy" / "1.snapshot").samefile(current), "it compiled again", 20)
    assert refuses_gaming(product)


def test_with_the_database_gone_guests_stay_and_nobody_new_gets_in(product: Product) -> None:
    database = product.state / "gjestenett.sqlite3"
    away = database.with_name("away.sqlite3")
    form = product.curl("guest2", f"{PORTAL}/")
    assert form.status == 200
    database.rename(away)
    try:
        page = product.curl("guest2", f"{PORTAL}/", "--include")
        assert page.status == 503
        assert "retry-after" in page.body.lower()
        assert product.curl("guest2", "http://www.example.com/").status == 302
        assert refuses_gaming(product)
        assert product.reaches("guest1")
        assert not product.reaches("guest2")
        assert not database.exists()
    finally:
        away.rename(database)
    product.world.until(lambda: product.curl("guest2", f"{PORTAL}/").status == 200, "the portal again", 20)
    assert product.accept("guest2").status == 303
    product.until_online("guest2")
