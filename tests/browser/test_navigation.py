"""The way between the rooms in real Chromium: one row on a laptop, usable on the narrowest phone and by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from captive_portal.auth import accounts
from captive_portal.auth.passwords import hash_password
from captive_portal.console.navigation import GROUPS
from gateway.clock import utc_now
from tests.browser.axe import SIDEWAYS, examine
from tests.browser.test_console import (
    LAPTOP,
    PASSWORD,
    SHOTS,
    RunningConsole,
    _context,
    _sign_in,
    chromium,
    running,
)

__all__ = ["chromium", "running"]
MEASURES = """() => {
  const box = (each) => { const { x, width, height } = each.getBoundingClientRect();
    return each.getClientRects().length ? { height, right: x + width } : null; };
  const all = (which) => [...document.querySelectorAll(which)];
  const rows = (list) => new Set(list.map((one) => one.getBoundingClientRect().top)).size;
  return {
    rows: all(".rooms nav > ul").map((each) => rows([...each.querySelectorAll(":scope > li")])),
    height: all(".rooms > .width").map((each) => box(each).height),
    current: all(".rooms [aria-current=page]").length,
    links: all(".rooms a").map(box),
    tried: all("#try-anywhere").map(box),
  };
}"""
"""Of the navigation, in pixels: asked for in one go, as each question to a browser takes its time."""


def signed_in(running: RunningConsole, page: Page, role: str, unit: str = "") -> None:
    """Sign in to a new account."""
    limits = {"unit": unit} if unit else {}
    with running.services.database.write() as session:
        link = accounts.add_account(session, running.services.place, role, role, utc_now(), **limits)
        done = accounts.redeem(session, running.services.place, link.token, role, hash_password(PASSWORD), utc_now())
        assert done == "done"
    page.goto(f"{running.url}/sign-in?lang=nb")
    _sign_in(page, role)


def test_one_row_on_a_laptop_and_no_scrolling_on_the_narrowest_phone(
    running: RunningConsole, chromium: Browser
) -> None:
    page = _context(chromium, "nb", scripts=False, viewport=LAPTOP).new_page()
    signed_in(running, page, "it")
    for language in ("nb", "nn", "en"):
        for group in GROUPS:
            for room in group.rooms:
                page.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
                page.goto(f"{running.url}{room.path}?lang={language}")
                wide = page.evaluate(MEASURES)
                assert set(wide["rows"]) == {1}, f"{room.path} in {language}"
                (height,) = wide["height"]
                assert height < 64, "the navigation and the box for a name stand in one row"
                assert wide["current"] == 1, room.path
                page.set_viewport_size({"width": 320, "height": 640})
                narrow = page.evaluate(MEASURES)
                assert page.evaluate(SIDEWAYS) <= 0, f"{room.path} in {language}"
                assert narrow["links"], room.path
                for box in narrow["links"]:
                    assert box is not None, "every room can be reached on a phone"
                    assert box["height"] >= 40, "WCAG 2.5.8, with room to spare"
                    assert box["right"] <= 320
                if room.path != "/try":
                    (tried,) = narrow["tried"]
                    assert tried is not None, "a name can be tried on a phone too"
                    assert (tried["height"] >= 40, tried["right"] <= 320) == (True, True)
    if SHOTS:
        for width, height in ((320, 640), (390, 844), (1280, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{running.url}/policy?lang=nb")
            page.screenshot(path=f"{SHOTS}/navigation-{width}.png")


def test_by_keyboard_alone(running: RunningConsole, chromium: Browser) -> None:
    page = _context(chromium, "nb", scripts=False).new_page()
    signed_in(running, page, "it")
    page.goto(f"{running.url}/policy")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator(".rooms a").first.focus()
    seen = []
    for _ in range(len(GROUPS)):
        seen.append(page.evaluate("document.activeElement.innerText"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", seen
        if seen[-1] == "Innholdsfilter":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{running.url}/policy")
    page.get_by_role("navigation", name="Innholdsfilter").get_by_role("link", name="Kategorier").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{running.url}/policy/groups")
    expect(page.locator(".rooms [aria-current=page]")).to_have_text("Grupper")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(running: RunningConsole, chromium: Browser, scheme: str) -> None:
    for role, home, unit in (("it", "/policy", ""), ("host", "/courses", "Nybø skule")):
        page = _context(chromium, "nb", scheme=scheme).new_page()
        signed_in(running, page, role, unit)
        for language in ("nb", "nn", "en"):
            page.goto(f"{running.url}{home}?lang={language}")
            found = examine(page)
            assert found.violations_count == 0, found.generate_report()
