"""A closed site in the whole product: explained, found, asked for, granted, open; and no name of it left but in the
request that the guest has sent.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.lab import topology as net
from tests.lab.product import CONSOLE_PORT, PORTAL, Page, Product
from tests.lab.world import World

pytestmark = pytest.mark.timeout(300)
SITE = "store.steampowered.com"


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[Product]:
    """The product with two DNS workers, and two guests online."""
    with Product(world) as running:
        running.stop()
        running.config.write_text(running.config.read_text().replace("[dns]\n", "[dns]\nworkers = 2\n"))
        running.start()
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
            running.accept(guest)
            running.until_online(guest)
        yield running


def heading(page: Page) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.body, re.DOTALL)
    assert found is not None, page
    return html.unescape(found[1].strip())


def why(product: Product, guest: str, name: str) -> Page:
    return product.curl(guest, f"{PORTAL}/hvorfor?name={quote(name)}")


def post(product: Product, guest: str, path: str, page: Page, **fields: str) -> Page:
    """Post a form of ours with the token that stands on its page."""
    token = re.search(r'name="token" value="([^"]+)"', page.body)
    assert token is not None, page.body[:500]
    pairs = {"token": token[1], **fields}.items()
    data = [part for key, value in pairs for part in ("--data-urlencode", f"{key}={value}")]
    return product.curl(guest, f"{PORTAL}{path}", *data)


def test_the_page_says_what_dns_answers(product: Product) -> None:
    for name, closed in ((SITE, True), ("www.tinder.com", True), ("www.example.com", False)):
        assert ("EDE: 15" in product.dig("guest1", name)) is closed
        page = why(product, "guest1", name)
        assert page.status == 200
        assert heading(page) == f"{name} er {'stengt' if closed else 'åpent'}"
    page = why(product, "guest1", f"https://{SITE}/app/1?x=y")
    assert "Nettspill" in page.body
    assert "61 00 00 00" in page.body


def test_what_a_device_is_refused_is_found_at_all_its_addresses_and_by_nobody_else(product: Product) -> None:
    page = product.curl("guest1", f"{PORTAL}/why/find")
    started = post(product, "guest1", "/why/find", page)
    assert (started.status, started.location) == (303, f"{PORTAL}/why/find")
    product.dig("guest1", "one.steampowered.com")
    product.dig("guest1", "six.steampowered.com", server=net.GUEST6)
    product.dig("guest1", "elsewhere.tinder.com", server=net.RESOLVER4)
    product.dig("guest1", "www.example.com")
    product.dig("guest2", "other.steampowered.com")
    for _ in range(4):  # a finished answer of the hot path
        product.world.run("guest1", "dig", "+noedns", f"@{net.GUEST4}", "hot.steampowered.com", check=False)
    found = product.curl("guest1", f"{PORTAL}/why/find").body
    for name in ("one.steampowered.com", "six.steampowered.com", "elsewhere.tinder.com", "hot.steampowered.com"):
        assert name in found
    assert "www.example.com" not in found
    assert "other.steampowered.com" not in found
    assert "steampowered" not in product.curl("guest2", f"{PORTAL}/why/find").body
    page = product.curl("guest1", f"{PORTAL}/why/find")
    post(product, "guest1", "/why/find", page, end="1")
    assert "steampowered" not in product.curl("guest1", f"{PORTAL}/why/find").body


def test_a_request_that_is_granted_opens_it_for_that_guest_alone(product: Product) -> None:
    page = why(product, "guest1", SITE)
    sent = post(product, "guest1", "/why", page, name=SITE, purpose="en time om spill")
    assert sent.status == 303, sent
    assert "Venter på svar" in product.curl("guest1", f"{PORTAL}/status").body
    console = Console(product)
    overview = console.get("/exemptions")
    assert SITE in overview
    request = re.search(r'href="/exemptions/([0-9a-f]{32})"', overview)
    assert request is not None
    path = f"/exemptions/{request[1]}"
    until = re.search(r'name="until" type="datetime-local" value="([^"]+)"', console.get(path))
    assert until is not None
    console.post(path, f"{path}/grant", scope="session", until=until[1], answer="Lykke til")
    product.world.until(lambda: net.GAME4 in product.dig("guest1", SITE), f"it to open\n{product.log()}", 30)
    assert "EDE: 15" in product.dig("guest2", SITE)
    assert "EDE: 15" in product.dig("guest1", "www.tinder.com")
    assert heading(why(product, "guest1", SITE)) == f"{SITE} er åpent"
    assert heading(why(product, "guest2", SITE)) == f"{SITE} er stengt"
    assert "Lykke til" in product.curl("guest1", f"{PORTAL}/status").body


def test_a_closed_site_leads_to_its_explanation_where_the_policy_says_so(product: Product) -> None:
    policy = product.folder / "policy.toml"
    product.cli("policy", "export", "--out", str(policy))
    policy.write_text(policy.read_text().replace('block_answer = "zero"', 'block_answer = "portal"'))
    product.cli("policy", "import", str(policy))
    product.cli("policy", "publish", "--note", "test")
    product.world.until(lambda: net.GUEST4 in product.dig("guest2", SITE), "the portal's address", 30)
    product.world.until(lambda: net.GUEST6 in product.dig("guest2", SITE, "AAAA"), "the other worker's policy", 30)
    explained = f"{PORTAL}/hvorfor?name={SITE}"  # as soon as the portal, too, has verified the new policy
    product.world.until(
        lambda: product.curl("guest2", f"http://{SITE}/app?x=1").location == explained, "the explanation", 15
    )
    page = product.curl("guest2", f"http://{SITE}/app?x=1", follow=True)
    assert heading(page) == f"{SITE} er stengt"
    assert product.curl("guest2", f"https://{SITE}/").status == 0  # no certificate of theirs: the browser warns


def test_nothing_but_the_request_holds_a_name(product: Product) -> None:
    """Of all that this module's guests have looked up, only the name that was sent with the request is written."""
    product.stop()
    written = {path: path.read_bytes() for path in product.state.rglob("*") if path.is_file()}
    log = product.log()
    product.start()
    held = [path.name for path, octets in written.items() if SITE.encode() in octets]
    assert all(name.startswith("gjestenett.sqlite3") for name in held), held
    assert held
    for name in ("one.steampowered", "six.steampowered", "elsewhere.tinder", "hot.steampowered", "other.steampowered"):
        assert name not in log
        assert not [path for path, octets in written.items() if name.encode() in octets]
    assert SITE not in log


class Console:
    """IT's browser on the management side, signed in as somebody who was just added."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._url = f"https://{net.MGMT_GATEWAY4}:{CONSOLE_PORT}"
        self._jar = product.folder / "console.cookies"
        told = re.search(r"/setup/\S+", product.cli("staff", "add", "kari", "--role", "it").stdout)
        assert told is not None
        link = told[0]
        password = "en lang nok setning med ord"
        self.post(link, link, username="kari", password=password, password_again=password)
        self.post("/sign-in", "/sign-in", username="kari", password=password)

    def get(self, path: str) -> str:
        return self._curl(path)

    def post(self, page: str, action: str, **fields: str) -> str:
        token = re.search(r'name="form_token" value="([^"]+)"', self.get(page))
        assert token is not None, page
        data = {"form_token": token[1], **fields}
        return self._curl(
            action, *(part for key, value in data.items() for part in ("--data-urlencode", f"{key}={value}"))
        )

    def _curl(self, path: str, *options: str) -> str:
        jar = ("--cookie", str(self._jar), "--cookie-jar", str(self._jar))
        done = self._product.world.run(
            "mgmt", "curl", "--silent", "--insecure", "--max-time", "20", *jar, *options, f"{self._url}{path}"
        )
        return done.stdout
