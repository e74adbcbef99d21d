from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from captive_portal.auth.setup import first_setup_link
from captive_portal.console.evidence.periods import read_period
from captive_portal.console.look import LANGUAGES
from captive_portal.i18n import read_catalogue
from gateway.lists import generations as publishing
from gateway.lists import jobs
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish as publish_snapshot
from gateway.storage import generations, grants
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.policy_models import PolicyGeneration
from policies.snapshot import NamedList

HTML = "<script>alert(1)</script>"
BAD_TEXTS = ["x" * 5000, "a\0b", "a\x07b", "a\u202eb", "a\u200fb", "a\nb", "\ud800"]


def leaf_types(world) -> list[str]:
    with world.services.database.read() as session:
        return [re.search(rb'"type":"(\w+)"', row.entry)[1].decode() for row in session.query(StagedLeaf)]


def disclosed(world) -> list[str]:
    with world.services.database.read() as session:
        return [row.value for row in session.query(Disclosure)]


def test_set_up_then_sign_in(world):
    path = first_setup_link(world.services).removeprefix("https://localhost:8081")
    browser = world.browser()
    answer = browser.fill(path, path, username="Kari.Nordmann", password=world.password, password_again=world.password)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?notice=ready")
    assert browser.get(path).status_code == 410
    assert "staff_change" in leaf_types(world)
    assert browser.sign_in("kari.nordmann").status_code == 303
    assert leaf_types(world)[-1] == "staff_login"
    assert "127.0.0.1" in disclosed(world)
    assert "Overview" in browser.get("/").text


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"username": HTML}, "Choose a user name"),
        ({"username": "a\0b"}, "Choose a user name"),
        ({"username": ""}, "Choose a user name"),
        ({"password": "short", "password_again": "short"}, "at least 15"),
        ({"password_again": "another fine sentence"}, "not the same"),
        ({"password": "a" * 300}, "at most 200"),
        ({"password": "passordpassordpassord"}, "repeats the same characters"),
        ({"password": "Eksempel kommune"}, "the municipality&#39;s name"),
        ({"username": "ola.nordmann", "password": "Ola.Nordmann2026"}, "mostly your user name"),
    ],
)
def test_set_up_says_what_to_correct_and_stays_open(world, fields, problem):
    path = first_setup_link(world.services).removeprefix("https://localhost:8081")
    good = {"username": "kari", "password": world.password, "password_again": world.password}
    browser = world.browser()
    answer = browser.fill(path, path, **(good | fields))
    assert answer.status_code == 422
    assert problem in answer.text
    assert HTML not in answer.text
    assert world.password not in answer.text
    assert answer.text.count('class="hint"') + answer.text.count('class="error"') <= 4, "not both for one field"
    assert browser.fill(path, path, **good).status_code == 303


def test_an_empty_console_teaches(world):
    world.publish_all()
    browser = world.signed_in("it")
    assert "No device is online" in browser.get("/devices").text
    assert "No acceptances yet" in browser.get("/acceptances").text
    assert "No acceptances fit this search" in browser.get("/acceptances?first=2001-01-01&last=2001-01-02").text
    assert "No gateway drives a firewall now" in browser.get("/devices").text


def test_devices_show_who_and_what_the_gateway_has_done(world):
    world.publish_all()
    grant = world.accepted(HTML).grant_id
    world.accepted("Ola", "02:00:00:00:00:02")
    browser = world.signed_in("it")
    page = browser.get("/devices").text
    assert "&lt;script&gt;" in page
    assert HTML not in page
    assert "02:00:00:00:00:02" in page
    assert "Let through" not in page
    with world.services.database.write() as session:
        grants.record_applied(session, world.services.place.gateway_id, [grant], [], world.now)
    assert browser.get("/devices").text.count("Let through") == 1
    world.now += timedelta(hours=10)
    browser.sign_in("it-person")
    assert "No device is online" in browser.get("/devices").text


def test_ending_access_asks_first_and_is_recorded(world):
    world.publish_all()
    grant = world.accepted("Ola").grant_id
    browser = world.signed_in("it", "kari")
    path = f"/devices/{grant}/end"
    assert "End the access" in browser.get(path).text
    assert "Ola" in browser.get("/devices").text
    assert browser.fill(path, path).headers["location"] == "/devices?notice=ended"
    assert leaf_types(world)[-1] == "grant_revoked"
    assert "kari" in disclosed(world)
    assert "Ola" not in browser.get("/devices").text
    assert browser.get(path).status_code == 404
    assert browser.post(path, data={"form_token": browser.token_on("/devices")}).status_code == 404
    assert leaf_types(world).count("grant_revoked") == 1


