"""A course from the console to the guest: made, its poster printed, joined with the code, ended; real processes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from captive_portal.auth import accounts
from captive_portal.auth.passwords import hash_password
from captive_portal.console.courses.host_answers import host_key, host_link
from gateway.access import courses, exemption_requests
from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.course_plan import Wish, local_text
from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import prepare
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits, generations
from gateway.settings import load
from gateway.storage import grants, rules
from gateway.storage.course_models import Course, HostRequest
from tests.browser.axe import examine
from tests.browser.service import free_port, serving
from tests.migrated import put_sqlite

PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
PASSWORD = "en setning med noen ord"
SHOTS = os.environ.get("CONSOLE_SCREENSHOTS")


@dataclass
class Running:
    portal: str
    console: str
    services: Services

    def open_grants(self) -> int:
        with self.services.database.read() as session:
            return len(grants.open_grants(session, self.services.place.owner_id, utc_now()))


HOSTS = """
[hosts]
groups = ["default"]
domains = ["fjellbygda.example.no"]
[[hosts.people]]
name = "Servicetorget"
email = "servicetorget@fjellbygda.example.no"
[mail]
host = "localhost"
sender = "gjestenett@fjellbygda.example.no"
"""


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A portal and a console on loopback over one installation, with IT and a host who can sign in; further settings
    as the test says, or by which address guests reach the portal.
    """
    further = getattr(request, "param", "")
    ports = [free_port(), free_port()]
    portal, console = f"http://127.0.0.1:{ports[0]}", f"https://localhost:{ports[1]}"
    public, further = (further, "") if further.startswith("http") else (portal, further)
    config, state = tmp_path / "gjestenett.toml", tmp_path / "state"
    config.write_text(
        '[owner]\nname = "Fjellbygda kommune"\nhelpdesk_phone = "61 00 00 00"\nhelpdesk_hours = "8–15"\n'
        f'[portal]\nport = {ports[0]}\npublic_url = "{public}"\n[console]\nport = {ports[1]}\n'
        '[wifi]\nssid = "Fjellbygda Gjest"\n'
        '[enforcement]\nenabled = true\nguest_interfaces = ["lo"]\nuplink = "wan0"\n' + further
    )
    put_sqlite(state / "gjestenett.sqlite3")
    services = prepare(load(config, state), utc_now)
    with services.database.write() as session:
        for name, role, unit in (("kari", "it", ""), ("vert", "host", "Nybø skule")):
            link = accounts.add_account(session, services.place, name, role, utc_now(), unit=unit)
            password = hash_password(PASSWORD)
            assert accounts.redeem(session, services.place, link.token, name, password, utc_now()) == "done"
    with closing(services.database), serving(config, state, dict(zip(("portal", "console"), ports, strict=True))):
        yield Running(portal, console, services)


@pytest.fixture
def chromium(browser: Browser) -> Iterator[Browser]:
    """The module's Chromium; what a test has opened in it is closed and forgotten at its end."""
    yield browser
    for context in browser.contexts:
        context.close()


