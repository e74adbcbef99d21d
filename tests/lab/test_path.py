"""The whole path with the product's own services: from DHCP to a verified export, through faults in between."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from gateway.access.course_plan import local_text
from gateway.firewall.ruleset import MOST_CONNECTIONS
from tests.lab import topology as net
from tests.lab.product import CONSOLE_PORT, HOSTNAME, PORTAL, SERVICES, Product, form_fields
from tests.lab.test_firewall import CROWD
from tests.lab.world import World

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def running(world: World) -> Iterator[Product]:
    """The product, with two guests that have joined."""
    with Product(world) as product:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
        yield product


@pytest.fixture
def product(running: Product) -> Product:
    """The product with nobody granted access."""
    for line in running.cli("grants", "list").stdout.splitlines()[1:]:
        running.cli("grants", "revoke", line.split()[0])
    running.world.until(lambda: not running.reaches("guest1") and not running.reaches("guest2"), "a closed start")
    return running


def accept(product: Product, guest: str, **options: str) -> None:
    answer = product.accept(guest, **options)
    assert (answer.status, answer.location) == (303, f"{PORTAL}/status"), answer
    product.until_online(guest)


def test_dhcp_tells_the_api_and_the_api_tells_the_truth(product: Product) -> None:
    assert product.world.join("guest1")["captive_portal_uri"] == f"{PORTAL}/captive-portal/api"
    assert product.capport("guest1")["captive"] is True
    accept(product, "guest1")
    told = product.capport("guest1")
    assert told["captive"] is False
    assert 0 < told["seconds-remaining"] <= 10 * 3600


def test_acceptance_opens_exactly_that_device_on_both_families(product: Product) -> None:
    for address in (net.SITE4, net.SITE6):
        assert not product.reaches("guest1", address)
    accept(product, "guest1")
    for address in (net.SITE4, net.SITE6):
        assert product.reaches("guest1", address)
        assert not product.reaches("guest2", address)


@pytest.mark.parametrize("url", ["http://www.example.com/some/page", f"http://{net.SITE4}/", f"http://[{net.SITE6}]/x"])
def test_any_plain_http_of_a_device_that_has_not_accepted_leads_to_the_portal(product: Product, url: str) -> None:
    page = product.curl("guest2", url)
    assert (page.status, page.location) == (302, f"{PORTAL}/")


def test_policy_holds_for_accepted_devices_and_hard_coded_resolvers(product: Product) -> None:
    accept(product, "guest1")
    for server in (net.GUEST4, net.GUEST6, net.RESOLVER4, net.RESOLVER6):
        answer = product.dig("guest1", "Store.SteamPowered.com", server=server)
        assert "EDE: 15" in answer, (server, answer)
        assert "gaming" in answer
    tcp = product.world.run("guest1", "dig", "+tcp", f"@{net.RESOLVER4}", "www.tinder.com", check=False).stdout
    assert "EDE: 15" in tcp
    assert "dating" in tcp
    assert net.SITE4 in product.dig("guest1", "www.example.com")


def test_a_published_change_reaches_the_next_answers_within_a_second(product: Product) -> None:
    accept(product, "guest1")
    for action, opened in (("open", True), ("close", False)):
        product.cli("policy", action, "gaming")
        product.cli("policy", "publish", "--note", "test")
        product.world.until(
            lambda opened=opened: (net.GAME4 in product.dig("guest1", "steampowered.com")) is opened, action, 1
        )


def test_a_session_moved_to_another_group_has_its_policy_in_the_next_answers_and_the_others_keep_theirs(
    product: Product,
) -> None:
    accept(product, "guest1")
    accept(product, "guest2")
    product.cli("policy", "groups", "add", "course", "--like", "default")
    product.cli("policy", "open", "gaming", "--group", "course")
    product.cli("policy", "publish", "--note", "a course")
    snapshot = product.state / "policy" / "current.snapshot"
    product.world.until(lambda: b"course" in snapshot.read_bytes(), "the group compiled")
    assert net.GAME4 not in product.dig("guest1", "steampowered.com")
    grants = json.loads(product.cli("grants", "list", "--json").stdout)
    mac = net.GUESTS["guest1"]
    [code] = [each["receipt"] for each in grants if each["mac"] == mac]
    for group, opened in (("course", True), ("default", False)):
        product.cli("grants", "move", code, group)
        product.world.until(
            lambda opened=opened: (net.GAME4 in product.dig("guest1", "steampowered.com")) is opened, group, 1
        )
        assert net.GAME4 not in product.dig("guest2", "steampowered.com")
        assert product.reaches("guest1")


@pytest.mark.parametrize("host", [net.GUEST4, f"[{net.GUEST6}]", net.MGMT_GATEWAY4])
def test_console_is_not_reachable_from_the_guest_side(product: Product, host: str) -> None:
    accept(product, "guest1")
    for guest in net.GUESTS:
        assert product.curl(guest, f"https://{host}:{CONSOLE_PORT}/", "--insecure").status == 0


def test_console_is_reachable_from_the_management_side(product: Product) -> None:
    assert product.curl("mgmt", f"https://{net.MGMT_GATEWAY4}:{CONSOLE_PORT}/", "--insecure").status in (200, 303)


def test_revocation_closes_and_cuts_a_running_download(product: Product) -> None:
    accept(product, "guest1")
    download = product.world.popen(
        "guest1", "curl", "-s", "-o", "/dev/null", "--speed-time", "3", "--speed-limit", "1",
        f"http://{net.SITE4}/endless",
    )  # fmt: skip
    time.sleep(0.5)
    assert download.poll() is None
    grant = product.cli("grants", "list").stdout.splitlines()[1].split()[0]
    product.cli("grants", "revoke", grant)
    assert download.wait(3) == 56  # reset
    assert not product.reaches("guest1")


def test_the_end_of_a_course_cuts_the_downloads_of_its_guests_and_of_nobody_else(product: Product) -> None:
    now = datetime.now(UTC)
    times = ("--from", local_text(now), "--until", local_text(now + timedelta(hours=3)))
    [course] = json.loads(product.cli("courses", "add", "Excel", "--unit", "IKT", *times, "--json").stdout)
    accept(product, "guest1", course_code=course["code"].replace("-", " ").upper())
    accept(product, "guest2")
    assert json.loads(product.cli("courses", "list", "--json").stdout)[0]["devices"] == 1
    assert product.capport("guest1")["seconds-remaining"] <= 3 * 3600
    downloads = {}
    for guest in net.GUESTS:
        received = product.folder / f"received-{guest}"
        command = ("curl", "-s", "-o", str(received), "--max-time", "60", f"http://{net.SITE4}/endless")
        downloads[guest] = product.world.popen(guest, *command)
        product.world.until(lambda path=received: path.exists() and path.stat().st_size > 50_000, f"{guest} downloads")
    product.cli("courses", "end", course["code"])
    assert downloads["guest1"].wait(3) == 56  # reset
    assert not product.reaches("guest1")
    assert downloads["guest2"].poll() is None
    assert product.reaches("guest2")
    downloads["guest2"].terminate()
    downloads["guest2"].wait(5)
    assert 'name="course_code"' not in product.curl("guest1", f"{PORTAL}/").body, "no course is open any more"


@pytest.mark.parametrize("site", [net.SITE4, f"[{net.SITE6}]"])
def test_a_grant_that_expires_closes_and_cuts_a_running_download(product: Product, site: str) -> None:
    accept(product, "guest1")
    received = product.folder / "received"
    download = product.world.popen("guest1", "curl", "-s", "-o", str(received), f"http://{site}/endless")
    product.world.until(lambda: received.exists() and received.stat().st_size > 50_000, "the download to run")
    ends_at = datetime.now(UTC) + timedelta(seconds=2)
    shorten_grants(product, ends_at)
    time.sleep((ends_at - datetime.now(UTC)).total_seconds() - 0.7)
    assert download.poll() is None  # shortened, not revoked
    assert product.reaches("guest1")
    assert download.wait(3) == 56  # reset
    assert 0 <= (datetime.now(UTC) - ends_at).total_seconds() < 1
    for address in (net.SITE4, net.SITE6):
        assert not product.reaches("guest1", address)
    assert product.capport("guest1")["captive"] is True
    received.unlink()


def shorten_grants(product: Product, ends_at: datetime) -> None:
    """Let every open grant end at `ends_at`, and tell the enforcer as the product's own writers do."""
    with closing(sqlite3.connect(product.state / "gjestenett.sqlite3", timeout=5)) as database, database:
        moment = ends_at.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        changed = database.execute(
            "UPDATE access_grant SET ends_at = ? WHERE revoked_at IS NULL AND ends_at > ?", (moment, moment)
        )
        assert changed.rowcount == 1
        assert database.execute("UPDATE change SET seq = seq + 1 WHERE topic = 'grants'").rowcount == 1