def test_an_address_that_names_no_grant_is_answered_404(world):
    world.publish_all()
    browser = world.signed_in("it")
    for name in ("%00", "x" * 3000, "%3Cscript%3E", "%E2%80%AE", "a b", "'--"):
        assert browser.get(f"/devices/{name}/end").status_code == 404
        assert browser.fill("/policy", f"/devices/{name}/end").status_code == 404


def test_what_goes_wrong_unexpectedly_is_a_page_that_gives_nothing_away(world, monkeypatch):
    from captive_portal.console.devices import online as devices

    def fail(*_arguments):
        raise RuntimeError("secret detail")

    world.publish_all()
    browser = world.signed_in("it")
    monkeypatch.setattr(devices.stored, "whole", fail)
    answer = browser.get("/devices")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def closed_in_force(world) -> set[str]:
    with world.services.database.read() as session:
        row = generations.in_force(session, world.services.place.owner_id)
        return set(row.document["groups"]["default"]["closed"])


def publish_draft(browser, note="") -> httpx.Response:
    """Publish what stands on the page of the draft."""
    page = browser.get("/policy/draft").text
    seen = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("generation", "draft")}
    return browser.fill("/policy/draft", "/policy/draft/publish", note=note, **seen)


def test_closing_a_category_publishes_a_generation_and_the_snapshot_follows(world):
    world.publish_all()
    browser = world.signed_in("it", "kari")
    before = closed_in_force(world)
    assert "streaming" not in before
    browser.fill("/policy", "/policy", **{"1.dating": "closed>open", "1.streaming": "open>closed"})
    answer = publish_draft(browser, HTML)
    assert answer.headers["location"] == "/policy?notice=published"
    assert closed_in_force(world) == before - {"dating"} | {"streaming"}
    page = browser.get("/policy/history").text
    assert "&lt;script&gt;" in page
    assert HTML not in page
    assert "Nothing compiled yet" in browser.get("/policy").text
    state = world.settings.state
    assert jobs.compile_in_force(world.services.database, world.services.place, state, ()) == 2
    assert "Compiled: generation 2" in browser.get("/policy").text
    browser.fill("/policy", "/policy", **{"1.dating": "open>closed"})
    publish_draft(browser)
    assert "Generation 2 applies until 3 is compiled" in browser.get("/policy").text
    (state / "policy" / "current.snapshot").write_bytes(b"")
    assert "Nothing compiled yet" in browser.get("/policy").text


def test_a_fresh_installation_publishes_its_proposal(world):
    browser = world.signed_in("it")
    page = browser.get("/policy").text
    assert "Nothing has been published yet" in page
    shown = set(
        re.findall(r'name="1\.(\w+)"[^>]*>\s*(?:<option[^>]*>[^<]*</option>)*?<option value="closed>closed"', page)
    )
    assert publish_draft(browser).status_code == 303
    assert closed_in_force(world) == shown


def test_a_first_draft_of_the_command_line_is_published_with_what_is_set_here(world):
    browser = world.signed_in("it")
    place = world.services.place
    with world.services.database.write() as session:
        document = publishing.draft(session, place)
        document["groups"]["default"]["forbid"] = ["forbidden.example"]
        publishing.save_draft(session, place, document, world.now)
    browser.fill("/policy", "/policy", **{"1.gaming": "closed>open"})
    assert publish_draft(browser).status_code == 303
    with world.services.database.read() as session:
        group = generations.in_force(session, place.owner_id).document["groups"]["default"]
    assert ("gaming" in group["closed"], group["forbid"]) == (False, ["forbidden.example"])


def test_the_note_of_the_installation_is_shown_in_the_readers_language(world):
    place = world.services.place
    with world.services.database.write() as session:
        publishing.publish(session, place, "gjestenett", "starter policy", world.now)
    browser = world.signed_in("it")
    assert "starter policy" in browser.get("/policy/history").text
    page = browser.get("/policy/history?lang=nb").text
    assert "Oppsettet fra installasjonen" in page
    assert "starter policy" not in page
    browser.fill("/policy", "/policy", **{"1.gaming": "closed>open"})
    publish_draft(browser, "starter policy")
    assert browser.get("/policy/history").text.count("starter policy") == 1, "what a person wrote stays as it is"


