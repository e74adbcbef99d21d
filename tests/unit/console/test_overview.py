"""The first page: what stands on it for whom, and that looking at it by itself keeps nobody signed in."""

from __future__ import annotations

import html
import re
import time
from datetime import timedelta

import pytest

from captive_portal.console.overview import standing
from captive_portal.console.overview.standing import expected
from captive_portal.console_app import create_app
from captive_portal.security import CONTENT_SECURITY_POLICY
from gateway.heartbeat import SILENT
from gateway.settings import signing_key_path
from gateway.storage import beats, dns_counters, places
from gateway.storage.dns_counters import hour_of
from gateway.telemetry import Report, Totals
from tests.unit.console.conftest import Browser


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@pytest.fixture
def alive(world):
    """Everything published, and every service heard of."""
    world.publish_all()
    beat(world, "jobs", "portal")
    return world


def beat(world, *services: str) -> None:
    with world.services.database.write() as session:
        for service in services:
            beats.beat(session, world.services.place.gateway_id, service, world.now)


def test_it_sees_who_is_online_and_what_was_refused(alive):
    alive.accepted("Ola Nordmann")
    hour, place = hour_of(alive.now), alive.services.place
    counts = {
        (hour, "default", "refused", "gaming"): 7,
        (hour - timedelta(hours=30), "default", "refused", "adult"): 5,
        (hour, "default", "answered", ""): 1000,
    }
    with alive.services.database.write() as session:
        dns_counters.add_answers(session, place.owner_id, place.gateway_id, counts)
    browser = alive.signed_in("it")
    page = browser.get("/").text
    assert '<details open><summary id="refused-table">' in page
    assert re.search(r'<dd><a href="/devices">1</a></dd>', page)
    assert re.search(r'<dd><a href="/acceptances">1</a></dd>', page)
    assert re.search(r'<dd><a href="/lookups">7</a></dd>', page)
    assert page.count('data-value="7"') == 1
    assert page.count("<tr data-short=") == 30 + 24
    month = browser.get("/?period=month").text
    assert re.search(r'<dd><a href="/lookups">12</a></dd>', month)
    assert month.count("<tr data-short=") == 30 + 30
    assert "Ola" not in page + month, "figures only"
    assert re.search(r'<dd><a href="/lookups">7</a></dd>', browser.get("/?period=<b>").text)


def test_a_table_of_nothing_is_not_open(alive):
    page = alive.signed_in("it").get("/").text
    assert "Nothing was refused in this time." in page
    assert '<details><summary id="refused-table">' in page


def test_the_fragment_is_the_page_without_what_is_round_it(alive):
    browser = alive.signed_in("it")
    page, part = browser.get("/?period=month").text, browser.get("/overview/now?period=month").text
    assert part.strip() in page
    assert "<html" not in part


def test_auditors_see_the_evidence_and_are_told_only_what_they_can_follow(alive):
    alive.now += timedelta(hours=1)
    browser = alive.signed_in("auditor")
    page = browser.get("/").text
    text = text_of(page)
    assert "Acceptances a day" in text
    assert "No copy of the log’s checkpoints leaves this machine" in text
    assert "The jobs service is silent" not in text, "that is for IT"
    for foreign in ("Certificates", "Who is online", "Lookups refused", "Name servers"):
        assert foreign not in text
    inside = re.findall(r'href="(/[^"?#]*)', page.partition("<main")[2])
    assert inside
    for path in inside:
        assert browser.get(path).status_code == 200, path
    alive.account("kari", "it")
    kari = alive.browser()
    kari.sign_in("kari")
    assert "The jobs service is silent" in text_of(kari.get("/").text)


def test_hosts_go_on_to_their_courses_and_have_no_figures(alive):
    host = alive.signed_in("host", unit="Nybø skule")
    assert host.get("/").headers["location"] == "/courses"
    assert host.get("/overview/now").status_code == 403


def test_its_scripts_are_files_of_ours(alive):
    browser = alive.signed_in("it")
    policy = browser.get("/").headers["content-security-policy"]
    assert policy == f"{CONTENT_SECURITY_POLICY}; script-src 'self'; connect-src 'self'"
    for name in ("uplot.js", "overview.js", "live.js"):
        answer = browser.get(f"/static/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")


def test_asking_for_figures_again_and_again_keeps_nobody_signed_in(alive):
    browser = alive.signed_in("it")
    for _ in range(29):
        assert browser.get("/overview/now").status_code == 200
        alive.now += timedelta(minutes=1)
    assert browser.get("/overview/now").status_code == 200
    alive.now += timedelta(minutes=1)
    assert browser.get("/overview/now").status_code == 303, "half an hour without use is over"


