"""Tunnels through DNS before acceptance: iodine, and one of our own that knows our limits, through the real gateway.

The same tunnels run on an accepted device, for which the limits don't hold: so it is they that stop them.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab import topology as net
from tests.lab.resolver import AUTHORITY4, ResolverLab, resolver_lab
from tests.lab.tunnel import ZONE
from tests.lab.world import LabError, World

pytestmark = pytest.mark.timeout(400)
PASSWORD = "lab"
INSIDE4, OUTSIDE4 = "10.99.0.2", "10.99.0.1"
SINK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 9)); print("ready", flush=True)
total = 0
while True:
    total += len(s.recv(65535))
    open(sys.argv[2], "w").write(str(total))
"""
SOURCE = """
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    s.sendto(os.urandom(200), (sys.argv[1], 9))
    time.sleep(0.05)
"""
SECONDS = 12.0
MOST_BYTES_PER_S = 1000


def _missing() -> str | None:
    absent = [program for program in ("iodine", "iodined") if shutil.which(program, path="/usr/sbin:/usr/bin") is None]
    if absent:
        return f"missing programs: {', '.join(absent)}: install the package iodine"
    return None if Path("/dev/net/tun").exists() else "there is no /dev/net/tun"


_REASON = _missing()


@pytest.fixture(scope="module")
def running(world: World) -> ResolverLab:
    return resolver_lab(world)


@pytest.fixture
def lab(running: ResolverLab) -> ResolverLab:
    running.admit()
    return running


class Iodine:
    """A client on guest1's device and a server on the internet. `through` counts what arrives."""

    def __init__(self, lab: ResolverLab, *options: str) -> None:
        self.lab = lab
        self.server = lab.world.popen(
            "internet", "iodined", "-f", "-c", "-P", PASSWORD, "-l", AUTHORITY4, f"{OUTSIDE4}/24", ZONE, stdout=None
        )
        lab.world.until(lambda: self._has("internet", OUTSIDE4), "iodined")
        # -r: not round the resolver; -I: it must ask this often, or resolvers forget it
        self.log = lab.world.directory / "iodine.log"
        command = ("iodine", "-f", "-r", "-I", "1", "-P", PASSWORD, *options, net.GUEST4, ZONE)
        with self.log.open("w") as log:
            self.client = lab.world.popen("guest1", *command, stdout=log, stderr=log)

    def _has(self, namespace: str, address: str) -> bool:
        return address in self.lab.world.run(namespace, "ip", "-4", "-o", "address").stdout

    def is_up(self, within_s: float) -> bool:
        """Whether the handshake, with whatever the client tries in it, comes to an end with a network interface."""
        try:
            self.lab.world.until(
                lambda: self.client.poll() is not None or self._has("guest1", INSIDE4), "the tunnel", within_s
            )
        except LabError:
            return False
        return self.client.poll() is None

    def through(self, sender: str, receiver: str, address: str) -> float:
        """Bytes a second that arrive in `receiver` at `address` of what `sender` sends."""
        count = self.lab.world.directory / f"sink-{receiver}"
        count.write_text("0")
        limit = ("timeout", str(SECONDS + 5))
        sink = self.lab.world.popen(receiver, *limit, sys.executable, "-c", SINK, address, str(count))
        assert sink.stdout is not None
        assert sink.stdout.readline().strip() == "ready"
        started = time.monotonic()
        self.lab.world.run(sender, sys.executable, "-c", SOURCE, address, str(SECONDS), timeout_s=60)
        took_s = time.monotonic() - started
        sink.wait(SECONDS + 10)
        sink.stdout.close()
        return int(count.read_text() or 0) / took_s

    def close(self) -> None:
        for namespace, program in (("guest1", "iodine"), ("internet", "iodined")):
            self.lab.world.run(namespace, "pkill", "-9", "-x", program, check=False)
        self.client.wait(10)
        self.server.wait(10)