def test_categories_without_a_list_are_told(world):
    world.publish_all()
    browser = world.signed_in("it")
    assert "no list yet" not in browser.get("/policy").text, "nothing is compiled, so nothing is known"
    lists = (NamedList("test/gaming", "gaming", "0" * 64, ("game.example",)),)
    with world.services.database.read() as session:
        document = generations.in_force(session, world.services.place.owner_id).document
    publish_snapshot(world.settings.state, compile_policy(document, 1, lists=lists))
    page = browser.get("/policy").text
    assert page.index("Named in the guidelines") < page.index('name="1.gaming"') < page.index("Other categories")
    assert page.index("Other categories") < page.index('name="1.piracy"')
    rows = page.split("<tr>")
    assert all(("no list yet" in row) != ("names in" in row) for row in rows if "1." in row and "select" in row)
    assert any("no list yet" in row for row in rows if 'name="1.piracy"' in row)


def test_a_policy_form_that_is_out_of_date_or_wrong_publishes_nothing(world):
    world.publish_all()
    browser = world.signed_in("it")
    assert browser.fill("/policy", "/policy", **{"1.gaming": "open>report"}).status_code == 409
    for bad in (HTML, "x" * 5000, "a\0b"):
        assert browser.fill("/policy", "/policy", **{"1.gaming": bad}).status_code == 422
    browser.fill("/policy", "/policy", **{"1.gaming": "closed>open"})
    for bad in BAD_TEXTS[:-1]:
        assert publish_draft(browser, bad).status_code == 422
    browser.fill("/policy", "/policy", **{"1.gaming": "open>closed"})
    same = browser.fill("/policy", "/policy", **{"1.gaming": "closed>closed"})
    assert same.headers["location"] == "/policy?notice=same"
    with world.services.database.read() as session:
        assert session.query(PolicyGeneration).count() == 1


