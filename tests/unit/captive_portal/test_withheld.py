"""What a guest meets while the network is closed or open to everybody, or the device is blocked: page, API, checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from captive_portal.guest.withheld import notice_in
from gateway.access import blocking, outages
from gateway.audit.periods import parse_period
from gateway.context import Services
from gateway.storage import outages as stored
from gateway.storage.outages import Mode
from tests.unit.captive_portal.conftest import PHONE

API = "/captive-portal/api"
CHECK = {"Host": "connectivitycheck.gstatic.com"}
HTML = "<script>alert(1)</script>"
Switch = Callable[[Mode], None]


def network_id(services: Services) -> str:
    with services.database.read() as session:
        rows = stored.networks(session, services.place.owner_id, services.clock())
        return next(row.id for row in rows if row.interface == "guest0")


@pytest.fixture
def switch(gateway_services: Services) -> Switch:
    """Switch the network of the guests' devices, and have its gateway say that it does it."""

    def turn(mode: Mode) -> None:
        services, now = gateway_services, gateway_services.clock()
        wish = outages.Wish(mode, "water", now + timedelta(hours=3), {"nb": f"Vann i kjelleren {HTML}", "nn": ""})
        with services.database.write() as session:
            assert outages.switch(session, services.place, network_id(services), wish, by="it", now=now) is None
            stored.record_applied(session, [network_id(services)], now)

    return turn


def block(services: Services, told: str = "") -> None:
    with services.database.write() as session:
        wish = blocking.Wish(PHONE.mac, "secret reason", told)
        done = blocking.block(
            session, services.place, wish, keep=parse_period("90 days"), by="it", now=services.clock()
        )
    assert isinstance(done, blocking.Blocked)


def has_form(page: str) -> bool:
    return "<form" in page


def test_while_closed_everybody_is_captive_and_reads_the_notice(
    guest: Any, laptop: Any, apply_grants: Callable[[], None], switch: Switch
) -> None:
    guest.accept()
    apply_grants()
    assert guest.http.get("/generate_204", headers=CHECK).status_code == 204
    switch("closed")
    for device in (guest, laptop):
        assert device.http.get(API).json()["captive"] is True
        assert device.http.get("/generate_204", headers=CHECK).status_code == 302
        page = device.http.get("/")
        assert (page.status_code, has_form(page.text)) == (200, False)
        assert "Gjestenettet er stengt nå" in page.text
        assert "Vann i kjelleren" in page.text
        assert HTML not in page.text
        assert page.headers["refresh"].startswith("30;")
        assert "Vann i kjelleren" in device.http.get("/?lang=en").text
        assert 'lang="nb"' in re.sub(r"<nav.*?</nav>", "", device.http.get("/?lang=en").text, flags=re.DOTALL)
        assert device.http.get("/status").headers["location"] == "/"
        assert not has_form(device.http.get("/form").text)
        assert device.http.get("/rules").status_code == 200


