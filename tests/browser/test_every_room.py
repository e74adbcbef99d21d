"""Every room of the console, as the table of routes has them: none is forgotten, whoever adds it.

In three languages, light and dark, wide and at 320 pixels: axe, the order of headings, titles, the keyboard, paper, and
that nothing is asked of any other machine.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AxeResults
from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from captive_portal.auth import accounts, sessions
from captive_portal.auth.passwords import hash_password
from captive_portal.console.pages import all_pages
from captive_portal.console.route import Page as Route
from captive_portal.console.visit import SESSION_COOKIE
from gateway.access import courses
from gateway.access.course_plan import Wish
from gateway.clock import utc_now
from gateway.lists import draft_edits
from gateway.lists import generations as drafts
from gateway.storage import leaves, staff
from gateway.storage.course_models import Course
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.models import Acceptance, Grant
from gateway.telemetry import Totals
from tests.browser.axe import COLOURS, SIDEWAYS, examine
from tests.browser.test_console import RunningConsole, chromium, running
from tests.browser.test_rooms import fill

__all__ = ["chromium", "running"]
SHOTS = os.environ.get("CONSOLE_SCREENSHOTS")
LANGUAGES = ("nb", "nn", "en")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
PHONE = {"width": 390, "height": 844}
HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((each) => each.checkVisibility())
  .map((each) => Number(each.tagName[1]))"""
FOCUSED = """() => { const each = document.activeElement, box = each.getBoundingClientRect();
  const style = getComputedStyle(each);
  const can = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const named = (one, found) => found.filter((other) => other.name === one.name);
  const all = [...document.querySelectorAll(can)]
    .filter((one) => one.checkVisibility() && !one.disabled)
    .filter((one, _, found) => one.type !== "radio" || one.checked  // a group of them is one stop
      || one === named(one, found)[0] && !named(one, found).some((other) => other.checked));
  return [all.indexOf(each), all.length, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    box.bottom > 0 && box.top < innerHeight, each.outerHTML.slice(0, 120)]; }"""
TABS_MAX = 120
ON_PAPER = """() => ({
  left: [...document.querySelectorAll("nav, form[method=get]:not(:has(.ordering)), .button, button, .skip, .ordering")]
    .filter((each) => each.checkVisibility()).map((each) => each.outerHTML.slice(0, 100)),
  targets: [...document.querySelectorAll("a")]
    .filter((each) => /\\(/.test(getComputedStyle(each, "::after").content)).length,
  heads: [...document.querySelectorAll("table:not(.week) thead")]
    .every((each) => getComputedStyle(each).display === "table-header-group"),
})"""
NOT_PAGES = {"/static/{name:path}", "/sign-in/oidc"}
SHOWN_ONCE = {"/setup/{token}"}
"""Rooms whose address is used up by looking: they have tests of their own."""
PAPERS = {"/courses/{course}/poster", "/courses/{course}/slide"}
PRINTED = {"/acceptances", "/log", "/log/{index}", "/rules", "/policy", "/policy/history", "/checkpoints", "/exports"}


def addresses(running: RunningConsole) -> Mapping[str, str]:
    """What stands for the names in braces, by route or by name; filled from what `furnish` has made."""
    with running.services.database.read() as session:
        now = utc_now()
        grant = session.query(Grant.id).filter(Grant.revoked_at.is_(None), Grant.ends_at > now).limit(1).scalar()
        return {
            "grant": str(grant),
            "course": str(session.query(Course.id).limit(1).scalar()),
            "request": str(session.query(ExemptionRequest.id).limit(1).scalar()),
            "/acceptances/{id}": str(session.query(Acceptance.id).limit(1).scalar()),
            "index": "2", "size": "2", "generation": "1", "category": "gaming", "group": "default",
            "/policy/groups/{key}": "default", "/policy/groups/{key}/remove": "library",
            "/policy/groups/{key}/hours/{category}": "default", "/lists/source/{key}": "oisd-nsfw",
            "/lists/source/{key}/remove": "oisd-nsfw",
        }  # fmt: skip


