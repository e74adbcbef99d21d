"""verify.html in real Chromium from file://, without a network: the verdicts of verify_bundle.py, in the same words."""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from captive_portal.console.look import LANGUAGES
from captive_portal.i18n import translators
from gateway.audit import verify_bundle
from gateway.audit.verify_bundle import Report
from tests.browser.axe import examine
from tests.browser.conftest import launched
from tests.unit.audit.forgeries import cases
from tests.unit.audit.forgeries.case import LOG, Case, judge, packed, verdict
from tests.unit.audit.forgeries.changed_bytes import changed_bytes, changed_zips
from tests.unit.audit.forgeries.receipts import receipt, with_fields
from tests.unit.audit.forgeries.restores import restore
from tests.unit.audit.specimen import KEYS, Log

PAGE = Path(verify_bundle.__file__).with_name("verify.html")
BATCH = 40

VERIFY = """async (orders) => {
  const bytes = (text) => text === null ? null : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const reports = [];
  for (const order of orders) {
    const report = await gjestenett.verify({
      ...order, file: new Blob([bytes(order.file)]), checkpoint: bytes(order.checkpoint),
      sidecar: bytes(order.sidecar), entry: bytes(order.entry),
    });
    reports.push(gjestenett.inWords(report, "en"));
  }
  return reports;
}"""

ASK = """async (address) => {
  const refused = [];
  document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
  await fetch(address).catch(() => {});
  const image = new Image();
  image.src = `${address}/x.png`;
  const script = document.createElement("script");
  script.textContent = "window.ran = true";
  document.body.append(script);
  await new Promise((done) => setTimeout(done, 500));
  return [...refused, String(window.ran)];
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def offline(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without a network, in which every request but that for the file itself fails the test."""
    context = chromium.new_context(locale="nb-NO", reduced_motion="reduce")
    context.set_offline(True)
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    yield context
    context.close()
    assert [url for url in requested if not url.startswith("blob:null/")] == [PAGE.as_uri()]


@pytest.fixture
def page(offline: BrowserContext) -> Page:
    page = offline.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(PAGE.as_uri())
    page.evaluate("gjestenett.page.ready")
    assert errors == []
    return page


def in_the_browser(page: Page, given: Sequence[Case]) -> list[dict[str, Any]]:
    """The browser's verdicts, as `verify_bundle.py --json` prints them."""

    def text(data: bytes | None) -> str | None:
        return None if data is None else base64.b64encode(data).decode()

    reports: list[dict[str, Any]] = []
    for start in range(0, len(given), BATCH):
        orders = [
            {
                "kind": case.kind,
                "file": text(case.data),
                "name": case.file,
                "keys": case.keys,
                "checkpoint": text(case.checkpoint),
                "sidecar": text(case.sidecar),
                "entry": text(case.entry),
                "requireSidecar": case.require_sidecar,
            }
            for case in given[start : start + BATCH]
        ]
        reports += page.evaluate(VERIFY, orders)
    return reports


def as_json(report: Report) -> dict[str, Any]:
    problems = [vars(problem) for problem in report.problems]
    return {"ok": report.ok, "problems": problems, "proved": report.proved, "unchecked": report.unchecked}


def test_the_browser_checks_ed25519(page: Page) -> None:
    assert page.evaluate("gjestenett.canVerify()") is True
    assert page.locator("#unsupported").is_hidden()


def test_every_verdict_is_that_of_the_python_verifier_word_for_word(page: Page, tmp_path: Path) -> None:
    assert len(cases()) > 300
    differing = [
        (case.name, here, there)
        for case, there in zip(cases(), in_the_browser(page, cases()), strict=True)
        if (here := verdict(case, tmp_path)) != there
    ]
    assert differing == []


@pytest.mark.timeout(900)
def test_each_of_1000_changed_bytes_is_caught_and_named_alike(page: Page, tmp_path: Path) -> None:
    given = [case for case, *_ in changed_bytes(1000)]
    for case, there in zip(given, in_the_browser(page, given), strict=True):
        assert [problem["part"] for problem in there["problems"]] == [case.part], case.name
        assert there == as_json(judge(case, tmp_path)), case.name


@pytest.mark.timeout(300)
def test_each_changed_byte_of_the_zip_itself_is_judged_alike(page: Page, tmp_path: Path) -> None:
    given = list(changed_zips(200))
    for case, there in zip(given, in_the_browser(page, given), strict=True):
        assert there["problems"], case.name
        assert there == as_json(judge(case, tmp_path)), case.name


def test_the_three_languages_say_the_same_things(page: Page) -> None:
    words = page.evaluate("gjestenett.WORDS")
    assert words["nb"].keys() == words["nn"].keys() == words["en"].keys()
    for code, english in words["en"].items():
        for language in ("nb", "nn"):
            assert set(re.findall(r"{\w+}", words[language][code])) == set(re.findall(r"{\w+}", english)), code
            assert words[language][code] != english or len(english) < 12, code


