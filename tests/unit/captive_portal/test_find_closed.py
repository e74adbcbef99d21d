"""Find what is closed: a device's own refusals, for two minutes, held by the DNS workers and shown to it alone."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Route

from captive_portal.guest.edge import Edge
from captive_portal.guest.find_closed import FindPages
from captive_portal.guest.policy_reader import PolicyReader
from captive_portal.guest.site import open_site
from gateway.context import Services
from gateway.dns.config import refused_folder
from gateway.dns.refused_channel import RefusedChannel, packed
from gateway.dns.refused_names import LONGEST_S, RefusedNames
from gateway.link.neighbours import Neighbour

PHONE, PHONE6, LAPTOP = packed("192.0.2.1"), packed("2001:db8::1"), packed("192.0.2.2")
GAME = ("refused", "www.game.example", "game.example", "gaming")


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 5000.0

    def __call__(self) -> float:
        return self.now_s


class Workers:
    """The channel of two DNS workers, each with its notes, on an event loop of their own."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        folder = str(refused_folder(services.settings))
        self.notes = [RefusedNames(clock) for _ in range(2)]
        self._channels = [RefusedChannel(folder, notes, self._loop) for notes in self.notes]
        for channel in self._channels:
            asyncio.run_coroutine_threadsafe(channel.start(), self._loop).result(10)

    def close(self) -> None:
        for channel in self._channels:
            self._loop.call_soon_threadsafe(channel.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def ticks() -> Clock:
    return Clock()


@pytest.fixture
def workers(gateway_services: Services, ticks: Clock) -> Iterator[Workers]:
    running = Workers(gateway_services, ticks)
    yield running
    running.close()


@pytest.fixture
def device(
    gateway_services: Services, guest: Any, laptop: Any, make_browser: Any, ticks: Clock
) -> Callable[[str], Any]:
    """Browsers of devices that have accepted, on pages whose clock the test moves."""
    guest.accept()
    laptop.accept()
    known = {
        "192.0.2.1": Neighbour("guest0", "02:00:00:00:00:01"),
        "192.0.2.2": Neighbour("guest0", "02:00:00:00:00:02"),
    }
    site = open_site(gateway_services, known.get)
    addresses = {"02:00:00:00:00:01": ["192.0.2.1", "2001:db8::1"]}
    pages = FindPages(site, lambda neighbour: addresses.get(neighbour.mac, []), ticks)
    routes = [Route("/why/find", pages.show), Route("/why/find", pages.begin_or_end, methods=["POST"])]
    app = Edge(FastAPI(routes=routes), site, PolicyReader(gateway_services.settings))
    url = gateway_services.settings.public_url
    return lambda address: make_browser(app, url, address, raises=True)


def press(browser: Any, **fields: str) -> Any:
    found = re.search(r'name="token" value="([^"]+)"', browser.get("/why/find").text)
    assert found is not None
    return browser.post("/why/find", data={"token": found[1], **fields})


def test_names_refused_at_any_address_of_the_device_are_shown_to_it_alone(
    device: Callable[[str], Any], workers: Workers
) -> None:
    phone, laptop = device("192.0.2.1"), device("192.0.2.2")
    assert "refresh" not in phone.get("/why/find").headers
    answer = press(phone)
    assert (answer.status_code, answer.headers["location"]) == (303, "/why/find")
    page = phone.get("/why/find")
    assert page.headers["refresh"] == "3; url=/why/find"
    assert "Ingenting så langt" in page.text
    paused = phone.get("/why/find?pause=1")
    assert "refresh" not in paused.headers
    assert "oppdaterer ikke seg selv" in paused.text
    workers.notes[0].saw(PHONE, *GAME)
    workers.notes[1].saw(PHONE6, "refused", "xn--spill-ira.example", "example", "it")
    workers.notes[1].saw(PHONE, "refused", 'x\\"><b>.example', "example", "dating")
    workers.notes[1].saw(LAPTOP, "refused", "other.example", "other.example", "dating")
    page = phone.get("/why/find?lang=nb")
    assert 'href="/why?lang=nb&amp;name=www.game.example"' in page.text
    assert "www.game.example</bdi></a> – Nettspill" in page.text
    assert "xn--spill-ira.example" in page.text
    assert "<b>" not in page.text
    assert "other.example" not in page.text
    assert "game.example" not in laptop.get("/why/find").text


def test_it_is_over_after_two_minutes_and_the_last_page_is_not_loaded_again(
    device: Callable[[str], Any], workers: Workers, ticks: Clock
) -> None:
    phone = device("192.0.2.1")
    press(phone)
    workers.notes[0].saw(PHONE, *GAME)
    ticks.now_s += LONGEST_S - 5
    page = phone.get("/why/find")
    assert "refresh" not in page.headers
    assert "Søket er over" in page.text
    assert "www.game.example" in page.text
    ticks.now_s += 5
    page = phone.get("/why/find")
    assert "game.example" not in page.text
    assert "Begynn</button>" in page.text
    assert not any(notes.watch("f" * 32, [], 0.0) for notes in workers.notes)


def test_stopping_forgets_at_once(device: Callable[[str], Any], workers: Workers) -> None:
    phone = device("192.0.2.1")
    press(phone)
    workers.notes[0].saw(PHONE, *GAME)
    assert press(phone, end="1").headers["location"] == "/why/find"
    assert not workers.notes[0].addresses
    press(phone)
    assert "game.example" not in phone.get("/why/find").text


def test_where_dns_does_not_answer_it_is_said(device: Callable[[str], Any]) -> None:
    phone = device("192.0.2.1")
    press(phone)
    page = phone.get("/why/find")
    assert "Navnetjenesten svarer ikke" in page.text
    assert "refresh" not in page.headers


def test_forms_of_others_begin_nothing(device: Callable[[str], Any], workers: Workers) -> None:
    phone, laptop = device("192.0.2.1"), device("192.0.2.2")
    found = re.search(r'name="token" value="([^"]+)"', laptop.get("/why/find").text)
    assert found is not None
    for token in (found[1], "", "forged", "1.2.3.4"):
        assert phone.post("/why/find", data={"token": token}).status_code == 303
    cross = {"sec-fetch-site": "cross-site"}
    assert laptop.post("/why/find", data={"token": found[1]}, headers=cross).status_code == 403
    assert laptop.post("/why/find", json={"token": found[1]}).status_code == 415
    assert not any(notes.addresses for notes in workers.notes)