@pytest.fixture
def iodine(lab: ResolverLab):
    made: list[Iodine] = []

    def start(*options: str) -> Iodine:
        made.append(Iodine(lab, *options))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.mark.skipif(_REASON is not None, reason=str(_REASON))
class TestIodine:
    @pytest.mark.parametrize(
        ("options", "fewest"),
        [((), MOST_BYTES_PER_S), (("-T", "A", "-O", "base32"), 1)],  # A: the only one of its types that goes before
        ids=["best", "A"],
    )
    def test_without_the_limits_it_carries_data(
        self,
        lab: ResolverLab,
        iodine: Callable[..., Iodine],
        options: tuple[str, ...],
        fewest: float,
        record_property: Callable[[str, object], None],
    ) -> None:
        """An accepted device: what follows can fail."""
        lab.admit_device("guest1", lab.fresh("guest1"))
        tunnel = iodine(*options)
        assert tunnel.is_up(60), tunnel.log.read_text()
        up = tunnel.through("guest1", "internet", OUTSIDE4)
        down = tunnel.through("internet", "guest1", INSIDE4)
        record_property("up_bytes_per_s", round(up))
        record_property("down_bytes_per_s", round(down))
        print(f"iodine {options} on an accepted device: up {up:.0f} B/s, down {down:.0f} B/s")
        assert up > fewest, tunnel.log.read_text()
        assert down > fewest, tunnel.log.read_text()

    @pytest.mark.parametrize(
        "options", [(), ("-T", "A"), ("-T", "A", "-L", "0", "-M", "100", "-m", "100")], ids=["best", "A", "modest"]
    )
    def test_before_acceptance_it_does_not_even_begin(
        self, lab: ResolverLab, iodine: Callable[..., Iodine], options: tuple[str, ...]
    ) -> None:
        lab.fresh("guest1")
        tunnel = iodine(*options)
        assert not tunnel.is_up(45), tunnel.log.read_text()
        assert "Opened dns" in tunnel.log.read_text() or tunnel.client.poll() is not None


class TestOwn:
    @pytest.fixture
    def counted(self, lab: ResolverLab):
        log = lab.world.directory / "tunnel.json"
        server = lab.world.popen("internet", sys.executable, "-m", "tests.lab.tunnel", "serve", AUTHORITY4, str(log))
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "ready"
        yield lambda: json.loads(log.read_text())
        lab.world.run("internet", "pkill", "-9", "-f", "tests.lab.tunnel serve", check=False)
        server.wait(10)
        server.stdout.close()

    @pytest.mark.parametrize("accepted", [True, False])
    def test_one_made_for_the_limits(self, lab: ResolverLab, counted, accepted: bool, record_property) -> None:
        mac = lab.fresh("guest1")
        if accepted:
            lab.admit_device("guest1", mac)
        seconds = 30 if accepted else 75  # longer than a minute, and than the burst
        run = "free" if accepted else "held"  # what an upstream still asks of an earlier run is not counted in this
        plan = {"run": run, "servers": [net.GUEST4, net.GUEST6], "seconds": seconds, "per_s": 150 if accepted else 40}
        done = lab.world.run(
            "guest1", sys.executable, "-m", "tests.lab.tunnel", "dig", json.dumps(plan), timeout_s=seconds + 30
        )
        told = json.loads(done.stdout)
        down = told["down_bytes"] / told["lasted_s"]
        names, up = counted()[run]["names"], counted()[run]["up_bytes"] / told["lasted_s"]
        print(f"own tunnel, accepted={accepted}: up {up:.0f} B/s, down {down:.0f} B/s, {names} names, {told}")
        record_property("up_bytes_per_s", round(up))
        record_property("down_bytes_per_s", round(down))
        if accepted:
            assert down > 5 * MOST_BYTES_PER_S
            assert up > MOST_BYTES_PER_S
        else:
            assert told["answers"] > 0
            assert down + up <= MOST_BYTES_PER_S
            assert 10 <= names <= 20  # ten a minute, in two of them