def test_a_service_is_silent_two_minutes_after_its_last_word(alive):
    browser = alive.signed_in("it")
    for after, is_silent in ((SILENT, False), (SILENT + timedelta(seconds=1), True)):
        alive.now = alive.now.replace(second=0, minute=0)
        beat(alive, "jobs")
        alive.now += after
        assert ("The jobs service is silent" in text_of(browser.get("/").text)) is is_silent
    beat(alive, "jobs")
    text = text_of(browser.get("/").text)
    assert "The content filter that was published does not reach DNS" in text, "since nothing compiles it here"
    assert "No list is on" not in text, "that stands among the first steps"


def test_the_portal_is_missed_too(alive):
    browser = alive.signed_in("it")
    assert "The portal is silent" not in text_of(browser.get("/").text)
    alive.now += SILENT + timedelta(seconds=1)
    assert "The portal is silent: guests find no page" in text_of(browser.get("/").text)


def test_a_console_without_guests_of_its_own_misses_no_portal(world):
    world.publish_all()
    beat(world, "jobs")
    browser = world.signed_in("it")
    world.now += SILENT + timedelta(seconds=1)
    page = text_of(browser.get("/").text)
    assert "The jobs service is silent" in page
    assert "The portal is silent" not in page
    told = browser.get("/api/v1/overview").json()
    assert [each["name"] for each in told["services"]] == ["jobs"]
    assert "portal" not in {each["key"] for each in told["warnings"]}


def test_several_gateways_on_one_database_are_shown_with_when_they_were_heard(alive):
    browser, place = alive.signed_in("it"), alive.services.place
    assert "Gateways" not in text_of(browser.get("/").text)
    with alive.services.database.write() as session:
        other = places.add_place(
            session, owner_key=place.owner_key, owner_name="K", log_origin=place.log_origin, site_key="bibliotek",
            gateway_key="gateway-2", interfaces=["lo"], now=alive.now,
        )  # fmt: skip
    assert "bibliotek, gateway-2 silent last heard of : never" in text_of(browser.get("/").text).replace("of:", "of :")
    with alive.services.database.write() as session:
        beats.beat(session, other.gateway_id, "portal", alive.now)
    page = text_of(browser.get("/").text)
    assert "bibliotek, gateway-2 at work" in page
    assert "hovedbygg, gateway-1 at work" in page


def test_which_services_belong_here(alive):
    settings = alive.services.settings
    assert expected(settings, ()) == ("jobs",), "a console beside gateways of other machines"
    assert expected(settings, {"portal"}) == ("portal", "jobs")
    signing_key_path(settings).parent.mkdir(parents=True, exist_ok=True)
    signing_key_path(settings).write_text("key")
    gateway = {"enabled": True, "guest_interfaces": ("guest0",)}
    on = settings.model_copy(update={"enforcement": settings.enforcement.model_copy(update=gateway)})
    assert expected(on, ()) == ("enforcer", "portal", "sealer", "jobs")


def test_what_dns_workers_say_of_their_upstreams(alive):
    totals, now = Totals(), time.monotonic() + 50  # as much time as there is on a busy machine
    fast, slow = ("upstream_rtt_seconds", "192.0.2.53"), ("upstream_rtt_seconds", "192.0.2.54")
    for number, up in enumerate((1.0, 0.0)):
        gauges = {("upstream_up", "192.0.2.53"): 1.0, fast: 0.012 + number / 1000}
        gauges |= {("upstream_up", "192.0.2.54"): up, slow: 0.0}
        totals.add(Report(f"{number:016x}", {}, gauges), now)
    totals.add(Report("f" * 16, {}, {("upstream_up", "192.0.2.99"): 1.0}), now - 61)
    found = totals.standing(now)
    assert found.workers == 2
    servers = [(each.server, each.up, each.workers) for each in found.upstreams]
    assert servers == [("192.0.2.53", 2, 2), ("192.0.2.54", 1, 2)]
    assert found.upstreams[0].rtt_s == pytest.approx(0.013)
    alive.account("kari", "it")
    browser = Browser(create_app(alive.services, totals))
    browser.sign_in("kari")
    text = text_of(browser.get("/").text)
    assert "192.0.2.53 answers 13 ms" in text
    assert "192.0.2.54 answers at times –" in text


def test_dns_is_not_called_silent_before_it_could_have_spoken(alive, monkeypatch):
    passed = [0.0]
    real = standing.Gatherer.__init__
    monkeypatch.setattr(
        standing.Gatherer, "__init__", lambda self, snapshot, dns: real(self, snapshot, dns, lambda: passed[0])
    )
    browser = alive.signed_in("it")
    for seconds, said in ((0, "not known yet"), (60, "not known yet"), (61, "DNS is silent")):
        passed[0] = seconds
        text = text_of(browser.get("/").text)
        assert said in text
        assert ("DNS is silent" in text) is (seconds > 60)
