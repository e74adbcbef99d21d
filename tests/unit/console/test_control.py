"""Devices blocked and let in again, networks switched with a notice, the list of devices sorted, filtered, paged, and
ended by filter; wrong input is said, and nothing is shown unescaped.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.console.devices import ending, online
from captive_portal.console.devices.question import read
from captive_portal.console.octets import amount
from captive_portal.console.tables import PAGE_SIZE
from captive_portal.i18n import translators
from gateway.heartbeat import SILENT
from gateway.link.neighbours import NO_MAC
from gateway.storage import beats, blocks, grants, outages, traffic
from gateway.storage.log_models import StagedLeaf
from tests.unit.console.conftest import START, World

HTML = "<script>alert(1)</script>"
MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"


def open_macs(world: World) -> list[str]:
    with world.services.database.read() as session:
        rows = grants.open_grants(session, world.services.place.owner_id, world.now)
        return sorted(grant.device.mac for grant in rows)


def leaf_types(world: World) -> list[str]:
    with world.services.database.read() as session:
        return [json.loads(row.entry)["type"] for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]


def plain(page: str) -> str:
    """What a page says, with ordinary spaces."""
    return re.sub(r"<[^>]+>", "", page).replace("\u00a0", " ")


def shown(page: str) -> list[str]:
    """The devices of the list, in its order."""
    return re.findall(r'<td data-label="Device"><span class="code">([0-9a-f:]{17})</span>', page)


class TestBlocks:
    def test_a_device_is_blocked_listed_and_let_in_again(self, world):
        world.publish_all()
        world.accepted("Ola", MAC)
        world.accepted("Kari", OTHER)
        browser = world.signed_in("it", "ola-it")
        assert "No device is blocked" in browser.get("/devices/blocked").text
        assert f"/devices/block?mac={MAC}" in browser.get("/devices").text
        form = browser.get(f"/devices/block?mac={MAC}").text
        assert f'value="{MAC}"' in form
        assert "has made its address up" in form
        answer = browser.fill(
            "/devices/block", "/devices/block", mac=MAC.upper(), reason=HTML, told="Ring IKT", until="2026-12-24"
        )
        assert answer.headers["location"] == "/devices/blocked?notice=blocked"
        assert open_macs(world) == [OTHER]
        page = browser.get("/devices/blocked?notice=blocked").text
        assert "its access has ended" in page
        assert HTML not in page
        assert "&lt;script&gt;" in page
        assert "until 25 December 2026" in plain(page), "the day itself counts"
        assert leaf_types(world)[-2:] == ["device_blocked", "grant_revoked"]
        world.seal()
        assert "Blocked, until 25 December 2026" in plain(browser.get("/log").text)
        lifted = browser.fill("/devices/blocked", "/devices/unblock", mac=MAC)
        assert lifted.headers["location"] == "/devices/blocked?notice=lifted"
        assert browser.fill("/devices/block", "/devices/unblock", mac=MAC).status_code == 404
        assert isinstance(world.accepted("Ola", MAC).grant_id, str)

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ({"mac": ""}, "Write the device’s whole address"),
            ({"mac": HTML}, "Write the device’s whole address"),
            ({"mac": "01:00:5e:00:00:01"}, "Write the device’s whole address"),
            ({"reason": " "}, "Write why the device is blocked"),
            ({"reason": "x" * 201}, "At most 200 characters"),
            ({"told": "a\0b"}, "characters here that can’t be used"),
            ({"until": "2026-11-21"}, "This day is past"),
            ({"until": "24.12.2026"}, "Give the last day of the block"),
            ({"until": "2028-01-01"}, "Choose an earlier day"),
        ],
    )
    def test_wrong_input_is_said_and_blocks_nothing(self, world, typed, told):
        browser = world.signed_in("it")
        given = {"mac": MAC, "reason": "spams", "told": "", "until": ""} | typed
        answer = browser.fill("/devices/block", "/devices/block", **given)
        assert (answer.status_code, told in answer.text, HTML in answer.text) == (422, True, False)
        with world.services.database.read() as session:
            assert blocks.in_force(session, world.services.place.owner_id, world.now) == []

    def test_a_blocked_device_is_told_apart_at_the_help_desk_and_not_let_in_without_a_browser(self, world):
        world.publish_all()
        browser = world.signed_in("it")
        browser.fill("/devices/block", "/devices/block", mac=MAC, reason="spams")
        page = browser.get("/helpdesk", params={"device": "0001"}).text
        assert "accepting the rules does not help" in page
        answer = browser.fill(
            "/devices/admit",
            "/devices/admit",
            mac=MAC,
            unit="u",
            reason="r",
            until="2026-12-24",
            group="",
            interface="",
        )
        assert (answer.status_code, "Lift the block first" in answer.text) == (422, True)


UNDRIVEN = "No gateway drives a firewall now"


class TestWhereNothingIsEnforced:
    def test_pages_that_order_the_firewall_say_that_none_is_driven_until_an_enforcer_works(self, world):
        world.publish_all()
        browser = world.signed_in("it")
        pages = (
            "/network?notice=switched", f"/network/{network_of(world)}/switch", "/devices", "/devices/admit",
            "/devices/block", "/devices/blocked",
        )  # fmt: skip
        for path in pages:
            assert browser.get(path).text.count(UNDRIVEN) == 1, path
        assert "Its gateway does it" not in browser.get(pages[0]).text
        with world.services.database.write() as session:
            beats.beat(session, world.services.place.gateway_id, "jobs", world.now)
        assert UNDRIVEN in browser.get("/network").text
        with world.services.database.write() as session:
            beats.beat(session, world.services.place.gateway_id, "enforcer", world.now)
        for path in pages:
            assert UNDRIVEN not in browser.get(path).text, path
        assert "Its gateway does it" in browser.get(pages[0]).text
        world.now += SILENT + timedelta(seconds=1)
        assert UNDRIVEN in browser.get("/network").text

    def test_this_machine_itself_is_not_offered_to_be_blocked(self, world):
        world.publish_all()
        world.accepted("Ola", NO_MAC)
        page = world.signed_in("it").get("/devices").text
        assert NO_MAC in page
        assert "/devices/block?mac=" not in page


def network_of(world: World) -> str:
    with world.services.database.read() as session:
        [network] = outages.networks(session, world.services.place.owner_id, world.now)
        return network.id


CLOSING = {"mode": "closed", "reason": "water", "until": "2026-11-22T18:00", "notice-nb": "Stengt", "notice-nn": ""}


class TestOutages:
    def test_a_network_is_switched_said_on_every_page_and_switched_back(self, world):
        world.publish_all()
        browser = world.signed_in("it", "ola-it")
        path = f"/network/{network_of(world)}/switch"
        assert "As usual" in browser.get("/network").text
        assert 'value="2026-11-22T17:00"' in browser.get(path).text
        assert browser.fill(path, path, **CLOSING).headers["location"] == "/network?notice=switched"
        for page in ("/network", "/devices", "/courses", "/policy", "/acceptances"):
            assert "is closed until 22 November 2026" in plain(browser.get(page).text), page
        auditor = world.signed_in("auditor")
        assert "is closed until" in auditor.get("/acceptances").text
        assert 'href="/network"' not in auditor.get("/acceptances").text
        assert leaf_types(world).count("network_switched") == 1
        restore = f"/network/{network_of(world)}/restore"
        assert browser.fill("/network", restore).headers["location"] == "/network?notice=restored"
        assert browser.fill("/network", restore).headers["location"] == "/network"
        assert "is closed until" not in browser.get("/devices").text
        assert leaf_types(world).count("network_switched") == 2

    def test_it_is_over_at_its_end(self, world):
        world.publish_all()
        browser = world.signed_in("it")
        path = f"/network/{network_of(world)}/switch"
        browser.fill(path, path, **CLOSING | {"mode": "rules_only", "notice-nb": HTML})
        page = browser.get("/devices").text
        assert "is open to everybody until" in page
        assert HTML not in page
        world.now = START + timedelta(hours=5)
        again = world.signed_in("it", "later")
        assert "is open to everybody until" not in again.get("/devices").text

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ({"mode": ""}, "Choose what the network is switched to"),
            ({"mode": "everything"}, "Choose what the network is switched to"),
            ({"reason": ""}, "Write why the network is switched"),
            ({"notice-nb": ""}, "Write what guests are told"),
            ({"notice-nb": "x" * 301}, "This is too long"),
            ({"notice-nn": "a\u202eb"}, "characters here that can’t be used"),
            ({"until": ""}, "Give the day and time"),
            ({"until": HTML}, "Give the day and time"),
            ({"until": "2026-11-22T12:59"}, "This time is past"),
            ({"until": "2027-11-22T12:00"}, "At most 60 days"),
            ({"mode": "rules_only", "until": "2026-11-26T12:00"}, "At most 72 hours"),
        ],
    )
    def test_wrong_input_is_said_and_switches_nothing(self, world, typed, told):
        world.publish_all()
        browser = world.signed_in("it")
        path = f"/network/{network_of(world)}/switch"
        answer = browser.fill(path, path, **CLOSING | typed)
        assert (answer.status_code, told in answer.text, HTML in answer.text) == (422, True, False)
        with world.services.database.read() as session:
            assert not outages.in_force(session, world.services.place.owner_id, world.now)

    def test_a_network_that_is_not_there_is_answered_404(self, world):
        browser = world.signed_in("it")
        for name in ("nonesuch", "%00", HTML):
            assert browser.get(f"/network/{name}/switch").status_code == 404

    def test_only_it_may(self, world):
        path = f"/network/{network_of(world)}/switch"
        for role in ("host", "auditor"):
            browser = world.signed_in(role, **({"unit": "u"} if role == "host" else {}))
            for page in (path, "/devices/block", "/devices/blocked", "/devices/end?kind=accepted"):
                assert browser.get(page).status_code == 403


class TestTheList:
    def crowd(self, world: World, count: int) -> None:
        world.publish_all()
        for number in range(count):
            world.now = START + timedelta(seconds=number)
            world.accepted(f"Gjest {number:03}", f"02:00:00:00:01:{number:02x}")

    def test_it_is_sorted_and_paged_and_links_keep_what_was_asked(self, world):
        self.crowd(world, PAGE_SIZE + 7)
        browser = world.signed_in("it")
        newest = shown(browser.get("/devices").text)
        assert newest == [f"02:00:00:00:01:{number:02x}" for number in range(PAGE_SIZE + 6, 6, -1)]
        page = browser.get("/devices?sort=name").text
        assert shown(page)[:2] == ["02:00:00:00:01:00", "02:00:00:00:01:01"]
        assert 'aria-sort="ascending"' in page
        assert f"{PAGE_SIZE + 7} in all" in plain(page)
        [following] = re.findall(r'rel="next" href="([^"]*)"', page)
        assert "Gjest" not in following, "no name stands in an address"
        last = browser.get(following.replace("&amp;", "&")).text
        assert shown(last) == [f"02:00:00:00:01:{n:02x}" for n in range(PAGE_SIZE, PAGE_SIZE + 7)]
        found = browser.get("/devices?sort=-name&find=gjest").text
        assert shown(found)[0] == f"02:00:00:00:01:{PAGE_SIZE + 6:02x}"
        assert 'href="/devices?find=gjest&amp;sort=name"' in found
        assert 'href="/devices?find=gjest&amp;sort=device"' in found
        assert 'href="/devices?find=gjest&amp;sort=-traffic"' in found, "the greatest first"
        for order in ("until", "-until", "traffic", "-traffic", "device", "-since"):
            macs, address = [], f"/devices?sort={order}"
            while address:
                page = browser.get(address).text
                macs += shown(page)
                address = "".join(re.findall(r'rel="next" href="([^"]*)"', page)).replace("&amp;", "&")
            assert len(set(macs)) == len(macs) == PAGE_SIZE + 7, order

    def test_of_many_it_is_not_said_how_many(self, world, monkeypatch):
        self.crowd(world, 3)
        monkeypatch.setattr(online, "COUNTED", 2)
        page = plain(world.signed_in("it").get("/devices").text)
        assert "More than 2 with access now." in page

    def test_where_more_are_meant_than_are_ended_at_a_time_it_is_said(self, world, monkeypatch):
        self.crowd(world, 3)
        monkeypatch.setattr(ending, "OLDEST_FIRST", replace(ending.OLDEST_FIRST, limit=2))
        browser = world.signed_in("it")
        assert "Devices: more than 2" in browser.get("/devices/end?find=gjest").text
        browser.fill("/devices/end?find=gjest", "/devices/end", find="gjest")
        assert open_macs(world) == ["02:00:00:00:01:02"], "those online longest first"

    @pytest.mark.parametrize(
        "query",
        [
            "sort=x",
            "page=-1",
            "after=x",
            "sort=traffic&after=x~9",
            "sort=name&after=%00",
            "kind=%00",
            "group=%00&course='--",
        ],
    )
    def test_what_is_not_known_is_answered_all_the_same(self, world, query):
        self.crowd(world, 2)
        assert world.signed_in("it").get(f"/devices?{query}").status_code == 200

    def test_octets_are_shown(self, world):
        self.crowd(world, 1)
        with world.services.database.write() as session:
            [grant] = grants.open_grants(session, world.services.place.owner_id, world.now)
            traffic.add(session, {grant.id: traffic.Octets(1_234_000, 5_600_000_000)}, world.now)
        page = plain(world.signed_in("it").get("/devices").text)
        assert "5.6 GB" in page
        assert "1.2 MB" in page

    def test_all_that_a_filter_means_is_ended_after_asking(self, world):
        self.crowd(world, 3)
        world.accepted("Kari", MAC)
        browser = world.signed_in("it")
        assert browser.get("/devices/end").headers["location"] == "/devices", "not everybody's by mistake"
        assert browser.get("/devices/end?find=-").headers["location"] == "/devices", "what fits everybody is no word"
        for nobody in ("", "-", "- -"):
            assert browser.fill("/devices", "/devices/end", find=nobody).headers["location"] == "/devices"
        assert "Show all devices" not in browser.get("/devices?find=--").text
        page = browser.get("/devices/end?find=gjest").text
        assert "Devices: 3" in page
        assert "Gjest 001" in page
        assert "Kari" not in page
        assert open_macs(world)[0] == MAC
        assert len(open_macs(world)) == 4
        done = browser.fill("/devices/end?find=gjest", "/devices/end", find="gjest", reason="over")
        assert done.headers["location"] == "/devices?notice=all-ended&ended=3"
        assert open_macs(world) == [MAC]
        assert leaf_types(world).count("grant_revoked") == 3
        assert "ended: 3" in browser.get("/devices?notice=all-ended&ended=3").text
        assert HTML not in browser.get("/devices", params={"notice": "all-ended", "ended": HTML}).text
        assert "No device online fits this" in browser.get("/devices/end?find=gjest").text


@given(st.dictionaries(st.sampled_from(["find", "group", "course", "kind", "state", "sort", "after"]), st.text()))
def test_whatever_is_asked_can_be_asked_again(given_):
    asked, problems = read(given_)
    assert set(problems) <= {"find"}
    assert asked.address().startswith("/devices")
    again, _ = read(dict(parse_qsl(urlsplit(asked.address()).query, keep_blank_values=True)))
    assert again == asked


@pytest.mark.parametrize(
    ("octets", "shown_"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (9949, "9,9 kB"), (9951, "10 kB"), (999_499, "999 kB"),
     (999_501, "1 MB"), (5_600_000_000, "5,6 GB"), (10**18, "1 000 PB")],
)  # fmt: skip
def test_amounts_are_read_easily(octets, shown_):
    translate = translators("console", ("nb",))["nb"]
    assert amount(translate, octets).replace("\u00a0", " ") == shown_


def test_octets_of_a_course_are_of_who_has_access_now(world):
    world.publish_all()
    with world.services.database.read() as session:
        assert traffic.of_course(session, "nonesuch", world.now) is None