@pytest.mark.parametrize("server", [net.GUEST4, net.GUEST6])
def test_the_uplink_gets_no_answer_from_resolver_portal_or_console(product: Product, server: str) -> None:
    host = f"[{server}]" if ":" in server else server
    assert net.SITE4 in product.world.run("gateway", "dig", "-p", "5300", f"@{server}", "www.example.com").stdout
    if ":" not in server:
        product.world.run("internet", "ip", "route", "replace", f"{server}/32", "via", net.UPLINK4)
    asked = ("dig", "+tries=1", "+time=1", "-p", "5300", f"@{server}", "www.example.com")
    for transport in ("+notcp", "+tcp"):
        assert product.world.run("internet", *asked, transport, check=False).returncode != 0
    uplink = f"[{net.UPLINK6}]" if ":" in server else net.UPLINK4
    for url in (f"http://{host}:8080/", f"http://{uplink}:8080/", f"https://{uplink}:8443/"):
        assert product.curl("internet", url, "--insecure", "--max-time", "1").status == 0
    assert product.curl("internet", f"https://{uplink}:{CONSOLE_PORT}/", "--insecure", "-m", "1").status == 0


def test_one_guest_with_a_thousand_open_connections_does_not_shut_the_portal(product: Product) -> None:
    crowd = product.world.popen(
        "guest1", sys.executable, "-c", CROWD, "1000", net.GUEST4, net.GUEST6, stdin=subprocess.PIPE
    )
    assert crowd.stdout is not None
    held = int(crowd.stdout.readline())
    assert 0 < held <= MOST_CONNECTIONS
    for _ in range(3):
        started = time.monotonic()
        assert product.curl("guest2", f"{PORTAL}/").status == 200
        assert time.monotonic() - started < 3
    crowd.communicate(timeout=5)  # lets go
    accept(product, "guest2")


