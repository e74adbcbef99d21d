"""The firewall alone, on a real kernel: what passes before acceptance, after it, and after its end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.dns.unaccepted import DEVICE_MARK
from gateway.firewall.ruleset import MOST_CONNECTIONS
from tests.lab import topology as net
from tests.lab.forge import MTU
from tests.lab.world import API_URI, World, missing

REASON = missing()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))

DEVICE = re.compile(r"dns mark=([2-4]\d{9})$")
UDP_PROBE = """
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.6)
try:
    s.connect(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4])
    s.send(b"hello"); print(s.recv(999).decode().strip())
except OSError as error:
    print("nothing:", error.__class__.__name__)
"""

UDP_COUNT = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 7777)); s.send(b"go")
with open(sys.argv[2], "wb", buffering=0) as file:
    while True:
        file.write(s.recv(99))
"""
CROWD = """
import resource, select, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
poll, held = select.poll(), {}
for number in range(int(sys.argv[1])):
    host = sys.argv[2 + number % (len(sys.argv) - 2)]
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.setblocking(False)
    s.connect_ex((host, (80, 443)[number // 2 % 2]))
    held[s.fileno()] = s
time.sleep(0.7)
for s in held.values():
    poll.register(s, select.POLLOUT)
open_now = [fd for fd, events in poll.poll(0) if events == select.POLLOUT]
for fd in open_now:
    held[fd].send(b"GET / HTTP/1.1")  # and nothing more
print(len(open_now), flush=True)
sys.stdin.read()
"""
PING = """
import socket, struct, sys
info = socket.getaddrinfo(sys.argv[1], 7, type=socket.SOCK_DGRAM)[0]
six = info[0] == socket.AF_INET6
s = socket.socket(info[0], socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
s.settimeout(0.7)
s.connect((info[4][0], 0, *info[4][2:]))
echo, reply = (128, 129) if six else (8, 0)
s.send(struct.pack("!BBHHH", echo, 0, 0 if six else 0xFFFF ^ ((echo << 8) + 7 + 1), 7, 1))
try:
    while (data := s.recv(2000))[0 if six else 20] != reply:
        pass
    print("answered")
except OSError:
    print("nothing")
"""

ASK_UPSTREAM = """
import socket, sys
own, server, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((own, 40001)); s.connect((server, port)); s.settimeout(2)
s.send(b"hello"); s.recv(99)
print("asked", flush=True)
s.settimeout(float(sys.argv[4]))
try:
    print(s.recv(99).decode(), flush=True)
except OSError as error:
    print(error.__class__.__name__, flush=True)
"""


