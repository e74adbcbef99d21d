"""A guest's devices in a real browser: back with one tap, what is new, three words; accessible, without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gateway.access import courses
from gateway.access.course_plan import Wish
from gateway.clock import utc_now
from gateway.storage.course_models import Course
from gateway.storage.models import Acceptance, Grant
from gateway.terms.publish import publish, starter_texts
from tests.browser.test_guest import BUTTON, NARROW, PHONE, WORDS, Scheme, _assert_no_sideways_scrolling, _check

JOIN = {"nb": "Bli med på kurset", "nn": "Bli med på kurset", "en": "Join the course"}
SAID = {
    "nb": ("Velkommen tilbake", "Reglene er endret", "Vis tre ord", "Legg til denne enheten", "Sjekk skrivemåten"),
    "nn": ("Velkomen tilbake", "Reglane er endra", "Vis tre ord", "Legg til denne eininga", "Sjekk skrivemåten"),
    "en": ("Welcome back", "The rules have changed", "Show three words", "Add this device", "Check the spelling"),
}


@pytest.mark.parametrize(("language", "scheme"), [("nb", "light"), ("nn", "dark"), ("en", "light")])
def test_time_and_devices_without_javascript(portal: Any, chromium: Browser, language: str, scheme: Scheme) -> None:
    welcome_back, changed, show_words, add, spelling = SAID[language]
    context = chromium.new_context(java_script_enabled=False, locale=language, viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    look = _Look(portal, chromium, language, scheme)

    # the second device's page, before anybody is online
    page.goto(f"{portal.url}/add")
    expect(page.get_by_role("heading", level=1)).to_have_text(add)
    look.at("/add", "add")
    page.get_by_role("textbox").fill("fjord fjel")
    page.get_by_role("button").click()
    expect(page.locator(".errors")).to_be_focused()
    expect(page.locator(".errors")).to_contain_text(spelling)
    expect(page.get_by_role("textbox")).to_have_value("fjord fjel")
    page.locator(".errors a").click()
    expect(page.get_by_role("textbox")).to_be_focused()

    # online: the words
    page.goto(portal.url)
    page.get_by_role("textbox", name=WORDS[language][0]).fill("Kari Nordmann")
    page.get_by_role("button", name=BUTTON[language]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][3], timeout=10_000)
    page.get_by_role("button", name=show_words).click()
    expect(page.locator(".words")).to_be_visible()
    assert len(page.locator(".words").inner_text().split(" – ")) == 3
    _age(portal, timedelta(hours=9))
    _assert_no_sideways_scrolling(page)
    look.at("/status", "status with words and the button that extends")
    page.reload()
    page.locator('form[action*="extend"] button').click()
    expect(page.locator('form[action*="extend"]')).to_have_count(0)
    page.get_by_role("button", name=WORDS[language][4]).click()
    expect(page.get_by_role("status")).to_contain_text(WORDS[language][5])

    # back with one tap, then under new rules
    page.goto(portal.url)
    expect(page.get_by_role("heading", level=1)).to_have_text(welcome_back)
    expect(page.get_by_text("Kari")).to_have_count(0)
    look.at("/", "welcome back")
    _publish(portal)
    page.goto(portal.url)
    expect(page.get_by_role("heading", level=1)).to_have_text(changed)
    expect(page.locator(".change ins")).to_have_text(" Ny setning her.")
    look.at("/", "what is new")
    page.set_viewport_size(NARROW)
    _assert_no_sideways_scrolling(page)
    page.get_by_role("button", name=BUTTON[language]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][3], timeout=10_000)
    _assert_no_sideways_scrolling(page)
    context.close()


class _Look:
    """axe needs scripts: the same page in a context that has them."""

    def __init__(self, portal: Any, chromium: Browser, language: str, scheme: Scheme) -> None:
        self._url = portal.url
        self._context: BrowserContext = chromium.new_context(locale=language, viewport=PHONE, color_scheme=scheme)

    def at(self, path: str, what: str) -> None:
        page: Page = self._context.new_page()
        page.goto(f"{self._url}{path}")
        _check(page, what)
        page.close()


def _age(portal: Any, by: timedelta) -> None:
    """Let time pass for what has been granted."""
    with portal.services.database.write() as session:
        for grant in session.query(Grant):
            grant.starts_at, grant.ends_at = grant.starts_at - by, grant.ends_at - by
        for acceptance in session.query(Acceptance):
            acceptance.accepted_at -= by


def _publish(portal: Any) -> None:
    """New rules, with a sentence more in every language."""
    texts = {language: f"{text.rstrip()} Ny setning her.\n" for language, text in starter_texts().items()}
    with portal.services.database.write() as session:
        publish(
            session, portal.services.place, texts, label="2.0", adopting_body="", adopted_on=None, case_number="",
            binding_language="nb", next_review_on=None, published_by="it", now=utc_now(),
        )  # fmt: skip


@pytest.mark.parametrize(("language", "scheme"), [("nb", "light"), ("nn", "dark"), ("en", "light")])
def test_who_is_known_joins_a_course_in_two_taps(portal: Any, chromium: Browser, language: str, scheme: Scheme) -> None:
    context = chromium.new_context(locale=language, viewport=PHONE, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(portal.url)
    page.get_by_role("textbox", name=WORDS[language][0]).fill("Kari Nordmann")
    page.get_by_role("button", name=BUTTON[language]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][3], timeout=10_000)
    expect(page.locator("#course_code")).to_have_count(0)
    code = _course(portal)
    page.reload()
    _check(page, "status with a course's field")
    page.locator("#course_code").fill("fjell elv")
    page.get_by_role("button", name=JOIN[language]).click()
    expect(page.locator(".errors")).to_be_focused()
    expect(page.locator("#course_code")).to_have_value("fjell elv")
    _check(page, "a wrong code, while online")
    page.set_viewport_size(NARROW)
    _assert_no_sideways_scrolling(page)
    page.locator("#course_code").fill(code.upper().replace("-", " "))
    page.get_by_role("button", name=JOIN[language]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][3], timeout=10_000)
    expect(page.locator("#course_code")).to_have_count(0)

    page.get_by_role("button", name=WORDS[language][4]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SAID[language][0])
    expect(page.locator("form:has(#accept)")).to_contain_text("Excel for alle")
    expect(page.locator("#course_code")).to_have_count(0)
    _check(page, "welcome back, to the course")
    _course(portal)
    page.reload()
    expect(page.locator("#course_code")).to_be_visible()
    _check(page, "welcome back, with the field for another course")
    page.get_by_role("button", name=BUTTON[language]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][3], timeout=10_000)
    with portal.services.database.read() as session:
        assert [row.course_id is not None for row in session.query(Grant).order_by(Grant.starts_at)] == [
            False, True, True,
        ]  # fmt: skip


def _course(portal: Any) -> str:
    """A course that is open now; its code."""
    now = utc_now()
    wish = Wish("Excel for alle", "Voksenopplæringen", now, now + timedelta(hours=4), "default", 25)
    with portal.services.database.write() as session:
        made = courses.add(session, portal.services.place, wish, ["default"], by="it", now=now)
    assert isinstance(made, Course)
    return made.code
