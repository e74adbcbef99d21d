"""Rules for a moment to come, by two people, and lists whose refresh is told anew by itself: in a real browser."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from captive_portal.auth import accounts
from captive_portal.auth.passwords import hash_password
from gateway.access.course_plan import local_text
from gateway.clock import utc_now
from tests.browser.axe import examine
from tests.browser.test_console import (
    LAPTOP,
    PASSWORD,
    PHONE,
    SHOTS,
    RunningConsole,
    _context,
    _sign_in,
    chromium,
    running,
)
from tests.browser.test_rules_writing import whole_notice

__all__ = ["chromium", "running", "whole_notice"]
TWO_SIZES = ((LAPTOP, "light"), (PHONE, "dark"))


@pytest.fixture(autouse=True)
def two_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set before the console starts, which inherits it."""
    monkeypatch.setenv("GJESTENETT_RULES__TWO_PERSON", "true")


def with_accounts(running: RunningConsole, *names: str) -> None:
    with running.services.database.write() as session:
        for name in names:
            link = accounts.add_account(session, running.services.place, name, "it", utc_now())
            password, place = hash_password(PASSWORD), running.services.place
            assert accounts.redeem(session, place, link.token, name, password, utc_now()) == "done"


def look(page: Page, name: str) -> None:
    """Accessible, and no wider than the screen, on a laptop and on a phone in the dark."""
    for viewport, scheme in TWO_SIZES:
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{viewport['width']}.png", full_page=True)
        found = examine(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
    page.set_viewport_size(LAPTOP)


def test_one_proposes_rules_for_a_moment_to_come_and_another_publishes_and_withdraws_them(
    whole_notice: None, two_people: None, running: RunningConsole, chromium: Browser
) -> None:
    with_accounts(running, "kari", "ola")
    page = _context(chromium, "nb").new_page()
    page.set_default_timeout(60_000)
    page.goto(running.url)
    _sign_in(page, "kari")
    page.goto(f"{running.url}/rules/-/edit")
    page.get_by_label("Bokmål", exact=True).fill("# Regler\n\nVær snill på nettet.")
    page.get_by_role("button", name="Lagre, og se det slik gjestene gjør").click()
    page.get_by_role("link", name="Gå videre for å foreslå den").click()
    page.get_by_label("Av seg selv, på dagen og klokkeslettet som står her").check()
    page.get_by_role("button", name="Foreslå reglene").click()
    expect(page.get_by_role("alert")).to_contain_text("Skriv dagen og klokkeslettet")
    look(page, "rules-propose")
    page.get_by_label("Dag og klokkeslett").fill(local_text(utc_now() + timedelta(days=30)))
    page.get_by_role("button", name="Foreslå reglene").click()
    expect(page.get_by_role("status")).to_contain_text("Reglene er foreslått")
    page.get_by_role("link", name="Foreslått, venter på at noen andre publiserer").click()
    expect(page.get_by_text("så en annen må publisere dem")).to_be_visible()
    look(page, "rules-proposed-own")

    other = _context(chromium, "nb").new_page()
    other.set_default_timeout(60_000)
    other.goto(running.url)
    _sign_in(other, "ola")
    other.goto(f"{running.url}/rules")
    other.get_by_role("link", name="Foreslått, venter på at noen andre publiserer").click()
    expect(other.locator("ins").first).to_be_visible()
    look(other, "rules-proposed")
    other.get_by_role("button", name="Jeg har lest det: publiser reglene").click()
    expect(other.get_by_role("status")).to_contain_text("begynner å gjelde av seg selv")
    look(other, "rules-coming")
    other.get_by_role("link", name="Trekk tilbake").click()
    look(other, "rules-withdraw")
    other.get_by_role("button", name="Trekk versjonen tilbake").click()
    expect(other.get_by_role("status")).to_contain_text("kommer ikke til å gjelde")
    look(other, "rules-withdrawn")


def test_a_refresh_is_told_anew_without_loading_the_page_and_a_file_that_is_too_large_is_told_in_the_form(
    running: RunningConsole, chromium: Browser, tmp_path: Path
) -> None:
    with_accounts(running, "kari")
    page = _context(chromium, "nb").new_page()
    page.set_default_timeout(60_000)
    page.goto(running.url)
    _sign_in(page, "kari")
    large = tmp_path / "stor.txt"
    large.write_bytes(b"spill.example\n" * 2_000_000)
    page.goto(f"{running.url}/lists/add")
    form = page.locator("form[action='/lists/upload']")
    form.get_by_label("Fil", exact=True).set_input_files(large)
    form.get_by_label("Kategori").select_option("Nettspill")
    form.get_by_role("button", name="Send filen").click()
    expect(page.get_by_role("alert")).to_contain_text("Filen er større enn 16 MB")
    look(page, "lists-too-large")

    form.get_by_label("Fil", exact=True).set_input_files(
        {"name": "side.html", "mimeType": "text/html", "buffer": b"<!doctype html><html><body>x</body></html>"}
    )
    form.get_by_label("Kategori").select_option("Nettspill")
    form.get_by_role("button", name="Send filen").click()
    expect(page.get_by_role("status")).to_contain_text("Venter på å bli hentet")
    running.refresh_lists()
    expect(page.get_by_role("heading", level=1)).to_have_text("Filen ble ikke tatt inn")
    look(page, "lists-refused")

    page.goto(f"{running.url}/lists/add")
    form.get_by_label("Fil", exact=True).set_input_files(
        {"name": "spill.txt", "mimeType": "text/plain", "buffer": b"".join(b"s%d.example\n" % n for n in range(30))}
    )
    form.get_by_label("Kategori").select_option("Nettspill")
    form.get_by_role("button", name="Send filen").click()
    expect(page.get_by_role("status")).to_contain_text("Venter på å bli hentet")
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="Se på nytt").focus()
    key = page.url.rpartition("/")[2]
    (running.services.settings.state / "lists" / key).mkdir(parents=True)
    running.pretend_progress(key, "reading", 12345, 0)
    expect(page.get_by_role("status")).to_contain_text("Oppdateres nå")
    expect(page.locator("progress")).to_have_count(1)
    assert page.evaluate("document.activeElement.textContent") == "Se på nytt", "the keyboard stays where it was"
    look(page, "lists-under-way")
    running.refresh_lists()
    expect(page.get_by_role("status")).to_contain_text("Gjelder")
    expect(page.get_by_role("row").filter(has_text="Hentet, og gjelder nå")).to_contain_text("30 navn")
    assert page.evaluate("window.stays"), "the page was not loaded again"
    expect(page.get_by_role("link", name="Se på nytt")).to_have_count(0)
    look(page, "lists-in-force")
    page.goto(f"{running.url}/lists")
    page.get_by_role("button", name="Oppdater alle nå").click()
    expect(page.get_by_role("status")).to_contain_text("Blir oppdatert: 1 igjen")
    page.evaluate("window.stays = true")
    running.refresh_lists()
    expect(page.get_by_role("status")).to_contain_text("Oppdateringen er ferdig, og alle listene ble hentet.")
    assert page.evaluate("window.stays")
    look(page, "lists-refreshed")
