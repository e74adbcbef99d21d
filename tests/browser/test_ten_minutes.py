"""The first ten minutes of somebody new in IT, step by step as README.md tells them, up to verified evidence.

The steps are one walk in one world: each begins where the one before ended, and says so when that one failed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import launched
from tests.browser.newcomer import ROOT, Newcomer, Terminal

README = (ROOT / "README.md").read_text(encoding="utf-8")
TRYING = README.partition("## Try it in ten minutes")[2].partition("\n## ")[0]
PATIENCE_MS = 60_000  # a busy machine is slow, not wrong
PASSWORD = "a sentence of a few words"
RULES = {"Bokmål": "Ta vare på utstyret.", "Nynorsk": "Ta vare på utstyret.", "English": "Take care of the equipment."}
NOTICE = {
    "controller": "Storvik kommune, post@storvik.kommune.no",
    "dpo": "personvernombud@storvik.kommune.no",
    "legal_basis": "6.1.e",
    "legal_basis_law": "kommuneloven § 25-1",
    "backup_days": "30",
}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    expect.set_options(timeout=PATIENCE_MS)
    terminal = Terminal(tmp_path_factory.mktemp("newcomer"))
    with launched() as browser:
        terminal.start()
        try:
            yield Newcomer(browser, terminal, PATIENCE_MS)
        finally:
            terminal.stop()


@pytest.fixture
def newcomer(walk: Newcomer, request: pytest.FixtureRequest) -> Newcomer:
    """The newcomer, where all steps before this one went well."""
    if walk.under_way:
        pytest.fail(f"not tried, since the walk stopped at {walk.under_way}", pytrace=False)
    walk.under_way = request.node.name
    return walk


def done(newcomer: Newcomer) -> None:
    """This step went well."""
    newcomer.under_way = ""


def is_written(*words: str) -> None:
    """README's ten minutes name what is clicked, in the console's own words."""
    for each in words:
        assert f"*{each}*" in TRYING, f"README.md, Try it in ten minutes, does not name *{each}*"


def test_make_run_is_what_this_walk_starts() -> None:
    make = ["make", "--no-print-directory", "-n", "run", "GJESTENETT_CONFIG="]  # quiet about folders under `make test`
    recipe = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "gjestenett config starter > gjestenett.toml" in recipe
    assert recipe.splitlines()[-1].endswith("gjestenett --config gjestenett.toml up")


def test_1_what_is_started_says_where_the_settings_are_and_how_to_sign_in(newcomer: Newcomer) -> None:
    terminal = newcomer.terminal
    assert terminal.wait_for(r"^settings +(.+)") == str(terminal.settings)
    for label in ("certificate", "enforcer", "starting", "dns", "guest portal", "console"):
        assert f"\n{label} " in TRYING, label
        terminal.shows(f"^{label} +(.+)")
    assert terminal.shows(r"^first sign-in +(\S+)").startswith("https://localhost:")
    before, _, after = "\n".join(terminal.printed).partition("\nstarting ")
    assert "://" not in before, "an address is printed before anything answers there"
    assert "\nguest portal " in after
    terminal.shows("dns: policy generation 1 in force")
    done(newcomer)


def test_2_the_printed_link_makes_an_account_with_a_second_factor(newcomer: Newcomer) -> None:
    page, terminal = newcomer.page, newcomer.terminal
    [link] = re.findall(r"^ *first sign-in +(\S+)", terminal.so_far, re.MULTILINE)
    page.goto(link)
    newcomer.fill("User name", "kari")
    newcomer.fill("Password", "short")
    newcomer.press("Save the password")
    expect(page.get_by_role("alert")).to_contain_text("at least 15 characters")
    newcomer.fill("Password", PASSWORD)
    newcomer.fill("The same password again", PASSWORD)
    app = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    step = int(time.time()) // 30
    newcomer.fill("The code that the app shows now", app.generate_otp(step))
    newcomer.press("Save the password")
    expect(page.locator(".codes li")).to_have_count(8)
    newcomer.follow("I have written them down: sign in")
    newcomer.fill("User name", "kari")
    newcomer.fill("Password", PASSWORD)
    newcomer.press("Sign in")
    newcomer.fill("Six digits from your authenticator", app.generate_otp(step + 1))  # one waits for the next code
    newcomer.press("Sign in")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    used = newcomer.context.new_page()
    used.goto(link)
    expect(used.get_by_role("heading", level=1)).not_to_have_text("Set up your account")
    done(newcomer)


def test_3_the_first_page_says_what_to_do_first(newcomer: Newcomer) -> None:
    steps = newcomer.page.get_by_role("region", name="First steps")
    is_written("First steps")
    for key in NOTICE:
        expect(steps).to_contain_text(f"privacy.{key}")
    expect(steps.get_by_role("link", name="Rules", exact=True)).to_have_attribute("href", "/rules")
    done(newcomer)


def test_4_a_category_is_closed_and_published_with_a_note(newcomer: Newcomer) -> None:
    page = newcomer.page
    assert "Blocked" not in dig(newcomer, "www.netflix.com"), "streaming is open at first"
    is_written("Content filter", "Streaming", "Closed", "Save, and look at what is published", "Publish")
    newcomer.follow("Content filter")
    page.get_by_label("Streaming, All other devices").select_option("Closed")
    newcomer.press("Save, and look at what is published")
    newcomer.fill("Note (optional)", "The line is for courses")
    newcomer.press("Publish")
    expect(page.get_by_role("status")).to_contain_text("Published as generation 2")
    done(newcomer)


def test_5_dig_sees_it_closed_with_the_reason(newcomer: Newcomer) -> None:
    newcomer.terminal.wait_for("dns: policy generation 2 in force")
    answer = dig(newcomer, "www.netflix.com")
    assert re.search(r"^www\.netflix\.com\.\s+\d+\s+IN\s+A\s+0\.0\.0\.0$", answer, re.MULTILINE), answer
    assert "EDE: 15 (Blocked): (streaming)" in answer
    assert "EDE: 15 (Blocked): (streaming)" in TRYING
    assert "Blocked" not in dig(newcomer, "www.nav.no")
    page = newcomer.page
    newcomer.follow("Content filter")
    expect(page.get_by_text("Compiled: generation 2")).to_be_visible()
    newcomer.fill("Try a name", "www.netflix.com")
    newcomer.press("Try")
    expect(page.get_by_role("heading", name="www.netflix.com")).to_contain_text("closed")
    done(newcomer)


def test_6_new_rules_are_written_seen_and_compared_and_want_the_notice(newcomer: Newcomer) -> None:
    page = newcomer.page
    is_written("Rules", "Write a new version", "Save, and see it as guests do")
    newcomer.follow("Rules")
    newcomer.click(page.get_by_role("link", name="Write a new version").first)
    for language, rule in RULES.items():
        text = page.get_by_label(language, exact=True).input_value()
        newcomer.fill(language, text.replace("\n- ", f"\n- {rule}\n- ", 1))
    newcomer.fill("Who adopts it", "Kommunestyret")
    newcomer.press("Save, and see it as guests do")
    expect(page.locator("section.rules")).to_contain_text(RULES["English"])
    expect(page.locator("ins").first).to_be_visible()
    missing = page.get_by_role("region", name="What is missing before it can be published")
    for key in NOTICE:
        expect(missing).to_contain_text(f"privacy.{key}")
    is_written("Settings", "Save", "What is missing before it can be published")
    draft = page.url
    newcomer.click(missing.get_by_role("link", name="Settings"))
    for key, value in NOTICE.items():
        newcomer.filled += 1
        field = page.locator(f"#{key}")
        if key == "legal_basis":
            field.select_option(value)
        else:
            field.fill(value)
    newcomer.press("Save")
    expect(page.get_by_role("status")).to_contain_text("holding from now on")
    page.goto(draft)
    expect(missing).to_have_count(0)
    done(newcomer)


def test_7_the_new_rules_are_published(newcomer: Newcomer) -> None:
    is_written("Go on to publish it", "Publish the rules")
    newcomer.follow("Go on to publish it")
    newcomer.press("Publish the rules")
    expect(newcomer.page.get_by_role("status")).to_contain_text("The next guest sees it")
    done(newcomer)


def test_8_a_guest_accepts_them(newcomer: Newcomer) -> None:
    [address] = set(re.findall(r"^ *guest portal +(\S+)", newcomer.terminal.so_far, re.MULTILINE))
    guest = newcomer.guests.new_page()
    guest.goto(address)
    expect(guest.locator("main")).to_contain_text(RULES["Bokmål"])
    newcomer.fill("Navnet ditt", "Ola Nordmann", guest)
    newcomer.press("Jeg har lest og godtar reglene", guest)
    expect(guest.get_by_role("heading", level=1)).to_have_text("Du har godtatt reglene")
    done(newcomer)


def test_9_the_acceptances_are_exported_with_a_reason(newcomer: Newcomer) -> None:
    page, folder = newcomer.page, newcomer.terminal.folder
    is_written("Evidence", "Choose and export", "Make the bundle")
    newcomer.follow("Evidence")
    expect(page.get_by_role("row").filter(has_text="Ola Nordmann")).to_have_count(1)
    newcomer.follow("Choose and export")
    newcomer.press("Make the bundle")
    expect(page.get_by_role("alert")).to_contain_text("Write why")
    newcomer.fill("Reason", "Trying it")
    newcomer.press("Make the bundle")
    expect(page.get_by_role("heading", name="The bundle is ready")).to_be_visible()
    bundle = newcomer.download("Download the bundle", folder)
    note = newcomer.download("Download its signature (.zip.note)", folder)
    assert bundle.suffix == ".zip"
    assert note.name == f"{bundle.name}.note"
    done(newcomer)


def test_10_both_verifiers_say_that_it_holds(newcomer: Newcomer, browser: Browser) -> None:
    folder = newcomer.terminal.folder
    assert "audit verifier --out for-the-auditor/" in TRYING
    newcomer.terminal.run("audit", "verifier", "--out", "for-the-auditor/")
    [bundle] = folder.glob("*.zip")
    given = folder / "for-the-auditor"
    said = subprocess.run(
        [sys.executable, "-I", str(given / "verify_bundle.py"), str(bundle), "--key", str(given / "log.vkey")],
        cwd="/", capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout + said.stderr
    context = browser.new_context(locale="nb-NO")
    context.set_offline(True)
    page = context.new_page()
    page.goto((given / "verify.html").as_uri())
    page.get_by_label("Revisjonspakken").set_input_files(bundle)
    page.get_by_label("Signaturen (.zip.note)").set_input_files(f"{bundle}.note")
    page.get_by_label("Den offentlige nøkkelen til loggen").set_input_files(given / "log.vkey")
    newcomer.press("Kontroller", page)
    expect(page.get_by_role("heading", name="Bevist")).to_be_visible()
    done(newcomer)


def test_all_steps_together(newcomer: Newcomer, capsys: pytest.CaptureFixture[str]) -> None:
    """How much it was; printed, since a machine's seconds are not a person's."""
    taken_s = time.monotonic() - newcomer.began
    with capsys.disabled():
        print(f"\nthe whole walk: {newcomer.clicks} clicks, {newcomer.filled} fields, {taken_s:.0f} s of this machine")
    done(newcomer)


@pytest.fixture
def browser(walk: Newcomer) -> Browser:
    browser = walk.context.browser
    assert browser is not None
    return browser


def dig(newcomer: Newcomer, name: str) -> str:
    """What README's own command prints, against this walk's port."""
    [command] = re.findall(r"^ *(dig .+)$", TRYING, re.MULTILINE)
    assert command == "dig @127.0.0.1 -p 5300 www.netflix.com"
    found = shutil.which("dig")
    assert found is not None, "dig is missing; install the package bind9-dnsutils"
    arguments = ["@127.0.0.1", "-p", str(newcomer.terminal.dns_port), "+tries=1", name]
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout
