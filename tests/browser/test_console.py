"""IT's and the auditor's browser: a real console process over HTTPS, from the printed link to an exported bundle."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from captive_portal.auth.setup import first_setup_link
from gateway.access import exemption_requests
from gateway.access.accept import Accepted, Applicant, accept
from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import prepare
from gateway.link.neighbours import Neighbour
from gateway.lists import generations as drafts
from gateway.lists import jobs
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.settings import load
from gateway.storage import generations, grants, rules
from policies.snapshot import NamedList
from tests.browser.axe import examine
from tests.browser.service import free_port, serving
from tests.contract.dns.conftest import Worker, wait_for
from tests.lab.certificates import Authority
from tests.migrated import put_sqlite

PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PASSWORD = "en setning med noen ord"
HELD_BACK = NamedList(
    "test/gaming",
    "gaming",
    "0" * 64,
    (
        "game.example",
        "nav.no",
        "cloudfront.net",
        "github.com",
        "a-name-that-is-long.for-a-narrow-phone.nav.no",
    ),
)
OWN_LIST = b"".join(b"spill%d.example\n" % number for number in range(30)) + (
    b"192.0.2.1\n*.*.example\nhttps://spill.example/en/ganske/lang/sti/som/ikke/er/et/navn\nnav.no\ncloudfront.net\n"
)
SHOTS = os.environ.get("CONSOLE_SCREENSHOTS")


@dataclass
class RunningConsole:
    url: str
    services: Services

    def guest(self, name: str, organisation: str, mac: str, *, applied: bool) -> None:
        """A guest who has accepted; where `applied`, as the enforcer says when the device is let through."""
        place, now = self.services.place, utc_now()
        with self.services.database.write() as session:
            version = rules.version_in_force(session, place.owner_id, now=utc_now())
            assert version is not None
            done = accept(
                session, place, Neighbour("lo", mac), Applicant(name, organisation, "post@eksempel.test"),
                language="nb", address="192.0.2.7",
                version_id=version.id, duration=timedelta(hours=10), now=now,
            )  # fmt: skip
            assert isinstance(done, Accepted)
            if applied:
                grants.record_applied(session, place.gateway_id, [done.grant_id], [], now)

    def asks(self, mac: str, name: str) -> None:
        """The guest with this device asks for an exemption."""
        wanted = exemption_requests.Wanted(name, ("gaming", "streaming"), "Kurset handler om spill på nett")
        with self.services.database.write() as session:
            exemption_requests.ask(session, self.services.place, Neighbour("lo", mac), wanted, utc_now())

    def compile_policy(self) -> int | None:
        """What the jobs service does when a policy has been published."""
        return jobs.compile_in_force(self.services.database, self.services.place, self.services.settings.state, ())

    def refresh_lists(self) -> None:
        """What the jobs service does when a list is to be refreshed: the command that it runs."""
        settings = self.services.settings
        command = [sys.executable, "-m", "gateway.cli", "--state", str(settings.state), "lists", "sync", "--due"]
        subprocess.run(command, check=False, timeout=60, capture_output=True)

    def pretend_progress(self, key: str, stage: str, done: int, total: int) -> None:
        """Leave what a refresh that is under way leaves."""
        told = json.dumps({"stage": stage, "done": done, "total": total})
        (self.services.settings.state / "lists" / key / ".progress").write_text(told)

    def compile_with(self, listed: NamedList) -> None:
        """Compile the policy in force with a list."""
        with self.services.database.read() as session:
            published = generations.in_force(session, self.services.place.owner_id)
            assert published is not None
            octets = compile_policy(dict(published.document), published.generation, lists=(listed,))
        publish(self.services.settings.state, octets)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningConsole]:
    with running_console(tmp_path) as console:
        yield console


@contextmanager
def running_console(
    folder: Path, more: str = "", began: timedelta = timedelta(), beside: tuple[str, ...] = ()
) -> Iterator[RunningConsole]:
    """A console and a sealer over their own state in `folder`, set up so long ago; `more` ends the settings (TOML)."""
    port = free_port()
    config, state = folder / "gjestenett.toml", folder / "state"
    config.write_text(
        '[owner]\nname = "Fjellbygda kommune"\nhelpdesk_phone = "61 00 00 00"\nhelpdesk_hours = "8–15"\n'
        f"[console]\nport = {port}\n[enforcement]\nenabled = true\n"
        'guest_interfaces = ["lo"]\nuplink = "wan0"\n[portal]\nhostname = "gjest.example.no"\n'
        f'tls_certificate = "{folder}/portal.pem"\ntls_key = "{folder}/portal.key"\n{more}'
    )
    put_sqlite(state / "gjestenett.sqlite3")
    prepare(load(config, state), lambda: utc_now() - began).database.close()
    services, processes = prepare(load(config, state), utc_now), {"console": port, **dict.fromkeys(("sealer", *beside))}
    with closing(services.database), serving(config, state, processes):
        yield RunningConsole(f"https://localhost:{port}", services)


@pytest.fixture
def chromium(browser: Browser) -> Iterator[Browser]:
    """The module's Chromium; what a test has opened in it is closed and forgotten at its end."""
    yield browser
    for context in browser.contexts:
        context.close()