def furnish(running: RunningConsole) -> None:
    """Something in every room: guests, courses, a draft, a request, entries that are sealed."""
    place, now = running.services.place, utc_now()
    fill(running)
    running.guest("Kari Nordmann", "Bedrift AS", "02:00:00:00:00:03", applied=True)
    running.asks("02:00:00:00:00:03", "spill.example.com")
    with running.services.database.write() as session:
        start = now.replace(minute=0, second=0, microsecond=0)
        for title, days in (("Excel for alle", 0), ("Norskkurs for voksne med et langt navn", 3)):
            begins = start + timedelta(days=days)
            wish = Wish(title, "Voksenopplæringen", begins, begins + timedelta(hours=4), "default", 25, "code")
            assert isinstance(courses.add(session, place, wish, ["default"], by="it", now=now), Course)
        before = drafts.draft(session, place)
        draft, _ = draft_edits.with_group(before, "meeting", like="default", mark=None, title="Møterom")
        drafts.save_draft(session, place, draft, now)
    for _ in range(600):
        with running.services.database.read() as session:
            if not leaves.staged(session, place.owner_id, 1):
                return
        time.sleep(0.1)
    raise AssertionError("the sealer did not seal within a minute")


def rooms(running: RunningConsole) -> Iterator[tuple[str, str]]:
    """(route, address) of every page that is looked at with GET."""
    known = addresses(running)
    routes: list[Route] = [each for each in all_pages(running.services, Totals()) if each.method == "GET"]
    for route in routes:
        if route.path in NOT_PAGES | SHOWN_ONCE or route.permission == "scrape":
            continue

        names = re.findall(r"\{([^}]+)\}", route.path)
        values = {name: known.get(route.path, "x") if name in ("key", "id") else known.get(name, "x") for name in names}
        yield route.path, route.path.format(**values)  # x: the page that says that there is no such thing