def test_acceptances_page_by_page_without_a_gap_or_a_repeat(world):
    world.publish_all()
    for number in range(120):
        world.now += timedelta(seconds=number % 2)
        world.accepted(f"Gjest {number:03}", f"02:00:00:00:01:{number:02x}")
    browser = world.signed_in("auditor")
    path, seen = "/acceptances", []
    while path:
        page = browser.get(path).text.partition("<main")[2]
        seen += re.findall(r"Gjest \d+", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert sorted(seen) == [f"Gjest {number:03}" for number in range(120)]
    assert browser.get("/acceptances?after=rubbish%00~x").status_code == 200


def test_a_receipt_code_is_written_as_the_guest_has_it(world):
    world.publish_all()
    code = world.accepted("Ola").receipt_code
    page = world.signed_in("auditor").get("/acceptances").text
    assert "-".join(code[start : start + 4] for start in range(0, 16, 4)) in page
    assert code not in page


def test_a_period_is_in_local_days(world):
    period = read_period("2026-03-29", "2026-03-29")
    assert period.until - period.since == timedelta(hours=23), "summer time began that day"
    assert set(read_period("2026-02-30", "x" * 999).problems) == {"first", "last"}
    assert set(read_period("2026-02-02", "2026-02-01").problems) == {"first"}
    assert read_period("", "").problems == {}
    assert set(read_period("", "", required=True).problems) == {"first", "last"}


def test_a_locked_database_gives_503_and_writes_nothing(world, monkeypatch):
    from gateway.storage import engine

    monkeypatch.setattr(engine, "PRAGMAS", (*engine.PRAGMAS[:-1], "PRAGMA busy_timeout=50"))
    world.publish_all()
    grant = world.accepted("Ola").grant_id
    browser = world.signed_in("it")
    world.services.database.engine.dispose()
    token = browser.token_on("/policy")
    blocker = sqlite3.connect(world.services.database.sqlite_path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    world.now += timedelta(minutes=5)
    assert browser.get("/devices").status_code == 200, "reading goes on"
    for path, fields in ((f"/devices/{grant}/end", {}), ("/policy", {"1.gaming": "closed>open"}), ("/sign-out", {})):
        answer = browser.post(path, data={"form_token": token, **fields})
        assert answer.status_code == 503
        assert "The database does not answer" in answer.text
        assert answer.headers["retry-after"] == "5"
    blocker.execute("ROLLBACK")
    blocker.close()
    assert "Ola" in browser.get("/devices").text
    assert leaf_types(world).count("policy_published") == 1


def test_a_lost_database_gives_503_and_health_tells_alive_from_ready(world):
    browser = world.signed_in("it")
    assert browser.get("/readyz").status_code == 200
    world.services.database.engine.dispose()
    path = world.services.database.sqlite_path
    for file in path.parent.glob("gjestenett.sqlite3*"):
        file.unlink()
    path.mkdir()
    assert browser.get("/devices").status_code == 503
    assert browser.get("/readyz").status_code == 503
    assert browser.get("/healthz").text == "ok\n"
    assert browser.get("/sign-in").status_code == 200


def test_metrics_count(world):
    world.publish_all()
    world.accepted("Ola")
    text = world.browser().get("/metrics").text
    assert "gjestenett_grants_open 1.0" in text
    assert "gjestenett_policy_generation 1.0" in text
    assert "gjestenett_leaves_staged 3.0" in text
    assert "gjestenett_tree_size 0.0" in text


def test_the_language_is_asked_for_remembered_and_shown(world):
    browser = world.browser()
    assert '<html lang="en">' in browser.get("/sign-in").text
    assert '<html lang="nn">' in browser.get("/sign-in?lang=nn").text
    assert "Brukarnamn" in browser.get("/sign-in").text
    assert '<html lang="nn">' in browser.get("/sign-in?lang=xx").text
    assert '<html lang="nb">' in browser.elsewhere("192.0.2.1").get("/sign-in", headers={"accept-language": "se"}).text


SOURCES = Path(__file__).parents[3] / "captive_portal"


def test_every_text_is_translated_and_none_is_left_over():
    used = set()
    for path in [*SOURCES.glob("templates/console/*.html"), *SOURCES.glob("console/**/*.py")]:
        used |= set(re.findall(r'\b(?:_|N_)\(\s*"((?:[^"\\]|\\.)*)"', path.read_text(encoding="utf-8")))
    assert len(used) > 100
    for language in LANGUAGES:
        messages = read_catalogue(SOURCES / "locale" / language / "LC_MESSAGES" / "console.po")
        if language == "en":
            assert messages == {}
            continue
        assert set(messages) == used
        for source, text in messages.items():
            assert re.findall(r"{\w+}", source) == re.findall(r"{\w+}", text)
            assert "samtyk" not in text.lower()


def test_no_page_needs_a_script_or_inline_style():
    for path in SOURCES.glob("templates/console/*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r"<script[^>]*>", text)
        ours = re.compile(r'<script src="/static/[a-z]+\.js" (type="module"|defer)>')
        assert all(map(ours.fullmatch, loaded)), path.name
        several = [f'<script src="/static/{name}.js" type="module">' for name in ("live", "passkey")]
        assert set(loaded) <= set(several) or path.name == "overview.html"
        assert not re.search(r"\sstyle=|\son\w+=|http://|https://", text), path.name


def test_a_device_is_moved_into_another_group_where_there_are_several(world):
    world.publish_all()
    grant = world.accepted("Ola").grant_id
    browser = world.signed_in("it", "kari")
    assert 'name="group"' not in browser.get("/devices").text, "with one group there is nothing to choose"
    with world.services.database.write() as session:
        document = publishing.draft(session, world.services.place)
        document["groups"]["course"] = document["groups"]["default"] | {"mark": 9}
        publishing.save_draft(session, world.services.place, document, world.now)
        publishing.publish(session, world.services.place, "it", "", world.now)
    path = f"/devices/{grant}/move"
    assert browser.fill("/devices", path, group="course").headers["location"] == "/devices?notice=moved"
    page = browser.get("/devices?notice=moved").text
    assert "in another group now" in page
    assert '<option value="course" selected>' in page
    assert leaf_types(world)[-1] == "grant_moved"
    with world.services.database.read() as session:
        assert grants.owned_grant(session, world.services.place.owner_id, grant).mark == 9
    assert browser.fill("/devices", path, group="course").headers["location"] == "/devices"
    for group in ("nobody", "", "a\0b"):
        assert browser.fill("/devices", path, group=group).headers["location"] == "/devices?notice=no-group"
    assert "no such group" in browser.get("/devices?notice=no-group").text
    assert browser.fill("/devices", "/devices/nothing/move", group="course").status_code == 404