class Lab:
    """The world with an enforcer whose intent the test writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.intent = world.directory / "intent.json"
        self.record = world.directory / "record.jsonl"
        self.enforcer: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = (sys.executable, "-m", "tests.lab.enforce", str(self.intent), str(self.record))
        self.enforcer = self.world.start_gateway(command)

    def kill(self) -> None:
        assert self.enforcer is not None
        # nsenter forked into the process namespace: the enforcer is its child
        child = Path(f"/proc/{self.enforcer.pid}/task/{self.enforcer.pid}/children").read_text().split()[0]
        subprocess.run(["kill", "-9", child], check=True)
        self.enforcer.wait(timeout=5)

    def admit(self, *admissions: dict[str, object]) -> None:
        """Replace intent, and wait until the enforcer has reported exactly that as in force."""
        fresh = self.intent.with_suffix(".new")
        fresh.write_text(json.dumps(admissions))
        fresh.rename(self.intent)
        wanted = {str(one["grant_id"]) for one in admissions}
        self.world.until(lambda: self.in_force() == wanted, f"{wanted} in force")

    def in_force(self) -> set[str]:
        found: set[str] = set()
        for line in self.record.read_text().splitlines() if self.record.exists() else ():
            said = json.loads(line)
            found = (found | set(said.get("applied", ()))) - set(said.get("removed", ()))
        return found

    def curl(self, guest: str, url: str) -> str:
        done = self.world.run(guest, "curl", "-sS", "--noproxy", "*", "-m", "2", url, check=False)
        return done.stdout.strip() if done.returncode == 0 else f"failed {done.returncode}"

    def udp(self, guest: str, address: str, port: int) -> str:
        return self.world.run(guest, sys.executable, "-c", UDP_PROBE, address, str(port)).stdout.strip()

    def ping(self, guest: str, address: str) -> bool:
        return self.world.run(guest, sys.executable, "-c", PING, address).stdout.strip() == "answered"

    def tcp(self, guest: str, address: str, port: int) -> str:
        """What a TCP service says first, `refused` or `silent`."""
        code = (
            "import socket,sys\ntry:\n s=socket.create_connection((sys.argv[1],int(sys.argv[2])),1);s.settimeout(1)\n"
            " s.send(b'GET / HTTP/1.0\\r\\n\\r\\n')\n print(s.recv(999).decode().splitlines()[-1])\n"
            "except ConnectionRefusedError: print('refused')\nexcept OSError as e: print('silent', e)"
        )
        return self.world.run(guest, sys.executable, "-c", code, address, str(port)).stdout.strip()


def admission(guest: str, seconds: float = 3600, mark: int = 1, grant_id: str | None = None) -> dict[str, object]:
    ends_at = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "grant_id": grant_id or uuid.uuid4().hex,
        "interface": net.GUEST_IF,
        "mac": net.GUESTS[guest],
        "mark": mark,
        "ends_at": ends_at.isoformat(),
    }


@pytest.fixture(scope="module")
def running() -> Iterator[Lab]:
    with World() as world:
        lab = Lab(world)
        lab.intent.write_text("[]")
        listeners = world.popen("gateway", sys.executable, "-m", "tests.lab.listeners")
        assert listeners.stdout is not None
        assert listeners.stdout.readline().strip() == "ready"
        lab.start()
        world.until(
            lambda: (
                "chain from_guest"
                in world.run("gateway", "nft", "list", "table", "inet", "gjestenett", check=False).stdout
            ),
            "the ruleset",
        )
        world.start_dhcp()
        leases = {guest: world.join(guest) for guest in net.GUESTS}
        assert leases["guest1"]["captive_portal_uri"] == API_URI
        yield lab
        listeners.stdout.close()


@pytest.fixture
def lab(running: Lab) -> Lab:
    running.admit()
    return running


SITES = (f"http://{net.SITE4}/", f"http://[{net.SITE6}]/")


class TestBeforeAcceptance:
    @pytest.mark.parametrize("site", SITES)
    def test_any_web_page_is_the_portal(self, lab: Lab, site: str) -> None:
        assert lab.curl("guest1", site) == "portal mark=0"

    @pytest.mark.parametrize("address", [net.SITE4, net.SITE6])
    def test_nothing_else_passes(self, lab: Lab, address: str) -> None:
        assert lab.tcp("guest1", address, 443) == "refused"
        assert lab.tcp("guest1", address, 5222) == "refused"
        assert lab.udp("guest1", address, 3478).startswith("nothing")
        assert lab.udp("guest1", address, 443).startswith("nothing")
        assert not lab.ping("guest1", address)

    @pytest.mark.parametrize(
        "address", [net.GUEST4, net.RESOLVER4, net.GUEST6, net.RESOLVER6, "fe80::ff:fe00:77fe%eth0"]
    )
    def test_every_resolver_is_ours(self, lab: Lab, address: str) -> None:
        device = DEVICE.match(lab.udp("guest1", address, 53))  # for the resolver a mark of its own, in both families
        assert device
        assert int(device[1]) & DEVICE_MARK
        by_tcp = int(lab.tcp("guest1", address, 53).removeprefix("dns-tcp mark="))
        assert by_tcp & 0xFFFF_FFFF == int(device[1])
        other = DEVICE.match(lab.udp("guest2", address, 53))
        assert other
        assert other[1] != device[1]

    @pytest.mark.parametrize("address", [net.GUEST4, net.SITE4, net.GUEST6, net.SITE6])
    def test_time_is_ours(self, lab: Lab, address: str) -> None:
        assert lab.udp("guest1", address, 123) == "time mark=0"

    @pytest.mark.parametrize("address", [net.GUEST4, net.GUEST6])
    def test_the_portal_answers_on_its_ordinary_ports(self, lab: Lab, address: str) -> None:
        for port, name in ((80, "portal"), (443, "portal-tls"), (8080, "portal")):
            assert lab.tcp("guest1", address, port) == f"{name} mark=0"

    @pytest.mark.parametrize("address", [net.GUEST4, net.GUEST6])
    def test_the_gateway_answers_ping(self, lab: Lab, address: str) -> None:
        assert lab.ping("guest1", address)


class TestAfterAcceptance:
    def test_the_accepted_device_passes_and_the_other_does_not(self, lab: Lab) -> None:
        lab.admit(admission("guest1"))
        for site in SITES:
            assert lab.curl("guest1", site) == "the internet"
            assert lab.curl("guest2", site) == "portal mark=0"
        for address in (net.SITE4, net.SITE6):
            assert lab.tcp("guest1", address, 443) == "hello from the internet"
            assert lab.tcp("guest2", address, 443) == "refused"
            assert lab.udp("guest1", address, 3478) == "HELLO"
            assert lab.udp("guest2", address, 3478).startswith("nothing")
            assert lab.ping("guest1", address)
            assert not lab.ping("guest2", address)

    def test_ipv4_is_translated_and_ipv6_is_not(self, lab: Lab) -> None:
        lab.admit(admission("guest1"))
        assert lab.curl("guest1", f"http://{net.SITE4}/whoami") == net.UPLINK4
        assert lab.curl("guest1", f"http://[{net.SITE6}]/whoami") == lab.world.address6("guest1")

    @pytest.mark.parametrize("address", [net.RESOLVER4, net.RESOLVER6])
    def test_resolvers_and_time_stay_ours_and_carry_the_mark(self, lab: Lab, address: str) -> None:
        lab.admit(admission("guest1", mark=7))
        assert lab.udp("guest1", address, 53) == "dns mark=7"
        assert lab.tcp("guest1", address, 53) == "dns-tcp mark=7"
        assert DEVICE.match(lab.udp("guest2", address, 53))
        assert lab.udp("guest1", address, 123) == "time mark=7"

    @pytest.mark.parametrize("address", [net.SITE4, net.SITE6])
    def test_encrypted_dns_is_refused(self, lab: Lab, address: str) -> None:
        lab.admit(admission("guest1"))
        assert lab.tcp("guest1", address, 853) == "refused"
        assert lab.udp("guest1", address, 853).startswith("nothing")

    @pytest.mark.parametrize("address", [net.INSIDE4, net.INSIDE_PUBLIC4, net.INSIDE6, net.MGMT4])
    def test_protected_networks_are_closed(self, lab: Lab, address: str) -> None:
        if address != net.MGMT4:  # the gateway itself reaches it, so only the rules stand between
            host = f"[{address}]" if ":" in address else address
            assert "the internet" in lab.world.run("gateway", "curl", "-sS", "-m2", f"http://{host}/").stdout
        lab.admit(admission("guest1"))
        for port in (80, 443):
            assert lab.tcp("guest1", address, port).startswith("silent")
        assert lab.udp("guest1", address, 3478).startswith("nothing")
        assert not lab.ping("guest1", address)

    def test_a_route_that_appears_is_protected_too(self, lab: Lab) -> None:
        lab.admit(admission("guest1"))
        assert lab.curl("guest1", f"http://{net.GAME4}/") == "the internet"
        lab.world.run("gateway", "ip", "route", "add", f"{net.GAME4}/32", "via", "198.51.100.1")
        try:
            lab.world.until(lambda: lab.curl("guest1", f"http://{net.GAME4}/").startswith("failed"), "the new route")
        finally:
            lab.world.run("gateway", "ip", "route", "del", f"{net.GAME4}/32")
        lab.world.until(lambda: lab.curl("guest1", f"http://{net.GAME4}/") == "the internet", "the route's end")

    @pytest.mark.parametrize("guest", ["guest1", "guest2"])
    @pytest.mark.parametrize("address", [net.GUEST4, net.GUEST6, net.MGMT_GATEWAY4, net.UPLINK4, net.UPLINK6])
    def test_the_console_and_all_else_on_the_gateway_is_closed(self, lab: Lab, guest: str, address: str) -> None:
        lab.admit(admission("guest1"))
        assert "console" in lab.tcp("gateway", address, 8081)  # it does listen there
        for port in (8081, 22):
            assert lab.tcp(guest, address, port) == "refused"
        assert lab.udp(guest, address, 9999).startswith("nothing")
        if address not in (net.GUEST4, net.GUEST6):
            assert lab.tcp(guest, address, 8080) == "refused"

    def test_guests_do_not_reach_each_other(self, lab: Lab) -> None:
        lab.admit(admission("guest1"), admission("guest2"))
        for address in (lab.world.address4("guest2"), lab.world.address6("guest2")):
            assert address is not None
            assert not lab.ping("guest1", address)
        # also not by way of the gateway
        four = lab.world.address4("guest2")
        lab.world.run("guest1", "ip", "route", "add", f"{four}/32", "via", net.GUEST4)
        try:
            assert not lab.ping("guest1", str(four))
        finally:
            lab.world.run("guest1", "ip", "route", "del", f"{four}/32")


class TestForged:
    """A guest's device that speaks for others (`tests.lab.forge`), accepted or not."""

    def forge(self, lab: Lab, *what: object) -> None:
        lab.world.run("guest1", sys.executable, "-m", "tests.lab.forge", *map(str, what))

    @pytest.mark.parametrize("accepted", [False, True])
    @pytest.mark.parametrize(("own", "server"), [(net.UPLINK4, net.SITE4), (net.UPLINK6, net.SITE6)])
    @pytest.mark.parametrize("kind", ["unreachable", "reply"])
    def test_a_guest_says_nothing_about_flows_of_our_own(
        self, lab: Lab, kind: str, own: str, server: str, accepted: bool
    ) -> None:
        if accepted:
            lab.admit(admission("guest1"))
        guest = (lab.world.address6 if ":" in own else lab.world.address4)("guest1")
        asking = lab.world.popen("gateway", sys.executable, "-c", ASK_UPSTREAM, own, server, "3478", "1.2")
        assert asking.stdout is not None
        assert asking.stdout.readline() == "asked\n"
        ends = (server, 3478, own, 40001) if kind == "reply" else (own, 40001, server, 3478)
        self.forge(lab, kind, guest, *ends)
        assert asking.stdout.readline() == "TimeoutError\n"
        asking.wait(timeout=5)
        asking.stdout.close()

    @pytest.mark.parametrize("address", [net.GUEST4, net.GUEST6])
    def test_a_guest_tells_what_is_too_big_for_the_way_to_it(self, lab: Lab, address: str) -> None:
        guest = str((lab.world.address6 if ":" in address else lab.world.address4)("guest1"))
        script = (
            "import socket, sys; s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET,"
            " socket.SOCK_DGRAM); s.bind((sys.argv[2], 45000)); s.connect((sys.argv[1], 53)); s.settimeout(2)\n"
            "s.send(b'hello'); s.recv(99)"
        )
        lab.world.run("guest1", sys.executable, "-c", script, address, guest)
        self.forge(lab, "too-big", guest, address, 53, guest, 45000)
        route = lab.world.run("gateway", "ip", "route", "get", guest, "from", address).stdout
        assert f"mtu {MTU}" in route
        lab.world.run("gateway", "ip", "-6" if ":" in address else "-4", "route", "flush", "cache")


