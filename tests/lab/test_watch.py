"""The sender of router advertisements on a real link: guests get the option, and no router comes or goes by it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from subprocess import PIPE

import pytest

from tests.lab import topology as net
from tests.lab.product import HOSTNAME
from tests.lab.world import API_URI, World

GUEST = "guest1"
SETTINGS = """
[portal]
hostname = "{host}"
tls_certificate = "{folder}/portal.pem"
tls_key = "{folder}/portal.key"
[enforcement]
enabled = true
guest_interfaces = ["{interface}"]
"""


@pytest.fixture
def watch(world: World) -> Iterator[Callable[[], None]]:
    """Starts the service; the guest's kernel begins without a router each time."""
    folder, started = world.directory, []
    world.authority.issue([HOSTNAME], folder / "portal.pem", folder / "portal.key")
    config = folder / "gjestenett.toml"
    config.write_text(SETTINGS.format(host=HOSTNAME, folder=folder, interface=net.GUEST_IF))
    world.run(GUEST, "ip", "-6", "route", "flush", "default")

    def start() -> None:
        command = (sys.executable, "-m", "gateway.cli", "--config", str(config), "watch")
        with (folder / "watch.log").open("a") as log:
            # nsenter stays outside, so the service is ended by the pipe that it has as its standard input
            ended = ("sh", "-c", '"$@" & cat; kill $!; wait', "sh", *command)
            started.append(world.popen("gateway", *ended, stdin=PIPE, stdout=log, stderr=log))

    yield start
    for process in started:
        process.communicate(timeout=30)
    world.stop_dhcp()


def listen(world: World) -> subprocess.Popen[str]:
    """A guest that asks nothing and takes what comes."""
    listening = world.popen(GUEST, sys.executable, "-m", "tests.lab.announced", "--listen")
    assert listening.stdout is not None
    assert listening.stdout.readline() == "listening\n"
    return listening


def heard(listening: subprocess.Popen[str]) -> str | None:
    uri: str | None = json.loads(listening.communicate(timeout=60)[0])["ra"]
    return uri


def has_router(world: World) -> bool:
    return "via fe80::" in world.run(GUEST, "ip", "-6", "route", "show", "default").stdout


def test_where_no_program_here_advertises_the_uri_comes_from_nobodys_router(
    world: World, watch: Callable[[], None]
) -> None:
    listening = listen(world)
    watch()
    assert heard(listening) == API_URI
    assert not has_router(world)


def test_a_sender_that_begins_knowing_no_router_takes_none_from_the_guests(
    world: World, watch: Callable[[], None]
) -> None:
    """As after a restart: it tells the URI at once, and a lifetime of 0 from the router's address would unroute all."""
    world.start_dhcp()
    world.join(GUEST)
    world.until(lambda: has_router(world), "the router")
    listening = listen(world)
    watch()
    assert heard(listening) == API_URI
    assert has_router(world)


def test_it_follows_the_routers_own_advertisement_and_repeats_its_lifetime(
    world: World, watch: Callable[[], None]
) -> None:
    listening = listen(world)
    watch()
    assert heard(listening) == API_URI
    world.start_dhcp()
    world.join(GUEST)
    asked = world.run(GUEST, sys.executable, "-m", "tests.lab.announced", timeout_s=60).stdout
    assert json.loads(asked)["ra"] == API_URI
    assert has_router(world)
