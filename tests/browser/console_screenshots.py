"""`python -m tests.browser.console_screenshots [FOLDER]`: a picture of every room of the console for docs/guide/it.md
and docs/guide/auditor.md, of real Chromium over an installation that it fills itself.

Each room is pictured in English on a laptop; the rooms used most also in bokmål and nynorsk, on a phone in the dark.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from captive_portal.auth.setup import first_setup_link
from captive_portal.console.pages import all_pages
from captive_portal.console.route import Page as Route
from gateway.audit import verify_bundle
from gateway.clock import utc_now
from gateway.storage import leaves, staff
from gateway.telemetry import Totals
from tests.browser.console_rooms import MOST_USED, WAYS, pictured, way, who, without_a_way
from tests.browser.filled_console import (
    AUDITOR,
    BEGAN,
    IT,
    SETTINGS,
    Filled,
    audit_target,
    copies,
    fill,
    trusted_certificate,
)
from tests.browser.screenshots import FOLDER as GUEST_PICTURES
from tests.browser.screenshots import PATIENCE_MS, shot
from tests.browser.test_console import PASSWORD, SECRET, RunningConsole, running_console
from tests.contract.dns.conftest import free_port

FOLDER = GUEST_PICTURES.parent / "console"
LAPTOP, PHONE = (1280, 1700), (390, 1500)
LAPTOP_SCALE, PHONE_SCALE = 0.65, 0.7
QUALITY = 30
MAX_TOTAL_BYTES = 5_000_000
LOCALES = {"nb": "nb-NO", "nn": "nn-NO", "en": "en-GB"}


def main(folder: Path = FOLDER) -> int:
    """Write all pictures. Returns the exit code: 1 when a room could not be pictured, or all are too large."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("console_screenshots: chromium is missing; install the package chromium", file=sys.stderr)
        return 1
    expect.set_options(timeout=PATIENCE_MS)
    began, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "made"
        made.mkdir()
        dns = f'[dns]\nport = {free_port()}\nupstreams = ["127.0.0.1:{free_port()}"]\n'
        with running_console(Path(place), SETTINGS + dns + audit_target(Path(place)), BEGAN, ("dns",)) as running:
            filled = fill(running, Path(place))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                for name, picture in _pictures(browser, running, filled):
                    if isinstance(picture, str):
                        failed += 1
                        print(f"{name:<50} {picture}", file=sys.stderr, flush=True)
                        continue
                    picture.save(made / f"{name}.webp", "WEBP", quality=QUALITY, method=6)
                    print(f"{name:<50} {(made / f'{name}.webp').stat().st_size / 1024:5.0f} KB", flush=True)
                browser.close()
        if not failed:
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.glob("*.webp"):
                old.unlink()
        for each in made.glob("*.webp"):  # where some are missing, the old ones of those stay
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(each, folder)
    total = sum(picture.stat().st_size for picture in folder.glob("*.webp"))
    print(f"{'together':<50} {total / 1024:5.0f} KB, in {time.monotonic() - began:.0f} s")
    return 1 if failed or total > MAX_TOTAL_BYTES else 0


def _pictures(browser: Browser, running: RunningConsole, filled: Filled) -> Iterator[tuple[str, Image.Image | str]]:
    """Each room with its picture, or with why there is none."""
    routes = all_pages(running.services, Totals())
    yield from ((path, "has a parameter and no way in console_rooms.WAYS") for path in without_a_way(routes))
    rooms = pictured(routes)
    _wait_until_sealed(running)
    copies(filled)
    signed_in: dict[str, list[dict[str, object]]] = {}
    for language in LOCALES:
        pages = {role: _page(browser, running, language, role, signed_in) for role in ("it", "auditor", None)}
        for name, route in rooms.items():
            if language == "en" or name in MOST_USED:
                yield f"{name}.{language}", _picture(pages[who(route)], running, filled, route, language)
        if language == "en":
            yield "verify-html.en", _verdict(browser, pages["auditor"], running, filled)
    yield "first-steps.en", _first_page(browser, filled.folder / "new")


