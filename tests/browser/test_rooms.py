"""The auditor's browser: from the one-time link with an authenticator through every room, in real Chromium."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from captive_portal.auth import accounts
from gateway.access import grants as access
from gateway.audit.note import parse_verifiers
from gateway.audit.receipt import parse_receipt, verify_receipt
from gateway.audit.record import record
from gateway.clock import utc_now
from gateway.installation import public_key_path
from gateway.storage import leaves, rules, staff
from gateway.storage.engine import Session
from gateway.storage.models import Grant
from gateway.terms.publish import publish
from tests.browser.axe import examine
from tests.browser.test_console import LAPTOP, PASSWORD, PHONE, RunningConsole, _context, chromium, running

__all__ = ["chromium", "running"]
SHOTS = os.environ.get("CONSOLE_SCREENSHOTS")
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong
MAC = "02:00:00:00:ab:c1"


def link_for(running: RunningConsole, **limits: object) -> str:
    """The one-time link of a new auditor."""
    place, console = running.services.place, running.services.settings.console
    with running.services.database.write() as session:
        return accounts.add_account(session, place, "revisor", "auditor", utc_now(), **limits).url(console)  # type: ignore[arg-type]


def wait_until_sealed(running: RunningConsole, page: Page) -> None:
    """Until nothing waits for the sealer process."""
    for _ in range(300):
        with running.services.database.read() as session:
            if not leaves.staged(session, running.services.place.owner_id, 1):
                return
        page.wait_for_timeout(100)
    raise AssertionError("the sealer did not seal within 30 s")


def set_up(page: Page, link: str) -> str:
    """Choose a password, pair an authenticator, and return its secret."""
    page.goto(link)
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password_again").fill(PASSWORD)
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    page.locator("main button").click()
    expect(page.locator(".codes li")).to_have_count(8)
    return secret


def next_code(running: RunningConsole, secret: str) -> str:
    """The next code that the console would take."""
    with running.services.database.read() as session:
        account = staff.by_username(session, running.services.place.owner_id, "revisor")
        assert account is not None
        return pyotp.TOTP(secret).generate_otp(max(account.totp_step + 1, int(utc_now().timestamp()) // 30))


def enter(running: RunningConsole, page: Page, secret: str) -> None:
    page.goto(f"{running.url}/sign-in")
    page.locator("#username").fill("revisor")
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    page.locator("#code").fill(next_code(running, secret))
    page.locator("main button").click()


def fill(running: RunningConsole) -> None:
    """What the rooms show: guests, a second version of the rules, an ended access, an export."""
    place, database = running.services.place, running.services.database
    running.guest("Ola Nordmann", "Kurs og kompetanse AS", MAC, applied=True)
    running.guest("Anne-Margrethe Kvalvågnes-Torkildsen", "", "02:00:00:00:00:02", applied=False)
    with database.write() as session:
        texts = _changed_rules(session, place.owner_id)
        publish(
            session, place, texts, label="2027-1", adopting_body="Kommunestyret", adopted_on=None, case_number="26/14",
            binding_language="nb", next_review_on=None, published_by="kari", now=utc_now(),
        )  # fmt: skip
        said = {"staff": "kari", "filter": "2026-01-01/2026-12-31", "purpose": "Sak 26/1 – årlig revisjon"}
        record(session, place, "export", {"first": 0, "last": 4, "size": 4}, said, utc_now())
        grant = session.query(Grant.id).first()
        assert grant is not None
        access.revoke(session, place, grant[0], "kari", utc_now())


def _changed_rules(session: Session, owner_id: str) -> dict[str, str]:
    version = rules.version_in_force(session, owner_id, now=utc_now())
    assert version is not None
    return {
        text.language: text.markdown.replace("nett", "gjestenett", 3) + "\n\nEt nytt avsnitt." for text in version.texts
    }


def test_from_the_link_to_a_proof_that_verifies_elsewhere(
    running: RunningConsole, chromium: Browser, tmp_path: Path
) -> None:
    fill(running)
    page = _context(chromium, "nb", scripts=False).new_page()
    page.set_default_timeout(120_000)
    secret = set_up(page, link_for(running))
    wait_until_sealed(running, page)
    page.get_by_role("link", name="Jeg har skrevet dem ned").click()
    page.get_by_label("Brukernavn").fill("revisor")
    page.get_by_label("Passord").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn", exact=True).click()
    page.get_by_label("Seks sifre").fill("000000")
    page.get_by_role("button", name="Logg inn", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Koden er feil")
    page.get_by_label("Seks sifre").fill(next_code(running, secret))
    page.get_by_role("button", name="Logg inn", exact=True).click()
    expect(page.get_by_role("heading", name="Godkjenninger per dag", exact=True)).to_be_visible()
    page.get_by_role("link", name="Dokumentasjon").click()
    expect(page.get_by_role("heading", name="Godkjenninger", exact=True)).to_be_visible()
    page.get_by_label("Navn, eller en del av det").fill("NORDM")
    page.get_by_role("button", name="Søk").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="– Bevis").click()
    expect(page.get_by_role("status")).to_contain_text("Bevist.")
    files = []
    for name in ("Last ned beviset", "Last ned innførselen"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        files.append(tmp_path / download.value.suggested_filename)
        download.value.save_as(files[-1])
    keys = parse_verifiers(public_key_path(running.services.settings).read_text())
    verify_receipt(parse_receipt(files[0].read_bytes()), files[1].read_bytes(), keys)
    for name in ("Loggen", "Filteret før", "Sjekkpunkter", "Eksporter", "Godkjenninger"):
        page.get_by_role("navigation", name="Dokumentasjon").get_by_role("link", name=name).click()
        expect(page.locator("nav [aria-current=page]")).to_have_text(name)


def test_an_account_that_has_ended_is_told_so(running: RunningConsole, chromium: Browser) -> None:
    page = _context(chromium, "nn", scripts=False).new_page()
    secret = set_up(page, link_for(running, ends_at=utc_now() + timedelta(minutes=30)))
    enter(running, page, secret)
    expect(page.get_by_role("heading", name="Oversikt", exact=True)).to_be_visible()
    with running.services.database.write() as session:
        account = staff.by_username(session, running.services.place.owner_id, "revisor")
        assert account is not None
        account.ends_at = utc_now()
    page.goto(f"{running.url}/log")
    expect(page.get_by_role("heading", name="Logg inn")).to_be_visible()
    page.get_by_label("Brukarnamn").fill("revisor")
    page.get_by_label("Passord").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Kontoen er gått ut")


@pytest.mark.parametrize(
    ("viewport", "language", "scheme"), [(PHONE, "nb", "light"), (LAPTOP, "nb", "dark"), (LAPTOP, "en", "light")]
)
def test_every_room_is_accessible_and_fits(
    running: RunningConsole, chromium: Browser, viewport: dict[str, int], language: str, scheme: str
) -> None:
    page = _context(chromium, language, viewport=viewport, scheme=scheme).new_page()
    problems: list[str] = []
    page.set_default_timeout(120_000)
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    number = 0

    def look(name: str) -> None:
        nonlocal number
        number += 1
        found = examine(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/rooms-{viewport['width']}-{language}-{number:02}-{name}.png", full_page=True)

    link = link_for(running)
    page.goto(link)
    look("setup")
    page.locator("main button").click()
    look("setup-errors")
    secret = set_up(page, link)
    look("recovery-codes")
    page.goto(f"{running.url}/sign-in")
    page.locator("#username").fill("revisor")
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    look("code")
    page.locator("main button").click()
    look("code-error")
    page.locator("#code").fill(next_code(running, secret))
    page.locator("main button").click()
    look("search-empty")
    for path in ("checkpoints", "exports", "rules"):
        page.goto(f"{running.url}/{path}")
        look(f"{path}-first")
    fill(running)
    wait_until_sealed(running, page)
    for name, path in {
        "search": "acceptances", "search-none": "acceptances?name=nobody",
        "search-errors": "acceptances?name=a&device=x",
        "log": "log", "log-none": "log?first=2000-01-01&last=2000-01-02", "rules": "rules",
        "compare": "rules?old=1&new=2027-1", "then": "policy-then", "then-error": "policy-then?at=x",
        "then-nothing": "policy-then?at=2001-01-01T00:00", "checkpoints": "checkpoints", "exports": "exports",
    }.items():  # fmt: skip
        page.goto(f"{running.url}/{path}")
        look(name)
    page.goto(f"{running.url}/acceptances?name=kvalv")
    page.locator("tbody th a").click()
    expect(page.locator(".steps")).to_be_visible()
    look("entry")
    assert [text for text in problems if "Failed to load resource" not in text] == []
