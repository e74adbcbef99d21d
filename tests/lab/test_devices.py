"""A guest's day in the lab: extended, ended and expired, back with one tap, a second device, a new address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from tests.lab import topology as net
from tests.lab.product import PORTAL, Page, Product
from tests.lab.world import World

pytestmark = pytest.mark.timeout(300)
CHECK = "http://connectivitycheck.gstatic.com/generate_204"
LASTS_S = 20
SHORT = f"hours_by_group = {{ default = {LASTS_S / 3600} }}"
SETTINGS = f"""
[sessions]
longest_hours = 1
{SHORT}
[privacy]
controller = "Storvik kommune"
dpo = "Ombudet"
legal_basis = "6.1.e"
legal_basis_law = "kommuneloven § 25-1"
backup_days = 30
"""
NEW_RULES = "# IKT-regler\n\nVær snill mot andre. Spør før du laster ned.\n"


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    with Product(world, more_settings=SETTINGS) as running:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
        yield running


def press(product: Product, guest: str, path: str, action: str, **fields: str) -> Page:
    """Open a page, and press the button of its form that posts to `action`."""
    page = product.curl(guest, f"{PORTAL}{path}")
    form = re.search(rf'<form[^>]*action="{action}".*?</form>', page.body, re.DOTALL)
    assert form, page.body
    token = re.search(r'name="token" value="([^"]*)"', form.group())
    assert token
    fields["token"] = unescape(token[1])
    data = [part for key, value in fields.items() for part in ("--data-urlencode", f"{key}={value}")]
    return product.curl(guest, f"{PORTAL}{action}", *data)


def accepted(answer: Page) -> None:
    assert (answer.status, answer.location) == (303, f"{PORTAL}/status"), answer


def asks_again(product: Product, guest: str) -> bool:
    """Whether the phone's check leads to the portal, the API says captive, and nothing is let through."""
    check = product.curl(guest, CHECK)
    is_portal = (check.status, check.location) == (302, f"{PORTAL}/")
    return is_portal and product.capport(guest)["captive"] is True and not product.reaches(guest)


def test_a_guests_day(product: Product) -> None:  # one story: each part stands on the one before
    world = product.world

    # the time runs out, and the phone asks again; the button puts that off
    accepted(product.accept("guest1"))
    product.until_online("guest1")
    assert product.curl("guest1", CHECK).status == 204
    assert product.reaches("guest1")
    world.until(lambda: product.capport("guest1")["can-extend-session"] is True, "the button", LASTS_S)
    before_s = product.capport("guest1")["seconds-remaining"]
    accepted(press(product, "guest1", "/status", "/extend"))
    assert product.capport("guest1")["seconds-remaining"] > before_s
    world.until(lambda: asks_again(product, "guest1"), "the end of the time", 2 * LASTS_S)

    # from now on access lasts as usual
    product.config.write_text(product.config.read_text().replace(SHORT, ""))
    product.kill("portal")
    world.until(lambda: product.curl("guest1", f"{PORTAL}/rules").status == 200, "the portal again", 60)

    # back with one tap, on the page that names nobody
    page = product.curl("guest1", CHECK, follow=True)
    assert page.url == f"{PORTAL}/"
    assert "Kari" not in page.body
    assert 'name="name"' not in page.body
    accepted(press(product, "guest1", "/", "/return"))
    product.until_online("guest1")
    assert product.reaches("guest1")

    # three words for the second device
    accepted(press(product, "guest1", "/status", "/words"))
    words = re.search(r'class="words"[^>]*>([^<]+)<', product.curl("guest1", f"{PORTAL}/status").body)
    assert words
    typed = unescape(words[1]).upper().replace(" – ", "-")
    accepted(press(product, "guest2", "/add", "/add", words=typed))
    product.until_online("guest2")
    assert product.reaches("guest2")

    # signing off cuts what runs; the other device goes on, until it is ended from here
    received = world.directory / "endless"
    download = world.popen("guest2", "curl", "-s", "-o", str(received), f"http://{net.SITE4}/endless")
    world.until(lambda: received.exists() and received.stat().st_size > 50_000, "the download to run")
    assert download.poll() is None
    answer = press(product, "guest2", "/status", "/sign-off")
    assert answer.status == 303
    world.until(lambda: asks_again(product, "guest2"), "guest2 signed off", 10)
    assert download.wait(5) == 56  # reset
    assert product.reaches("guest1")

    # the rules change: what is new is shown, then one button again
    (product.folder / "nb.md").write_text(NEW_RULES)
    product.cli("terms", "publish", str(product.folder / "nb.md"), "--language", "nb", "--label", "2.0")
    page = product.curl("guest2", f"{PORTAL}/")
    assert "Dette er nytt" in page.body
    assert "Spør før du" in unescape(re.sub("<[^>]+>", "", page.body))
    accepted(press(product, "guest2", "/", "/return"))
    product.until_online("guest2")

    # the receipt lets a new address in, and the old one go
    code = re.search(r"/receipt/([0-9A-Z]{16})", product.curl("guest2", f"{PORTAL}/status").body)
    assert code
    assert press(product, "guest1", "/status", "/sign-off").status == 303
    world.until(lambda: asks_again(product, "guest1"), "guest1 signed off", 10)
    accepted(press(product, "guest1", f"/add?code={code[1]}", "/add", words=code[1]))
    product.until_online("guest1")
    world.until(lambda: asks_again(product, "guest2"), "the old address let go", 10)
    assert product.reaches("guest1")
