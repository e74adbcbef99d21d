"""The help desk, letting in a device without a browser, and extending access: by hand, without scripts, by axe."""

from __future__ import annotations

import os
import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.clock import MUNICIPAL_ZONE, utc_now
from tests.browser.axe import examine
from tests.browser.test_courses import LAPTOP, PASSWORD, PHONE, Running, chromium, running

__all__ = ["chromium", "running"]
SHOTS = os.environ.get("CONSOLE_SCREENSHOTS")
CLOSEST = """() => {
  const gaps = [];
  for (const cell of document.querySelectorAll("td.act")) {
    const boxes = [...cell.querySelectorAll(".button")].map((each) => each.getBoundingClientRect());
    boxes.forEach((one, at) => boxes.slice(at + 1).forEach((other) => gaps.push(Math.max(
      other.left - one.right, one.left - other.right, other.top - one.bottom, one.top - other.bottom))));
  }
  return Math.min(...gaps);
}"""
"""The least distance in pixels between two buttons of a row."""
LOCALES = {"nb": "nb-NO", "nn": "nn-NO", "en": "en-GB"}


@pytest.mark.parametrize(
    ("viewport", "language", "scheme"), [(PHONE, "nn", "light"), (LAPTOP, "nb", "dark"), (LAPTOP, "en", "light")]
)
def test_a_screen_is_let_in_found_extended_and_its_rooms_are_accessible(
    running: Running,
    chromium: Browser,
    viewport: dict[str, int],
    language: str,
    scheme: str,
) -> None:
    page = chromium.new_context(
        ignore_https_errors=True,
        locale=LOCALES[language],
        java_script_enabled=True,  # axe needs it; the pages have no script
        viewport=viewport,  # type: ignore[arg-type]
        color_scheme=scheme,  # type: ignore[arg-type]
    ).new_page()
    page.goto(f"{running.console}/helpdesk")
    page.locator("#username").fill("kari")
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    expect(page.locator(".rooms")).to_be_visible()

    page.goto(f"{running.console}/helpdesk")
    _look(page, "desk-empty", viewport, language)
    page.locator("#device").fill("4d5")
    page.locator("main button").click()
    _look(page, "desk-error", viewport, language)
    page.locator("#device").fill("4d5e")
    page.locator("main button").click()
    _look(page, "desk-nobody", viewport, language)

    page.goto(f"{running.console}/devices/admit")
    page.locator("main button").click()
    _look(page, "admit-errors", viewport, language)
    page.locator("#mac").fill("00-1A-2B-3C-4D-5E")
    page.locator("#unit").fill("Voksenopplæringen i Fjellbygda")
    page.locator("#reason").fill("Skjerm på møterommet")
    page.locator("#until").fill(f"{utc_now().astimezone(MUNICIPAL_ZONE) + timedelta(days=30):%Y-%m-%d}")
    page.locator("main button").click()
    expect(page).to_have_url(re.compile("notice=admitted"))
    assert running.open_grants() == 1
    _look(page, "devices", viewport, language)
    assert page.evaluate(CLOSEST) >= 4, "buttons that end, extend and block are not to be mistaken for one another"

    page.goto(f"{running.console}/helpdesk?device=4d5e")
    expect(page.locator("blockquote.aloud").first).to_be_visible()
    _look(page, "desk-found", viewport, language)
    page.locator("a[href*='find=']").click()
    page.locator("a[href$='/extend']").click()
    _look(page, "extend", viewport, language)
    page.locator("main button").click()
    expect(page).to_have_url(re.compile("notice=extended"))
    page.locator("#find").fill("nobody")
    page.locator("main form[role=search] button").click()
    _look(page, "devices-none", viewport, language)


def _look(page: Page, name: str, viewport: dict[str, int], language: str) -> None:
    found = examine(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{viewport['width']}-{language}-{name}.png", full_page=True)