def test_signing_off_closes_the_device(product: Product) -> None:
    accept(product, "guest1")
    page = product.curl("guest1", f"{PORTAL}/status")
    form = re.search(r'<form[^>]*action="([^"]*/sign-off[^"]*)".*?</form>', page.body, re.DOTALL)
    assert form, page.body
    token = re.search(r'name="token"[^>]*value="([^"]*)"|value="([^"]*)"[^>]*name="token"', form.group())
    assert token
    answer = product.curl(
        "guest1", f"{PORTAL}/sign-off", "--data-urlencode", f"token={token.group(1) or token.group(2)}"
    )
    assert answer.status == 303
    product.world.until(lambda: not product.reaches("guest1"), "the device closed", 3)


def test_two_submits_at_once_make_one_grant(product: Product) -> None:
    fields = form_fields(product.curl("guest1", f"{PORTAL}/form").body) | {"name": "Kari Nordmann"}
    data = [part for key, value in fields.items() for part in ("--data-urlencode", f"{key}={value}")]
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--insecure", "--resolve",
               f"{HOSTNAME}:443:{net.GUEST4}", *data, f"{PORTAL}/accept"]  # fmt: skip
    both = [product.world.popen("guest1", *command) for _ in range(2)]
    assert [process.communicate(timeout=20)[0] for process in both] == ["303", "303"]
    assert len(product.cli("grants", "list").stdout.splitlines()) == 2  # heading and one grant


def test_a_token_of_another_device_is_refused(product: Product) -> None:
    fields = form_fields(product.curl("guest2", f"{PORTAL}/form").body) | {"name": "Someone Else"}
    data = [part for key, value in fields.items() for part in ("--data-urlencode", f"{key}={value}")]
    answer = product.curl("guest1", f"{PORTAL}/accept", *data)
    assert answer.status not in (302, 303)
    assert "nobody" in product.cli("grants", "list").stdout


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_comes_back_and_nobody_is_thrown_out_or_let_in(product: Product, service: str) -> None:
    accept(product, "guest1")
    before = product.pids(service)
    assert before
    product.kill(service)
    for _ in range(5):
        assert product.reaches("guest1"), service
        assert not product.reaches("guest2"), service
    product.world.until(
        lambda: bool(product.pids(service)) and not set(product.pids(service)) & set(before), f"{service} back", 20
    )
    product.world.until(lambda: product.curl("guest2", f"{PORTAL}/").status == 200, "the portal", 20)
    accept(product, "guest2")
    assert product.reaches("guest1")
    assert product.reaches("guest2")


def test_the_whole_gateway_restarted_throws_nobody_out(product: Product) -> None:
    accept(product, "guest1")
    product.stop()
    assert product.reaches("guest1")
    assert not product.reaches("guest2")
    product.start()
    assert product.reaches("guest1")
    assert not product.reaches("guest2")
    assert product.capport("guest1")["captive"] is False


def test_the_export_verifies_on_its_own(product: Product) -> None:
    accept(product, "guest1", name="Åse Ødegård")
    bundle = product.folder / "path.zip"
    product.cli(
        "audit", "export", "--from", "2026-01-01", "--to", "2100-01-01", "--reason", "test", "--out", str(bundle)
    )
    done = product.cli("audit", "verify", str(bundle), "--key", str(product.state / "log.vkey"), check=False)
    assert done.returncode == 0, done.stdout


def test_no_query_is_logged(product: Product) -> None:
    accept(product, "guest1")
    product.dig("guest1", "very-private-name.example.com")
    product.curl("guest1", "http://www.example.com/very-private-path")
    product.curl("guest2", "http://very-private-name.example.com/very-private-path")
    time.sleep(1)
    kept = [path for path in product.folder.rglob("*") if path.is_file()]
    assert kept
    for path in [*kept, product.world.directory / "gateway.log"]:
        assert b"very-private" not in path.read_bytes(), path