def test_a_form_that_was_open_before_it_closed_is_not_accepted(
    guest: Any, switch: Switch, counted: Callable[[], tuple[int, int, int]]
) -> None:
    token = guest.token()
    switch("closed")
    answer = guest.http.post("/accept", data={"token": token, "name": "Kari Nordmann"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert counted() == (0, 0, 0)


def test_access_comes_back_by_itself(
    guest: Any, gateway_services: Services, apply_grants: Callable[[], None], switch: Switch
) -> None:
    guest.accept()
    apply_grants()
    switch("closed")
    with gateway_services.database.write() as session:
        services = gateway_services
        outages.restore(session, services.place, network_id(services), by="it", now=services.clock())
    assert guest.http.get(API).json()["captive"] is False
    assert "stengt" not in guest.http.get("/status").text.split("<footer")[0].split("<h1")[1][:200]


def test_while_open_nobody_is_captive_and_the_rules_are_shown_without_a_form(
    guest: Any, switch: Switch, counted: Callable[[], tuple[int, int, int]], clock: Any
) -> None:
    switch("rules_only")
    answer = guest.http.get(API).json()
    assert (answer["captive"], answer["seconds-remaining"]) == (False, 3 * 3600)
    assert guest.http.get("/generate_204", headers=CHECK).status_code == 204
    page = guest.http.get("/").text
    assert "åpent for alle" in page
    assert "Vann i kjelleren" in page
    assert 'class="card rules"' in page
    assert not has_form(page)
    assert guest.http.get("/no-such-page").status_code == 404
    assert counted() == (0, 0, 0)
    clock.advance(timedelta(hours=3))
    assert guest.http.get(API).json()["captive"] is True
    assert has_form(guest.http.get("/").text)


def test_until_its_gateway_has_opened_it_the_page_says_so_and_the_device_is_captive(
    guest: Any, gateway_services: Services
) -> None:
    services, now = gateway_services, gateway_services.clock()
    wish = outages.Wish("rules_only", "water", now + timedelta(hours=3), {"nb": "Åpent"})
    with services.database.write() as session:
        outages.switch(session, services.place, network_id(services), wish, by="it", now=now)
    page = guest.http.get("/")
    assert "om et øyeblikk" in page.text
    assert page.headers["refresh"].startswith("1;")
    assert guest.http.get(API).json()["captive"] is True


def test_a_blocked_device_reads_whom_to_ask_and_no_reason(
    guest: Any, laptop: Any, gateway_services: Services, apply_grants: Callable[[], None]
) -> None:
    guest.accept()
    apply_grants()
    block(gateway_services)
    page = guest.http.get("/")
    assert (page.status_code, has_form(page.text)) == (200, False)
    assert "kan ikke bruke gjestenettet" in page.text
    assert "secret reason" not in page.text
    assert "IKT-avdelingen" in page.text
    assert guest.http.get(API).json()["captive"] is True
    assert guest.http.get("/generate_204", headers=CHECK).status_code == 302
    assert guest.http.get("/status").headers["location"] == "/"
    assert not has_form(guest.http.get("/form").text)
    assert has_form(laptop.http.get("/").text)


def test_a_blocked_device_reads_what_it_wrote_for_the_guest(guest: Any, gateway_services: Services) -> None:
    block(gateway_services, HTML)
    page = guest.http.get("/").text
    assert HTML not in page
    assert "&lt;script&gt;" in page


def test_a_blocked_device_stays_captive_while_the_network_is_open(
    guest: Any, laptop: Any, gateway_services: Services, switch: Switch
) -> None:
    switch("rules_only")
    block(gateway_services)
    assert guest.http.get(API).json()["captive"] is True
    assert laptop.http.get(API).json()["captive"] is False
    assert guest.http.get("/generate_204", headers=CHECK).status_code == 302


def test_no_way_round_the_form_is_left(
    guest: Any, gateway_services: Services, counted: Callable[[], tuple[int, int, int]]
) -> None:
    guest.accept()
    with gateway_services.database.write() as session:
        blocking.block(
            session, gateway_services.place, blocking.Wish(PHONE.mac, "r"), keep=parse_period("90 days"), by="it",
            now=gateway_services.clock(),
        )  # fmt: skip
    before = counted()
    for path in ("/return", "/add", "/status"):
        assert guest.http.get(path).headers["location"] == "/", path
    assert before == counted()


@pytest.mark.parametrize(
    ("notices", "language", "said"),
    [
        ({"nb": "a", "en": "b"}, "en", ("en", "b")),
        ({"nb": "a", "en": ""}, "en", ("nb", "a")),
        ({"nb": "", "nn": "c"}, "de", ("nn", "c")),
        ({}, "nb", ("", "")),
    ],
)
def test_a_notice_is_in_the_guests_language_where_there_is_one(
    notices: dict[str, str], language: str, said: tuple[str, str]
) -> None:
    assert notice_in(notices, language) == said