@pytest.fixture
def resolvers() -> Iterator[Callable[[Path], Worker]]:
    """Starts the DNS service over the policy of a state directory; its upstream does not answer."""
    workers: list[Worker] = []

    def start(state: Path) -> Worker:
        workers.append(Worker(state, [free_port()]))
        return workers[-1]

    yield start
    for worker in workers:
        assert worker.stop() == 0


def refused_as(resolver: Worker, name: str) -> str | None:
    """The category that a real DNS answer says a name is refused for (RFC 8914 §4.16); None when it is not."""
    return next((option.text for option in resolver.ask(name).options if int(option.code) == 15), None)


def test_from_the_printed_link_to_a_closed_category_a_revoked_device_and_a_bundle(
    running: RunningConsole, chromium: Browser, tmp_path: Path, resolvers: Callable[[Path], Worker]
) -> None:
    context = _context(chromium, "nb", scripts=False)
    page = context.new_page()
    link = first_setup_link(running.services)
    assert link is not None
    page.goto(link)
    page.get_by_label("Brukernavn").fill("kari")
    page.get_by_label("Passord", exact=True).fill("kort")
    page.get_by_role("button", name="Lagre passordet").click()
    expect(page.get_by_role("alert")).to_contain_text("minst 15 tegn")
    page.get_by_label("Passord", exact=True).fill(PASSWORD)
    page.get_by_label("Det samme passordet en gang til").fill(PASSWORD)
    page.get_by_role("button", name="Lagre passordet").click()
    expect(page.get_by_role("status")).to_contain_text("Logg inn")
    _sign_in(page, "kari")
    expect(page.get_by_role("heading", name="Oversikt")).to_be_visible()
    page.get_by_role("link", name="Gjester", exact=True).click()
    expect(page.get_by_role("heading", name="Ingen enheter er på nett")).to_be_visible()

    running.guest("Ola Nordmann", "Kurs AS", "02:00:00:00:00:01", applied=True)
    running.guest("Kari Sørli", "", "02:00:00:00:00:02", applied=False)
    page.get_by_role("link", name="Vis de nyeste").click()
    expect(page.get_by_role("row").filter(has_text="Ola Nordmann")).to_contain_text("Sluppet gjennom")
    expect(page.get_by_role("row").filter(has_text="Kari Sørli")).to_contain_text("Venter på gatewayen")
    page.get_by_role("link", name="Avslutt tilgangen for Ola Nordmann").click()
    page.get_by_role("button", name="Avslutt tilgangen").click()
    expect(page.get_by_role("status")).to_contain_text("avsluttet")
    expect(page.get_by_text("Ola Nordmann")).to_have_count(0)

    assert running.compile_policy() == 1
    resolver = resolvers(running.services.settings.state)
    assert refused_as(resolver, "www.netflix.com") is None
    page.get_by_role("link", name="Innholdsfilter").click()
    expect(page.get_by_label("Nettspill, Alle andre enheter")).to_have_value("closed>closed")
    page.get_by_label("Strømming, Alle andre enheter").select_option("Stengt")
    page.get_by_role("button", name="Lagre og se hva som blir publisert").click()
    expect(page.get_by_text("Strømming stengt for gruppen Alle andre enheter")).to_be_visible()
    assert refused_as(resolver, "www.netflix.com") is None, "a draft closes nothing"
    page.get_by_label("Merknad").fill("Kurs trenger linjen")
    page.get_by_role("button", name="Publiser").click()
    expect(page.get_by_role("status")).to_contain_text("generasjon 2")
    assert running.compile_policy() == 2
    wait_for(lambda: refused_as(resolver, "www.netflix.com") == "streaming")
    page.get_by_role("link", name="Innholdsfilter").click()
    expect(page.get_by_text("Kompilert: generasjon 2")).to_be_visible()
    page.get_by_role("link", name="Historikk").click()
    expect(page.get_by_text("Oppsettet fra installasjonen")).to_be_visible()
    expect(page.get_by_text("Kurs trenger linjen")).to_be_visible()
    page.locator("#try-anywhere").fill("https://www.nav.no/side")
    page.get_by_role("button", name="Prøv", exact=True).click()
    expect(page.get_by_role("heading", name="www.nav.no – kan besøkes")).to_be_visible()
    running.compile_with(HELD_BACK)
    page.goto(f"{running.url}/policy")
    page.get_by_role("button", name="Overstyr cloudfront.net, test/gaming").click()
    expect(page.get_by_role("status")).to_contain_text("Overstyrt og publisert som generasjon 3")
    row = page.locator("#quarantine").get_by_role("row").filter(has_text="cloudfront.net")
    expect(row).to_contain_text("Overstyrt")
    with running.services.database.read() as session:
        policy = generations.in_force(session, running.services.place.owner_id)
        assert policy is not None
        assert "streaming" in policy.document["groups"]["default"]["closed"]

    page.get_by_role("link", name="Dokumentasjon").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("link", name="Velg og eksporter").click()
    page.get_by_role("button", name="Lag pakken").click()
    expect(page.get_by_role("alert")).to_contain_text("Skriv hvorfor")
    page.get_by_label("Begrunnelse").fill("Sak 26/1")
    page.get_by_role("button", name="Lag pakken").click()
    expect(page.get_by_role("heading", name="Pakken er klar")).to_be_visible(timeout=60_000)
    bundle = tmp_path / "bundle.zip"
    for name, path in (("Last ned pakken", bundle), ("Last ned signaturen (.zip.note)", tmp_path / "bundle.zip.note")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        download.value.save_as(path)
    verdict = subprocess.run(
        [sys.executable, "-m", "gateway.audit.verify_bundle", str(bundle), "--key",
         str(running.services.settings.state / "log.vkey")],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    page.get_by_role("button", name="Logg ut").click()
    page.goto(f"{running.url}/policy")
    expect(page.get_by_role("heading", name="Logg inn")).to_be_visible()


def test_a_list_of_ones_own_from_upload_to_removal_and_the_auditor_only_looks(
    running: RunningConsole, chromium: Browser
) -> None:
    from captive_portal.auth import accounts
    from captive_portal.auth.accounts import Second
    from captive_portal.auth.passwords import hash_password
    from captive_portal.auth.second_factor import load_second_factor

    factor = Second(load_second_factor(running.services.settings.state).lock(SECRET), 0, ())
    with running.services.database.write() as session:
        for name, role, second in (("kari", "it", None), ("revisor", "auditor", factor)):
            link = accounts.add_account(session, running.services.place, name, role, utc_now())
            password, place = hash_password(PASSWORD), running.services.place
            assert accounts.redeem(session, place, link.token, name, password, utc_now(), second=second) == "done"
    page = _context(chromium, "nb", scripts=False).new_page()
    page.goto(f"{running.url}/lists")
    _sign_in(page, "kari")
    page.get_by_role("link", name="Innholdsfilter").click()
    page.get_by_role("navigation", name="Innholdsfilter").get_by_role("link", name="Lister").click()
    expect(page.get_by_text("Ingen liste er på.")).to_be_visible()
    page.get_by_role("link", name="Legg til en liste").click()
    form = page.locator("form[action='/lists/upload']")
    form.get_by_label("Fil", exact=True).set_input_files(
        {"name": "spill.txt", "mimeType": "text/plain", "buffer": OWN_LIST}
    )
    form.get_by_label("Kategori").select_option("Nettspill")
    form.get_by_role("button", name="Send filen").click()
    expect(page.get_by_role("status")).to_contain_text("Venter på å bli hentet")
    running.refresh_lists()
    page.get_by_role("link", name="Se på nytt").click()  # without scripts nothing comes by itself
    expect(page.get_by_role("status")).to_contain_text("Gjelder")
    expect(page.get_by_role("row").filter(has_text="Hentet, og gjelder nå")).to_contain_text("32 navn")
    page.get_by_role("button", name="Oppdater nå").click()
    expect(page.get_by_role("status")).to_contain_text("Venter på å bli hentet")
    running.refresh_lists()
    page.get_by_role("link", name="Se på nytt").click()
    expect(page.get_by_role("row").filter(has_text="Sjekket: uendret")).to_be_visible()
    own = page.url

    auditor = _context(chromium, "nb", scripts=False).new_page()
    auditor.goto(running.url)
    _sign_in(auditor, "revisor")
    auditor.get_by_label("Seks sifre").fill(pyotp.TOTP(SECRET).now())
    auditor.get_by_role("button", name="Logg inn", exact=True).click()
    auditor.goto(own)
    expect(auditor.get_by_role("row").filter(has_text="Hentet, og gjelder nå")).to_be_visible()
    assert auditor.locator("main form[method=post], main input[type=file]").count() == 0

    page.get_by_role("button", name="Slå av").click()
    expect(page.get_by_role("status")).to_contain_text("Av")
    page.get_by_role("link", name="Fjern").click()
    page.get_by_role("button", name="Fjern").click()
    expect(page.get_by_role("status")).to_contain_text("Listen er fjernet")


def _with_course(document: dict[str, Any]) -> None:
    """A second group, and a rule that changes nothing."""
    document["groups"]["course"] = document["groups"]["default"] | {"mark": 2, "forbid": ["www.apple.com"]}


@pytest.mark.parametrize(
    ("viewport", "language", "scheme"), [(PHONE, "nn", "light"), (LAPTOP, "nb", "light"), (LAPTOP, "en", "dark")]
)
def test_every_page_is_accessible_and_fits(
    running: RunningConsole, chromium: Browser, viewport: dict[str, int], language: str, scheme: str
) -> None:
    context = _context(chromium, language, viewport=viewport, scheme=scheme)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    link = first_setup_link(running.services)
    assert link is not None
    look = _looking(page, viewport, language)
    page.goto(link)
    look("setup")
    page.locator("#password").fill("kort")
    page.locator("main button").click()
    look("setup-errors")
    page.locator("#username").fill("kari")
    page.locator("#password").fill(PASSWORD)
    page.locator("#password_again").fill(PASSWORD)
    page.locator("main button").click()
    look("sign-in")
    page.locator("#username").fill("kari")
    page.locator("#password").fill("feil passord her")
    page.locator("form[action='/sign-in'] button").click()
    look("sign-in-error")
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    expect(page.locator(".rooms")).to_be_visible()
    look("overview-empty")
    page.goto(f"{running.url}/devices")
    look("devices-empty")
    page.goto(f"{running.url}/acceptances")
    look("acceptances-empty")
    running.guest("Ola Nordmann", "Kurs og kompetanse AS", "02:00:00:00:00:01", applied=True)
    running.guest("Anne-Margrethe Kvalvågnes-Torkildsen", "", "02:00:00:00:00:02", applied=False)
    page.goto(f"{running.url}/exemptions")
    look("exemptions-none")
    for name in ("store.game.example", f"{'et-langt-navn-' * 4}x.game.example"):
        running.asks("02:00:00:00:00:01", name)
    page.goto(f"{running.url}/exemptions")
    look("exemptions")
    page.locator("td.act a").first.click()
    look("exemption")
    page.locator("form[action$='/decline'] button").click()
    look("exemption-error")
    page.locator("#declining").fill("Bruk biblioteket i stedet.")
    page.locator("form[action$='/decline'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    page.locator("td.act a").first.click()
    page.locator("form[action$='/grant'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    look("exemptions-decided")
    page.goto(f"{running.url}/devices")
    look("devices")
    page.goto(f"{running.url}/network")
    look("network-withheld")
    portal = running.services.settings.portal
    assert portal.tls_certificate is not None
    assert portal.tls_key is not None
    Authority(portal.tls_key.parent).issue([portal.hostname], portal.tls_certificate, portal.tls_key)
    page.goto(f"{running.url}/network")
    expect(page.locator("pre").first).to_contain_text("dhcp-option-force=114")
    look("network")
    page.goto(f"{running.url}/devices")
    page.locator("td.act a").first.click()
    look("end")
    page.goto(f"{running.url}/lists")
    look("lists-none-on")
    page.goto(f"{running.url}/lists/add")
    look("list-add")
    page.locator("form[action='/lists/add'] button").click()
    look("list-add-errors")
    page.locator("form[action='/lists/upload'] button").click()
    look("list-upload-errors")
    page.locator("#file-category").select_option("gaming")
    page.locator("#file-title").fill("En egen liste over spill med et ganske langt navn")
    page.locator("#file-file").set_input_files({"name": "spill.txt", "mimeType": "text/plain", "buffer": OWN_LIST})
    page.locator("form[action='/lists/upload'] button").click()
    expect(page.locator("h1")).to_contain_text("En egen liste")
    look("list-waiting")
    running.refresh_lists()
    _load_over(page, page.url.partition("?")[0])
    look("list")
    for summary in page.locator("summary").all():
        summary.click()
    look("list-rejects")
    running.pretend_progress("en-egen-liste-over-spill-med-et-ganske-langt-navn", "downloading", 3_000_000, 9_000_000)
    _load_over(page, page.url)
    look("list-busy")
    _load_over(page, f"{running.url}/lists")
    page.locator("summary").first.click()
    look("lists")
    page.goto(f"{running.url}/acceptances")
    look("acceptances")
    page.locator("a[href^='/acceptances/export']").click()
    look("export-form")
    page.locator("#device").fill("x")
    page.locator("form[action='/acceptances/export'] button").click()
    look("export-form-error")
    page.locator("#device").fill("")
    page.locator("#reason").fill("Sak 26/1")
    page.locator("form[action='/acceptances/export'] button").click()
    expect(page.locator("progress")).to_be_visible()
    page.evaluate("window.stop()")  # else it comes again in the middle of being looked at
    look("export-progress")
    page.reload()
    expect(page.locator("a[download]").first).to_be_visible(timeout=60_000)
    look("export")
    page.locator("form[action$='/remove'] button").click()
    expect(page.locator("#reason")).to_be_visible()
    page.goto(f"{running.url}/nowhere")
    look("not-found")
    assert [text for text in problems if "Failed to load resource" not in text] == []


@pytest.mark.parametrize(("viewport", "language", "scheme"), [(PHONE, "nn", "light"), (LAPTOP, "nb", "dark")])
def test_every_room_of_the_content_filter_is_accessible_and_fits(
    running: RunningConsole, chromium: Browser, viewport: dict[str, int], language: str, scheme: str
) -> None:
    from captive_portal.auth import accounts
    from captive_portal.auth.passwords import hash_password

    with running.services.database.write() as session:
        link = accounts.add_account(session, running.services.place, "kari", "it", utc_now())
        password, place = hash_password(PASSWORD), running.services.place
        assert accounts.redeem(session, place, link.token, "kari", password, utc_now()) == "done"
    page = _context(chromium, language, viewport=viewport, scheme=scheme).new_page()
    look = _looking(page, viewport, language)
    page.goto(running.url)
    page.locator("#username").fill("kari")
    page.locator("#password").fill(PASSWORD)
    page.locator("form[action='/sign-in'] button").click()
    expect(page.locator(".rooms")).to_be_visible()
    page.goto(f"{running.url}/policy")
    look("policy")
    page.goto(f"{running.url}/policy/draft")
    look("policy-draft-none")
    running.compile_with(HELD_BACK)
    page.goto(f"{running.url}/policy")
    page.locator("select[name='1.piracy']").select_option("open>report")
    page.locator("form[action='/policy'] button[value=stay]").click()
    look("policy-kept")
    page.goto(f"{running.url}/policy/draft")
    look("policy-draft")
    page.locator("a[href='/policy/draft/discard']").click()
    look("policy-discard")
    page.goto(f"{running.url}/policy/draft")
    page.locator("form[action='/policy/draft/publish'] button").click()
    look("policy-published")
    page.locator("form[action='/policy/overrule'] button").first.click()
    look("policy-overruled")
    for name in ("www.game.example", "cloudfront.net", "192.0.2.1"):
        page.goto(f"{running.url}/try")
        page.locator("#name").fill(name)
        page.locator("#try button").click()
        look(f"try-{name}")
    with running.services.database.write() as session:
        drafts.publish_change(session, running.services.place, _with_course, "kari", "", utc_now())
    page.goto(f"{running.url}/policy")
    look("policy-groups")
    page.goto(f"{running.url}/policy/groups")
    page.locator("form[action='/policy/groups'] button").click()
    look("groups-errors")
    page.goto(f"{running.url}/policy/groups/course")
    page.locator("#names").fill("en-adresse-som-er-ganske-lang.for-en-smal-telefon.example\nikke et navn")
    page.locator("form[action$='/names'] button[value=permit]").last.click()
    look("group-errors")
    page.locator("#names").fill("en-adresse-som-er-ganske-lang.for-en-smal-telefon.example")
    page.locator("form[action$='/names'] button[value=permit]").last.click()
    look("group")
    page.goto(f"{running.url}/policy/groups/course/remove")
    look("group-remove")
    page.goto(f"{running.url}/policy/groups/course/hours/gaming")
    page.locator("#mon-0").check()
    page.locator("#from-0").fill("08:00")
    page.locator("form[action$='/hours/gaming'] button").click()
    look("hours-error")
    page.locator("#to-0").fill("16:30")
    page.locator("form[action$='/hours/gaming'] button").click()
    look("hours")
    page.goto(f"{running.url}/policy/exemptions")
    page.locator("form[action='/policy/exemptions'] button").click()
    look("exemptions-errors")
    page.locator("#group").select_option("course")
    page.locator("#category-gaming").check()
    page.locator("#until").fill(f"{utc_now() + timedelta(days=2):%Y-%m-%dT%H:%M}")
    page.locator("#approved_by").fill("Kari Nordmann")
    page.locator("#reason").fill("Kurs i spillutvikling")
    page.locator("form[action='/policy/exemptions'] button").click()
    look("exemptions")
    page.goto(f"{running.url}/policy/judged")
    look("judged")
    with running.services.database.write() as session:
        drafts.rollback(session, running.services.place, 1, "kari", "", utc_now())
    page.goto(f"{running.url}/policy/draft")
    look("policy-draft-stale")
    page.goto(f"{running.url}/policy/history")
    look("history")
    page.goto(f"{running.url}/policy/compare?from=1&to=2")
    look("compare")
    page.goto(f"{running.url}/policy/rollback/2")
    look("rollback")


def _looking(page: Page, viewport: dict[str, int], language: str) -> Callable[[str], None]:
    """Looks at a page: axe finds nothing, it does not scroll sideways, and a picture is taken where one is wanted."""
    shots = 0

    def look(name: str) -> None:
        nonlocal shots
        shots += 1
        found = examine(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} pixels"
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{viewport['width']}-{language}-{shots:02}-{name}.png", full_page=True)

    return look


def test_the_certificate_served_is_the_one_whose_fingerprint_is_printed(running: RunningConsole) -> None:
    from captive_portal.auth.certificate import ensure_certificate

    settings = running.services.settings
    printed = ensure_certificate(settings.state, settings.console, utc_now()).sha256
    served = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", settings.console.port)))
    assert x509.load_der_x509_certificate(served).fingerprint(hashes.SHA256()).hex(":").upper() == printed


def _context(
    chromium: Browser, language: str, *, scripts: bool = True, viewport: dict[str, int] = LAPTOP, scheme: str = "light"
) -> BrowserContext:
    return chromium.new_context(
        locale=language, ignore_https_errors=True, java_script_enabled=scripts, viewport=viewport, color_scheme=scheme
    )


def _sign_in(page: Page, username: str) -> None:
    page.get_by_label("Brukernavn").fill(username)
    page.get_by_label("Passord").fill(PASSWORD)
    page.get_by_role("button", name="Logg inn", exact=True).click()


def _load_over(page: Page, url: str) -> None:
    """Go to `url` from a page that loads itself anew, which may cut the first attempt off."""
    try:
        page.goto(url)
    except Error as error:
        if "ERR_ABORTED" not in str(error):
            raise
        page.goto(url)
