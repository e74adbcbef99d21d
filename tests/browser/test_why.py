"""A guest's browser without JavaScript: why a site is closed, asking for an exemption, and finding what is closed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import dns.message
import dns.query
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gateway.access import exemption_requests as requests
from gateway.clock import utc_now
from gateway.storage import exemption_requests, generations
from policies.snapshot import NamedList, compile_snapshot
from tests.browser.axe import examine
from tests.browser.name_service import running_name_service

PHONE, LAPTOP, NARROW = (
    {"width": 390, "height": 844}, {"width": 1280, "height": 800}, {"width": 320, "height": 640},
)  # fmt: skip
pytestmark = pytest.mark.timeout(300)
SHOTS = os.environ.get("GUEST_SCREENSHOTS")
LONG = f"{'et-langt-navn-' * 4}.{'enda-lengre-' * 5}.game.example"
WORDS = {
    "nb": {
        "accept": "Jeg har lest og godtar reglene", "name": "Navnet ditt", "online": "Du er på nett",
        "link": "Er et nettsted stengt? Se hvorfor, eller be om unntak",
        "site": "Navnet på eller adressen til nettstedet",
        "look": "Se om det er stengt", "closed": "game.example er stengt", "for": "Hva trenger du det til?",
        "ask": "Be om unntak", "missing": "Skriv hva du trenger det til", "sent": "Forespørselen er sendt",
        "waits": "Venter på svar", "declined": "Avslått", "find": "Jeg vet ikke hvilket nettsted som er stengt",
        "begin": "Begynn", "nothing": "Ingenting så langt",
    },
    "nn": {
        "accept": "Eg har lese og godtek reglane", "name": "Namnet ditt", "online": "Du er på nett",
        "link": "Er ein nettstad stengd? Sjå kvifor, eller be om unntak",
        "site": "Namnet på eller adressa til nettstaden",
        "look": "Sjå om det er stengt", "closed": "game.example er stengt", "for": "Kva treng du det til?",
        "ask": "Be om unntak", "missing": "Skriv kva du treng det til", "sent": "Førespurnaden er send",
        "waits": "Ventar på svar", "declined": "Avslått", "find": "Eg veit ikkje kva nettstad som er stengd",
        "begin": "Byrj", "nothing": "Ingenting så langt",
    },
    "en": {
        "accept": "I have read and accept the rules", "name": "Your name", "online": "You are online",
        "link": "Is a site closed? See why, or ask for an exemption", "site": "Name or address of the site",
        "look": "See whether it is closed", "closed": "game.example is closed", "for": "What do you need it for?",
        "ask": "Ask for an exemption", "missing": "Write what you need it for", "sent": "Your request has been sent",
        "waits": "Waits for an answer", "declined": "Declined", "find": "I don’t know which site is closed",
        "begin": "Begin", "nothing": "Nothing so far",
    },
}  # fmt: skip
Scheme = Literal["light", "dark"]


@pytest.fixture
def dns_port(portal: Any) -> Iterator[int]:
    """A real DNS worker over the portal's own state and policy, with a list of games."""
    with portal.services.database.read() as session:
        published = generations.in_force(session, portal.services.place.owner_id)
        assert published is not None
        document = published.document
    lists = [
        NamedList("test/gaming", "gaming", "0" * 64, ("game.example",)),
        NamedList("test/malware", "malware", "1" * 64, ("bad.example",)),
    ]
    with running_name_service(portal, compile_snapshot(document, lists, 1)) as port:
        yield port


@pytest.mark.parametrize(
    ("language", "viewport", "scheme"), [("nb", PHONE, "light"), ("nn", LAPTOP, "dark"), ("en", NARROW, "light")]
)
def test_a_closed_site_is_explained_asked_for_and_found(
    portal: Any, chromium: Browser, dns_port: int, language: str, viewport: Any, scheme: Scheme
) -> None:
    words = WORDS[language]
    context = chromium.new_context(java_script_enabled=False, locale=language, viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto(portal.url)
    page.get_by_role("textbox", name=words["name"]).fill("Kari Nordmann")
    page.get_by_role("button", name=words["accept"]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["online"], timeout=10_000)
    look = Look(chromium, language, viewport, scheme)

    page.get_by_role("link", name=words["link"]).click()
    look.examine(page, "why")
    page.get_by_role("textbox", name=words["site"]).fill("")
    page.get_by_role("button", name=words["look"]).click()
    expect(page.locator(".errors")).to_be_focused()
    look.examine(page, "why-nothing")
    page.get_by_role("textbox", name=words["site"]).fill("https://game.example/side?x=1")
    page.get_by_role("button", name=words["look"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["closed"])
    look.examine(page, "why-closed")

    page.get_by_role("button", name=words["ask"]).click()
    expect(page.locator(".errors")).to_be_focused()
    page.get_by_role("link", name=words["missing"]).click()
    expect(page.get_by_role("textbox", name=words["for"])).to_be_focused()
    page.keyboard.type("Kurset handler om spill")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(words["sent"])
    expect(page.get_by_text(words["waits"]).first).to_be_visible()
    look.examine(page, "why-asked")
    for name, what in ((LONG, "long"), ("bad.example", "never"), ("ok.example", "open"), ("192.0.2.1", "address")):
        page.goto(f"{portal.url}/hvorfor?name={name}")
        look.examine(page, f"why-{what}")

    _decline(portal)
    page.goto(f"{portal.url}/status")
    expect(page.get_by_text(words["declined"])).to_be_visible()
    look.examine(page, "status-declined")

    page.goto(f"{portal.url}/why")
    page.get_by_role("link", name=words["find"]).click()
    look.examine(page, "find")
    page.get_by_role("button", name=words["begin"]).click()
    expect(page.get_by_text(words["nothing"])).to_be_visible()
    query = dns.message.make_query("www.game.example", "A")
    dns.query.udp(query, "127.0.0.1", port=dns_port, timeout=5)
    expect(page.get_by_role("link", name="www.game.example")).to_be_visible(timeout=10_000)  # it loads itself again
    look.examine(page, "find-found")
    page.get_by_role("link", name="www.game.example").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("www.game.example")
    context.close()


class Look:
    """Examines a page: axe needs scripts, and a page that does not load itself again meanwhile."""

    def __init__(self, chromium: Browser, language: str, viewport: Any, scheme: Scheme) -> None:
        self._chromium, self._language, self._viewport, self._scheme = chromium, language, viewport, scheme

    def examine(self, page: Page, what: str) -> None:
        width, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width <= shown, what
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{SHOTS}/{what}-{self._language}-{self._scheme}.png", full_page=True)
        context = self._twin()
        twin = context.new_page()
        html, url = page.content(), page.url
        twin.route(lambda asked: asked == url, lambda route: route.fulfill(body=html, content_type="text/html"))
        twin.goto(url)
        results = examine(twin)
        assert results.violations_count == 0, f"{what}: {results.generate_report()}"
        context.close()

    def _twin(self) -> BrowserContext:
        return self._chromium.new_context(locale=self._language, viewport=self._viewport, color_scheme=self._scheme)


def _decline(portal: Any) -> None:
    place = portal.services.place
    with portal.services.database.write() as session:
        [asked] = exemption_requests.waiting(session, place.owner_id)
        requests.decline(session, place, asked.request.id, "it", "Bruk biblioteket i stedet.", utc_now())