def test_who_shares_a_mark_before_acceptance_is_another_at_each_installation(lab: Lab) -> None:
    """So that nobody can compute the MAC address that shares another device's names."""

    def mark() -> str:
        told = DEVICE.match(lab.udp("guest1", net.GUEST4, 53))
        return told[1] if told else ""

    first = mark()
    assert first
    assert mark() == first
    lab.kill()
    lab.start()
    lab.world.until(lambda: mark() not in ("", first), "another mark")
    lab.admit()


OUTSIDERS_TARGETS = (net.GUEST4, net.GUEST6, net.UPLINK4, net.UPLINK6)


@pytest.fixture
def outside(lab: Lab) -> Iterator[Lab]:
    """A neighbour on the uplink that has routes to the guests' networks (the IPv6 one is there always)."""
    lab.world.run("internet", "ip", "route", "add", "10.77.0.0/24", "via", net.UPLINK4)
    yield lab
    lab.world.run("internet", "ip", "route", "del", "10.77.0.0/24")


class TestFromTheUplink:
    @pytest.mark.parametrize("address", OUTSIDERS_TARGETS)
    def test_portal_console_and_dns_are_closed(self, outside: Lab, address: str) -> None:
        for port, name in ((5300, "dns-tcp"), (8080, "portal"), (8443, "portal-tls"), (8081, "console")):
            assert name in outside.tcp("gateway", address, port)  # it does listen there
            assert outside.tcp("internet", address, port).startswith("silent"), port

    @pytest.mark.parametrize("address", [net.GUEST4, net.GUEST6])
    def test_the_resolver_is_not_open(self, outside: Lab, address: str) -> None:
        assert "dns" in outside.udp("gateway", address, 5300)
        assert outside.udp("internet", address, 5300).startswith("nothing")

    def test_the_management_side_has_the_console_and_no_portal(self, lab: Lab) -> None:
        assert "console" in lab.tcp("mgmt", net.MGMT_GATEWAY4, 8081)
        for port in (8080, 8443, 5300):
            assert lab.tcp("mgmt", net.MGMT_GATEWAY4, port).startswith("silent")
        assert lab.udp("mgmt", net.MGMT_GATEWAY4, 5300).startswith("nothing")


