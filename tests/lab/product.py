"""The whole product in the lab's gateway: its settings, its certificate, and people's clients that talk to it."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

from tests.lab import topology as net
from tests.lab.verdicts import Verdict, read_verdicts
from tests.lab.world import LabError, World

HOSTNAME = "gjest.example.no"
PORTAL = f"https://{HOSTNAME}"
CONSOLE_PORT = 8081
READY_S = 90
SERVICES = ("enforcer", "sealer", "jobs", "dns", "portal", "console")

_SETTINGS = f"""
state = "{{state}}"
[owner]
key = "storvik"
name = "Storvik kommune"
log_origin = "storvik.example.no/gjestenett"
helpdesk_phone = "61 00 00 00"
[database]
url = "{{database}}"
[portal]
host = "::"
hostname = "{HOSTNAME}"
tls_certificate = "{{folder}}/portal.pem"
tls_key = "{{folder}}/portal.key"
[console]
host = "::"
port = {CONSOLE_PORT}
hostname = "{net.MGMT_GATEWAY4}"
[dns]
listen = ["{net.GUEST4}", "{net.GUEST6}"]
upstreams = ["{net.RESOLVER4}"]
sources = {{{{}}}}
[enforcement]
enabled = true
guest_interfaces = ["{net.GUEST_IF}"]
guest_addresses = ["{net.GUEST4}", "{net.GUEST6}"]
uplink = "{net.UPLINK_IF}"
"""


@dataclass(frozen=True)
class Page:
    """What a guest's browser got: the final status, the body, the address it ended at, and each redirect's target."""

    status: int
    body: str
    url: str
    location: str | None


class Product:
    """`gjestenett up` in the lab. Use as `with Product(world) as product:`."""

    def __init__(self, world: World, database: str = "", enforcement: str = "", more_settings: str = "") -> None:
        """`enforcement`: further lines of that section of the settings; `more_settings`: further sections."""
        self.world = world
        self.folder = world.directory / "product"
        self.state = self.folder / "state"
        self.config = self.folder / "gjestenett.toml"
        self.ca = world.authority.ca
        self.database = database
        self.enforcement = enforcement
        self.more_settings = more_settings
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Product:
        self.folder.mkdir()
        self.certify()
        settings = _SETTINGS.format(state=self.state, folder=self.folder, database=self.database)
        self.config.write_text(f"{settings}{self.enforcement}\n{self.more_settings}")
        (self.folder / "resolv.conf").write_text(f"nameserver {net.GUEST4}\noptions timeout:2 attempts:2\n")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def certify(self, *names: str, lasts: timedelta = timedelta(days=30)) -> None:
        """Give the portal a certificate of the lab's authority, or a new one: for its own name unless for `names`."""
        pair = self.folder / "portal.pem", self.folder / "portal.key"
        self.world.authority.issue(names or (HOSTNAME,), *pair, lasts)

    def start(self) -> None:
        """Start everything and wait until it serves."""
        self._process = self.world.start_gateway([*self._gjestenett(), "up"])
        self.world.until(self._serves, f"the product to serve:\n{self.log()}", READY_S)

    def stop(self) -> None:
        """Stop everything; what the kernel holds stays."""
        if self._process is not None:
            for pid in self.pids("up"):
                self.world.run("gateway", "kill", "-TERM", str(pid), check=False)
            self._process.wait(20)
            self._process = None

    def log(self) -> str:
        """What the services have said so far."""
        path = self.world.directory / "gateway.log"
        return path.read_text() if path.exists() else ""

    def pids(self, service: str) -> list[int]:
        """Process ids, in the lab, of a service."""
        command = f"gateway.cli --config .*\\.toml {service}$"
        if service == "dns":  # becomes its leaner worker
            command = "gateway.dns.worker"
        found = self.world.run("gateway", "pgrep", "-f", command, check=False)
        return [int(line) for line in found.stdout.split()]

    def kill(self, service: str) -> None:
        """`kill -9` a service's processes."""
        for pid in self.pids(service):
            self.world.run("gateway", "kill", f"-{signal.SIGKILL}", str(pid), check=False)

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command line on the gateway."""
        return self.world.run("gateway", *self._gjestenett(), *arguments, check=check, timeout_s=60)

    def curl(self, guest: str, url: str, *options: str, follow: bool = False, language: str = "nb") -> Page:
        """What a guest's browser gets at `url`, with the gateway's DNS as its resolver; status 0 when nothing."""
        write = "\n%{http_code} %{url_effective} %{redirect_url}"
        bound = ["--max-time", "8", "--silent", "--cacert", str(self.ca), "--header", f"Accept-Language: {language}"]
        command = ["curl", *bound, *(["--location"] if follow else []), "--write-out", write, *options, url]
        done = self.world.run(guest, *self._with_resolver(command), check=False, timeout_s=30)
        body, _, tail = done.stdout.rpartition("\n")
        status, effective, *redirect = tail.split(" ")
        return Page(int(status or 0), body, effective, redirect[0] if redirect and redirect[0] else None)

    def accept(self, guest: str, name: str = "Kari Nordmann", language: str = "nb", course_code: str = "") -> Page:
        """Read the rules and accept them as a browser without JavaScript does; the answer to the POST."""
        page = self.curl(guest, f"{PORTAL}/form", language=language)
        fields = form_fields(page.body)
        if "token" not in fields:
            raise LabError(f"no form on the welcome page ({page.status}): {page.body[:500]}")
        fields["name"] = name
        if course_code:
            fields["course_code"] = course_code
        data = [part for key, value in fields.items() for part in ("--data-urlencode", f"{key}={value}")]
        return self.curl(guest, f"{PORTAL}/accept", *data, language=language)

    def until_online(self, guest: str) -> float:
        """Ask the status page until it says that the device is online; the seconds it took."""
        started = time.monotonic()
        self.world.until(lambda: self.capport(guest)["captive"] is False, f"{guest} online\n{self.log()}")
        return time.monotonic() - started

    def capport(self, guest: str) -> dict[str, Any]:
        """RFC 8908: what the captive-portal API tells the device."""
        document: dict[str, Any] = json.loads(self.curl(guest, f"{PORTAL}/captive-portal/api").body)
        return document

    def verdicts(self, guest: str, **plan: object) -> dict[str, dict[str, Verdict]]:
        """What each operating system would conclude on the guest's device, by API; see `tests.lab.verdicts`."""
        command = ["env", f"SSL_CERT_FILE={self.ca}", sys.executable, "-m", "tests.lab.verdicts", json.dumps(plan)]
        return read_verdicts(self.world.run(guest, *self._with_resolver(command), timeout_s=60).stdout)

    def dig(self, guest: str, name: str, type_: str = "A", server: str = net.GUEST4) -> str:
        """dig's whole answer."""
        return self.world.run(guest, "dig", "+tries=2", "+time=2", f"@{server}", name, type_, check=False).stdout

    def reaches(self, guest: str, address: str = net.SITE4, port: int = 443) -> bool:
        """Whether a TCP service on the internet greets the guest."""
        host = f"[{address}]" if ":" in address else address
        done = self.world.run(guest, "curl", "--silent", "--max-time", "2", f"telnet://{host}:{port}", check=False)
        return "hello from the internet" in done.stdout

    def browser_launcher(self, guest: str, chromium: str) -> Path:
        """A script that starts Chromium on the guest's device, with the gateway's DNS as its resolver."""
        command = self.world.command(guest, *self._with_resolver([chromium]))
        script = self.folder / f"chromium-{guest}.sh"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        script.chmod(0o755)
        return script

    def _serves(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise LabError(f"gjestenett up ended:\n{self.log()}")
        portal = self.world.run(
            "gateway", "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", f"http://{net.GUEST4}:8080/", check=False
        )
        console = self.world.run(
            "gateway", "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "https://127.0.0.1:8081/", check=False
        )
        answers = self.world.run(
            "gateway", "dig", "+tries=1", "+time=1", "-p", "5300", f"@{net.GUEST4}", HOSTNAME, "+short", check=False
        )
        rules = self.world.run("gateway", "nft", "list", "map", "inet", "gjestenett", "marks", check=False)
        policy = (self.state / "policy" / "current.snapshot").exists()
        pages = "000" not in (portal.stdout, console.stdout)
        return pages and net.GUEST4 in answers.stdout and rules.returncode == 0 and policy

    def _gjestenett(self) -> list[str]:
        return [sys.executable, "-m", "gateway.cli", "--config", str(self.config)]

    def _with_resolver(self, command: list[str]) -> list[str]:
        script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        return ["unshare", "-m", "sh", "-c", script, "sh", str(self.folder / "resolv.conf"), *command]


def form_fields(html: str) -> dict[str, str]:
    """The fields of the first accept form on a page, with their values."""
    form = re.search(r'<form[^>]*action="[^"]*/accept[^"]*".*?</form>', html, re.DOTALL)
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form.group() if form else ""):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            fields[unescape(name.group(1))] = unescape(value.group(1)) if value else ""
        elif name:
            fields[unescape(name.group(1))] = unescape(value.group(1)) if value else "on"
    return fields
