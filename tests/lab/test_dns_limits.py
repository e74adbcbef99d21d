"""How much a device may ask, on the real kernel with two workers: by MAC, whatever address or port it comes from."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from gateway.dns.names_budget import NAMES_MAX
from gateway.firewall.ruleset import MOST_DNS_CONNECTIONS, UNACCEPTED_DNS_BURST, UNACCEPTED_DNS_PER_S
from tests.lab import topology as net
from tests.lab.resolver import WORKERS, ResolverLab, resolver_lab
from tests.lab.world import World

pytestmark = pytest.mark.timeout(300)
NOERROR, REFUSED = 0, 5
ADDRESSES = [f"2001:db8:77::abcd:{number:x}" for number in range(1, 101)]
HOLD = """
import select, socket, sys, time
poll, held = select.poll(), {}
for number in range(60):
    host = sys.argv[1 + number % (len(sys.argv) - 1)]
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.setblocking(False)
    s.connect_ex((host, 53))
    held[s.fileno()] = s
time.sleep(0.7)
for s in held.values():
    poll.register(s, select.POLLOUT)
print(sum(events == select.POLLOUT for _, events in poll.poll(0)), flush=True)
"""

PIPELINE = """
import select, socket, sys, time
name = b"".join(bytes([len(one)]) + one for one in b"www.flood.example".split(b".")) + bytes(1)
query = bytes.fromhex("000701000001000000000000") + name + bytes.fromhex("00010001")
began, got, held = time.monotonic(), {}, []
for source in sys.argv[2:]:
    s = socket.create_connection((sys.argv[1], 53), 3, (source, 0))
    s.sendall((len(query).to_bytes(2, "big") + query) * 600)
    s.setblocking(False)
    got[s] = b""
while time.monotonic() - began < 3:
    for s in select.select(list(got), [], [], 0.1)[0]:
        got[s] += s.recv(1 << 20)
answered = 0
for told in got.values():
    while len(told) >= 2 + int.from_bytes(told[:2], "big") > 2:
        told, answered = told[2 + int.from_bytes(told[:2], "big"):], answered + 1
