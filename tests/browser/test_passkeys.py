"""Passkeys in real Chromium with a virtual authenticator: registered, used alone or after the password, refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from captive_portal.auth.setup import first_setup_link
from gateway.storage import passkeys, staff
from tests.browser.axe import examine
from tests.browser.test_console import PASSWORD, PHONE, RunningConsole, _context, chromium, running_console

__all__ = ["chromium"]  # the fixture


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningConsole]:
    with running_console(tmp_path) as console:
        yield console


class Authenticator:
    """A virtual one, inside of the browser (WebAuthn Level 3 §11, by the DevTools protocol)."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable", {"enableUI": False})
        options: dict[str, Any] = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def tell(self, method: str, **said: Any) -> Any:
        return self.session.send(f"WebAuthn.{method}", {"authenticatorId": self.id} | said)

    def move_to(self, page: Page) -> Authenticator:
        """The same keys in another browser, as of a security key that is carried over."""
        other = Authenticator(page)
        for credential in self.tell("getCredentials")["credentials"]:
            other.tell("addCredential", credential=credential)
        return other


def _account(running: RunningConsole, page: Page) -> None:
    link = first_setup_link(running.services)
    assert link is not None
    page.goto(link)
    page.locator("#username").fill("ola")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password_again").fill(PASSWORD)
    page.locator("main button").click()
    _with_password(page)
    expect(page.locator(".rooms")).to_be_visible()


def _with_password(page: Page) -> None:
    page.locator("#username").fill("ola")
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn", exact=True).click()


def _begin(running: RunningConsole, page: Page, name: str) -> None:
    page.goto(f"{running.url}/account/passkeys")
    page.locator("#name").fill(name)
    page.locator("#current_password").fill(PASSWORD)
    page.get_by_role("button", name="Gå videre").click()


def _look(page: Page) -> None:
    found = examine(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} scrolls sideways by {wide} pixels"


def _alone(page: Page) -> None:
    page.get_by_role("button", name="Logg inn med passnøkkel").click()


def test_a_passkey_from_its_registration_to_its_removal(running: RunningConsole, chromium: Browser) -> None:
    page = _context(chromium, "nb", viewport=PHONE).new_page()
    key = Authenticator(page)
    _account(running, page)
    page.goto(f"{running.url}/account/passkeys")
    _look(page)

    # cancelled: a sentence, and the button is still there, with the focus
    key.tell("setUserVerified", isUserVerified=False)
    _begin(running, page, "Ringen på nøkkelknippet")
    _look(page)
    press = page.get_by_role("button", name="Registrer passnøkkelen Ringen på nøkkelknippet")
    press.click()
    expect(page.get_by_role("alert")).to_contain_text("Ingenting ble gjort")
    expect(press).to_be_focused()
    _look(page)
    key.tell("setUserVerified", isUserVerified=True)
    press.click()
    expect(page.get_by_role("status")).to_contain_text("Passnøkkelen er lagret")
    expect(page.get_by_role("row", name=re.compile("Ringen på nøkkelknippet.*aldri"))).to_be_visible()
    _look(page)
    assert len(key.tell("getCredentials")["credentials"]) == 1

    # the same key once more
    _begin(running, page, "En gang til")
    page.get_by_role("button", name="Registrer passnøkkelen En gang til").click()
    expect(page.get_by_role("alert")).to_contain_text("registrert allerede")

    # in another browser, without a user name
    other = _context(chromium, "nb", viewport=PHONE).new_page()
    carried = key.move_to(other)
    other.goto(f"{running.url}/sign-in")
    _look(other)
    carried.tell("setUserVerified", isUserVerified=False)
    _alone(other)
    expect(other.get_by_role("alert")).to_contain_text("Ingenting ble gjort")
    carried.tell("setUserVerified", isUserVerified=True)
    _alone(other)
    expect(other.locator(".rooms")).to_be_visible()
    expect(other.get_by_role("link", name="ola")).to_be_visible()
    other.get_by_role("button", name="Logg ut").first.click()

    # after the password, which alone is not enough any more
    other.goto(f"{running.url}/sign-in")
    _with_password(other)
    expect(other.get_by_role("heading", name="Passnøkkelen")).to_be_visible()
    _look(other)
    carried.tell("setUserVerified", isUserVerified=False)  # the password is the other factor
    other.get_by_role("button", name="Bruk en passnøkkel").click()
    expect(other.locator(".rooms")).to_be_visible()
    other.get_by_role("button", name="Logg ut").first.click()

    # who asks the key for less than the page does is refused by the console
    other.goto(f"{running.url}/sign-in")
    other.evaluate(
        """() => {
          const read = PublicKeyCredential.parseRequestOptionsFromJSON;
          PublicKeyCredential.parseRequestOptionsFromJSON = (asked) =>
            read.call(PublicKeyCredential, { ...asked, userVerification: "discouraged" });
        }"""
    )
    _alone(other)
    expect(other.get_by_role("alert").first).to_contain_text("kontrollerte ikke at det er deg")
    _look(other)

    # removed
    page.goto(f"{running.url}/account/passkeys")
    page.get_by_role("link", name="Fjern Ringen på nøkkelknippet").click()
    _look(page)
    page.locator("#current_password").fill(PASSWORD)
    page.get_by_role("button", name="Fjern passnøkkelen").click()
    expect(page.get_by_role("status")).to_contain_text("slipper ingen inn lenger")
    with running.services.database.read() as session:
        account = staff.by_username(session, running.services.place.owner_id, "ola")
        assert account is not None
        assert list(passkeys.of_staff(session, account.id)) == []
    carried.tell("setUserVerified", isUserVerified=True)
    other.goto(f"{running.url}/sign-in")
    _alone(other)
    expect(other.get_by_role("alert").first).to_contain_text("passer ikke til noen konto her")


def test_without_scripts_or_at_another_address_there_is_no_button(running: RunningConsole, chromium: Browser) -> None:
    plain = _context(chromium, "nb", scripts=False).new_page()
    _account(running, plain)
    elsewhere = _context(chromium, "nb").new_page()
    for page, url in ((plain, running.url), (elsewhere, running.url.replace("localhost", "127.0.0.1"))):
        page.goto(f"{url}/sign-in")
        expect(page.get_by_role("button", name="Logg inn", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="passnøkkel")).to_be_hidden()
        _with_password(page)
        page.goto(f"{url}/account/passkeys")
        expect(page.get_by_text("Denne nettleseren kan ikke bruke passnøkler her")).to_be_visible()
        expect(page.get_by_role("button", name="Gå videre")).to_be_hidden()
        expect(page.get_by_label("Passordet du har nå")).to_be_hidden()
    _look(elsewhere)
    elsewhere.get_by_role("link", name=running.url).click()
    expect(elsewhere).to_have_url(re.compile(f"^{running.url}/"))
