"""Every guest page in every language, theme and state: WCAG 2.2 AA by axe, by keyboard, small, large and spaced out.

One portal and one browser for all: a page is brought to each state once for each language and looked at in all ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from playwright.sync_api import Browser, Page, Route, expect

from captive_portal.i18n import LANGUAGE_NAMES
from tests.browser.axe import COLOURS, SIDEWAYS, examine
from tests.browser.conftest import launched, running_portal
from tests.browser.walk import LANGUAGES, NAME, SETTINGS, add_library, every_page, release

PHONE, ZOOMED = {"width": 390, "height": 844}, {"width": 320, "height": 256}  # 1280 × 1024 at 400 %
STATES = 22
SPACING = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
CUT_OFF = """[...document.querySelectorAll("main *, header *, footer *")].filter((each) =>
  each.clientWidth && getComputedStyle(each).overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1
  && each.tagName !== "INPUT").map((each) => each.outerHTML.slice(0, 80))"""
FOCUSED = """() => { const each = document.activeElement, box = each.getBoundingClientRect();
  const style = getComputedStyle(each);
  const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary")]
    .filter((one) => one.checkVisibility());
  return [all.indexOf(each), all.length, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    box.top < innerHeight && box.bottom > 0, Math.round(box.top + scrollY)]; }"""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running_portal(tmp_path_factory.mktemp("portal"), SETTINGS) as running:
        add_library(running)
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(portal: Any, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, reduced_motion="reduce", bypass_csp=True)  # type: ignore[arg-type]
    yield context.new_page()
    context.close()
    release(portal)


@pytest.mark.timeout(400)  # 17 s on a quiet machine; it waits for a browser, and for others on a busy one
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_and_state_is_accessible(portal: Any, page: Page, language: str) -> None:
    """By axe in light and dark, at 400 %, and once, in bokmål, by keyboard, with wide spacing and without motion."""
    seen, asked_for = [], list[str]()
    page.on("request", lambda request: asked_for.append(request.url))
    for state in every_page(portal, page, language):
        assert page.locator("html").get_attribute("lang") == language, state
        _assert_clean(examine(page), f"{state}, light")
        page.emulate_media(color_scheme="dark")
        _assert_clean(examine(page, COLOURS), f"{state}, dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
        assert page.evaluate(SIDEWAYS) <= 0, f"{state} at 400 %"
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if language == "nb":
            _walk(page, state)
            _spaced_out(page, state)
        if state == "waiting":
            _assert_motion_is_reduced(page)
        seen.append(state)
    assert len(set(seen)) == STATES
    assert {url for url in asked_for if not url.startswith(f"{portal.url}/")} == set(), "another machine is asked"


def test_other_languages_are_marked_as_such(portal: Any, page: Page) -> None:
    page.goto(f"{portal.url}/?lang=de")
    links = page.locator(".languages a")
    assert {link.get_attribute("lang"): link.inner_text() for link in links.all()} == {
        language: LANGUAGE_NAMES[language] for language in LANGUAGES
    }
    assert page.locator(".languages a[aria-current]").get_attribute("lang") == "de"
    rules = page.locator(".rules > div")
    assert rules.get_attribute("lang") == "nb"  # no German text is published: the binding one is shown
    assert page.locator("details > summary").evaluate("each => each.closest('[lang]').lang") == "de"


def test_without_custom_properties_as_on_old_webviews_it_can_be_read(portal: Any, page: Page) -> None:
    def old(route: Route) -> None:
        css = route.fetch().text()
        css = re.sub(r"@media \(prefers-color-scheme: dark\) \{.*?\}\s*\}", "", css, flags=re.DOTALL)
        css = re.sub(r"(?<![\w-])[\w-]+:[^;{}]*var\([^;{}]*;?", "", css)
        assert "var(" not in css
        route.fulfill(body=css, content_type="text/css")

    page.route("**/static/*.css", old)
    page.goto(f"{portal.url}/?lang=nb")
    _assert_clean(examine(page), "welcome on an old WebView")
    button = page.locator("#accept")
    assert button.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(0, 98, 186)"
    assert button.bounding_box()["height"] >= 44  # type: ignore[index]
    assert page.locator("#name").evaluate("each => getComputedStyle(each).borderTopWidth") == "1px"


def test_a_first_load_is_three_requests(portal: Any, page: Page) -> None:
    """What goes over the network, icon included; the picture of the arms is used for both, and fetched once."""
    network = page.context.new_cdp_session(page)
    fetched: dict[str, str] = {}
    network.on("Network.requestWillBeSent", lambda event: fetched.update({event["requestId"]: event["request"]["url"]}))
    network.on(
        "Network.responseReceived",
        lambda event: fetched.pop(event["requestId"]) if event["response"]["fromDiskCache"] else None,
    )
    network.send("Network.enable")
    page.goto(f"{portal.url}/?lang=nb", wait_until="networkidle")
    assert sorted(url.removeprefix(portal.url).partition(".")[0] for url in fetched.values()) == [
        "/?lang=nb",
        "/static/guest",
        "/static/mark",
    ]


def test_the_summary_of_errors_leads_to_each_field(portal: Any, page: Page) -> None:
    page.goto(f"{portal.url}/?lang=nb")
    page.locator("#organisation").fill("<")
    page.locator("#contact").fill("x" * 200)
    page.get_by_role("button").click()
    summary = page.locator(".errors")
    expect(summary).to_be_focused()
    assert page.title().startswith("Feil:")
    for field in ("name", "organisation", "contact"):
        summary.locator(f'a[href="#{field}"]').click()
        focused = page.locator(f"#{field}")
        expect(focused).to_be_focused()
        described = focused.get_attribute("aria-describedby") or ""
        assert f"{field}-error" in described.split()
        assert focused.get_attribute("aria-invalid") == "true"
    assert page.locator("#organisation").input_value() == "<"
    page.locator("#name").fill(NAME)


def _walk(page: Page, state: str) -> None:
    """Press Tab from the top to the end: everything is reached, in order, seen, and below what came before."""
    page.evaluate("() => { document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0); }")
    page.locator(".skip").focus()
    index, count, *_ = page.evaluate(FOCUSED)
    assert (index, count > 5) == (0, True), state
    tops = []
    for expected in range(1, count):
        page.keyboard.press("Tab")
        index, _, outlined, on_screen, top = page.evaluate(FOCUSED)
        assert index == expected, f"{state}: Tab reached {index} in place of {expected}"
        assert outlined, f"{state}: element {index} shows no focus"
        assert on_screen, f"{state}: element {index} is focused out of sight"
        tops.append(top)
    assert tops == sorted(tops), state


def _spaced_out(page: Page, state: str) -> None:
    """With the spacing of WCAG 1.4.12 nothing is cut off or needs scrolling sideways."""
    style = page.add_style_tag(content=SPACING)
    assert page.evaluate(SIDEWAYS) <= 0, f"{state} with wide spacing"
    assert page.evaluate(CUT_OFF) == [], state
    style.evaluate("each => each.remove()")


def _assert_motion_is_reduced(page: Page) -> None:
    turning = page.locator(".turning")
    assert turning.evaluate("each => getComputedStyle(each).animationName") == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert turning.evaluate("each => getComputedStyle(each).animationName") == "turn"
    page.emulate_media(reduced_motion="reduce")


def _assert_clean(results: AxeResults, where: str) -> None:
    assert results.violations_count == 0, f"{where}: {results.generate_report()}"