def test_a_course_is_made_its_poster_printed_and_its_guest_comes_in_and_goes(
    running: Running, chromium: Browser
) -> None:
    page = _page(chromium, "nb", scripts=False)
    page.goto(f"{running.console}/courses")
    _sign_in(page, "vert")
    expect(page.get_by_role("heading", name="Ingen kurs pågår eller kommer")).to_be_visible()
    page.get_by_role("link", name="Nytt kurs").click()
    page.get_by_label("Hva kurset heter").fill("Excel for alle")
    page.get_by_label("Begynner").fill(local_text(utc_now() - timedelta(minutes=5)))
    page.get_by_label("Slutter").fill(local_text(utc_now() - timedelta(minutes=1)))
    page.get_by_role("button", name="Lag kurset").click()
    expect(page.get_by_role("alert")).to_contain_text("et tidspunkt som ikke er passert")
    page.get_by_label("Slutter").fill(local_text(utc_now() + timedelta(hours=3)))
    page.get_by_role("button", name="Lag kurset").click()
    expect(page.get_by_role("status")).to_contain_text("Kurset er laget")
    course = page.url.partition("?")[0]
    page.get_by_role("link", name="plakat, A4 (Bokmål)").click()
    expect(page.get_by_role("img", name="QR-kode som kobler til wifi-nettet")).to_be_visible()
    words = page.locator(".words span").all_inner_texts()
    assert len(words) == 3

    guest = _page(chromium, "nb", scripts=False)
    guest.goto(running.portal)
    expect(guest.get_by_text("Kurset «Excel for alle» varer til")).to_be_visible()
    guest.get_by_label("Navnet ditt").fill("Ola Nordmann")
    guest.get_by_label("Kurskode").fill("fjell elv")
    guest.get_by_role("button", name="Jeg har lest og godtar reglene").click()
    expect(guest.get_by_role("alert")).to_contain_text("Ingen kurs her har denne koden nå")
    guest.get_by_label("Kurskode").fill(" ".join(words).upper())
    guest.get_by_role("button", name="Jeg har lest og godtar reglene").click()
    expect(guest).to_have_url(re.compile("/status"))
    assert running.open_grants() == 1

    page.goto(course)
    expect(page.get_by_text("1 av 60")).to_be_visible()
    page.get_by_role("link", name="Avslutt kurset").click()
    page.get_by_role("button", name="Avslutt kurset").click()
    expect(page.get_by_role("status")).to_contain_text("Kurset er over")
    assert running.open_grants() == 0
    later = guest.context.new_page()  # the one before renews itself, and would be left in the middle of that
    later.goto(f"{running.portal}/status")
    expect(later.get_by_role("heading", name="Velkommen tilbake")).to_be_visible()  # to the network, not the course


@pytest.mark.parametrize(
    ("viewport", "language", "scheme"), [(PHONE, "nn", "light"), (LAPTOP, "nb", "dark"), (LAPTOP, "en", "light")]
)
def test_every_room_of_courses_is_accessible_and_fits(
    running: Running, chromium: Browser, viewport: dict[str, int], language: str, scheme: str
) -> None:
    page = _page(chromium, language, viewport=viewport, scheme=scheme)

    def look(name: str, shown: Page = page) -> None:
        found = examine(shown)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
        if SHOTS:
            shown.screenshot(path=f"{SHOTS}/{viewport['width']}-{language}-course-{name}.png", full_page=True)

    page.goto(f"{running.console}/courses")
    _sign_in(page, "kari")
    look("empty")
    page.goto(f"{running.console}/courses/new")
    look("new")
    page.locator("main button").click()
    look("new-errors")
    page.locator("#title").fill("Tverrfaglig samarbeid om digital kompetanse i skolen")
    page.locator("#unit").fill("Voksenopplæringen i Fjellbygda")
    page.locator("#starts_at").fill(local_text(utc_now()))
    page.locator("#ends_at").fill(local_text(utc_now() + timedelta(hours=3)))
    page.locator("#offered").select_option("title")
    page.locator("main button").click()
    course = page.url.partition("?")[0]
    look("made")
    guest = _page(chromium, language, viewport=viewport, scheme=scheme)
    guest.goto(f"{running.portal}/?lang={language}")
    look("guest", guest)
    guest.locator("#name").fill("Ola")
    guest.locator("#course").check()
    guest.locator("#accept").click()
    expect(guest).to_have_url(re.compile("/status"))
    page.goto(course)
    look("used")
    page.goto(f"{course}/edit")
    look("edit")
    page.goto(f"{running.console}/courses")
    look("list")
    page.goto(f"{course}/end")
    look("end")
    page.locator("main button.danger").click()
    look("over")


