"""Signing in at a provider in a browser without scripts, and one's own account, looked at by axe in each language."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, expect

from captive_portal.auth.setup import first_setup_link
from gateway.clock import utc_now
from gateway.installation import prepare
from gateway.settings import load
from tests.browser.axe import examine
from tests.browser.service import free_port, serving
from tests.browser.test_console import PASSWORD, PHONE, RunningConsole, _context, chromium
from tests.migrated import put_sqlite
from tests.oidc_provider import CLIENT, SECRET

__all__ = ["chromium"]  # the fixture


@pytest.fixture
def federated(tmp_path: Path) -> Iterator[tuple[RunningConsole, str]]:
    """A console that knows a provider, and the provider's address."""
    port = free_port()
    url, config, state = f"https://localhost:{port}", tmp_path / "gjestenett.toml", tmp_path / "state"
    (tmp_path / "oidc.secret").write_text(SECRET)
    provider = subprocess.Popen(
        [sys.executable, "-m", "tests.oidc_provider", f"{url}/sign-in/oidc/done"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert provider.stdout is not None
    issuer = provider.stdout.readline().strip()
    config.write_text(
        f'[owner]\nname = "Fjellbygda kommune"\n[console]\nport = {port}\n'
        f'[oidc]\nname = "Fjellbygda-konto"\nissuer = "{issuer}"\nclient_id = "{CLIENT}"\n'
        f'client_secret_file = "{tmp_path}/oidc.secret"\nroles = {{ "Gjestenett.Revisor" = "auditor" }}\n'
    )
    put_sqlite(state / "gjestenett.sqlite3")
    services = prepare(load(config, state), utc_now)
    try:
        with closing(services.database), serving(config, state, {"console": port}):
            yield RunningConsole(url, services), issuer
    finally:
        provider.communicate()


def test_in_by_the_provider_and_out_again_and_an_account_of_ones_own(
    federated: tuple[RunningConsole, str], chromium: Browser
) -> None:
    running, issuer = federated
    checked = _context(chromium, "nb", viewport=PHONE)
    watching = checked.new_page()

    def look(name: str) -> None:
        for language in ("nb", "nn", "en"):
            watching.goto(f"{running.url}{name}{'&' if '?' in name else '?'}lang={language}")
            found = examine(watching)
            assert found.violations_count == 0, f"{name} {language}: {found.generate_report()}"
            wide = watching.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
        watching.goto(f"{running.url}/sign-in?lang=nb")

    look("/sign-in?notice=signed-out")

    # somebody without a role, then with one, in a browser without scripts
    page = _context(chromium, "nb", scripts=False, viewport=PHONE).new_page()
    person = {"sub": "248289761001", "preferred_username": "kari@fjellbygda.kommune.no"}
    httpx.post(f"{issuer}/control", json={"claims": person}, trust_env=False)
    page.goto(f"{running.url}/sign-in")
    page.get_by_role("link", name="Logg inn med Fjellbygda-konto").click()
    expect(page.get_by_role("alert")).to_contain_text("har ikke tilgang her")
    expect(page.get_by_text("248289761001")).to_be_visible()
    httpx.post(f"{issuer}/control", json={"claims": person | {"roles": ["Gjestenett.Revisor"]}}, trust_env=False)
    page.get_by_role("link", name="Tilbake til innloggingen").click()
    page.get_by_role("link", name="Logg inn med Fjellbygda-konto").click()
    expect(page.get_by_role("navigation", name="Sider").get_by_role("link", name="Dokumentasjon")).to_be_visible()
    page.get_by_role("link", name="kari@fjellbygda.kommune.no").click()
    expect(page.get_by_text("Du logger inn med Fjellbygda-konto")).to_be_visible()
    page.get_by_role("button", name="Logg ut").first.click()
    expect(page.get_by_role("status")).to_contain_text("Du har logget ut")
    page.get_by_role("link", name="Logg ut av Fjellbygda-konto også").click()
    assert page.url.startswith(f"{issuer}/end?")

    # IT's own account: an authenticator, another password, another browser signed out
    link = first_setup_link(running.services)
    assert link is not None
    page.goto(link)
    page.locator("#username").fill("ola")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password_again").fill(PASSWORD)
    page.locator("main button").click()
    for one in (page, watching):
        one.goto(f"{running.url}/sign-in?lang=nb")
        one.locator("#username").fill("ola")
        one.locator("#password").fill(PASSWORD)
        one.locator("form[action='/sign-in'] button").click()
        expect(one.locator(".rooms")).to_be_visible()
    page.goto(f"{running.url}/account/authenticator")
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.locator("#code").fill(pyotp.TOTP(secret).now())
    page.locator("#current_password").fill(PASSWORD)
    page.get_by_role("button", name="Lagre autentiseringsappen").click()
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 8
    watching.goto(f"{running.url}/account")
    expect(watching).to_have_url(re.compile("/sign-in"))
    watching.locator("#username").fill("ola")
    watching.locator("#password").fill(PASSWORD)
    watching.locator("form[action='/sign-in'] button").click()
    watching.locator("#code").fill(codes[0])
    watching.locator("main form button").click()
    expect(watching.locator(".rooms")).to_be_visible()
    for name in (
        "/account",
        "/account/password",
        "/account/authenticator",
        "/account/recovery-codes",
        "/sessions",
        "/account/tokens",
        "/tokens",
        "/api",
    ):
        look(name)
    page.goto(f"{running.url}/sessions")
    page.locator("tr", has_text="Chrome").filter(has_not_text="denne nettleseren").get_by_role("button").click()
    watching.goto(f"{running.url}/account")
    expect(watching).to_have_url(re.compile("/sign-in"))
