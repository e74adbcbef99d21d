"""What makes a login window fail to appear, shown with the same clients: so their verdict can really be wrong.

In the product's place stands a gateway that does one thing wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from subprocess import PIPE

import pytest

from captive_portal.probes import PROBES
from tests.lab import topology as net
from tests.lab.product import HOSTNAME
from tests.lab.verdicts import ASK_THE_API, SYSTEMS, Verdict, read_verdicts
from tests.lab.world import API_URI, World

ANDROIDS = [name for name in ASK_THE_API if name not in ("ChromeOS", "iOS and macOS")]
Ask = Callable[..., dict[str, Verdict]]
Stand = Callable[..., Ask]


@pytest.fixture
def stand(world: World) -> Iterator[Stand]:
    """`stand(KIND)` puts such a portal in our place; what it returns asks a guest's systems for their verdicts."""
    started = []

    def put(kind: str, *, hijack: bool = False, name: str = HOSTNAME, lasts: timedelta = timedelta(days=1)) -> Ask:
        folder = world.directory
        world.authority.issue([name], folder / "bad.pem", folder / "bad.key", lasts)
        server = world.popen("gateway", sys.executable, "-m", "tests.lab.bad_portal", kind, str(folder), stdin=PIPE)
        started.append(server)
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "ready"
        if not world.address4("guest1"):
            world.start_dhcp()
            world.join("guest1")
        led = [] if hijack else [f"--host-record={name},{net.PROBE4},{net.PROBE6}" for name in _HOSTS]
        world.start_resolver(f"--address=/#/{net.GUEST4}", f"--host-record={HOSTNAME},{net.GUEST4},{net.GUEST6}", *led)

        def ask(api: str = "", **plan: object) -> dict[str, Verdict]:
            script = f'echo "nameserver {net.GUEST4}" >"$1" && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
            command = ("env", f"SSL_CERT_FILE={world.authority.ca}", sys.executable, "-m", "tests.lab.verdicts")
            wrapped = ("unshare", "-m", "sh", "-c", script, "sh", str(folder / "guest.resolv"), *command)
            done = world.run("guest1", *wrapped, json.dumps({"apis": [api], **plan}), timeout_s=60)
            return read_verdicts(done.stdout)[api]

        return ask

    with _redirecting(world):
        yield put
    for server in started:
        server.communicate(timeout=10)  # closes its standard input


_HOSTS = sorted({probe.host for probe in PROBES} | {"dns.msftncsi.com"})


class _redirecting:  # noqa: N801 - used as a statement
    """What every gateway does with plain HTTP of its guests: it leads to the portal; all else is refused."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> None:
        rules = f"""
            add table inet bad
            add chain inet bad pre {{ type nat hook prerouting priority dstnat; }}
            add rule inet bad pre iifname "{net.GUEST_IF}" tcp dport 80 dnat ip to {net.GUEST4}
            add rule inet bad pre iifname "{net.GUEST_IF}" tcp dport 80 dnat ip6 to {net.GUEST6}
            add chain inet bad forward {{ type filter hook forward priority filter; policy accept; }}
            add rule inet bad forward iifname "{net.GUEST_IF}" meta l4proto tcp reject with tcp reset
        """
        forwarding = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
        self._world.run("gateway", "sh", "-c", forwarding)
        self._world.run("gateway", "nft", "-f", "-", stdin=rules)

    def __exit__(self, *_: object) -> None:
        self._world.run("gateway", "nft", "delete", "table", "inet", "bad")


def says(told: dict[str, Verdict]) -> dict[str, str]:
    return {name: verdict.says for name, verdict in told.items()}


def test_in_front_of_a_portal_that_does_it_right_all_say_portal(stand: Stand) -> None:
    ask = stand("good")
    names = [name for name in SYSTEMS if name != "Windows 7"]  # its check by name needs a resolver that knows it
    told = ask(api=API_URI, systems=names)
    assert says(told) == dict.fromkeys(names, "portal")
    assert {name for name, verdict in told.items() if verdict.by == "api"} == set(ASK_THE_API)


def test_an_api_that_hangs_keeps_the_login_window_away(stand: Stand) -> None:
    ask = stand("hanging")
    systems = ["Android", "ChromeOS", "iOS and macOS"]
    # A twentieth of ten seconds each; whoever is told to wait no longer than that goes without.
    told = ask(api=API_URI, systems=systems, scale=0.05, give_up_s=0.2)
    assert says(told) == dict.fromkeys(systems, "none")
    told = ask(api=API_URI, systems=systems, scale=0.05)
    assert says(told) == dict.fromkeys(systems, "portal")
    assert {verdict.by for verdict in told.values()} == {"probe"}
    assert told["Android"].took_s >= 0.5
    assert told["ChromeOS"].took_s >= 0.25


@pytest.mark.parametrize(
    ("name", "lasts"),
    [("portal.example.net", timedelta(days=1)), (HOSTNAME, timedelta(hours=-1))],
    ids=["name", "time"],
)
def test_with_a_bad_certificate_the_api_counts_for_nothing_and_the_window_does_not_open(
    stand: Stand, name: str, lasts: timedelta
) -> None:
    ask = stand("good", name=name, lasts=lasts)
    told = ask(api=API_URI, systems=["Android", "ChromeOS", "iOS and macOS", "Firefox"])
    assert {(verdict.says, verdict.by) for verdict in told.values()} == {("broken", "probe")}


def test_an_api_that_leaves_https_counts_for_nothing(stand: Stand) -> None:
    told = stand("leaving")(api=API_URI, systems=list(ASK_THE_API))
    assert {(verdict.says, verdict.by) for verdict in told.values()} == {("portal", "probe")}


@pytest.mark.parametrize("kind", ["511", "empty"])
def test_511_and_an_empty_200_are_no_portal_to_android(stand: Stand, kind: str) -> None:
    told = says(stand(kind)(systems=[*ANDROIDS, "ChromeOS"]))
    assert told == dict.fromkeys([*ANDROIDS, "ChromeOS"], "broken")


def test_silence_is_no_portal_to_anybody(stand: Stand) -> None:
    names = [name for name in SYSTEMS if name != "Windows 7"]
    assert says(stand("silent")(systems=names, scale=0.01)) == dict.fromkeys(names, "broken")


def test_dns_that_leads_inside_is_no_portal_to_android(stand: Stand) -> None:
    ask = stand("good", hijack=True)
    assert says(ask(systems=ANDROIDS)) == dict.fromkeys(ANDROIDS, "broken")
    assert says(ask(systems=["Firefox"])) == {"Firefox": "portal"}  # which does not look at addresses