@pytest.mark.parametrize(
    ("viewport", "language", "scheme"),
    [(PHONE, "nb", "light"), (PHONE, "nn", "dark"), (LAPTOP, "en", "light"), (LAPTOP, "nb", "dark")],
)
def test_a_host_decides_a_guests_request_on_accessible_pages(
    running: Running, chromium: Browser, viewport: dict[str, int], language: str, scheme: str
) -> None:
    services, now = running.services, utc_now()
    wish = Wish("Spill i undervisningen", "Nybø skule", now, now + timedelta(hours=3), "default", 60, "title")
    phone = Neighbour("lo", "02:00:00:00:00:09")
    with services.database.write() as session:
        document = draft_edits.with_host_categories(generations.draft(session, services.place), ["gaming"])
        generations.save_draft(session, services.place, document, now)
        generations.publish(session, services.place, "kari", "", now)
        made = courses.add(session, services.place, wish, ["default"], by="kari", now=now)
        assert isinstance(made, Course)
        version = rules.version_in_force(session, services.place.owner_id, now=now)
        assert version is not None
        done = accept(
            session, services.place, phone, Applicant("Ola Nordmann"), version_id=version.id, language="nb",
            address="192.0.2.9", duration=timedelta(hours=3), now=now, sought=courses.Sought(course_id=made.id),
        )  # fmt: skip
        assert isinstance(done, Accepted)
        for name, categories in (("spill.example", ("gaming",)), ("odds.example", ("gambling",))):
            wanted = exemption_requests.Wanted(name, categories, "Kurset handler om spill på nett")
            exemption_requests.ask(session, services.place, phone, wanted, now)
    page = _page(chromium, language, scripts=False, viewport=viewport, scheme=scheme)
    looking = _page(chromium, language, viewport=viewport, scheme=scheme)

    def look(name: str) -> None:
        looking.context.add_cookies(page.context.cookies())
        looking.goto(page.url)
        found = examine(looking)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = looking.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
        if SHOTS:
            looking.screenshot(path=f"{SHOTS}/{viewport['width']}-{language}-{scheme}-{name}.png", full_page=True)

    page.goto(f"{running.console}/courses")
    _sign_in(page, "vert")
    look("request-list")
    page.locator("a[href$='#requests']").click()
    look("request-course")
    page.get_by_role("link", name="odds.example").click()
    expect(page.locator("form[action$='/grant']")).to_have_count(0)
    look("request-not-listed")
    page.locator("form[action$='/pass-on'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    page.get_by_role("link", name="spill.example").click()
    look("request")
    page.locator("#until").fill(local_text(utc_now() + timedelta(hours=9)))
    page.locator("form[action$='/grant'] button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("#until").fill(local_text(utc_now() + timedelta(hours=1)))
    page.locator("form[action$='/grant'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    look("request-granted")


@pytest.mark.parametrize("running", [HOSTS], indirect=True)
@pytest.mark.parametrize(("language", "scheme"), [("nb", "light"), ("nn", "dark"), ("en", "light")])
def test_asking_a_host_is_accessible_and_the_button_of_the_link_lets_in(
    running: Running, chromium: Browser, language: str, scheme: str
) -> None:
    guest = _page(chromium, language, viewport=PHONE, scheme=scheme)
    host = _page(chromium, language, viewport=PHONE, scheme=scheme)

    def look(name: str, shown: Page) -> None:
        found = examine(shown)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
        if SHOTS:
            shown.screenshot(path=f"{SHOTS}/{language}-host-{name}.png", full_page=True)

    guest.goto(f"{running.portal}/?lang={language}")
    look("form", guest)
    guest.locator("#name").fill("Ola Nordmann")
    guest.locator("#accept").click()
    look("form-errors", guest)
    guest.locator("#host").select_option("Servicetorget")
    guest.locator("#accept").click()
    expect(guest).to_have_url(re.compile("/waiting"))
    look("waiting", guest)
    with running.services.database.read() as session:
        [request] = session.query(HostRequest)
    host.goto(host_link(running.services.settings, host_key(running.services.settings), request.id))
    look("question", host)
    assert running.open_grants() == 0
    host.locator("button[value=approved]").click()
    look("answered", host)
    assert running.open_grants() == 1
    expect(guest).to_have_url(re.compile("/status"), timeout=20_000)  # by itself


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_posters_and_the_slide_are_one_sheet_each(running: Running, chromium: Browser, language: str) -> None:
    page = _page(chromium, language)
    page.goto(f"{running.console}/courses/new")
    _sign_in(page, "kari")
    page.goto(f"{running.console}/courses/new")
    page.locator("#title").fill("Tverrfaglig samarbeid om digital kompetanse i skolen")
    page.locator("#unit").fill("Voksenopplæringen")
    page.locator("main button").click()
    course = page.url.partition("?")[0]
    sheets = (("poster?size=a4&", (595, 842)), ("poster?size=a5&", (420, 595)), ("slide?", (907, 510)))
    for sheet, (width, height) in sheets:
        page.goto(f"{course}/{sheet}in={language}")
        found = examine(page)
        assert found.violations_count == 0, f"{sheet}: {found.generate_report()}"
        printed = page.pdf(prefer_css_page_size=True, print_background=True)
        assert len(re.findall(rb"/Type /Page\b(?!s)", printed)) == 1, sheet
        box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
        assert box is not None
        assert (abs(float(box[1]) - width) < 2, abs(float(box[2]) - height) < 2) == (True, True), box[0]
        if SHOTS:
            name = re.sub(r"\W+", "-", sheet)
            Path(f"{SHOTS}/{name}{language}.pdf").write_bytes(printed)
            page.locator(".sheet").screenshot(path=f"{SHOTS}/{name}{language}.png")


FILLED = """() => {
  const sheet = document.querySelector(".sheet"), box = sheet.getBoundingClientRect();
  const last = document.querySelector("footer").getBoundingClientRect();
  return {
    scrolls: document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth,
    cut: sheet.scrollHeight > sheet.clientHeight || sheet.scrollWidth > sheet.clientWidth,
    fills: Math.abs(box.width - innerWidth) < 2 && Math.abs(box.bottom - innerHeight) < 2,
    left_below: innerHeight - last.bottom,
    letters: parseFloat(getComputedStyle(document.querySelector(".words")).fontSize) / innerWidth,
  };
}"""


@pytest.mark.parametrize(
    "running", ["", "https://gjest.fjellbygda.kommune.no"], indirect=True, ids=["warned", "in use"]
)
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_slide_fills_the_screens_of_projectors(running: Running, chromium: Browser, language: str) -> None:
    page = _page(chromium, language)
    page.goto(f"{running.console}/courses/new")
    _sign_in(page, "kari")
    page.goto(f"{running.console}/courses/new")
    page.locator("#title").fill("Tverrfaglig samarbeid om digital kompetanse i skolen, samling for lærere")
    page.locator("#unit").fill("Voksenopplæringen")
    page.locator("main button").click()
    page.goto(f"{page.url.partition('?')[0]}/slide?in={language}")
    assert page.locator(".warning").count() == (running.portal == running.services.settings.public_url)
    for width, height in ((1920, 1080), (1280, 720), (1600, 1200), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        found = page.evaluate(FILLED)
        told = f"{width} x {height}: {found}"
        assert (found["scrolls"], found["cut"], found["fills"]) == (False, False, True), told
        assert 0 < found["left_below"] < 0.06 * height, told
        assert found["letters"] > 0.019, told
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/slide-{language}-{width}x{height}-{page.locator('.warning').count()}.png")
    page.emulate_media(media="print")
    assert not page.locator(".warning").is_visible(), "never on paper"


def _page(
    chromium: Browser,
    language: str,
    *,
    scripts: bool = True,
    viewport: dict[str, int] | None = None,
    scheme: str = "light",
) -> Page:
    return chromium.new_context(
        ignore_https_errors=True,
        locale={"nb": "nb-NO", "nn": "nn-NO", "en": "en-GB"}[language],
        java_script_enabled=scripts,
        viewport=viewport or LAPTOP,  # type: ignore[arg-type]
        color_scheme=scheme,  # type: ignore[arg-type]
    ).new_page()


def _sign_in(page: Page, name: str) -> None:
    page.locator("#username").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    expect(page.locator(".rooms")).to_be_visible()
    page.goto(f"{page.url.rpartition('/')[0]}/courses")
