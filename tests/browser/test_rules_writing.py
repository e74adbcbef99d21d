"""IT's browser writes a new version of the rules, without scripts, and every page of it is accessible and fits."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from captive_portal.auth import accounts
from captive_portal.auth.passwords import hash_password
from gateway.clock import utc_now
from gateway.storage import rules
from tests.browser.axe import SIDEWAYS, examine
from tests.browser.test_console import (
    LAPTOP,
    PASSWORD,
    PHONE,
    RunningConsole,
    _context,
    _sign_in,
    chromium,
    running,
)

__all__ = ["chromium", "running"]


@pytest.fixture(autouse=True)
def whole_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What guests have to be told before rules are published; set before the console starts, which inherits it."""
    for key, value in {
        "CONTROLLER": "Fjellbygda kommune", "DPO": "personvernombud@fjellbygda.example.no", "LEGAL_BASIS": "6.1.e",
        "LEGAL_BASIS_LAW": "kommuneloven § 25-1", "BACKUP_DAYS": "30",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"GJESTENETT_PRIVACY__{key}", value)


@pytest.mark.parametrize(("viewport", "scripts"), [(LAPTOP, False), (PHONE, True)])
def test_rules_are_written_seen_compared_and_published(
    whole_notice: None, running: RunningConsole, chromium: Browser, viewport: dict[str, int], scripts: bool
) -> None:
    place = running.services.place
    with running.services.database.write() as session:
        link = accounts.add_account(session, place, "kari", "it", utc_now())
        assert accounts.redeem(session, place, link.token, "kari", hash_password(PASSWORD), utc_now()) == "done"
    running.guest("Ola Nordmann", "Kurs AS", "02:00:00:00:00:01", applied=True)
    page = _context(chromium, "nb", viewport=viewport, scripts=scripts).new_page()
    page.set_default_timeout(60_000)

    def look(name: str) -> None:
        if not scripts:  # axe is one
            return
        found = examine(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = page.evaluate(SIDEWAYS)
        assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"

    page.goto(running.url)
    _sign_in(page, "kari")
    page.get_by_role("navigation", name="Sider").get_by_role("link", name="Regler", exact=True).click()
    look("rules")
    page.get_by_role("link", name="Skriv en ny versjon – alle som ikke har egne regler").click()
    look("edit")
    page.get_by_label("Bokmål", exact=True).fill("# Regler\n\nVær snill på nettet.\n\n---\n\nHele teksten.")
    page.get_by_label("Nynorsk", exact=True).fill("")
    page.get_by_label("Neste gjennomgang").fill("2001-01-01")
    page.get_by_role("button", name="Lagre, og se det slik gjestene gjør").click()
    expect(page.locator("section.rules")).to_contain_text("Vær snill på nettet.")
    expect(page.get_by_role("heading", name="Dette mangler før utkastet kan publiseres")).to_be_visible()
    look("preview-hindered")
    page.get_by_role("link", name="Neste gjennomgang må ligge fram i tid").click()
    page.get_by_label("Neste gjennomgang").fill("2099-01-01")
    page.get_by_role("button", name="Lagre utkastet").click()
    expect(page.get_by_role("status")).to_contain_text("Utkastet er lagret")
    look("saved")
    page.get_by_role("button", name="Lagre, og se det slik gjestene gjør").click()
    expect(page.locator("ins").first).to_be_visible()
    page.get_by_role("link", name="Nynorsk").last.click()
    expect(page.get_by_text("Det finnes ingen tekst på dette språket: Nynorsk")).to_be_visible()
    page.get_by_role("link", name="Gå videre til publisering").click()
    look("publish")
    page.get_by_label("Blir spurt når reglene begynner å gjelde").check()
    page.get_by_role("button", name="Publiser reglene").click()
    expect(page.get_by_role("status")).to_contain_text("Den neste gjesten ser den")
    look("published")
    with running.services.database.read() as session:
        version = rules.version_in_force(session, place.owner_id, now=utc_now())
        assert version is not None
        assert {text.language: text.markdown for text in version.texts}["nb"].startswith("# Regler\n\nVær snill")
        assert "nn" not in {text.language for text in version.texts}
    page.get_by_role("link", name="Skriv en ny versjon – alle som ikke har egne regler").click()
    page.get_by_role("button", name="Lagre utkastet").click()
    page.get_by_role("link", name="Forkast utkastet").click()
    look("discard")
    page.get_by_role("button", name="Forkast utkastet").click()
    expect(page.get_by_role("status")).to_contain_text("Utkastet er forkastet")
