"""The whole path, measured in the lab: acceptance to first forwarded packet, and the idle memory of all services."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

from tests.lab import topology as net
from tests.lab.product import HOSTNAME, PORTAL, SERVICES, Product, form_fields
from tests.lab.world import World

RUNS = 21
IDLE_S = 10


def first_packet(product: Product) -> list[float]:
    """Milliseconds from POST to the first forwarded packet, sorted; each run begins with a closed device."""
    took = []
    for _ in range(RUNS):
        fields = form_fields(product.curl("guest1", f"{PORTAL}/form").body) | {"name": "Kari Nordmann"}
        command = [sys.executable, "-m", "tests.bench.first_packet", HOSTNAME, net.GUEST4, str(product.ca), net.SITE4]
        done = product.world.run("guest1", *command, stdin=urlencode(fields))
        took.append(float(done.stdout))
        product.cli("grants", "revoke", product.cli("grants", "list").stdout.splitlines()[1].split()[0])
        product.world.until(lambda: not product.reaches("guest1"), "the device closed")
    return sorted(took)


def memory(product: Product) -> dict[str, float]:
    """Proportional set size of each service's processes, in MB (smaps_rollup)."""
    found = {}
    for service in ("up", *SERVICES):
        kib = 0
        for pid in product.pids(service):
            rollup = product.world.run("gateway", "cat", f"/proc/{pid}/smaps_rollup").stdout
            kib += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        found[service] = kib / 1024
    return found


def main() -> None:
    """Print both."""
    with World() as world, Product(world) as product:
        world.start_dhcp()
        world.join("guest1")
        took = first_packet(product)
        print(
            f"acceptance to first forwarded packet, {RUNS} runs: median {statistics.median(took):.0f} ms,"
            f" fastest {took[0]:.0f}, slowest {took[-1]:.0f}   (wanted: median <= 150)"
        )
        time.sleep(IDLE_S)
        used = memory(product)
        parts = ", ".join(f"{name} {size:.0f}" for name, size in used.items())
        print(f"all services idle: {sum(used.values()):.0f} MB PSS ({parts})   (wanted: <= 400)")
        size = sum(path.stat().st_size for path in Path(product.state).rglob("*") if path.is_file())
        print(f"state directory after {RUNS} acceptances: {size / 1e6:.1f} MB")