def test_one_device_holds_few_portal_connections_at_once(lab: Lab) -> None:
    held = int(lab.world.run("guest1", sys.executable, "-c", CROWD, "80", net.GUEST4, net.GUEST6).stdout)
    assert MOST_CONNECTIONS - 10 <= held <= MOST_CONNECTIONS  # both families; an earlier test's may still be closing
    for site in SITES:
        assert lab.curl("guest2", site) == "portal mark=0"
    lab.world.until(lambda: lab.curl("guest1", SITES[0]) == "portal mark=0", "the first device let in again")


class Download:
    """A running download whose growth can be watched."""

    def __init__(self, lab: Lab, url: str) -> None:
        self.lab, self.file = lab, lab.world.directory / uuid.uuid4().hex
        command = ("curl", "-sS", "--noproxy", "*", "-o", str(self.file), url)
        self.process = lab.world.popen("guest1", *command, stdout=None, stderr=subprocess.DEVNULL)
        lab.world.until(lambda: self.size() > 50_000, "the download to run")

    def size(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    def stands_still(self) -> bool:
        before = self.size()
        time.sleep(0.5)
        return self.size() == before

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=5)

    def is_reset(self) -> bool:
        """Whether the client is told at once that its connection has ended, instead of being left hanging."""
        try:
            return self.process.wait(timeout=1) == CURL_RECEIVE_ERROR
        except subprocess.TimeoutExpired:
            self.end()
            return False