# --- as its user has it -----------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a bundle and its sidecar, key, checkpoint, and a receipt."""
    data, sidecar = packed(LOG.files(LOG.request(0, 43, filter={"site": "hovedbygg"})))
    contents = {
        "bundle.zip": data,
        "bundle.zip.note": sidecar,
        "log.vkey": KEYS.encode(),
        "checkpoint": LOG.checkpoint(17),
        "kvittering.tlog-proof": receipt(LOG, 11, with_fields(LOG, 11)),
        "bare.tlog-proof": receipt(LOG, 11, None),
        "entry": LOG.records[11].entry,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def choose(page: Page, files: Path, **fields: str) -> None:
    for field, name in fields.items():
        page.set_input_files(f"#{field}", files / name)


def clean(page: Page) -> None:
    """No finding of axe, and nothing wider than the window."""
    violations = examine(page, None).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_bundle_is_verified_from_disk_without_a_network(page: Page, files: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    clean(page)
    assert page.locator("h1").text_content() == "Kontroller en revisjonspakke eller en kvittering"
    choose(page, files, bundle="bundle.zip", sidecar="bundle.zip.note", key="log.vkey", checkpoint="checkpoint")
    page.get_by_role("button", name="Kontroller", exact=True).click()
    page.locator("#verdict.ok").wait_for()
    assert page.evaluate("document.activeElement.id") == "outcome"
    assert page.locator("#outcome").text_content() == "Revisjonspakken holder."
    assert "Loggen har bare vokst siden sjekkpunktet ditt med 17 innførsler" in page.locator("#lists").inner_text()
    clean(page)
    page.get_by_role("button", name="English").click()
    assert page.locator("#outcome").text_content() == "The bundle holds."
    assert page.locator("html").get_attribute("lang") == "en"
    page.emulate_media(media="print")
    assert page.locator("#before").is_hidden()
    assert page.locator("#record").is_visible()


def test_the_time_of_the_check_is_written_as_the_console_writes_it(chromium: Browser, files: Path) -> None:
    checked = datetime(2026, 3, 8, 3, 5, tzinfo=UTC)
    context = chromium.new_context(locale="en-US", timezone_id="Europe/Oslo")
    page = context.new_page()
    page.clock.set_fixed_time(checked)
    page.goto(PAGE.as_uri())
    choose(page, files, bundle="bundle.zip", sidecar="bundle.zip.note", key="log.vkey")
    page.click("#check")
    page.locator("#verdict.ok").wait_for()
    for month in range(1, 13):
        checked = checked.replace(month=month)
        page.evaluate("(at) => { gjestenett.page.shown.order.at = new Date(at); }", checked.isoformat())
        for language, console in translators("console", LANGUAGES).items():
            page.click(f"[data-language={language}]")
            assert page.text_content("#record dd") == console.moment(checked)
    context.close()


def test_a_forged_bundle_is_told_and_proves_nothing(page: Page, files: Path) -> None:
    altered = bytearray((files / "bundle.zip").read_bytes())
    altered[len(altered) // 2] ^= 1
    (files / "bundle.zip").write_bytes(altered)
    choose(page, files, bundle="bundle.zip", sidecar="bundle.zip.note", key="log.vkey")
    page.click("#check")
    page.locator("#verdict.bad").wait_for()
    assert page.locator("#outcome").text_content() == "Revisjonspakken holder IKKE."
    assert "beviser ingenting" in page.locator("#lists").inner_text()
    clean(page)


def test_a_receipt_is_verified_with_a_pasted_key(page: Page, files: Path) -> None:
    page.check("[value=receipt]")
    assert page.locator("#bundle").is_hidden()
    choose(page, files, receipt="kvittering.tlog-proof")
    page.fill("#pasted", f"  {KEYS}\n")
    page.click("#check")
    page.locator("#verdict.ok").wait_for()
    assert "Innførsel 11 er i den" in page.locator("#lists").inner_text()
    choose(page, files, receipt="bare.tlog-proof")
    page.click("#check")
    page.locator("#faults.notice:visible").wait_for()
    assert "Velg filen med innførsel 11" in page.locator("#faults").inner_text()
    assert page.locator("#verdict").is_hidden()
    assert page.locator("[aria-invalid=true]").count() == 0
    clean(page)
    page.click("#faults a")
    assert page.evaluate("document.activeElement.id") == "entry"
    choose(page, files, entry="entry")
    page.click("#check")
    page.locator("#verdict.ok").wait_for()
    assert page.locator("#faults").is_hidden()
    assert "Hvem som har godkjent: kvitteringen beviser at innførselen står i loggen" in page.inner_text("#lists")
    clean(page)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("Bokmål", "Databasen ble gjenopprettet ved innførsel 16 (2026-11-22T12:16:00.000Z): innførsel 16 til 21"),
        ("Nynorsk", "Databasen vart gjenoppretta ved innførsel 16 (2026-11-22T12:16:00.000Z): innførsel 16 til 21"),
        ("English", "The database was restored at entry 16 (2026-11-22T12:16:00.000Z): entries 16 to 21"),
    ],
)
def test_a_restore_that_lost_entries_is_told_and_named_where_a_checkpoint_contradicts(
    page: Page, files: Path, language: str, told: str
) -> None:
    log = Log(30, {16: restore(16, 22)})
    data, sidecar = packed(log.files(log.request(0, 30)))
    for name, content in (("bundle.zip", data), ("bundle.zip.note", sidecar), ("checkpoint", LOG.checkpoint(22))):
        (files / name).write_bytes(content)
    page.get_by_role("button", name=language).click()
    choose(page, files, bundle="bundle.zip", sidecar="bundle.zip.note", key="log.vkey")
    page.click("#check")
    page.locator("#verdict.ok").wait_for()
    assert told in page.inner_text("#lists")
    choose(page, files, checkpoint="checkpoint")
    page.click("#check")
    page.locator("#verdict.bad").wait_for()
    assert re.search(r"; (innførsel|entry) 16 (registrerer|records)", page.inner_text("#lists"))


def test_what_is_missing_or_wrong_is_told_beside_its_field(page: Page, files: Path) -> None:
    page.click("#check")
    assert page.locator("#faults li").count() == 3
    assert page.evaluate("document.activeElement.id") == "faults"
    assert page.locator("[aria-invalid=true]").count() == 3
    clean(page)
    page.click("#faults li:last-child a")
    assert page.evaluate("document.activeElement.id") == "key"
    choose(page, files, bundle="bundle.zip", key="checkpoint")
    page.check("#unsigned")
    page.click("#check")
    expect(page.locator("#faults")).to_contain_text("Nøkkelen kan ikke brukes")
    choose(page, files, key="log.vkey")
    page.click("#check")
    page.locator("#verdict.ok").wait_for()
    assert "det var ingen signatur" in page.locator("#lists").inner_text()


def test_files_in_each_others_place_are_told_and_nothing_is_found_wrong(page: Page, files: Path) -> None:
    (files / "a.zip.note").write_bytes((files / "bundle.zip.note").read_bytes())
    for given, field, told in (
        ({"bundle": "a.zip.note"}, "bundle", "a.zip.note: dette er signaturen (.zip.note) til en revisjonspakke"),
        ({"sidecar": "bundle.zip"}, "bundle", "er byttet om"),
        ({"bundle": "bundle.zip"}, "sidecar", "bundle.zip: dette er en revisjonspakke (.zip), ikke signaturen"),
        (
            {"sidecar": "bundle.zip.note", "checkpoint": "log.vkey"},
            "checkpoint",
            "log.vkey: dette er ikke et sjekkpunkt",
        ),
    ):
        choose(page, files, key="log.vkey", **given)
        page.click("#check")
        expect(page.locator("#faults.notice")).to_contain_text(told)
        assert page.inner_text("#faults").startswith("Ingenting ble kontrollert.")
        assert page.locator("#verdict").is_hidden()
        assert page.locator("[aria-invalid=true]").count() == 0
        clean(page)
        page.click("#faults a")
        assert page.evaluate("document.activeElement.id") == field
    notice, legend = (page.locator(each).bounding_box() for each in ("#faults", "legend >> nth=0"))
    assert notice is not None
    assert legend is not None
    assert legend["y"] - notice["y"] - notice["height"] >= 8, "the notice stands by itself"
    choose(page, files, checkpoint="checkpoint")
    page.click("#check")
    page.locator("#verdict.ok").wait_for()
    assert page.locator("#faults").is_hidden()


def test_it_goes_on_in_the_page_where_workers_are_forbidden(page: Page, files: Path) -> None:
    page.evaluate("() => { window.Worker = class { constructor() { throw new Error('forbidden'); } }; }")
    choose(page, files, bundle="bundle.zip", sidecar="bundle.zip.note", key="log.vkey")
    page.click("#check")
    page.locator("#verdict.ok").wait_for()


def test_a_browser_without_ed25519_says_so(offline: BrowserContext) -> None:
    page = offline.new_page()
    page.add_init_script("SubtleCrypto.prototype.importKey = async () => { throw new Error('no such algorithm'); }")
    page.goto(PAGE.as_uri())
    page.locator("#unsupported:visible").wait_for()
    assert page.locator("#check").is_disabled()


def test_its_policy_refuses_every_request(chromium: Browser) -> None:
    """Also where there is a network: the browser itself keeps the page from asking."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(PAGE.as_uri())
        refused = page.evaluate(ASK, f"http://127.0.0.1:{listener.getsockname()[1]}")
        context.close()
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert sorted(refused) == ["connect-src", "img-src", "script-src-elem", "undefined"]
