"""The sample for systemd-networkd, with a real one: a guest gets its address and the captive-portal URI from it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.announcement_files import FILES
from tests.lab import topology as net
from tests.lab.world import API_URI, PROJECT, World

NETWORKD = Path("/lib/systemd/systemd-networkd")
# Without udev, as in a container, networkd takes interfaces as they are; it knows that by a /sys that is read-only.
RUN = "mount -t sysfs -o ro sysfs /sys && mkdir -p /run/systemd && exec {networkd}"


def test_networkd_takes_the_sample_and_announces_what_the_drop_in_says(world: World) -> None:
    why = None if NETWORKD.exists() else f"{NETWORKD} is not installed"
    if os.geteuid() != 0:
        why = why or "systemd-networkd becomes a user of its own, which only root can"
    if why is not None:
        if os.environ.get("CI") and os.geteuid() == 0:
            pytest.fail(why)
        pytest.skip(why)
    folder = world.directory / "network"
    (folder / "guest0.network.d").mkdir(parents=True)
    (folder / "guest0.network").write_text((PROJECT / "deploy" / "announce" / "guest0.network").read_text())
    (folder / "guest0.network.d" / "gjestenett.conf").write_text(FILES["networkd.conf"](API_URI))
    (world.directory).chmod(0o755)  # networkd reads it as a user of its own
    world.run("gateway", "sh", "-c", f"mkdir -p /run/systemd && cp -r {folder} /run/systemd/network")
    world.run("gateway", "ip", "address", "flush", "dev", net.GUEST_IF, "scope", "global")
    with (world.directory / "networkd.log").open("w") as log:
        world.popen("gateway", "unshare", "-m", "sh", "-c", RUN.format(networkd=NETWORKD), stdout=log, stderr=log)
        world.until(lambda: "fd77::1/64" in _addresses(world), "networkd to set up the guest side", 20)
        lease = world.join("guest1")
    assert lease["captive_portal_uri"] == API_URI
    assert lease["router"] == net.GUEST4
    said = (world.directory / "networkd.log").read_text()
    assert "Unknown" not in said, said
    assert "Failed to parse" not in said, said


def _addresses(world: World) -> str:
    return world.run("gateway", "ip", "address", "show", "dev", net.GUEST_IF).stdout
