"""Redirects a second on one core beside peers, and how long they take while hundreds of devices ask and guests accept.

In the lab: the portal is kept on the first core and the clients on the second; each device has an address and a
link-layer address of its own. The peers answer the same clients in the same run: the least that asyncio can do, which
sends fixed bytes whatever it is asked, and openNDS where it is installed and starts.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import first_page
from tests.bench.accept import GUEST, PORT, PORTAL, addresses, cpu_s, services
from tests.bench.guests import address, mac
from tests.lab import topology as net
from tests.lab.world import LabError, World

DEVICES, PER_S = 500, 10
GUESTS_PER_S, ACCEPTING_AT_ONCE = 20, 16
ROUNDS, ROUND_S, MIXED_S = 3, 3, 10
SERVER_CORE, CLIENT_CORE = 0, 1
PEER_PORT, OPENNDS_PORT = 8089, 2050
_ENFORCING = f'enabled = true\nuplink = "{net.UPLINK_IF}"\n'
_LEASES = Path("/var/lib/misc/dnsmasq.leases")
_PEER = """
import asyncio, sys
ANSWER = b"HTTP/1.1 302 Found\\r\\nlocation: http://10.78.0.1/\\r\\ncontent-length: 0\\r\\n\\r\\n"
class Peer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(ANSWER)
        self.transport.close()
async def main():
    server = await asyncio.get_running_loop().create_server(Peer, sys.argv[1], int(sys.argv[2]), backlog=1024)
    await server.serve_forever()
asyncio.run(main())
"""


def strangers(world: World, mode: str, port: int, devices: int, seconds: float, *more: object) -> dict[str, object]:
    """What `tests.bench.strangers` says, run beside the server."""
    words = (mode, PORTAL, port, devices, seconds, *more)
    told: dict[str, object] = json.loads(
        world.run(GUEST, *_on_core(CLIENT_CORE, "strangers", *words), timeout_s=seconds + 60).stdout
    )
    return told


def redirects(world: World, port: int, pid: int, name: str) -> float:
    """Redirects a second of the server's processor time; prints those by the clock too, of some rounds."""
    used_s = cpu_s(world, pid)
    rounds = [strangers(world, "flood", port, 2 * DEVICES, ROUND_S) for _ in range(ROUNDS)]
    used_s = cpu_s(world, pid) - used_s
    answered, failed = (sum(int(str(each[kind])) for each in rounds) for kind in ("redirected", "failed"))
    by_clock = ", ".join(f"{float(str(each['per_s'])):,.0f}" for each in rounds)
    whole = answered / used_s if answered else 0.0
    print(
        f"{name}: {by_clock} redirects a second by the clock, {whole:,.0f} a second of its processor time;"
        f" each on a new connection; {failed} not answered so",
        flush=True,
    )
    return whole


def mixed(world: World, pid: int) -> None:
    """Devices that ask at their pace while guests accept at theirs."""
    used_s = cpu_s(world, pid)
    words = (PORTAL, PORT, DEVICES, GUESTS_PER_S * MIXED_S, ACCEPTING_AT_ONCE, GUESTS_PER_S)
    accepting = world.popen(GUEST, *_on_core(CLIENT_CORE, "guests", *words))
    told = strangers(world, "paced", PORT, DEVICES, MIXED_S, PER_S)
    accepted = json.loads(accepting.communicate(timeout=120)[0])
    used_s = cpu_s(world, pid) - used_s
    took = [float(each) for each in _list(told["took_ms"])]
    late = statistics.quantiles([float(str(each)) for each in _list(told["late_ms"])], n=1000)
    parts = statistics.quantiles(took, n=1000)
    whole = statistics.quantiles([row[0] for row in accepted["took"]], n=100)
    print(
        f"{DEVICES} devices that ask {PER_S} times a second for {MIXED_S} s, {GUESTS_PER_S} guests a second accepting:"
        f" {len(took)} answers, p50 {parts[499]:.1f} ms, p99 {parts[989]:.1f} ms (wanted <= 20), p99.9 {parts[998]:.1f}"
        f" ms from when each was due; {told['failed']} not redirected\n"
        f"  the client itself was late by p99 {late[989]:.1f}, p99.9 {late[998]:.1f} ms of that\n"
        f"  {len(accepted['took'])} acceptances, {len(accepted['failed'])} failed; GET, POST and GET p50"
        f" {whole[49]:.0f} ms, p99 {whole[98]:.0f} ms; the portal used {100 * used_s / MIXED_S:.0f} % of a core",
        flush=True,
    )


