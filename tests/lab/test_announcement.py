"""The captive-portal URI on its three ways to a guest, and withheld while the certificate is no good; renewal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from gateway.announcement_files import FILES
from tests.lab.product import PORTAL, Product
from tests.lab.world import API_URI, PROJECT, World

pytestmark = pytest.mark.timeout(300)
GUEST = "guest1"


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    """The product, which also sends router advertisements, beside a dnsmasq that does too."""
    with Product(world, enforcement="advertise_portal = true") as product:
        _start_dhcp(product)
        world.join(GUEST)
        yield product


def _start_dhcp(product: Product) -> None:
    announced = product.state / "announce" / "dnsmasq.conf"
    product.world.until(announced.exists, "the file for dnsmasq", 20)
    product.world.start_dhcp(announced=announced)


def _told(product: Product) -> dict[str, str | None]:
    """The URI as the guest gets it: DHCPv4 114, DHCPv6 103, RA 37."""
    lease = product.world.join(GUEST)
    others = json.loads(product.world.run(GUEST, sys.executable, "-m", "tests.lab.announced").stdout)
    return {"dhcp4": lease.get("captive_portal_uri"), **others}


def _default_route(product: Product) -> str:
    return product.world.run(GUEST, "ip", "-6", "route", "show", "default").stdout


def test_the_same_uri_comes_on_all_three_ways_and_is_the_one_that_answers(product: Product) -> None:
    assert _told(product) == dict.fromkeys(("dhcp4", "dhcp6", "ra"), API_URI)
    assert "via fe80::" in _default_route(product)  # our advertisement takes no router away
    head = product.curl(GUEST, API_URI, "--include").body.lower()
    assert "content-type: application/captive+json" in head
    assert "cache-control: private" in head
    for wanted in ("*/*", "application/captive+json", "text/html, application/json;q=0.1"):
        assert json.loads(product.curl(GUEST, API_URI, "--header", f"Accept: {wanted}").body)["captive"] is True
    assert product.curl(GUEST, f"{PORTAL}/status", follow=True).status == 200  # venue-info-url, before


def test_the_sender_may_read_and_write_frames_and_nothing_else(product: Product) -> None:
    [pid] = product.pids("watch")
    told = product.world.run("gateway", "grep", "-E", "^(CapEff|CapBnd|NoNewPrivs)", f"/proc/{pid}/status").stdout
    assert told.split() == ["CapEff:", f"{1 << 13:016x}", "CapBnd:", f"{1 << 13:016x}", "NoNewPrivs:", "1"]


def test_without_a_valid_certificate_it_is_withheld_and_a_renewed_one_brings_it_back_with_no_restart(
    product: Product,
) -> None:
    announced = product.state / "announce" / "dnsmasq.conf"
    before = {service: product.pids(service) for service in ("portal", "jobs", "watch")}
    product.certify(lasts=timedelta(hours=-1))
    product.world.until(lambda: not announced.read_text(), "the URI withheld", 15)
    product.world.until(lambda: product.curl(GUEST, API_URI).status == 0, "the portal to show what it was given", 15)
    _start_dhcp(product)
    assert _told(product) == dict.fromkeys(("dhcp4", "dhcp6", "ra"))
    shown = product.cli("announce", "--json", check=False)
    assert (shown.returncode, json.loads(shown.stdout)["withheld"]) == (1, "expired")
    assert "renew it" in shown.stderr

    product.certify()
    product.world.until(lambda: API_URI in announced.read_text(), "the URI back", 15)
    product.world.until(lambda: product.curl(GUEST, API_URI).status == 200, "the renewed certificate", 15)
    _start_dhcp(product)
    assert _told(product) == dict.fromkeys(("dhcp4", "dhcp6", "ra"), API_URI)
    assert {service: product.pids(service) for service in before} == before


@pytest.mark.parametrize("uri", [API_URI, None], ids=["announced", "withheld"])
@pytest.mark.parametrize("server", ["kea-dhcp4", "kea-dhcp6"])
def test_kea_takes_the_sample(product: Product, server: str, uri: str | None) -> None:
    _need(server)
    folder = product.folder / "kea"
    folder.mkdir(exist_ok=True)
    (folder / f"{server}.json").write_text(FILES[f"{server}.json"](uri))
    sample = (PROJECT / "deploy" / "announce" / f"{server}.conf").read_text()
    config = folder / f"{server}.conf"
    config.write_text(sample.replace("/var/lib/gjestenett/announce", str(folder)))
    done = product.world.run("gateway", "env", f"KEA_PIDFILE_DIR={folder}", server, "-t", str(config), check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_radvd_takes_the_sample(product: Product) -> None:
    _need("radvd")
    sample = (PROJECT / "deploy" / "announce" / "radvd.conf").read_text()
    version = product.world.run("gateway", "sh", "-c", "radvd --version; true")
    told = (version.stdout + version.stderr).split("Version:")[1].split()[0]
    if tuple(map(int, told.split(".")[:2])) < (2, 20):  # the sample says that the line needs 2.20
        sample = "".join(line for line in sample.splitlines(keepends=True) if 'AdvCaptivePortalAPI "' not in line)
    config = product.folder / "radvd.conf"
    config.write_text(sample)
    done = product.world.run("gateway", "radvd", "-c", "-C", str(config), check=False)
    assert done.returncode == 0, done.stderr


def test_dnsmasq_takes_the_sample(product: Product) -> None:
    sample = (PROJECT / "deploy" / "dnsmasq.conf").read_text()
    config = product.folder / "dnsmasq.conf"
    config.write_text(sample.replace("/var/lib/gjestenett", str(product.state)))
    done = product.world.run("gateway", "dnsmasq", "--test", f"--conf-file={config}", check=False)
    assert done.returncode == 0, done.stderr


def _need(program: str) -> None:
    if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is missing")
        pytest.skip(f"{program} is not installed")
