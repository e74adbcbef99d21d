"""The product's firewall and resolver in the lab, without the rest, in front of a real unbound.

Everything below `flood.example` exists at once; `tunnel.example` is asked of whatever listens at `AUTHORITY4`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import dataclass

from gateway.dns.config import DnsConfig
from gateway.lists.publish import publish
from policies.document import default_document
from policies.snapshot import compile_snapshot
from tests.lab import topology as net
from tests.lab.test_firewall import Lab, admission
from tests.lab.world import LabError, World

UNBOUND4 = "203.0.113.54"
AUTHORITY4 = "203.0.113.90"
WORKERS = 2
START_S = 40


@dataclass(frozen=True)
class Told:
    """What a device that asked got: how many it sent, answers by rcode, and the seconds that each took, in order.

    `lasted_s`: from its first question to its last, longer than planned where the machine was busy.
    """

    sent: int
    rcodes: dict[int, int]
    took_s: list[float]
    lasted_s: float

    @property
    def answered(self) -> int:
        """How many answers came."""
        return len(self.took_s)

    def late_s(self, share: float = 0.5) -> float:
        """The time within which that share of the answers came."""
        return self.took_s[min(len(self.took_s) - 1, int(share * len(self.took_s)))]


class ResolverLab(Lab):
    """The world with the enforcer, `WORKERS` DNS workers and what they ask."""

    def set_up(self) -> None:
        """Start everything, and let both guests join."""
        for address in (UNBOUND4, AUTHORITY4):
            self.world.run("internet", "ip", "address", "add", f"{address}/32", "dev", "lo")
        self._start_unbound()
        self.intent.write_text("[]")
        self.start()
        self.world.until(self._has_rules, "the ruleset", START_S)
        state = self.world.directory / "dns-state"
        publish(state, compile_snapshot(default_document(), (), 1))
        self._start_workers(str(state / "policy" / "current.snapshot"))
        self.world.start_dhcp()
        for guest in net.GUESTS:
            self.world.join(guest)

    def fresh(self, guest: str) -> str:
        """The guest comes back as a device that nobody has seen: another MAC address, the same IP addresses."""
        mac = "02:" + ":".join(f"{random.randrange(256):02x}" for _ in range(5))
        self.world.run(guest, "ip", "link", "set", "eth0", "address", mac)
        self.world.run("gateway", "ip", "neighbour", "flush", "dev", net.GUEST_IF)
        return mac

    def admit_device(self, guest: str, mac: str) -> None:
        """Let one device in, and nobody else."""
        self.admit({**admission(guest), "mac": mac})

    def ask(self, guest: str, name: str, *servers: str, per_s: float, seconds: float, **more: object) -> Told:
        """Ask from a guest's device and wait for its end."""
        return self.told(self.start_asking(guest, name, *servers, per_s=per_s, seconds=seconds, **more))

    def start_asking(
        self, guest: str, name: str, *servers: str, per_s: float, seconds: float, **more: object
    ) -> subprocess.Popen[str]:
        """Ask in the background; see `tests.lab.ask.Plan`."""
        plan = {"servers": servers or (net.GUEST4,), "name": name, "per_s": per_s, "seconds": seconds, **more}
        return self.world.popen(guest, sys.executable, "-m", "tests.lab.ask", json.dumps(plan))

    @staticmethod
    def told(asking: subprocess.Popen[str]) -> Told:
        """What came of it."""
        out, _ = asking.communicate(timeout=60)
        found = json.loads(out)
        rcodes = {int(rcode): count for rcode, count in found["rcodes"].items()}
        return Told(found["sent"], rcodes, sorted(found["took_s"]), found["lasted_s"])

    def _has_rules(self) -> bool:
        told = self.world.run("gateway", "nft", "list", "table", "inet", "gjestenett", check=False).stdout
        return "chain meter_dns" in told

    def _start_workers(self, snapshot: str) -> None:
        config = DnsConfig(
            listen=(net.GUEST4, net.GUEST6),
            port=5300,
            workers=WORKERS,
            upstreams=((UNBOUND4, 53),),
            sources=(),
            private_zones=(),
            portal_hostname="gjest.example.no",
            portal_addresses=(net.GUEST4, net.GUEST6),
            snapshot=snapshot,
        )
        self.world.start_gateway([sys.executable, "-P", "-m", "gateway.dns.worker", config.to_json()])
        asked = ("dig", "+tries=1", "+time=1", "+short", "-p", "5300", f"@{net.GUEST4}", "www.example.com")
        self.world.until(lambda: self.world.run("gateway", *asked, check=False).returncode == 0, "the workers", START_S)
        log = self.world.directory / "gateway.log"
        self.world.until(lambda: log.read_text().count("answering on") >= WORKERS, "every worker", START_S)

    def _start_unbound(self) -> None:
        folder = self.world.directory
        config = folder / "unbound.conf"
        config.write_text(
            f"server:\n  interface: {UNBOUND4}\n  access-control: 0.0.0.0/0 allow\n  do-daemonize: no\n"
            f"  use-syslog: no\n  chroot: ''\n  username: ''\n  pidfile: ''\n  directory: '{folder}'\n"
            "  module-config: iterator\n"
            f"  outgoing-interface: {UNBOUND4}\n  do-not-query-localhost: no\n  qname-minimisation: no\n"
            "  num-threads: 1\n"
            "  local-zone: flood.example. redirect\n"
            f"  local-data: 'flood.example. 60 IN A {net.SITE4}'\n"
            f"stub-zone:\n  name: tunnel.example.\n  stub-addr: {AUTHORITY4}\n"
            f"forward-zone:\n  name: .\n  forward-addr: {net.RESOLVER4}\n"
        )
        log = (folder / "unbound.log").open("w")
        self.world.popen("internet", "unbound", "-d", "-c", str(config), stdout=log, stderr=log)
        asked = ("dig", "+tries=1", "+time=1", "+short", f"@{UNBOUND4}", "x.flood.example")
        try:
            self.world.until(lambda: self.world.run("internet", *asked, check=False).stdout != "", "unbound", START_S)
        except LabError as error:
            raise LabError(f"{error}: {(folder / 'unbound.log').read_text()}") from error
        finally:
            log.close()


def resolver_lab(world: World) -> ResolverLab:
    """A lab that is up."""
    lab = ResolverLab(world)
    lab.set_up()
    return lab
