"""The help desk and the devices' rooms: found, read aloud, extended, let in without a browser; wrong input is said."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address

import pytest

from captive_portal.console.devices import desk, desk_words
from captive_portal.console.devices.admitting import end_of_day
from captive_portal.console.devices.desk import hex_digits
from captive_portal.console.look import LANGUAGES
from captive_portal.i18n import translators
from gateway.access.desk import Caller
from gateway.link.heard import Heard
from gateway.link.neighbours import Neighbour
from gateway.link.netlink import NetlinkError
from gateway.storage import grants
from gateway.storage.models import Grant
from tests.unit.console.conftest import START, World

HTML = "<script>alert(1)</script>"
STRANGER = "02:00:00:00:ab:cd"
GOOD = {"mac": "00-1A-2B-3C-4D-5E", "unit": "Nybø skule", "reason": "Skjerm", "until": "2027-06-30", "group": ""}


@pytest.fixture
def on_network(monkeypatch) -> list[Heard]:
    """What the kernel has heard: its own table on loopback has nobody."""
    found: list[Heard] = []
    monkeypatch.setattr(desk, "heard", lambda names: [each for each in found if each.device.interface in names])
    return found


def open_grants(world: World) -> list[Grant]:
    with world.services.database.read() as session:
        return list(grants.open_grants(session, world.services.place.owner_id, world.now))


def test_a_caller_who_has_not_accepted_is_found_and_told_what_to_do(world, on_network):
    world.publish_all()
    browser = world.signed_in("it")
    assert "No device was heard" in browser.get("/helpdesk").text
    on_network.append(Heard(Neighbour("lo", STRANGER), ip_address("192.0.2.9"), timedelta(minutes=3)))
    listed = browser.get("/helpdesk").text
    assert "Rules not accepted" in listed
    assert "3 minutes ago" in listed
    assert f"/helpdesk?device={STRANGER}" in listed
    for written in ("abcd", "AB:CD", "00-00-ab-cd", STRANGER, " ab cd "):
        page = browser.get("/helpdesk", params={"device": written}).text
        assert "192.0.2.9" in page, written
        assert "Open the browser and go to http" in page
        assert "Åpne nettleseren" in page
        assert "Opne nettlesaren" in page
        assert "made this address up" in page
        assert f"/devices/admit?mac={STRANGER}" in page
    nobody = browser.get("/helpdesk?device=beef").text
    assert "No device has an address that ends like this" in nobody
    assert "I can’t see your device" in nobody


def test_one_who_has_accepted_is_found_though_not_heard(world, on_network):
    world.publish_all()
    world.accepted("Ola")
    page = world.signed_in("it").get("/helpdesk?device=0001").text
    assert "does not control the network" in page
    assert "/devices?find=02:00:00:00:00:01" in page
    assert "Ola" not in page


def test_what_is_no_address_is_said(world):
    world.publish_all()
    browser = world.signed_in("it")
    for typed in ("abc", "x" * 5000, "wxyz", HTML, "a\0bcd", "ab\u202ecd", "0" * 13, "%"):
        answer = browser.get("/helpdesk", params={"device": typed})
        assert answer.status_code == 422, typed
        assert HTML not in answer.text
        assert 'href="#device"' in answer.text


def test_without_the_neighbour_table_those_who_accepted_are_found_still(world, monkeypatch):
    def refuses(_interfaces):
        raise NetlinkError(1)

    monkeypatch.setattr(desk, "heard", refuses)
    world.publish_all()
    world.accepted("Ola")
    page = world.signed_in("it").get("/helpdesk?device=0001").text
    assert "does not say just now" in page
    assert "02:00:00:00:00:01" in page


def test_every_stage_has_something_to_say_in_every_language():
    for language in LANGUAGES:
        translate = translators("console", LANGUAGES)[language]
        said = {
            desk_words.aloud(translate, Caller("02:00:00:00:00:01", "lo", stage, ends_at=START), "http://x.test")
            for stage in desk_words.WORDS
        }
        assert len(said) >= len(desk_words.WORDS)
        assert not [each for each in said if "{" in each or not each.endswith(".")]


def test_hex_digits():
    assert hex_digits("AB:cd") == "abcd"
    assert hex_digits("abc") is None
    assert hex_digits("ab_cd") is None


FINDS = (
    ("ola", 1), ("OLA nord", 1), ("firma", 2), ("00:02", 1), ("020000000002", 1), ("nobody", 0), ("x" * 5000, 2),
    ("a\0b", 2), ("192.0.2.77", 0), (HTML, 0), ("%", 0),
)  # fmt: skip


def test_devices_are_found_by_what_is_known(world):
    world.publish_all()
    world.accepted("Ola Nordmann")
    world.accepted("Kari", "02:00:00:00:00:02")
    browser = world.signed_in("it")
    for find, found in FINDS:
        page = browser.get("/devices", params={"find": find}).text
        assert len(re.findall(r'href="/devices/\w+/end"', page)) == found, find
        assert ("No device online fits" in page) == (found == 0)
        assert HTML not in page


def test_access_is_extended_within_what_is_permitted(world):
    world.publish_all()
    grant = world.accepted("Ola").grant_id  # at 13 for ten hours, and at most for 24
    browser = world.signed_in("it", "kari")
    path = f"/devices/{grant}/extend"
    assert 'value="2026-11-23T01:00"' in browser.get(path).text
    for until, told in (
        ("", "Give the day and time"), ("x" * 5000, "Give the day and time"), (HTML, "Give the day and time"),
        ("2026-11-22T22:00", "lasts until then already"), ("2026-11-23T13:01", "later than it may last"),
    ):  # fmt: skip
        answer = browser.fill(path, path, until=until)
        assert (answer.status_code, told in answer.text, HTML in answer.text) == (422, True, False), until
    assert browser.fill(path, path, until="2026-11-23T13:00").headers["location"] == "/devices?notice=extended"
    assert [each.ends_at for each in open_grants(world)] == [START + timedelta(hours=24)]
    assert "can’t be extended any more" in browser.get(path).text
    world.seal()
    assert "Access extended" in browser.get("/log").text
    assert browser.get("/devices/nonesuch/extend").status_code == 404
    world.now += timedelta(hours=24)
    browser = world.signed_in("it", "ola")
    assert browser.fill("/devices/admit", path, until="2026-11-23T13:00").status_code == 404


def test_a_device_without_a_browser_is_let_in(world):
    world.publish_all()
    browser = world.signed_in("it", "kari")
    assert f'value="{STRANGER}"' in browser.get(f"/devices/admit?mac={STRANGER}").text
    assert HTML not in browser.get("/devices/admit", params={"mac": HTML}).text
    assert browser.fill("/devices/admit", "/devices/admit", **GOOD).headers["location"] == "/devices?notice=admitted"
    [grant] = open_grants(world)
    assert (grant.device.mac, grant.holder, grant.group_key) == ("00:1a:2b:3c:4d:5e", "Nybø skule", "default")
    assert grant.ends_at.isoformat() == "2027-06-30T22:00:00+00:00"
    again = browser.fill("/devices/admit", "/devices/admit", **GOOD)
    assert (again.status_code, "let in already" in again.text) == (422, True)
    world.seal()
    assert "Device admitted by staff" in browser.get("/log").text


WRONG = (
    ({"mac": "x"}, "Write the device’s whole address"),
    ({"mac": "33:33:00:00:00:01"}, "Write the device’s whole address"),
    ({"unit": " "}, "Write the unit"),
    ({"unit": "x" * 5000}, "At most 200"),
    ({"reason": ""}, "what the device is for"),
    ({"reason": "a\0b"}, "can’t be used"),
    ({"until": "in summer"}, "Give the last day"),
    ({"until": "9999-12-31"}, "Give the last day"),
    ({"until": "2026-11-21"}, "is past"),
    ({"until": "2028-01-30"}, "at most 400 days"),
    ({"group": HTML}, "Choose a group"),
    ({"interface": "eth9"}, "Choose a guest network"),
)


def test_wrong_input_is_said_by_its_field_and_lets_nobody_in(world):
    world.publish_all()
    browser = world.signed_in("it")
    for other, told in WRONG:
        answer = browser.fill("/devices/admit", "/devices/admit", **(GOOD | other))
        assert answer.status_code == 422, other
        assert told in answer.text, other
        assert HTML not in answer.text
    assert open_grants(world) == []


def test_a_day_ends_at_midnight_in_norway_in_summer_and_winter():
    assert end_of_day("2027-06-30").isoformat() == "2027-06-30T22:00:00+00:00"
    assert end_of_day("2026-12-01").isoformat() == "2026-12-01T23:00:00+00:00"
    assert end_of_day("2026-13-01") is None