def _verdict(browser: Browser, auditor: Page, running: RunningConsole, filled: Filled) -> Image.Image:
    """What verify.html says of a bundle that the auditor has just exported."""
    WAYS["/acceptances/exports/{key}"].reach(auditor, running.url, filled)
    files = []
    for link in auditor.locator("a[download]").all():
        with auditor.expect_download() as download:
            link.click()
        files.append(filled.folder / download.value.suggested_filename)
        download.value.save_as(files[-1])
    page = browser.new_context(locale=LOCALES["en"], reduced_motion="reduce", offline=True).new_page()
    page.goto(Path(verify_bundle.__file__).with_name("verify.html").as_uri())
    for field, path in zip(
        ("#bundle", "#sidecar", "#key"), (*files, running.services.settings.state / "log.vkey"), strict=True
    ):
        page.locator(field).set_input_files(path)
    page.locator("#check").click()
    page.locator("#verdict").wait_for()
    page.evaluate("document.getElementById('before').hidden = true")
    return shot(page, LAPTOP, "light", LAPTOP_SCALE)


def _first_page(browser: Browser, folder: Path) -> Image.Image:
    """What IT sees on a new installation, when they have signed in for the first time."""
    folder.mkdir()
    with running_console(folder) as running:
        trusted_certificate(running)
        page = browser.new_context(locale=LOCALES["en"], ignore_https_errors=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        link = first_setup_link(running.services)
        assert link is not None
        page.goto(link)
        for field, text in (("#username", IT), ("#password", PASSWORD), ("#password_again", PASSWORD)):
            page.locator(field).fill(text)
        page.locator("main button").first.click()
        _sign_in(page, IT)
        return shot(page, LAPTOP, "light", LAPTOP_SCALE)


def _picture(page: Page, running: RunningConsole, filled: Filled, route: Route, language: str) -> Image.Image | str:
    found = way(route)
    answer = found.reach(page, running.url, filled)
    path = page.url.removeprefix(running.url)
    if found.then is not None:
        pass  # it has waited for what it wants to see
    elif answer is None or answer.status != 200:
        return f"{path} answered {answer.status if answer else 'nothing'}"
    elif "/sign-in" in path and not route.path.startswith("/sign-in"):
        return f"{route.path} leads to {path}"
    if language == "en":
        return shot(page, LAPTOP, "light", LAPTOP_SCALE)
    return shot(page, PHONE, "dark", PHONE_SCALE)


def _page(
    browser: Browser,
    running: RunningConsole,
    language: str,
    role: str | None,
    signed_in: dict[str, list[dict[str, object]]],
) -> Page:
    """A page of a browser in this language, in which IT or the auditor is signed in."""
    context = browser.new_context(
        locale=LOCALES[language], ignore_https_errors=True, reduced_motion="reduce", timezone_id="Europe/Oslo"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    if role is None:
        return page
    if role in signed_in:
        context.add_cookies(signed_in[role])  # type: ignore[arg-type]  # what it gave
        return page
    page.goto(f"{running.url}/sign-in")
    _sign_in(page, IT if role == "it" else AUDITOR)
    if role == "auditor":
        page.locator("#code").fill(_next_code(running))
        page.locator("main button").first.click()
        expect(page.locator(".rooms")).to_be_visible()
    signed_in[role] = [  # the language is each browser's own
        dict(cookie) for cookie in context.cookies() if not cookie["name"].endswith("lang")
    ]
    return page


def _sign_in(page: Page, username: str) -> None:
    page.locator("#username").fill(username)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").first.click()
    expect(page.locator(".rooms").or_(page.locator("#code")).first).to_be_visible()


def _next_code(running: RunningConsole) -> str:
    """The next code of the auditor that the console would take."""
    with running.services.database.read() as session:
        account = staff.by_username(session, running.services.place.owner_id, AUDITOR)
        assert account is not None
        return pyotp.TOTP(SECRET).generate_otp(max(account.totp_step + 1, int(utc_now().timestamp()) // 30))


def _wait_until_sealed(running: RunningConsole, within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while True:
        with running.services.database.read() as session:
            if not leaves.staged(session, running.services.place.owner_id, 1):
                return
        assert time.monotonic() < deadline, "the sealer did not seal in time"
        time.sleep(0.1)


if __name__ == "__main__":
    raise SystemExit(main(*(Path(each) for each in sys.argv[1:2])))