def pid_of(world: World, command: str) -> int:
    """The process in the gateway's namespace whose command line holds `command`."""
    return int(world.run("gateway", "pgrep", "-f", command).stdout.split()[-1])


def config_of(world: World) -> Path:
    """openNDS's settings."""
    return world.directory / "opennds.conf"


@contextmanager
def opennds(world: World) -> Iterator[str]:
    """openNDS on the guests' interface; gives why it can't run, or nothing when it does."""
    program = shutil.which("opennds")
    if program is None or shutil.which("iptables") is None:
        yield "not installed (apt-get install opennds iptables)"
        return
    config = config_of(world)
    config.write_text(f"GatewayInterface {net.GUEST_IF}\nGatewayAddress {PORTAL}\nMaxClients 2000\n")
    # it serves nobody whose address no DHCP server gave out, and finds that in dnsmasq's file
    world.run("gateway", "mount", "-t", "tmpfs", "none", str(_LEASES.parent))
    leases = "\n".join(f"0 {mac(device)} {address(device)} * *" for device in range(2 * DEVICES))
    world.run("gateway", "tee", str(_LEASES), stdin=f"{leases}\n")
    log = world.directory / "opennds.log"
    with log.open("w") as said:
        started = world.popen(
            "gateway", "taskset", "-c", str(SERVER_CORE), program, "-f", "-d", "1", "-c", str(config),
            stdout=said, stderr=said,
        )  # fmt: skip
    reach = [GUEST, "curl", "-s", "-o", os.devnull, "--interface", "10.78.1.1", f"http://{PORTAL}:{OPENNDS_PORT}/"]
    try:
        world.until(lambda: world.run(*reach, check=False).returncode == 0, "openNDS to serve", 30)
        yield ""
    except LabError:
        said_last = " ".join(log.read_text().split())[-200:]
        yield f"it did not start in a network namespace: {said_last or 'it said nothing'}"
    finally:
        started.terminate()


def main(_options: Sequence[str] = ()) -> int:
    """Print all figures."""
    first_page.main()
    with World() as world:
        addresses(world)
        folder = world.directory / "portal"
        with services(world, folder, "", _ENFORCING) as pid:
            world.run("gateway", "taskset", "-a", "-p", "-c", str(SERVER_CORE), str(pid))
            ours = redirects(world, PORT, pid, "gjestenett")
            mixed(world, pid)
        peer = world.popen(
            "gateway", "taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _PEER, PORTAL, str(PEER_PORT)
        )
        reach = [GUEST, "curl", "-s", "-o", os.devnull, f"http://{PORTAL}:{PEER_PORT}/"]
        world.until(lambda: world.run(*reach, check=False).returncode == 0, "the peer to serve", 20)
        least = redirects(world, PEER_PORT, pid_of(world, str(PEER_PORT)), "fixed bytes from an asyncio protocol")
        peer.terminate()
        print(f"ratio to that: {ours / least:.2f}; wanted of gjestenett: >= 8,000 a second on one core", flush=True)
        with opennds(world) as why:
            if why:
                print(f"openNDS: {why}")
            else:
                redirects(world, OPENNDS_PORT, pid_of(world, str(config_of(world))), "openNDS")
    return 0


def _on_core(core: int, module: str, *words: object) -> list[str]:
    return ["taskset", "-c", str(core), sys.executable, "-m", f"tests.bench.{module}", *map(str, words)]


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
