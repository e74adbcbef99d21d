"""The overview as data: the figures of the room, for IT and, without those of guests and DNS, for auditors."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta

from captive_portal.console_app import create_app
from gateway.storage import beats, dns_counters
from gateway.storage.dns_counters import hour_of
from gateway.telemetry import Report, Totals
from tests.unit.console.conftest import Browser

OVERVIEW = "/api/v1/overview"


def test_it_sees_who_is_online_what_was_refused_and_how_all_stands(world):
    world.publish_all()
    world.accepted("Ola Nordmann")
    world.seal()
    hour, place, totals = hour_of(world.now), world.services.place, Totals()
    counts = {
        (hour, "default", "refused", "gaming"): 7, (hour, "default", "rebinding", ""): 2,
        (hour - timedelta(hours=30), "default", "refused", "adult"): 5, (hour, "default", "answered", ""): 1000,
    }  # fmt: skip
    with world.services.database.write() as session:
        dns_counters.add_answers(session, place.owner_id, place.gateway_id, counts)
        beats.beat(session, place.gateway_id, "jobs", world.now)
    gauges = {("upstream_up", "192.0.2.53:53"): 1.0, ("upstream_rtt_seconds", "192.0.2.53:53"): 0.012}
    totals.add(Report("a" * 16, {}, gauges), time.monotonic())
    world.account("kari", "it")
    it = Browser(create_app(world.services, totals))
    world.sign_in(it, "kari")
    answer = it.get(OVERVIEW)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    operation = found["operation"]
    assert operation["online"] == [{"group": "default", "course": None, "title": None, "devices": 1}]
    assert operation["refused"][-1] == {"at": "2026-11-22T12:00:00Z", "refused": {"gaming": 7, "private": 2}}
    assert len(operation["refused"]) == 24
    assert (operation["generation"], operation["compiled"], operation["lists_on"]) == (1, None, 0)
    assert [each["acceptances"] for each in found["acceptances"]][-2:] == [0, 1]
    assert (found["log"]["size"] > 0, found["log"]["targets"]) == (True, [])
    assert {"name": "jobs", "heard_at": "2026-11-22T12:00:00Z", "silent": False} in found["services"]
    assert {"no_lists", "no_targets"} <= {each["key"] for each in found["warnings"]}
    assert all("{" not in each["text"] for each in found["warnings"])
    assert "Ola" not in answer.text, "figures only"
    assert (operation["dns_workers"], operation["gateways"]) == (1, [])
    assert operation["servers"] == [{"server": "192.0.2.53:53", "up": 1, "workers": 1, "rtt_s": 0.012}]
    month = it.get(f"{OVERVIEW}?period=month").json()["operation"]["refused"]
    assert (len(month), sum(sum(day["refused"].values()) for day in month)) == (30, 14)
    assert it.get(f"{OVERVIEW}?period=year").status_code == 422


def test_a_firewall_that_nobody_drives_is_warned_of_as_on_the_page(world):
    world.publish_all()
    enforcement = world.settings.enforcement.model_copy(update={"enabled": True})
    enforcing = dataclasses.replace(
        world.services, settings=world.settings.model_copy(update={"enforcement": enforcement})
    )
    world.account("kari", "it")

    def told(services) -> tuple[set[str], bool]:
        it = Browser(create_app(services))
        world.sign_in(it, "kari")
        found = it.get(OVERVIEW).json()
        keys = {each["key"] for each in found["warnings"]} & {"enforcer", "unenforced"}
        page = it.get("/").text
        assert ("The enforcer is silent" in page) == ("enforcer" in keys)
        open_steps = page.count("<li><strong>Put the guest network behind it</strong>")  # which say it in other words
        assert open_steps == ("unenforced" in keys)
        return keys, found["operation"]["drives_firewall"]

    assert told(world.services) == ({"unenforced"}, False)
    assert told(enforcing) == ({"enforcer"}, False)
    with world.services.database.write() as session:
        beats.beat(session, world.services.place.gateway_id, "enforcer", world.now)
    assert told(world.services) == (set(), True), "another machine's gateway drives it"
    assert told(enforcing) == (set(), True)
    world.now += timedelta(hours=1)
    assert told(enforcing) == ({"enforcer"}, False)


def test_auditors_see_the_evidence_only_and_hosts_nothing(world):
    world.publish_all()
    found = world.signed_in("auditor").get(OVERVIEW).json()
    assert found["operation"] is None
    assert {each["name"] for each in found["services"]} <= {"sealer"}
    assert "no_lists" not in {each["key"] for each in found["warnings"]}, "that is for IT"
    assert "no_targets" in {each["key"] for each in found["warnings"]}
    assert world.signed_in("host", unit="Nybø skule").get(OVERVIEW).status_code == 403
