"""The lab as a context manager: a gateway, two guests, an internet and a municipal network, in namespaces of its own.

One holder process owns user (unless root), network, mount and process namespaces. It ends when its standard input
closes, and everything started in the lab dies with it, also after `kill -9` of the test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from captive_portal.probes import PROBES
from tests.lab import topology as net
from tests.lab.certificates import Authority

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = ("unshare", "nsenter", "ip", "nft", "dnsmasq", "udhcpc", "curl", "dig")
API_URI = "https://gjest.example.no/captive-portal/api"
_READY = "holder ready"
_UDHCPC_SCRIPT = """#!/bin/sh
# Called by udhcpc: configures the interface and keeps what the server said, one `name=value` a line.
case "$1" in
deconfig) ip address flush dev "$interface" scope global -4 2>/dev/null; ip link set "$interface" up ;;
bound|renew)
  ip -4 address replace "$ip/$mask" dev "$interface"
  for one in $router; do ip route replace default via "$one" dev "$interface"; break; done
  env >"$LEASE_FILE.new" && mv "$LEASE_FILE.new" "$LEASE_FILE" ;;
esac
exit 0
"""


class LabError(Exception):
    """The lab could not be built, or a command in it failed."""


def missing() -> str | None:
    """Why the lab can't run on this machine, or None when it can."""
    absent = [tool for tool in TOOLS if shutil.which(tool, path=_PATH) is None]
    if absent:
        return f"missing programs: {', '.join(absent)}"
    try:
        subprocess.run([*_unshare(), "nft", "list", "ruleset"], capture_output=True, check=True, timeout=20, env=_env())
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", b"") or str(error).encode()
        return f"namespaces with nftables are not allowed here: {detail.decode(errors='replace').strip()}"
    return None


