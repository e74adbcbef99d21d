"""`make demo`: the whole story on real parts, from joining the Wi-Fi to an acceptance verified offline.

Each step says what was done and what was observed; a step whose observation is not what it must be ends the demo with
exit code 1. Everything runs in namespaces that vanish with this process.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from html import unescape
from pathlib import Path

from tests.lab import topology as net
from tests.lab import world as lab
from tests.lab.product import HOSTNAME, PORTAL, Product
from tests.lab.world import LabError, World


class Story:
    """Numbers the steps, prints what was observed, and stops at the first that is not as it must be."""

    def __init__(self) -> None:
        self._number = 0

    def chapter(self, title: str) -> None:
        print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n== {title}", flush=True)

    def step(self, what: str, observed: object, holds: bool) -> None:
        """One step: what was done, what was seen, and whether that is right."""
        self._number += 1
        print(f"{self._number:3}. {what}\n     -> {observed}", flush=True)
        if not holds:
            raise LabError(f"step {self._number} is not as it must be: {what}")


def play(story: Story, world: World, product: Product) -> None:
    """The story."""
    story.chapter("A course instructor joins the guest network")
    _join(story, world, product)
    story.chapter("reads the rules and accepts them")
    _accept(story, world, product)
    story.chapter("and is online, under the municipality's policy")
    _browse(story, product)
    story.chapter("IT sees it and decides")
    _decide(story, world, product)
    story.chapter("The auditor exports and verifies, offline")
    _audit(story, product)
    story.chapter("IT ends the grant")
    _revoke(story, world, product)


def _join(story: Story, world: World, product: Product) -> None:
    lease = world.join("guest1")
    world.join("guest2")
    story.step(
        "two devices ask dnsmasq for an address; it also tells them the captive-portal URI (RFC 8910, option 114)",
        f"{lease['ip']}, {world.address6('guest1')}, URI {lease.get('captive_portal_uri')}",
        lease.get("captive_portal_uri") == lab.API_URI,
    )
    probe = product.curl("guest1", "http://connectivitycheck.gstatic.com/generate_204")
    story.step(
        "the phone's connectivity check is redirected to the portal",
        f"{probe.status} -> {probe.location}",
        probe.status == 302 and probe.location == f"{PORTAL}/",
    )
    api = product.capport("guest1")
    story.step("the captive-portal API over HTTPS says so too (RFC 8908)", api, api["captive"] is True)
    closed = [
        f"{address}:{port}"
        for address, port in ((net.SITE4, 443), (net.SITE6, 443), (net.SITE4, 5222), (net.INSIDE4, 443))
        if not product.reaches("guest1", address, port)
    ]
    story.step("nothing else passes, IPv4 or IPv6", f"closed: {', '.join(closed)}", len(closed) == 4)


def _accept(story: Story, world: World, product: Product) -> None:
    page = product.curl("guest1", f"{PORTAL}/", language="nn,nb;q=0.8")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.body, re.DOTALL)
    button = re.search(r"<button[^>]*>(.*?)</button>", page.body, re.DOTALL)
    story.step(
        "the login page opens on the rules, in nynorsk for this device",
        f"{page.status}: «{_text(heading)}», button «{_text(button)}»",
        page.status == 200 and 'lang="nn"' in page.body,
    )
    started = time.monotonic()
    answer = product.accept("guest1", "Kari Nordmann", language="nn")
    story.step(
        "she types her name and accepts; the answer sends her to the status page",
        f"{answer.status} -> {answer.location}",
        answer.status == 303,
    )
    product.until_online("guest1")
    story.step(
        "nftables lets exactly her device through",
        f"online {1000 * (time.monotonic() - started):.0f} ms after she pressed the button; kernel map: "
        + _marks(world),
        product.reaches("guest1") and not product.reaches("guest2"),
    )
    check = product.curl("guest1", "http://connectivitycheck.gstatic.com/generate_204")
    story.step("the phone's own check agrees", f"{check.status}", check.status == 204)


def _browse(story: Story, product: Product) -> None:
    site = product.curl("guest1", "http://www.example.com/")
    story.step("an ordinary site opens", f"{site.status} {site.body.strip()!r}", site.status == 200)
    game = product.dig("guest1", "store.steampowered.com")
    story.step("a gaming site is refused by DNS, with the reason", _answer(game), "EDE: 15" in game)
    other = product.dig("guest1", "store.steampowered.com", server=net.RESOLVER4)
    story.step(
        "asking another resolver makes no difference: DNS is redirected",
        _answer(other),
        "EDE: 15" in other and "0.0.0.0" in other,
    )


def _decide(story: Story, world: World, product: Product) -> None:
    listed = product.cli("grants", "list").stdout.strip()
    story.step("who is online", listed.replace("\n", "\n        "), "Kari Nordmann" in listed)
    why = product.cli("policy", "explain", "store.steampowered.com").stdout.strip()
    story.step("why is it closed?", why.replace("\n", "\n        "), "is closed" in why)
    product.cli("policy", "open", "gaming")
    product.cli("policy", "publish", "--note", "e-sports evening", "--by", "it")
    started = time.monotonic()
    world.until(lambda: net.GAME4 in product.dig("guest1", "store.steampowered.com"), "the next answer to obey")
    took = f"{1000 * (time.monotonic() - started):.0f} ms after publishing"
    story.step("IT opens gaming for the evening", f"DNS answers {net.GAME4} {took}", True)


def _audit(story: Story, product: Product) -> None:
    bundle, key = product.folder / "bundle.zip", product.state / "log.vkey"
    exported = product.cli(
        "audit", "export", "--from", "2026-01-01", "--to", "2100-01-01", "--reason", "yearly control",
        "--out", str(bundle),
    )  # fmt: skip
    story.step("the acceptances are exported", exported.stdout.strip().replace("\n", "\n        "), bundle.exists())
    alone = product.folder / "auditor"
    alone.mkdir()
    verifier = alone / "verify_bundle.py"
    shutil.copy(lab.PROJECT / "gateway" / "audit" / "verify_bundle.py", verifier)
    verdict = _verify(verifier, bundle, key)
    story.step("verify_bundle.py, a single file, checks them", _indent(verdict.stdout), verdict.returncode == 0)
    forged = alone / "bundle.zip"
    _forge(bundle, forged)
    shutil.copy(f"{bundle}.note", f"{forged}.note")
    verdict = _verify(verifier, forged, key)
    story.step("one word changed in one entry is found", _indent(verdict.stdout), verdict.returncode == 1)


def _revoke(story: Story, world: World, product: Product) -> None:
    download = world.popen(
        "guest1", "curl", "-s", "-o", "/dev/null", "--speed-time", "3", "--speed-limit", "1", f"http://{net.SITE4}/endless",
    )  # fmt: skip
    time.sleep(0.5)
    running = download.poll() is None
    grant = product.cli("grants", "list").stdout.splitlines()[1].split()[0]
    product.cli("grants", "revoke", grant, "--by", "it")
    started = time.monotonic()
    world.until(lambda: not product.reaches("guest1"), "the device to be closed")
    download.wait(15)
    story.step(
        "a revoked grant closes the device and cuts its running download",
        f"closed after {1000 * (time.monotonic() - started):.0f} ms at most; kernel map: {_marks(world) or 'empty'}",
        running and download.returncode != 0,
    )


def _verify(verifier: Path, bundle: Path, key: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(verifier), str(bundle), "--key", str(key)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _forge(bundle: Path, out: Path) -> None:
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "entries.jsonl":
                data = data.replace(b'"language":"nn"', b'"language":"nb"', 1)
            target.writestr(info, data)


def _marks(world: World) -> str:
    told = world.run("gateway", "nft", "list", "map", "inet", "gjestenett", "marks").stdout
    found = re.search(r"elements = \{(.*?)\}", told, re.DOTALL)
    return " ".join(found.group(1).split()) if found else ""


def _answer(dig: str) -> str:
    lines = [line for line in dig.splitlines() if "EDE" in line or ("\tA\t" in line and not line.startswith(";"))]
    return "; ".join(" ".join(line.strip("; ").split()) for line in lines)


def _text(match: re.Match[str] | None) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", match.group(1))).split()) if match else "?"


def _indent(text: str) -> str:
    return text.strip().replace("\n", "\n        ")


def main(run: Callable[[Story, World, Product], None] = play) -> int:
    """Play it; 0 when every step held, 1 when one did not, 2 when this machine can't."""
    why = lab.missing()
    if why is not None:
        print(f"the demo can't run here: {why}", file=sys.stderr)
        return 2
    print(f"building a gateway, two guests and an internet in namespaces; the portal is {HOSTNAME}", flush=True)
    try:
        with World() as world, Product(world) as product:
            world.start_dhcp()
            run(Story(), world, product)
    except LabError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print("\nEverything held, and nothing is left behind.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