print(answered, time.monotonic() - began, flush=True)
"""


@pytest.fixture(scope="module")
def running(world: World) -> ResolverLab:
    return resolver_lab(world)


@pytest.fixture
def lab(running: ResolverLab) -> ResolverLab:
    """Two devices that nobody has seen and nobody has let in."""
    running.admit()
    for guest in net.GUESTS:
        running.fresh(guest)
    return running


@pytest.fixture
def many_addresses(lab: ResolverLab) -> Iterator[list[str]]:
    for action in ("add", "del"):
        batch = "".join(f"address {action} {one}/64 dev eth0 nodad\n" for one in ADDRESSES)
        lab.world.run("guest1", "ip", "-6", "-batch", "-", stdin=batch)
        if action == "add":
            yield ADDRESSES


def let_through(seconds: float) -> tuple[float, float]:
    """The fewest and the most questions of that time that may pass (the last ones may be lost to the patience)."""
    due = UNACCEPTED_DNS_BURST + UNACCEPTED_DNS_PER_S * seconds
    return due - 8, due + 3


class TestNotAccepted:
    @pytest.mark.parametrize("server", [net.GUEST4, net.GUEST6, net.RESOLVER4])
    @pytest.mark.parametrize("flows", [1, 0])  # one long flow, which conntrack knows; a new one for each question
    def test_five_a_second_after_a_burst_of_fifty(self, lab: ResolverLab, server: str, flows: int) -> None:
        told = lab.ask("guest1", "www.flood.example", server, per_s=60, seconds=5, flows=flows)
        fewest, most = let_through(told.lasted_s)
        assert told.sent == 300
        assert fewest <= told.answered <= most, told.rcodes

    def test_more_addresses_are_no_more_questions(self, lab: ResolverLab, many_addresses: list[str]) -> None:
        told = lab.ask(
            "guest1", "www.flood.example", net.GUEST4, net.GUEST6, per_s=100, seconds=5, sources=many_addresses
        )
        fewest, most = let_through(told.lasted_s)
        assert fewest <= told.answered <= most, told.rcodes

    def test_ten_names_of_a_domain_over_all_workers_and_addresses(
        self, lab: ResolverLab, many_addresses: list[str]
    ) -> None:
        told = lab.ask(
            "guest1", "n{}.flood.example", net.GUEST4, net.GUEST6, per_s=40, seconds=1, sources=many_addresses
        )
        assert told.rcodes == {NOERROR: NAMES_MAX, REFUSED: 40 - NAMES_MAX}
        again = lab.ask("guest1", "n{}.flood.example", net.GUEST4, per_s=20, seconds=0.5, flows=0)
        assert again.rcodes == {NOERROR: 10}  # the same ten names
        other = lab.ask("guest2", "m{}.flood.example", net.GUEST4, per_s=40, seconds=0.5, flows=0)
        assert other.rcodes == {NOERROR: NAMES_MAX, REFUSED: 20 - NAMES_MAX}  # another device has its own ten

    def test_a_flood_delays_nobody_elses_answers(self, lab: ResolverLab) -> None:
        flood = lab.start_asking("guest1", "n{}.flood.example", per_s=3000, seconds=6)
        told = lab.ask("guest2", "www.flood.example", per_s=8, seconds=4)
        assert lab.told(flood).sent == 18000
        assert told.answered == told.sent == 32
        assert told.late_s() < 0.1

    def test_tcp_works_and_is_counted_too(self, lab: ResolverLab) -> None:
        asked = ("dig", "+tcp", "+tries=1", "+time=1", "+short", f"@{net.GUEST4}", "www.flood.example")
        assert lab.world.run("guest1", *asked).stdout.strip() == net.SITE4
        often = f"for n in $(seq 40); do {' '.join(asked)}; done"
        told = lab.world.run("guest1", "sh", "-c", often, check=False, timeout_s=60).stdout.split()
        assert 1 <= told.count(net.SITE4) < 40  # a connection takes some five packets
        assert lab.world.run("guest2", *asked).stdout.strip() == net.SITE4


class TestAccepted:
    @pytest.mark.parametrize("server", [net.GUEST4, net.GUEST6])
    def test_an_accepted_device_is_not_slowed(self, lab: ResolverLab, server: str) -> None:
        lab.admit_device("guest1", lab.fresh("guest1"))
        told = lab.ask("guest1", "n{}.flood.example", server, per_s=250, seconds=6, flows=4)
        assert told.answered == told.sent == 1500
        assert set(told.rcodes) == {NOERROR}
        assert told.late_s() < 0.1

    def test_one_accepted_device_cannot_starve_the_others(self, lab: ResolverLab, many_addresses: list[str]) -> None:
        lab.admit_device("guest1", lab.fresh("guest1"))
        flood = lab.start_asking(
            "guest1", "www.flood.example", net.GUEST4, net.GUEST6, per_s=2500, seconds=5, sources=many_addresses
        )
        other = lab.ask("guest2", "www.flood.example", per_s=8, seconds=4)
        told = lab.told(flood)
        assert told.sent == 12500
        assert 900 < told.answered < 1100 + 200 * told.lasted_s
        assert told.answered < told.sent
        assert other.answered == other.sent
        assert other.late_s() < 0.1

    def test_questions_in_few_packets_by_tcp_are_counted_too(self, lab: ResolverLab, many_addresses: list[str]) -> None:
        """From ten addresses of one device, 600 questions each, with two workers that each have its burst."""
        lab.admit_device("guest1", lab.fresh("guest1"))
        for address in many_addresses[:10]:
            lab.world.run("guest1", "dig", "+short", "-b", address, f"@{net.GUEST6}", "www.flood.example")
        told = lab.world.run("guest1", sys.executable, "-c", PIPELINE, net.GUEST6, *many_addresses[:10]).stdout.split()
        answered, took_s = int(told[0]), float(told[1])
        assert 1000 < answered < WORKERS * (1000 + 200 * took_s) + 50
        assert answered < 6000


@pytest.mark.parametrize("accepted", [False, True])
def test_one_device_holds_few_dns_connections(lab: ResolverLab, many_addresses: list[str], accepted: bool) -> None:
    if accepted:
        lab.admit_device("guest1", lab.fresh("guest1"))
    held = int(lab.world.run("guest1", sys.executable, "-c", HOLD, net.GUEST4, net.GUEST6).stdout)
    assert MOST_DNS_CONNECTIONS - 4 <= held <= MOST_DNS_CONNECTIONS
    asked = ("dig", "+tcp", "+tries=1", "+time=1", "+short", f"@{net.GUEST4}", "www.flood.example")
    assert lab.world.run("guest2", *asked).stdout.strip() == net.SITE4
