"""A guest's browser: from the redirected check to online, with JavaScript off, accessible on every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.audit.receipt import parse_receipt, verify_receipt
from gateway.installation import read_signing_key
from tests.browser.axe import examine

PROBE = "http://captive.apple.com/hotspot-detect.html"
PHONE, LAPTOP, NARROW = (
    {"width": 390, "height": 844}, {"width": 1280, "height": 800}, {"width": 320, "height": 640},
)  # fmt: skip
BUTTON = {
    "nb": "Jeg har lest og godtar reglene",
    "nn": "Eg har lese og godtek reglane",
    "en": "I have read and accept the rules",
}
WORDS = {
    "nb": ("Navnet ditt", "Skriv navnet ditt", "Kobler deg til …", "Du er på nett", "Logg av", "Du er logget av"),
    "nn": ("Namnet ditt", "Skriv namnet ditt", "Koplar deg til …", "Du er på nett", "Logg av", "Du er logga av"),
    "en": ("Your name", "Enter your name", "Connecting you …", "You are online", "Sign off", "You have signed off"),
}
Scheme = Literal["light", "dark"]


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_from_redirect_to_online_without_javascript(portal: Any, chromium: Browser, language: str) -> None:
    label, missing, waiting, online, sign_off, signed_off = WORDS[language]
    context = chromium.new_context(java_script_enabled=False, locale=language, viewport=PHONE)
    page = context.new_page()
    page.goto(PROBE)
    assert page.url == f"{portal.url}/"
    assert page.locator("html").get_attribute("lang") == language

    page.get_by_role("button", name=BUTTON[language]).click()
    expect(page.locator(".errors")).to_be_focused()
    page.get_by_role("link", name=missing).click()
    expect(page.get_by_role("textbox", name=label)).to_be_focused()
    page.keyboard.type("Kari Nordmann")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(waiting)
    assert page.url == f"{portal.url}/status"

    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text(online, timeout=5000)
    page.get_by_role("button", name=sign_off).click()
    expect(page.get_by_role("status")).to_contain_text(signed_off)
    context.close()


def test_language_link_is_followed_through_the_form(portal: Any, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en", viewport=PHONE)
    page = context.new_page()
    page.goto(PROBE)
    page.get_by_role("link", name="Nynorsk").click()
    page.get_by_role("textbox", name="Namnet ditt").fill("Ola Nordmann")
    page.get_by_role("button", name=BUTTON["nn"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Koplar deg til …")
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text("Du er på nett", timeout=5000)
    page.locator("dl a").click()
    expect(page.get_by_text("Ola Nordmann")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "nn"
    context.close()


def test_every_page_fits_narrow_screens_and_zoom(portal: Any, chromium: Browser) -> None:
    context = chromium.new_context(locale="nb", viewport=NARROW)
    page = context.new_page()
    page.goto(portal.url)
    _assert_no_sideways_scrolling(page)
    page.get_by_role("textbox", name="Navnet ditt").fill("x" * 120)
    page.get_by_role("button", name=BUTTON["nb"]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text("Du er på nett", timeout=5000)
    _assert_no_sideways_scrolling(page)
    page.locator("dl a").click()
    portal.seal()
    page.reload()
    _assert_no_sideways_scrolling(page)
    for path in ("/privacy", "/receipt"):
        page.goto(f"{portal.url}{path}")
        _assert_no_sideways_scrolling(page)
    context.close()


def test_a_receipt_is_kept_without_javascript(portal: Any, chromium: Browser, tmp_path: Path) -> None:
    """In the login window the code, the link and the QR code are on the page; in a browser the proof is downloaded."""
    context = chromium.new_context(java_script_enabled=False, locale="nb", viewport=PHONE)
    page = context.new_page()
    code = _accept(portal, page)
    page.locator("dl a").click()
    assert page.url == f"{portal.url}/receipt/{code}"
    link = page.get_by_role("link", name=f"{portal.url}/receipt/{code}")
    expect(link).to_be_visible()
    assert link.get_attribute("target") is None
    expect(page.get_by_role("img", name="QR-kode med lenken til kvitteringen")).to_be_visible()
    expect(page.locator(".large")).to_have_text("-".join(code[at : at + 4] for at in range(0, 16, 4)))
    portal.seal()
    page.reload()
    with page.expect_download() as started:
        page.get_by_role("link", name="Last ned bevisfilen (.tlog-proof)").click()
    assert started.value.suggested_filename == f"kvittering-{code[:4]}-{code[4:8]}.tlog-proof"
    started.value.save_as(tmp_path / "proof")
    receipt = parse_receipt((tmp_path / "proof").read_bytes())
    verify_receipt(receipt, receipt.extra or b"", [read_signing_key(portal.services.settings).verifier])

    page.goto(f"{portal.url}/receipt")
    page.get_by_role("textbox", name="Kvitteringskode").fill(f"{code[:4]} {code[4:8].lower()}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kvitteringen finnes")
    expect(page.get_by_text("Kari Nordmann")).to_have_count(0)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_printed_receipt_is_black_on_white_without_what_can_only_be_clicked(
    portal: Any, chromium: Browser, scheme: Scheme
) -> None:
    context = chromium.new_context(locale="nb", viewport=LAPTOP, color_scheme=scheme)
    page = context.new_page()
    code = _accept(portal, page)
    portal.seal()
    page.goto(f"{portal.url}/receipt/{code}")
    offered = page.get_by_role("link", name="Last ned bevisfilen (.tlog-proof)")
    expect(offered).to_be_visible()
    page.emulate_media(media="print", color_scheme=scheme)
    expect(offered).to_be_hidden()
    expect(page.locator(".footer")).to_be_hidden()
    for what in (".large", ".qr", ".hash >> nth=0", ".rules", ".address"):
        expect(page.locator(what)).to_be_visible()
    coloured = page.evaluate(
        """[...document.querySelectorAll("main *, .sender")]
            .filter(each => !each.closest("svg") && each.offsetParent)
            .map(each => getComputedStyle(each))
            .filter(style => style.color !== "rgb(0, 0, 0)" || style.backgroundColor !== "rgba(0, 0, 0, 0)").length"""
    )
    assert coloured == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.qr path')).fill") == "rgb(255, 255, 255)"
    context.close()


def test_keyboard_reaches_everything_in_reading_order(portal: Any, chromium: Browser) -> None:
    context = chromium.new_context(locale="nb", viewport=LAPTOP)
    page = context.new_page()
    page.goto(portal.url)
    reached = []
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert reached == [
        "Gå til innholdet", "Bokmål", "Nynorsk", "English",
        "Har du en annen enhet på nett, eller en kvittering? Legg til denne enheten",
        "Les hele teksten", "Hva som er stengt, og hvorfor",
        "name", "organisation", "contact",
        "Hvem som er ansvarlig, og hva du kan be om", "accept",
        "61 00 00 00", "Regler for gjestenettet", "Personvern på gjestenettet", "Tilgjengelighet",
    ]  # fmt: skip
    context.close()


def _accept(portal: Any, page: Page) -> str:
    """Accept as Kari Nordmann and wait until online; the receipt's code."""
    page.goto(portal.url)
    page.get_by_role("textbox", name="Navnet ditt").fill("Kari Nordmann")
    page.get_by_role("button", name=BUTTON["nb"]).click()
    portal.apply_grants()
    expect(page.get_by_role("heading", level=1)).to_have_text("Du er på nett", timeout=5000)
    code = page.locator("dl a").inner_text().replace("-", "")
    assert len(code) == 16
    return code


