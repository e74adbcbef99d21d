"""DNS on the gateway while its upstreams, or the way to them, fail in every way: what guests are told, and how soon
all is well again.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.lists.publish import publish
from policies.snapshot import NamedList, compile_snapshot
from tests.lab import topology as net
from tests.lab.moody import FORGED, SLOW_S
from tests.lab.world import World

pytestmark = pytest.mark.timeout(180)
GUEST4 = "10.77.0.60"
BACK_S = 2.0
"""Within this time of the upstream's return, answers are fresh again."""
_DIG_S = 0.6
"""What starting dig in a namespace may take on a busy machine."""
_numbers = itertools.count()


@dataclass(frozen=True)
class Told:
    """What dig was told."""

    rcode: str
    address: str
    ede: tuple[int, ...]
    took_s: float
    """As dig measured it."""


class Moody:
    """A moody resolver in the internet."""

    def __init__(self, world: World, port: int) -> None:
        self.port = port
        self._world = world
        self._file = world.directory / f"mood{port}"
        self._pid = 0
        self.mood("well")
        self.start()

    def mood(self, mood: str) -> None:
        """How it behaves from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(mood)
        fresh.replace(self._file)

    def start(self) -> None:
        """Begin to serve."""
        if not self._pid:
            arguments = (net.RESOLVER4, str(self.port), str(self._file))
            self._pid = start(self._world, "internet", sys.executable, "-m", "tests.lab.moody", *arguments)

    def stop(self) -> None:
        """Be dead: the kernel says that nobody listens."""
        if self._pid:
            self._world.run("internet", "kill", "-9", str(self._pid))
            self._pid = 0


def start(world: World, namespace: str, *command: str) -> int:
    """Start what prints a line when it serves; its process id in the lab."""
    process = world.popen(
        namespace, "sh", "-c", 'echo $$; exec "$@" 2>&1', "sh", *command, stdout=subprocess.PIPE
    )  # fmt: skip
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    line = process.stdout.readline()
    assert "ready" in line or "policy generation" in line, line
    while "ready" not in line and "answering" not in line:
        line = process.stdout.readline()
        assert line, "it ended"
    return pid


class Resolver:
    """Our worker on the gateway, and what a guest hears from it."""

    def __init__(self, world: World, upstreams: list[Moody], **changes: object) -> None:
        self._world = world
        folder = world.directory / f"dns{next(_numbers)}"
        folder.mkdir()
        document = {"version": 2, "groups": {"default": {"mark": 1, "closed": ["gaming"]}}}
        lists = [NamedList("lab/gaming", "gaming", "0" * 64, ("game.test2",))]
        publish(folder, compile_snapshot(document, lists, 1))
        self._port = 5400 + next(_numbers)
        config = {
            "listen": [net.GUEST4],
            "port": self._port,
            "workers": 1,
            "upstreams": [[net.RESOLVER4, each.port] for each in upstreams],
            "sources": [["10.77.0.0/24", "default"]],
            "private_zones": [],
            "portal_hostname": "gjest.internal",
            "portal_addresses": [net.GUEST4],
            "snapshot": str(folder / "policy" / "current.snapshot"),
            "upstream_timeout_s": 1.5,
        }
        command = (sys.executable, "-P", "-m", "gateway.dns.worker", json.dumps(config | changes))
        self._pid = start(world, "gateway", *command)

    def stop(self) -> None:
        """End it."""
        self._world.run("gateway", "kill", str(self._pid), check=False)

    def ask(self, name: str) -> Told:
        """What the guest's dig is told."""
        command = ("dig", "+tries=1", "+time=6", "-p", str(self._port), f"@{net.GUEST4}", name)
        said = self._world.run("guest1", *command, check=False).stdout
        rcode = re.search(r"status: (\w+)", said)
        address = re.search(r"^\S+\s+\d+\s+IN\s+A\s+(\S+)$", said, re.M)
        took = re.search(r"Query time: (\d+) msec", said)
        return Told(
            rcode[1] if rcode else "none",
            address[1] if address else "",
            tuple(int(code) for code in re.findall(r"EDE: (\d+)", said)),
            int(took[1]) / 1000 if took else 6.0,
        )

    def fresh(self, kind: str = "n") -> Told:
        """What it is told of a name that nobody has asked for."""
        return self.ask(f"{kind}{next(_numbers)}.lab.example")

    def know(self, name: str) -> None:
        """Have the answer to `name` kept, and let it end."""
        for _ in range(2):
            assert self.ask(name).address == net.SITE4
        time.sleep(1.1)

    def back_within(self, name: str, since: float) -> float:
        """Ask until the answer is a fresh one; the seconds it took since that moment."""
        while True:
            told = self.ask(name)
            passed_s = time.monotonic() - since
            if told.address == net.SITE4 and not told.ede:
                return passed_s
            assert passed_s < 10, told


@pytest.fixture(scope="module")
def upstreams(world: World) -> tuple[Moody, Moody]:
    world.run("guest1", "ip", "address", "add", f"{GUEST4}/24", "dev", "eth0")
    return Moody(world, 5301), Moody(world, 5302)


@pytest.fixture
def first(upstreams: tuple[Moody, Moody]) -> Moody:
    for each in upstreams:
        each.mood("well")
        each.start()
    return upstreams[0]


