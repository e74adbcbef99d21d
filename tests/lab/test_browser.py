"""A real Chromium on a guest's device: from the redirected check to online, through the real firewall and DNS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.axe import examine
from tests.lab.product import PORTAL, Product
from tests.lab.world import World

pytestmark = pytest.mark.timeout(300)
CHECK = "http://captive.apple.com/hotspot-detect.html"
WORDS = {
    "nb": ("Jeg har lest og godtar reglene", "på nett"),
    "nn": ("Eg har lese og godtek reglane", "på nett"),
    "en": ("I have read and accept the rules", "online"),
}
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    with Product(world, more_settings="[sessions]\nreturn_days = 0\n") as running:  # the form each time
        world.start_dhcp()
        world.join("guest1")
        yield running


@pytest.fixture(scope="module")
def chromium(product: Product) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is missing; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(product.browser_launcher("guest1", CHROMIUM)),
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
            ],
        )
        yield browser
        browser.close()


def close_again(product: Product) -> None:
    for line in product.cli("grants", "list").stdout.splitlines()[1:]:
        product.cli("grants", "revoke", line.split()[0])
    product.world.until(lambda: product.capport("guest1")["captive"] is True, "a device that has not accepted")


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("javascript", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_from_the_redirect_to_online(product: Product, chromium: Browser, language: str, javascript: bool) -> None:
    close_again(product)
    context = chromium.new_context(locale=language, java_script_enabled=javascript, ignore_https_errors=True)
    page = context.new_page()
    page.goto(CHECK)
    assert page.url == f"{PORTAL}/"
    assert page.locator("html").get_attribute("lang") == language
    if javascript:
        assert examine(page, None).violations_count == 0
    button, online = WORDS[language]
    page.locator("input[name=name]").fill("Kari Nordmann")
    page.get_by_role("button", name=button).click()
    page.wait_for_selector(f"h1:has-text('{online}')", timeout=15_000)
    assert product.reaches("guest1")
    if javascript:
        assert examine(page, None).violations_count == 0
    page.goto(CHECK)
    assert "Success" in page.content()
    context.close()
