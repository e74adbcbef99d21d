"""The first page in real Chromium: drawn from its tables, renewed by itself, whole without scripts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.clock import utc_now
from gateway.storage import beats, dns_counters
from gateway.storage.dns_counters import hour_of
from tests.browser.axe import SIDEWAYS, examine
from tests.browser.test_console import LAPTOP, PHONE, SHOTS, RunningConsole, _context, chromium, running
from tests.browser.test_navigation import signed_in

__all__ = ["chromium", "running"]
INK = """holder => { const canvas = holder.querySelector("canvas"), pen = canvas.getContext("2d");
  const dots = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0; for (let at = 3; at < dots.length; at += 4) if (dots[at]) inked += 1; return inked; }"""


def count(running: RunningConsole) -> None:
    """Look-ups that were refused, in the hours and days before."""
    hour, place = hour_of(utc_now()), running.services.place
    keys = ("gaming", "adult", "gambling", "dating", "malware", "streaming", "it")
    counts = {
        (hour - timedelta(hours=ago), "default", "refused", key): 3 + (ago * 7 + number * 5) % 20
        for ago in range(60)
        for number, key in enumerate(keys)
    }
    with running.services.database.write() as session:
        dns_counters.add_answers(session, place.owner_id, place.gateway_id, counts)
        beats.beat(session, place.gateway_id, "jobs", utc_now())
        beats.beat(session, place.gateway_id, "portal", utc_now())


def figure(page: Page, name: str) -> str:
    return page.locator("#figures > div").filter(has_text=name).locator("dd").inner_text()


def test_charts_are_drawn_and_figures_change_without_loading_again(running: RunningConsole, chromium: Browser) -> None:
    count(running)
    page = _context(chromium, "nb", viewport=LAPTOP).new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    signed_in(running, page, "it")
    drawn = page.locator(".drawn:has(canvas)")
    expect(drawn).to_have_count(2)
    before = [each.evaluate(INK) for each in drawn.all()]
    assert before[0] > 500, "axes and today, without a bar"
    assert before[1] > 2000, "lines"
    expect(page.locator("details[open]")).to_have_count(0)
    expect(page.locator(".legend:visible li")).to_have_count(6)
    assert figure(page, "Enheter på nett") == "0"
    page.locator("#try-anywhere").fill("halvskrevet")
    page.evaluate("window.stayed = true")

    running.guest("Ola Nordmann", "Kurs AS", "02:00:00:00:00:01", applied=True)
    expect(page.locator("#figures dd").first).to_have_text("1", timeout=30_000)
    assert figure(page, "Godkjenninger i dag") == "1"
    expect(page.locator("#online tbody tr")).to_have_count(1)
    assert page.locator(".drawn").first.evaluate(INK) > before[0] + 200, "a bar has come"
    assert page.evaluate("window.stayed"), "the page was not loaded again"
    expect(page.locator("#try-anywhere")).to_be_focused()
    expect(page.locator("#try-anywhere")).to_have_value("halvskrevet")
    assert page.locator("main [aria-live], main [role=alert]").count() == 0

    page.locator("details summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#accepted tbody tr")).to_have_count(30)
    page.locator("#figures a").first.focus()
    running.guest("Kari Sørli", "", "02:00:00:00:00:02", applied=True)
    expect(page.locator("#online td.number")).to_have_text("2", timeout=30_000)
    expect(page.locator("#figures a").first).to_be_focused()
    expect(page.locator("#figures dd").first).to_have_text("2", timeout=30_000)
    expect(page.locator("#figures a").first).to_be_focused()
    expect(page.locator("details").first).to_have_attribute("open", "")

    page.get_by_role("link", name="30 dager").click()
    expect(page.locator("#refused tbody tr")).to_have_count(30)
    expect(page.locator(".drawn:has(canvas)")).to_have_count(2)
    assert problems == [], "the content security policy forbids nothing that the page does"

    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="Logg inn")).to_be_visible(timeout=30_000)


def test_without_scripts_the_tables_stand_open(running: RunningConsole, chromium: Browser) -> None:
    count(running)
    running.guest("Ola Nordmann", "Kurs AS", "02:00:00:00:00:01", applied=True)
    page = _context(chromium, "nb", scripts=False).new_page()
    signed_in(running, page, "it")
    expect(page.locator("canvas")).to_have_count(0)
    expect(page.locator(".drawn:visible")).to_have_count(0)
    expect(page.locator("#accepted tbody tr")).to_have_count(30)
    expect(page.locator("#accepted tbody tr").last.locator("td")).to_have_text("1")
    expect(page.locator("#refused tbody tr")).to_have_count(24)
    expect(page.locator("#refused thead th")).to_have_text(
        [re.compile("Time"), *[re.compile(".+")] * 5, re.compile("alle andre")]
    )
    expect(page.locator("#accepted")).to_be_visible()
    page.locator("#figures a").last.click()
    expect(page).to_have_url(f"{running.url}/policy/history")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits(running: RunningConsole, chromium: Browser, scheme: str) -> None:
    count(running)
    running.guest("Ola Nordmann", "Kurs AS", "02:00:00:00:00:01", applied=True)
    page = _context(chromium, "nb", viewport=LAPTOP, scheme=scheme).new_page()
    page.emulate_media(reduced_motion="reduce", color_scheme=scheme)  # type: ignore[arg-type]
    signed_in(running, page, "it")
    for language in ("nb", "nn", "en"):
        for viewport in (PHONE, LAPTOP):
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            page.goto(f"{running.url}/?lang={language}")
            expect(page.locator(".drawn canvas")).to_have_count(2)
            found = examine(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate(SIDEWAYS) <= 0
            if SHOTS:
                page.screenshot(path=f"{SHOTS}/overview-{viewport['width']}-{language}-{scheme}.png", full_page=True)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found = examine(page)
        assert found.violations_count == 0, found.generate_report()