@pytest.fixture
def context(running: RunningConsole, chromium: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """Makes a browser of IT's, in a language."""
    furnish(running)
    opened: list[BrowserContext] = []
    with running.services.database.write() as session:
        link = accounts.add_account(session, running.services.place, "kari", "it", utc_now())
    with running.services.database.write() as session:
        assert (
            accounts.redeem(
                session, running.services.place, link.token, "kari", hash_password("en setning med ord"), utc_now()
            )
            == "done"
        )

    def make(language: str) -> BrowserContext:
        with running.services.database.write() as session:
            account = staff.by_username(session, running.services.place.owner_id, "kari")
            assert account is not None
            cookie = sessions.sign_in(
                session, running.services.place, account, address="127.0.0.1", previous="", now=utc_now()
            )
        made = chromium.new_context(
            locale=language,
            ignore_https_errors=True,
            viewport=WIDE,  # type: ignore[arg-type]
            reduced_motion="reduce",
            bypass_csp=True,
        )
        made.set_default_timeout(120_000)
        made.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": running.url, "secure": True}])
        opened.append(made)
        return made

    yield make
    for each in opened:
        each.close()


def _fits_soon(page: Page) -> bool:
    """Whether nothing scrolls sideways once the charts have been drawn for the new width."""
    try:
        page.wait_for_function(f"{SIDEWAYS} <= 0", timeout=2_000)
    except PlaywrightTimeout:
        return False
    return True


@pytest.mark.timeout(1800)  # some minutes on a quiet machine
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_room_is_accessible_fits_and_keeps_to_itself(
    running: RunningConsole, context: Callable[[str], BrowserContext], language: str
) -> None:
    page, asked_for, titles, seen = context(language).new_page(), list[str](), dict[str, str](), 0
    problems: list[str] = []

    def told(what: str) -> None:
        problems.append(what)

    page.on(
        "request", lambda request: asked_for.append(request.url) if not request.url.startswith(running.url) else None
    )
    for route, address in rooms(running):
        answer = page.context.request.get(running.url + address, max_redirects=0)
        if answer.status in (302, 303) or not answer.headers.get("content-type", "").startswith("text/html"):
            continue  # a file, or the way to another room
        if address.endswith("/x"):
            assert answer.status in (200, 403, 404, 410), address
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        page.goto(running.url + address)
        seen += 1
        if route in PAPERS:
            continue  # paper on the screen; test_courses measures it
        assert page.locator("html").get_attribute("lang") == language, route
        for problem in _problems(examine(page)):
            told(f"{route}, light: {problem}")
        page.emulate_media(color_scheme="dark")
        for problem in _problems(examine(page, COLOURS)):
            told(f"{route}, dark: {problem}")
        _picture(page, f"{language}-wide-dark", address)
        page.emulate_media(color_scheme="light")
        _picture(page, f"{language}-wide", address)
        if not _fits_soon(page):
            told(f"{route}: scrolls sideways at 1280")
        levels = page.evaluate(HEADINGS)
        if levels.count(1) != 1 or levels[0] != 1 or any(b - a > 1 for a, b in pairwise(levels)):
            told(f"{route}: headings {levels}")
        title = page.title()
        if answer.status == 200 and titles.setdefault(title, route) != route:
            told(f"{route}: the same title as {titles[title]}: {title}")
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        if not _fits_soon(page):
            told(f"{route}: scrolls sideways at 320 by {page.evaluate(SIDEWAYS)}")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        _picture(page, f"{language}-phone", address)
        if language == "nb":
            problems += [f"{route}: {each}" for each in _tabbed(page)]
            page.set_viewport_size(WIDE)  # type: ignore[arg-type]
            problems += [f"{route}: {each}" for each in _tabbed(page)]
        if language == "nb" and route in PRINTED:
            page.emulate_media(media="print")
            paper = page.evaluate(ON_PAPER)
            if paper["left"] or paper["targets"] or not paper["heads"]:
                told(f"{route} on paper: {paper}")
            _picture(page, "paper", address)
            page.emulate_media(media="screen")
    assert problems == [], "\n".join(problems)
    assert seen >= 40, "so few rooms?"
    elsewhere = {url for url in asked_for if not url.startswith(f"{running.url}/")}
    assert elsewhere == set(), "a page asks something of another machine"


def test_paper_says_what_a_table_was_narrowed_to(
    running: RunningConsole, context: Callable[[str], BrowserContext]
) -> None:
    page = context("en").new_page()
    page.emulate_media(media="print")
    for asked, shown in (("", 0), ("?name=nordmann&last=2026-12-31", 2), ("?version=1.0", 1)):
        page.goto(f"{running.url}/acceptances{asked}")
        fields = [each for each in page.locator("form[action='/acceptances'] .field").all() if each.is_visible()]
        assert len(fields) == shown, asked
    _picture(page, "narrowed-paper", "/acceptances")


def _picture(page: Page, kind: str, address: str) -> None:
    if SHOTS:
        name = re.sub(r"[^a-z0-9]+", "-", urlsplit(address).path)[:60].strip("-") or "home"
        page.screenshot(path=f"{SHOTS}/{name}.{kind}.png", full_page=True)


def _tabbed(page: Page) -> Iterator[str]:
    """What goes wrong when Tab is pressed from the top on: everything is reached in order, and seen to be."""
    page.evaluate("() => { document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0); }")
    page.locator(".skip").focus()
    before, count, *_ = page.evaluate(FOCUSED)
    for _ in range(min(5 * count, TABS_MAX)):
        if before == count - 1:
            return
        page.keyboard.press("Tab")
        index, _, outlined, on_screen, what = page.evaluate(FOCUSED)
        if index not in (before, before + 1):  # a date has several stops
            yield f"Tab goes from {before} to {index}: {what}"
            return
        if not outlined:
            yield f"shows no focus: {what}"
        if not on_screen:
            yield f"is focused out of sight: {what}"
        before = index


def _problems(results: AxeResults) -> list[str]:
    return [] if results.violations_count == 0 else [results.generate_report()[:1500]]