class Stream:
    """A flood of datagrams towards guest1 that needs no answer from it."""

    def __init__(self, lab: Lab, address: str) -> None:
        self.lab, self.file = lab, lab.world.directory / uuid.uuid4().hex
        command = (sys.executable, "-c", UDP_COUNT, address, str(self.file))
        self.process = lab.world.popen("guest1", *command, stdout=None)
        lab.world.until(lambda: self.size() > 50, "the stream to run")

    def size(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    def stands_still(self) -> bool:
        before = self.size()
        time.sleep(0.5)
        return self.size() <= before + 1

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=5)


CURL_RECEIVE_ERROR = 56
ENDLESS = (f"http://{net.SITE4}/endless", f"http://[{net.SITE6}]/endless")


class TestTheEnd:
    @pytest.mark.parametrize("url", ENDLESS)
    def test_revocation_resets_a_running_download_each_time(self, lab: Lab, url: str) -> None:
        for turn in range(5):
            lab.admit(admission("guest1"))
            download = Download(lab, url)
            assert not download.stands_still()
            lab.admit()
            assert download.is_reset(), turn
        assert lab.curl("guest1", SITES[0]) == "portal mark=0"

    @pytest.mark.parametrize("address", [net.SITE4, net.SITE6])
    def test_revocation_stops_what_needs_no_answer_from_the_guest(self, lab: Lab, address: str) -> None:
        lab.admit(admission("guest1"))
        stream = Stream(lab, address)
        lab.admit()
        assert stream.stands_still()
        stream.end()

    @pytest.mark.parametrize("address", [net.SITE4, net.SITE6])
    def test_what_ended_while_the_enforcer_was_dead_stops_when_it_returns(self, lab: Lab, address: str) -> None:
        kept = admission("guest2")
        lab.admit(admission("guest1", seconds=2.5), kept)
        stream = Stream(lab, address)
        lab.kill()
        lab.world.until(lambda: lab.curl("guest1", SITES[0]) == "portal mark=0", "the end of the grant")
        assert not stream.stands_still()  # the kernel has closed the door, but nobody has cut this
        lab.record.unlink()
        lab.start()
        lab.world.until(lambda: lab.in_force() == {kept["grant_id"]}, "the enforcer")
        assert stream.stands_still()
        stream.end()

    def test_a_returning_enforcer_leaves_the_connections_of_the_admitted(self, lab: Lab) -> None:
        kept = admission("guest1")
        lab.admit(kept)
        stream = Stream(lab, net.SITE4)
        lab.kill()
        lab.record.unlink()
        lab.start()
        lab.world.until(lambda: lab.in_force() == {kept["grant_id"]}, "the enforcer")
        assert not stream.stands_still()
        stream.end()

    @pytest.mark.parametrize("url", ENDLESS)
    def test_expiry_cuts_a_running_download(self, lab: Lab, url: str) -> None:
        started = time.monotonic()
        lab.admit(admission("guest1", seconds=2.5, grant_id="short"))
        download = Download(lab, url)
        lab.world.until(lambda: lab.in_force() == set(), "the end of the grant", timeout_s=4)
        assert 2.3 < time.monotonic() - started < 3.5
        assert download.is_reset()
        assert lab.curl("guest1", SITES[0]) == "portal mark=0"

    def test_with_the_enforcer_dead_the_kernel_itself_closes_the_door(self, lab: Lab) -> None:
        lab.admit(admission("guest1", seconds=3))
        download = Download(lab, ENDLESS[0])
        lab.kill()
        assert not download.stands_still()
        lab.world.until(download.stands_still, "the kernel's timeout", timeout_s=6)
        assert lab.curl("guest1", SITES[0]) == "portal mark=0"
        download.end()
        lab.record.write_text("")
        lab.start()
        lab.world.until(lambda: lab.in_force() == set(), "the enforcer")


class TestRestart:
    def test_a_restart_throws_nobody_out_and_lets_nobody_in(self, lab: Lab) -> None:
        kept, revoked = admission("guest1"), admission("guest2")
        lab.admit(kept, revoked)
        download = Download(lab, ENDLESS[0])
        lab.kill()
        assert lab.curl("guest1", SITES[0]) == "the internet"
        lab.intent.write_text(json.dumps([kept]))  # revoked while the enforcer was dead
        lab.record.unlink()
        lab.start()
        lab.world.until(lambda: lab.in_force() == {kept["grant_id"]}, "the restarted enforcer")
        assert not download.stands_still()
        assert lab.curl("guest2", SITES[0]) == "portal mark=0"
        download.end()

    def test_with_intent_away_everyone_stays_and_nobody_comes_in(self, lab: Lab) -> None:
        lab.admit(admission("guest1"))
        lab.intent.unlink()
        lab.kill()
        lab.start()
        time.sleep(1.5)
        assert lab.curl("guest1", SITES[0]) == "the internet"
        assert lab.curl("guest2", SITES[0]) == "portal mark=0"
        lab.record.write_text("")
        lab.admit(admission("guest2"))
        assert lab.curl("guest1", SITES[0]) == "portal mark=0"

    @pytest.mark.parametrize("meddling", ["flush ruleset", "flush chain inet gjestenett from_guest", "delete-marks"])
    def test_what_others_break_is_mended(self, lab: Lab, meddling: str) -> None:
        lab.admit(admission("guest1"))
        command = "flush map inet gjestenett marks" if meddling == "delete-marks" else meddling
        lab.world.run("gateway", "nft", *command.split())
        lab.world.until(
            lambda: lab.curl("guest1", SITES[0]) == "the internet" and lab.curl("guest2", SITES[0]) == "portal mark=0",
            "the mended ruleset",
        )

    def test_the_boot_ruleset_forwards_nothing_until_the_enforcer_is_there(self, lab: Lab) -> None:
        kept = admission("guest1")
        lab.admit(kept)
        lab.kill()
        lab.world.run("gateway", "nft", "-f", "deploy/boot.nft")
        for address in (net.SITE4, net.SITE6):
            assert lab.tcp("guest1", address, 443).startswith("silent")
        lab.record.unlink()
        lab.start()
        lab.world.until(lambda: lab.in_force() == {kept["grant_id"]}, "the enforcer")
        for address in (net.SITE4, net.SITE6):
            assert lab.tcp("guest1", address, 443) == "hello from the internet"

    def test_a_database_that_is_away_is_said_once(self, lab: Lab) -> None:
        lab.admit()
        log = lab.world.directory / "gateway.log"
        before = len(log.read_text())
        lab.intent.unlink()
        time.sleep(3.5)
        lab.admit(admission("guest1"))
        said = log.read_text()[before:]
        assert [line.split(" ")[0] for line in said.splitlines()] == ["intent", "over:"], said

    def test_someone_let_in_by_hand_is_shut_out_again(self, lab: Lab) -> None:
        element = f'{{ "{net.GUEST_IF}" . {net.GUESTS["guest2"]} timeout 1h : 1 }}'
        lab.world.run("gateway", "nft", "add", "element", "inet", "gjestenett", "marks", element)
        lab.world.until(lambda: lab.curl("guest2", SITES[0]) == "portal mark=0", "the door to close")


class TestNeighbours:
    def test_a_guest_is_known_by_each_of_its_addresses(self, lab: Lab) -> None:
        link_local = lab.world.run(
            "guest1", "ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link"
        ).stdout.split()[3]
        for target in (net.GUEST4, net.GUEST6, "fe80::ff:fe00:77fe%eth0"):
            assert lab.ping("guest1", target)
        addresses = [
            lab.world.address4("guest1"),
            lab.world.address6("guest1"),
            link_local.split("/")[0] + f"%{net.GUEST_IF}",
        ]
        code = "import sys\nfrom gateway.link.neighbours import resolve\nfor a in sys.argv[1:]: print(resolve(a))"
        told = lab.world.run(
            "gateway", sys.executable, "-c", code, *map(str, addresses), net.GUEST4, "10.77.0.200"
        ).stdout
        known = f"Neighbour(interface='{net.GUEST_IF}', mac='{net.GUESTS['guest1']}')"
        ours = "Neighbour(interface='lo', mac='00:00:00:00:00:00')"
        assert told.splitlines() == [known, known, known, ours, "None"]