def _check(page: Page, what: str) -> None:
    results = examine(page)
    assert results.violations_count == 0, f"{what}: {results.generate_report()}"


def _assert_no_sideways_scrolling(page: Page) -> None:
    width, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= shown


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_what_is_kept_about_oneself(portal: Any, chromium: Browser, language: str) -> None:
    link = {"nb": "Hva er lagret om meg?", "nn": "Kva er lagra om meg?", "en": "What is kept about me?"}[language]
    for viewport, scheme in ((PHONE, "light"), (LAPTOP, "dark"), (NARROW, "light")):
        context = chromium.new_context(
            java_script_enabled=False, locale=language, viewport=viewport, color_scheme=scheme
        )
        page = context.new_page()
        page.goto(portal.url)
        if page.url == f"{portal.url}/":
            page.get_by_role("textbox", name=WORDS[language][0]).fill("Kari Nordmann")
            page.get_by_role("button", name=BUTTON[language]).click()
            portal.apply_grants()
            expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][3], timeout=5000)
        code = page.locator("dl a").inner_text()
        page.get_by_role("link", name=link).click()
        _examine(chromium, page, portal.url + "/my-data", "the form")
        page.get_by_role("button").click()
        expect(page.locator(".errors")).to_be_focused()
        page.locator(".errors a").click()
        page.keyboard.type(code)
        page.keyboard.press("Enter")
        expect(page.locator("dl")).to_contain_text("Kari Nordmann")
        _assert_no_sideways_scrolling(page)
        context.close()


def _examine(chromium: Browser, page: Page, url: str, what: str) -> None:
    """axe needs scripts: the same page in a context that has them."""
    _assert_no_sideways_scrolling(page)
    context = chromium.new_context(locale=page.locator("html").get_attribute("lang"), viewport=page.viewport_size)
    twin = context.new_page()
    twin.goto(url)
    _check(twin, what)
    twin.get_by_role("button").click()
    _check(twin, f"{what} with an error")
    context.close()
