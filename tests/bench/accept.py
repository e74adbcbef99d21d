"""Complete acceptances a second through HTTP on one portal process, with full durability, on SQLite and on PostgreSQL.

In the lab, with the sealer beside it as always: each guest has an address and a link-layer address of their own, which
the portal's kernel knows as a neighbour. What their devices would do with a frame for another of them is settled by a
rule: all are this one.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.storage.engine import open_database
from tests import postgres
from tests.bench.guests import address, mac
from tests.lab import topology as net
from tests.lab.world import World

PORTAL, PORT = "10.78.0.1", 8080
WARM, MEASURED = 100, 1000
AT_ONCE = 16
GUEST = "guest1"
_SETTINGS = f"""
state = "{{state}}"
[owner]
key = "storvik"
name = "Storvik kommune"
log_origin = "storvik.example.no/gjestenett"
[database]
url = "{{database}}"
[portal]
host = "{PORTAL}"
port = {PORT}
[enforcement]
guest_interfaces = ["{net.GUEST_IF}"]
"""


def addresses(world: World) -> None:
    """Give the guests' namespace every device's address, and tell the gateway whose it is."""
    world.run("gateway", "ip", "address", "add", f"{PORTAL}/16", "dev", net.GUEST_IF)
    world.run(GUEST, "ip", "link", "set", "eth0", "up")
    devices = range(WARM + MEASURED)
    own = "\n".join(f"address add {address(device)}/16 dev eth0" for device in devices)
    world.run(GUEST, "ip", "-batch", "-", stdin=own)
    known = "\n".join(
        f"neighbour replace {address(device)} lladdr {mac(device)} dev {net.GUEST_IF} nud permanent"
        for device in devices
    )
    world.run("gateway", "ip", "-batch", "-", stdin=known)
    chain = 'type filter hook ingress device "eth0" priority 0'
    rules = f"add table netdev bench\nadd chain netdev bench ours {{ {chain} ; }}\n"
    world.run(GUEST, "nft", "-f", "-", stdin=f"{rules}add rule netdev bench ours meta pkttype set host\n")


@contextmanager
def services(world: World, folder: Path, database: str, enforcing: str = "") -> Iterator[int]:
    """The sealer and one portal process, whose id it gives; `enforcing`: more lines of the settings' table for that."""
    folder.mkdir()
    config = folder / "gjestenett.toml"
    config.write_text(_SETTINGS.format(state=folder / "state", database=database) + enforcing)
    command = [sys.executable, "-m", "gateway.cli", "--config", str(config)]
    world.run("gateway", *command, "db", "upgrade", timeout_s=60)
    started = [world.popen("gateway", *command, name, stdout=subprocess.DEVNULL) for name in ("sealer", "portal")]
    try:
        reach = [GUEST, "curl", "-s", "-o", os.devnull, "--interface", address(0), f"http://{PORTAL}:{PORT}/rules"]
        world.until(lambda: world.run(*reach, check=False).returncode == 0, "the portal to serve", 60)
        found = world.run("gateway", "pgrep", "-f", f"{config} portal").stdout.split()
        yield int(found[-1])
    finally:
        world.run("gateway", "pkill", "-f", str(config), check=False)
        for process in started:
            process.wait(20)


def cpu_s(world: World, pid: int) -> float:
    """Processor time that a process has used."""
    fields = world.run("gateway", "cat", f"/proc/{pid}/stat").stdout.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def guests(world: World, first: int, count: int) -> tuple[float, list[list[float]]]:
    """Seconds in all, and for each guest the milliseconds of everything and of the POST."""
    command = [sys.executable, "-m", "tests.bench.guests", PORTAL, str(PORT), str(first), str(count), str(AT_ONCE)]
    told = json.loads(world.run(GUEST, *command, timeout_s=300).stdout)
    if told["failed"]:
        raise SystemExit(f"{len(told['failed'])} guests could not accept: {told['failed'][0]}")
    return told["seconds"], told["took"]


def measure(world: World, name: str, database: str, url: str) -> None:
    """Print one line of figures."""
    folder = world.directory / name
    with services(world, folder, database) as pid:
        guests(world, 0, WARM)
        before = cpu_s(world, pid)
        seconds, took = guests(world, WARM, MEASURED)
        used_s = cpu_s(world, pid) - before
    written = open_database(url or f"sqlite:///{folder / 'state' / 'gjestenett.sqlite3'}")
    with written.read() as session:
        rows = session.connection().exec_driver_sql("SELECT count(*) FROM acceptance").scalar()
    written.close()
    if rows != WARM + MEASURED:
        raise SystemExit(f"{rows} acceptances are recorded instead of {WARM + MEASURED}")
    whole, post = (_spread([row[part] for row in took]) for part in (0, 1))
    print(
        f"{name}: {MEASURED / seconds:.0f} complete acceptances a second (wanted >= 50); {AT_ONCE} guests at once:"
        f" GET, POST and GET together {whole}, the POST {post};"
        f" portal {1000 * used_s / MEASURED:.1f} ms of processor time each",
        flush=True,
    )


def _spread(values_ms: list[float]) -> str:
    parts = statistics.quantiles(values_ms, n=100)
    return f"p50 {parts[49]:.0f} ms, p99 {parts[98]:.0f} ms"


def main() -> None:
    """Print both databases' figures."""
    with World() as world:
        addresses(world)
        measure(world, "SQLite", "", "")
        programs, lacking = postgres.binaries(), postgres.missing()
        if lacking is not None or programs is None:
            print(f"PostgreSQL: {lacking}")
            return
        with postgres.running_cluster(programs, durable=True) as cluster:
            url = cluster.url(cluster.create())
            measure(world, "PostgreSQL", url, url)