@pytest.fixture
def second(upstreams: tuple[Moody, Moody], first: Moody) -> Moody:
    return upstreams[1]


@pytest.fixture
def alone(world: World, first: Moody) -> Iterator[Resolver]:
    """With one upstream."""
    resolver = Resolver(world, [first])
    yield resolver
    resolver.stop()


@pytest.fixture
def pair(world: World, first: Moody, second: Moody) -> Iterator[Resolver]:
    """With two upstreams."""
    resolver = Resolver(world, [first, second])
    yield resolver
    resolver.stop()


def worsen(upstream: Moody, mood: str) -> None:
    if mood == "dead":
        upstream.stop()
    else:
        upstream.mood(mood)


@pytest.mark.parametrize("mood", ["dead", "silent", "slow", "lying", "truncated", "resetting", "failing"])
def test_with_a_second_upstream_nobody_notices(pair: Resolver, first: Moody, mood: str) -> None:
    assert pair.fresh().address == net.SITE4
    worsen(first, mood)
    for _ in range(4):
        told = pair.fresh()
        assert (told.rcode, told.address, told.ede) == ("NOERROR", net.SITE4, ())
        assert told.took_s < 1
    assert pair.fresh("no").rcode == "NXDOMAIN"


@pytest.mark.parametrize(("mood", "within_s"), [("slow", SLOW_S + 1), ("lying", 1), ("truncated", 1)])
def test_alone_it_gets_the_truth_all_the_same(alone: Resolver, first: Moody, mood: str, within_s: float) -> None:
    worsen(first, mood)
    for _ in range(3):
        told = alone.fresh()
        assert told.address != FORGED
        assert (told.rcode, told.address, told.ede) == ("NOERROR", net.SITE4, ())
        assert told.took_s < within_s


@pytest.mark.parametrize("mood", ["dead", "silent", "resetting", "failing"])
def test_alone_it_gives_what_it_has_and_says_what_it_has_not(alone: Resolver, first: Moody, mood: str) -> None:
    """RFC 8767 (stale, EDE 3), RFC 8914 §4.23 and §4.24 (SERVFAIL with the reason)."""
    known = f"known-{mood}.lab.example"
    alone.know(known)
    worsen(first, mood)
    for _ in range(2):
        told = alone.ask(known)
        assert (told.rcode, told.address, told.ede) == ("NOERROR", net.SITE4, (3,))
        assert told.took_s < 2.5
    told = alone.fresh()
    assert (told.rcode, told.address) == ("SERVFAIL", "")
    assert told.ede in ((22,), (23,)) or mood == "failing"
    assert told.took_s < 2.5
    assert alone.ask("www.game.test2").ede == (15,)
    assert alone.ask("gjest.internal").address == net.GUEST4
    first.mood("well")
    first.start()
    returned = time.monotonic()
    assert alone.back_within(known, returned) < BACK_S + _DIG_S
    assert alone.back_within(f"new-{mood}.lab.example", returned) < BACK_S + 2 * _DIG_S


def test_where_stale_answers_are_not_allowed_it_says_so(world: World, first: Moody) -> None:
    resolver = Resolver(world, [first], serve_stale_s=0.0)
    try:
        resolver.know("strict.lab.example")
        first.stop()
        told = resolver.ask("strict.lab.example")
        assert (told.rcode, told.address) == ("SERVFAIL", "")
        assert told.ede in ((22,), (23,))
        first.start()
        assert resolver.back_within("strict.lab.example", time.monotonic()) < BACK_S + _DIG_S
    finally:
        resolver.stop()


@pytest.mark.parametrize("fault", ["cable", "interface"])
def test_with_the_link_down_guests_get_what_is_at_hand(pair: Resolver, world: World, fault: str) -> None:
    """The cable (no carrier: silence) and the interface (no route: told at once), with both upstreams behind it."""
    known = f"link-{fault}.lab.example"
    pair.know(known)
    namespace, interface = ("internet", "eth0") if fault == "cable" else ("gateway", net.UPLINK_IF)
    world.run(namespace, "ip", "link", "set", interface, "down")
    try:
        for _ in range(2):
            told = pair.ask(known)
            assert (told.rcode, told.address, told.ede) == ("NOERROR", net.SITE4, (3,))
        told = pair.fresh()
        assert (told.rcode, told.took_s < 2.5) == ("SERVFAIL", True)
        assert told.ede in ((22,), (23,))
        assert pair.ask("www.game.test2").ede == (15,)
        time.sleep(3)  # long enough to be held for down
        assert pair.ask(known).took_s < 1
    finally:
        world.run(namespace, "ip", "link", "set", interface, "up")
        if fault == "interface":
            world.run("gateway", "ip", "route", "replace", "default", "via", "198.51.100.1")
        up = time.monotonic()
    assert pair.back_within(known, up) < BACK_S + _DIG_S
    assert pair.back_within(f"after-{fault}.lab.example", up) < BACK_S + 2 * _DIG_S


def test_the_moods_are_those_that_are_tested() -> None:
    text = Path(__file__).read_text()
    from tests.lab.moody import MOODS

    assert [mood for mood in MOODS if f'"{mood}"' not in text] == []