class World:
    """Use as `with World() as world:`. All namespaces see the scratch folder `directory`; it is removed at the end."""

    def __init__(self) -> None:
        self.directory = Path()
        self._holder: subprocess.Popen[str] | None = None
        self._pid = 0
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> World:
        self.directory = Path(tempfile.mkdtemp(prefix="gjestenett-lab-"))
        try:
            self._start_holder()
            self._run_in_holder(net.build_script())
            self._start_services()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill everything in the lab and remove its files."""
        if self._holder is not None:
            self._holder.kill()  # --kill-child: the process namespace dies with it
            self._holder.communicate()
            self._holder = None
        for process in self._started:
            process.communicate(timeout=10) if process.stdout and not process.stdout.closed else process.wait(10)
        self._started.clear()
        shutil.rmtree(self.directory, ignore_errors=True)

    def command(self, namespace: str, *command: str) -> list[str]:
        """The command line that runs `command` in a namespace, from outside the lab."""
        user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        network = f"--net=/proc/{self._pid}/root/run/netns/{namespace}"
        return ["nsenter", "-t", str(self._pid), *user, "-m", "-p", network, f"--wd={PROJECT}", *command]

    def popen(
        self,
        namespace: str,
        *command: str,
        env: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | IO[str] | None = subprocess.PIPE,
        stderr: int | IO[str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a long-running command in a namespace."""
        process = subprocess.Popen(
            self.command(namespace, *command), stdin=stdin, stdout=stdout, stderr=stderr, text=True, env=_env(env)
        )
        self._started.append(process)
        return process

    def run(
        self, namespace: str, *command: str, check: bool = True, timeout_s: float = 20, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a namespace to its end.

        Raises: LabError when `check` and it fails, or when it takes longer than `timeout_s`.
        """
        try:
            done = subprocess.run(
                self.command(namespace, *command),
                input=stdin or "",
                capture_output=True,
                text=True,
                timeout=timeout_s,
                env=_env(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{namespace}: {' '.join(command)}: no end within {timeout_s} s") from error
        if check and done.returncode:
            raise LabError(f"{namespace}: {' '.join(command)}: exit {done.returncode}: {done.stderr or done.stdout}")
        return done

    def start_gateway(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start the product's own services in the gateway's namespace; output goes to `directory/gateway.log`."""
        with (self.directory / "gateway.log").open("a") as log:
            return self.popen("gateway", *command, env=env, stdout=log, stderr=log)

    def start_dhcp(self, api_uri: str = API_URI, announced: Path | None = None) -> None:
        """dnsmasq on the guest side: DHCPv4 with option 114, router advertisements for SLAAC; no DNS.

        With `announced`, what `gjestenett` writes for it: that instead, and DHCPv6 for what is no address. It may be
        started again, as it has to be when that file changes.
        """
        first, last = net.DHCP_RANGE4
        self._stop_dnsmasq("gateway")
        if announced is None:
            told = (f"--dhcp-option-force=114,{api_uri}", "--dhcp-range=2001:db8:77::,ra-only")
        else:
            told = (f"--conf-file={announced}", "--dhcp-range=2001:db8:77::,ra-stateless")
        self._dnsmasq(
            "gateway",
            "--port=0",
            f"--interface={net.GUEST_IF}",
            "--except-interface=lo",
            "--bind-dynamic",
            "--no-ping",
            "--dhcp-authoritative",
            f"--dhcp-range={first},{last},255.255.255.0,10m",
            f"--dhcp-option=option:router,{net.GUEST4}",
            f"--dhcp-option=option:dns-server,{net.GUEST4}",
            *told,
            "--enable-ra",
            f"--dhcp-option=option6:dns-server,[{net.GUEST6}]",
            f"--dhcp-leasefile={self.directory}/dhcp.leases",
        )

    def stop_dhcp(self) -> None:
        """End what `start_dhcp` has started; it says goodbye as a router."""
        self._stop_dnsmasq("gateway")

    def start_resolver(self, *options: str) -> None:
        """dnsmasq as the guests' resolver on the gateway, instead of the one that was there."""
        self._stop_dnsmasq("gateway", "dns")
        listen = f"--listen-address={net.GUEST4}"
        self._dnsmasq("gateway", "--bind-interfaces", "--no-hosts", "--no-resolv", listen, *options, role="dns")

    def join(self, guest: str) -> dict[str, str]:
        """The guest's device joins: a real DHCP client and SLAAC. Returns the lease as udhcpc told it.

        `ip`, `router`, `dns`; option 114 as text under `captive_portal_uri`.
        """
        lease = self.directory / f"{guest}.lease"
        lease.unlink(missing_ok=True)
        script = self.directory / "udhcpc.sh"
        command = ("udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "8", "-T", "1", "-O", "114", "-s", str(script))
        self.run(guest, "env", f"LEASE_FILE={lease}", *command)
        said = dict(line.split("=", 1) for line in lease.read_text().splitlines() if "=" in line)
        if "opt114" in said:
            said["captive_portal_uri"] = bytes.fromhex(said["opt114"]).decode("ascii")
        self.until(lambda: self.address6(guest) is not None, "an IPv6 address by router advertisement")
        return said

    def address4(self, guest: str) -> str | None:
        """The guest's global IPv4 address."""
        return self._address(guest, "-4")

    def address6(self, guest: str) -> str | None:
        """The guest's global IPv6 address."""
        return self._address(guest, "-6")

    def until(self, condition: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
        """Poll until `condition()` is true.

        Raises: LabError naming `what` after `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise LabError(f"waited {timeout_s} s in vain for {what}")
            time.sleep(0.02)

    def _address(self, guest: str, family: str) -> str | None:
        told = self.run(guest, "ip", family, "-o", "address", "show", "dev", "eth0", "scope", "global").stdout.split()
        return told[3].split("/")[0] if len(told) > 3 else None

    def _start_holder(self) -> None:
        # /run is the lab's own: named namespaces, pid files and sockets live there and vanish with it
        setup = (
            f"mount -t tmpfs tmpfs /run && mkdir -p /run/netns && ip link set lo up && echo {_READY} && cat; "
            f"rm -rf '{self.directory}'"  # reached when the test was killed and the pipe closed
        )
        self._holder = subprocess.Popen(
            [*_unshare(), "sh", "-c", setup],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_env(),
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline().strip() != _READY:
            raise LabError(f"no namespaces: {self._holder.communicate()[1].strip()}")
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text().split()
        self._pid = int(children[0])

    def _run_in_holder(self, script: str) -> None:
        user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        done = subprocess.run(
            ["nsenter", "-t", str(self._pid), *user, "-m", "-n", "-p", "sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            env=_env(),
            check=False,
        )
        if done.returncode:
            raise LabError(f"the lab could not be built: {done.stderr.strip()}")

    def _start_services(self) -> None:
        script = self.directory / "udhcpc.sh"
        script.write_text(_UDHCPC_SCRIPT)
        script.chmod(0o755)
        tls = self.directory / "tls"
        self.authority = Authority(tls)
        self.authority.issue({probe.host for probe in PROBES}, tls / "probes.pem", tls / "probes.key")
        for namespace, addresses in (
            ("internet", net.INTERNET),
            ("inside", (net.INSIDE4, net.INSIDE_PUBLIC4, net.INSIDE6)),
        ):
            command = (sys.executable, "-m", "tests.lab.internet", *addresses)
            server = self.popen(namespace, *command, env={"LAB_TLS": str(tls)})
            assert server.stdout is not None
            line = server.stdout.readline().strip()
            server.stdout.close()
            if line != "ready":
                raise LabError(f"the servers in {namespace} did not start")
        records = [f"--host-record={name},{four},{six}" for name, (four, six) in net.HOSTS.items()]
        listen = [f"--listen-address={net.RESOLVER4}", f"--listen-address={net.RESOLVER6}"]
        txt = "--txt-record=whoami.lab.test,upstream resolver"
        # as the root does, what it does not know does not exist
        options = ("--bind-interfaces", "--no-hosts", "--no-resolv", "--local=/#/")
        wild = f"--address=/{net.WILD}/{net.SITE4}"
        self._dnsmasq("internet", *options, txt, wild, *listen, *records)

    def _stop_dnsmasq(self, namespace: str, role: str = "") -> None:
        """End the one that was started, if any, and wait until it is gone."""
        pid = _pid_file(namespace, role)
        self.run(namespace, "sh", "-c", f"[ ! -e {pid} ] || kill $(cat {pid})")
        self.until(lambda: not self.run(namespace, "sh", "-c", f"cat {pid} 2>/dev/null; true").stdout, f"{pid} gone")

    def _dnsmasq(self, namespace: str, *options: str, role: str = "") -> None:
        """dnsmasq goes to the background only when it is listening, so its end is the sign that it serves."""
        # only user 0 exists in the lab, and an ordinary user's lab may not change groups at all: the empty group
        given = any(each.startswith("--conf-file=") for each in options)
        common = (
            *(() if given else ("--conf-file=/dev/null",)),
            "--user=root",
            "--group=",
            "--log-facility=-",
        )
        pid = f"--pid-file={_pid_file(namespace, role)}"
        with (self.directory / f"dnsmasq-{namespace}.log").open("a") as log:
            # a daemon's parent ends at once; its output must not be a pipe that nobody reads
            done = subprocess.run(
                self.command(namespace, "dnsmasq", *common, pid, *options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=20,
                env=_env(),
                check=False,
            )
        if done.returncode:
            said = (self.directory / f"dnsmasq-{namespace}.log").read_text()
            raise LabError(f"dnsmasq in {namespace} did not start: {said.strip()}")


def _pid_file(namespace: str, role: str) -> str:
    return f"/run/dnsmasq-{namespace}{'-' if role else ''}{role}.pid"


_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"))


def _env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "PATH": _PATH, **(extra or {})}


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["-U", "-r"]
    return ["unshare", *user, "-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc"]
