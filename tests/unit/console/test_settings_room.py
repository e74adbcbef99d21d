"""The settings room: each operational setting is checked, kept with its leaf, taken up and given back."""

from __future__ import annotations

import dataclasses
import html
import json
import re

import pytest

from captive_portal.console_app import create_app
from gateway.settings import Owner, Privacy, Settings
from gateway.settings.now import SettingsNow, change
from gateway.settings.operational import OPERATIONAL, over, read, value_of, write
from gateway.storage.log_models import Disclosure, StagedLeaf
from gateway.storage.operational_models import OperationalSetting
from gateway.terms.notice import blanks
from tests.unit.console.conftest import Browser, World

GOOD = {
    "owner.name": "Storvik kommune",
    "owner.unit": "Digitalisering",
    "owner.helpdesk_phone": "+47 61 00 00 00",
    "owner.helpdesk_hours": "hverdager 8–15",
    "portal.accessibility_statement": "https://uustatus.no/nb/erklaringer/publisert/1",
    "privacy.controller": "Storvik kommune, post@storvik.kommune.no",
    "privacy.dpo": "ombud@storvik.kommune.no",
    "privacy.legal_basis": "6.1.e",
    "privacy.legal_basis_law": "kommuneloven § 25-1",
    "privacy.backup_days": "0",
    "courses.host_groups": "default",
    "console.idle_minutes": "45",
    "console.session_hours": "8",
}
FIELD = {key: OPERATIONAL[key].name for key in OPERATIONAL}
HTML = '"><script>alert(1)</script>'


def shown(browser: Browser) -> dict[str, str]:
    """What the form of the settings sends when nothing is written in it."""
    return sent(browser.get("/settings").text)


def sent(page: str) -> dict[str, str]:
    """The fields of the only form of a page, as they stand."""
    [form] = re.findall(r'<form method="post" action="/settings".*?</form>', page, re.DOTALL)
    found = re.findall(r'<input(?![^>]*checkbox)[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form)
    fields = {name: html.unescape(value) for name, value in found}
    for name, options in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        fields[name] = chosen[1]
    return fields


def save(browser: Browser, **written: str):
    """Write over some of the settings, and save; `back` gives one back to the settings file."""
    return browser.post("/settings", data=shown(browser) | written)


def leaves(world: World) -> list[tuple[str, dict[str, str]]]:
    """(setting, personal fields) of the leaves of changes, oldest first."""
    found = []
    with world.services.database.read() as session:
        for row in session.query(StagedLeaf).order_by(StagedLeaf.id):
            entry = json.loads(row.entry)
            if entry["type"] == "setting_changed":
                told = {each.name: each.value for each in session.query(Disclosure).filter_by(leaf_id=row.leaf_id)}
                found.append((entry["setting"], told))
    return found


@pytest.mark.parametrize("key", list(OPERATIONAL))
def test_what_is_written_is_read_back_and_the_file_could_say_so(key):
    setting = OPERATIONAL[key]
    value, problem = read(setting, GOOD[key])
    assert problem is None
    assert write(value) == GOOD[key]
    expected = tuple(value) if isinstance(value, list) else value
    assert value_of(over(Settings.model_construct(), {key: value}), setting) == expected


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("owner.unit", ""),
        ("privacy.controller", "  "),
        ("privacy.dpo", ""),
        ("owner.name", " "),
        ("owner.name", "x" * 121),
        ("privacy.legal_basis", ""),
        ("privacy.legal_basis", "6.1.a"),
        ("privacy.legal_basis_law", ""),
        ("privacy.backup_days", ""),
        ("privacy.backup_days", "-1"),
        ("privacy.backup_days", "3651"),
        ("owner.unit", "x" * 81),
        ("owner.unit", "a\nb"),
        ("owner.helpdesk_hours", "a\u202eb"),
        ("owner.helpdesk_phone", "ring oss"),
        ("owner.helpdesk_phone", "1" * 41),
        ("portal.accessibility_statement", "https://example.com/x"),
        ("portal.accessibility_statement", "javascript:alert(1)"),
        ("courses.host_groups", "Default"),
        ("console.idle_minutes", "4"),
        ("console.idle_minutes", "1441"),
        ("console.idle_minutes", "30.5"),
        ("console.idle_minutes", "٣٠"),
        ("console.session_hours", "0"),
        ("console.session_hours", "-1"),
        ("console.session_hours", ""),
    ],
)
def test_what_the_file_could_not_say_is_refused(key, text):
    value, problem = read(OPERATIONAL[key], text)
    assert value is None or problem is not None
    assert problem == OPERATIONAL[key].kind


def test_what_is_stored_and_not_sound_or_no_operational_setting_changes_nothing():
    settings = Settings.model_construct()
    stored = {
        "console.idle_minutes": 0,
        "owner.helpdesk_phone": 7,
        "console.port": 1,
        "owner.site": "x",
        "privacy.legal_basis": "6.1.a",
        "privacy.backup_days": -1,
        "nonsense": "",
    }
    assert over(settings, stored) == settings


def test_a_change_holds_at_once_is_a_leaf_with_both_values_and_is_given_back(world):
    now = SettingsNow(world.settings)
    services = dataclasses.replace(world.services, settings=now)
    owner_id = world.services.place.owner_id

    def phone() -> str:
        with world.services.database.read() as session:
            now.refresh(session, owner_id)
        return str(services.settings.owner.helpdesk_phone)

    world.account("kari", "it")
    browser = Browser(create_app(services))
    world.sign_in(browser, "kari")
    page = browser.get("/settings").text
    assert page.count("As the settings file has it.") == len(OPERATIONAL)
    answer = save(browser, helpdesk_phone=" 61 00 00 00 ")
    assert answer.headers["location"] == "/settings?changed=helpdesk_phone"
    assert (
        "without a restart:</p><ul><li>Telephone of the help desk</li></ul>"
        in browser.get("/settings?changed=helpdesk_phone").text
    )
    assert phone() == "61 00 00 00"
    save(browser, helpdesk_phone="62 00 00 00")
    again = save(browser, helpdesk_phone="62 00 00 00")
    assert again.headers["location"] == "/settings?notice=same"
    assert "Nothing was changed." in browser.get("/settings?notice=same").text
    assert "Changed by" in browser.get("/settings").text
    assert re.search(
        r"helpdesk_phone</code>.*?62 00 00 00.*?changed here", browser.get("/settings/started").text, re.DOTALL
    )
    assert save(browser, back="helpdesk_phone").status_code == 303
    assert phone() == ""
    assert leaves(world) == [
        ("owner.helpdesk_phone", {"by": "kari", "after": "61 00 00 00"}),
        ("owner.helpdesk_phone", {"by": "kari", "before": "61 00 00 00", "after": "62 00 00 00"}),
        ("owner.helpdesk_phone", {"by": "kari", "before": "62 00 00 00", "note": "given back to the settings file"}),
    ]


def test_minutes_of_idleness_hold_for_the_next_page(world):
    now = SettingsNow(world.settings)
    services = dataclasses.replace(world.services, settings=now)
    place = world.services.place
    with world.services.database.write() as session:
        setting = OPERATIONAL["console.idle_minutes"]
        assert change(session, place, world.settings, setting, 5, by="kari", now=world.now)
        now.refresh(session, place.owner_id)
    assert services.settings.console.idle_minutes == 5
    assert services.settings.console.port == 8081


def test_all_that_is_written_is_saved_at_once_with_a_leaf_for_each_that_changed(world):
    it = world.signed_in("it", "kari")
    answer = save(it, unit="Digitalisering", idle_minutes="45", helpdesk_hours="")
    assert answer.headers["location"] == "/settings?changed=unit+idle_minutes"
    assert leaves(world) == [
        ("owner.unit", {"by": "kari", "before": "IKT-avdelingen", "after": "Digitalisering"}),
        ("console.idle_minutes", {"by": "kari", "before": "30", "after": "45"}),
    ]


@pytest.mark.parametrize(
    "key", ["owner.name", "owner.helpdesk_phone", "privacy.legal_basis", "courses.host_groups", "console.idle_minutes"]
)
def test_wrong_input_is_told_beside_its_setting_and_changes_nothing_with_all_that_is_typed_kept(world, key):
    world.publish_all()
    it = world.signed_in("it")
    typed = "no-such-group" if key == "courses.host_groups" else f"{HTML}\u202e"
    answer = save(it, **{"unit": "Digitalisering", "session_hours": "0", FIELD[key]: typed})
    assert answer.status_code == 422
    for name in (FIELD[key], "session_hours"):
        assert f'href="#{name}"' in answer.text
        assert f'id="{name}-error"' in answer.text
    assert '<a href="#session_hours">Hours before staff sign in again, however busy: Write a whole' in answer.text
    assert "Nothing has been saved yet, not what is right either." in answer.text
    assert HTML not in answer.text
    assert leaves(world) == []
    with world.services.database.read() as session:
        assert session.query(OperationalSetting).count() == 0
    kept = sent(answer.text)
    assert (kept["unit"], kept["session_hours"]) == ("Digitalisering", "0")
    if key != "privacy.legal_basis":
        assert kept[FIELD[key]] == typed.removesuffix("\u202e")
    answer = it.post("/settings", data=kept | {"session_hours": "8", FIELD[key]: shown(it)[FIELD[key]]})
    assert answer.headers["location"] == "/settings?changed=unit+session_hours", "nothing has to be written again"


def test_what_somebody_else_has_changed_since_the_form_was_shown_stays(world):
    world.publish_all()
    it = world.signed_in("it")
    before = shown(it)
    save(it, unit="Digitalisering", name="Storvik")
    wrong = it.post("/settings", data=before | {"helpdesk_hours": "8–15", "session_hours": "0"})
    assert sent(wrong.text)["unit"] == "Digitalisering"
    it.post("/settings", data=before | {"helpdesk_hours": "8–15"})
    it.post("/settings", data=sent(wrong.text) | {"session_hours": "8"})
    now = shown(it)
    assert {name: now[name] for name in ("unit", "name", "helpdesk_hours", "session_hours")} == {
        "unit": "Digitalisering", "name": "Storvik", "helpdesk_hours": "8–15", "session_hours": "8",
    }  # fmt: skip


def test_who_writes_over_what_somebody_else_has_changed_since_is_told_so_first(world):
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    seen_by_kari, seen_by_ola = shown(kari), shown(ola)
    kari.post("/settings", data=seen_by_kari | {"helpdesk_phone": "61 00 00 00"})
    answer = ola.post("/settings", data=seen_by_ola | {"helpdesk_phone": "62 00 00 00", "unit": "Digitalisering"})
    assert answer.status_code == 422
    assert (
        'id="helpdesk_phone-error">Changed by kari since you opened the page. Now it says “61 00 00 00”.' in answer.text
    )
    assert 'href="#helpdesk_phone"' in answer.text
    assert leaves(world) == [("owner.helpdesk_phone", {"by": "kari", "after": "61 00 00 00"})], "all of it, or nothing"
    kept = sent(answer.text)
    assert (kept["helpdesk_phone"], kept["was-helpdesk_phone"]) == ("62 00 00 00", "61 00 00 00")
    again = ola.post("/settings", data=kept)
    assert again.headers["location"] == "/settings?changed=unit+helpdesk_phone"
    assert leaves(world)[-1] == (
        "owner.helpdesk_phone", {"by": "ola", "before": "61 00 00 00", "after": "62 00 00 00"},
    )  # fmt: skip


def test_what_somebody_else_has_changed_is_told_beside_what_is_wrong(world):
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    before = shown(ola)
    save(kari, helpdesk_phone="61 00 00 00", idle_minutes="45")
    written = {"helpdesk_phone": "ring oss", "idle_minutes": "60", "session_hours": "0"}
    answer = ola.post("/settings", data=before | written)
    for name, value in (("helpdesk_phone", "61 00 00 00"), ("idle_minutes", "45")):
        assert f'id="{name}-error">Changed by kari since you opened the page. Now it says “{value}”.' in answer.text
    assert 'id="session_hours-error">Write a whole' in answer.text
    answer = ola.post("/settings", data=sent(answer.text) | {"session_hours": "8"})
    assert 'id="helpdesk_phone-error">Write a telephone' in answer.text
    assert 'id="idle_minutes-error"' not in answer.text, "it was told"
    save(kari, idle_minutes="50")
    answer = ola.post("/settings", data=sent(answer.text) | {"helpdesk_phone": ""})
    assert 'id="idle_minutes-error">Changed by kari since you opened the page. Now it says “50”.' in answer.text


def test_nothing_is_given_back_that_somebody_else_has_changed_since(world):
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    save(kari, helpdesk_phone="61 00 00 00")
    before = shown(ola)
    save(kari, helpdesk_phone="63 00 00 00")
    answer = ola.post("/settings", data=before | {"back": "helpdesk_phone"})
    assert (answer.status_code, len(leaves(world))) == (422, 2)
    assert "Changed by kari since you opened the page. Now it says “63 00 00 00”." in answer.text
    assert re.search('name="back" value="helpdesk_phone" checked', answer.text)
    assert sent(answer.text)["helpdesk_phone"] == "63 00 00 00"
    again = ola.post("/settings", data=sent(answer.text) | {"back": "helpdesk_phone"})
    assert again.headers["location"] == "/settings?changed=helpdesk_phone"
    told = {"by": "ola", "before": "63 00 00 00", "note": "given back to the settings file"}
    assert leaves(world)[-1] == ("owner.helpdesk_phone", told)


def test_what_is_written_beside_a_tick_that_gives_it_back_is_asked_about(world):
    it = world.signed_in("it")
    save(it, helpdesk_phone="61 00 00 00")
    answer = save(it, helpdesk_phone="63 00 00 00", back="helpdesk_phone")
    assert (answer.status_code, len(leaves(world))) == (422, 1)
    assert "Take the tick away, or what you wrote." in answer.text
    assert sent(answer.text)["helpdesk_phone"] == "63 00 00 00"


def test_what_was_given_back_meanwhile_is_told_without_a_name_and_choices_by_their_words(world):
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    save(kari, helpdesk_phone="61 00 00 00")
    before = shown(ola)
    save(kari, back="helpdesk_phone", legal_basis="6.1.f")
    answer = ola.post("/settings", data=before | {"helpdesk_phone": "62 00 00 00", "legal_basis": "6.1.c"})
    assert 'id="helpdesk_phone-error">Changed since you opened the page. Now it says nothing.' in answer.text
    assert "Now it says “6.1.f: a legitimate interest”." in answer.text


def test_two_who_want_the_same_have_no_quarrel(world):
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    before = shown(ola)
    save(kari, helpdesk_phone="61 00 00 00")
    same = ola.post("/settings", data=before | {"helpdesk_phone": " 61 00 00 00 "})
    assert same.headers["location"] == "/settings?notice=same"
    before = shown(ola)
    save(kari, back="helpdesk_phone")
    assert (
        ola.post("/settings", data=before | {"back": "helpdesk_phone"}).headers["location"] == "/settings?notice=same"
    )


@pytest.mark.parametrize("text", ["hverdager\u00a08–15", "hver\u00addager", "خدمة\u200cها"])
def test_what_may_be_written_is_shown_as_it_is(world, text):
    it = world.signed_in("it")
    save(it, helpdesk_hours=text)
    assert shown(it)["helpdesk_hours"] == text
    save(it, helpdesk_hours=f"{text}.")
    assert leaves(world)[-1][1]["after"] == f"{text}."


def test_what_the_file_says_in_a_way_that_no_form_could_is_left_alone(world):
    named = world.settings.owner.model_copy(update={"name": "Storvik\nkommune"})
    world.account("kari", "it")
    browser = Browser(
        create_app(dataclasses.replace(world.services, settings=world.settings.model_copy(update={"owner": named})))
    )
    world.sign_in(browser, "kari")
    assert save(browser).headers["location"] == "/settings?notice=same"


def test_what_guests_must_be_told_is_filled_in_here_and_rules_can_be_published_at_once(world):
    bare = world.settings.model_copy(update={"privacy": Privacy(), "owner": Owner()})
    now = SettingsNow(bare)
    services = dataclasses.replace(world.services, settings=now)
    world.account("kari", "it")
    browser = Browser(create_app(services))
    world.sign_in(browser, "kari")
    told = browser.get("/settings").text
    assert '<option value="">Choose</option><option value="6.1.c">' in told
    assert "privacy.backup_days" in browser.get("/").text
    assert blanks(now.privacy)
    save(browser, **{FIELD[key]: text for key, text in GOOD.items() if key.startswith("privacy.")})
    with world.services.database.read() as session:
        now.refresh(session, world.services.place.owner_id)
    assert not blanks(now.privacy)
    assert now.privacy.backup_days == 0
    assert "privacy.backup_days" not in browser.get("/").text
    page = browser.get("/settings").text
    assert '<option value="6.1.e" selected>' in page
    assert '<option value="">' not in page
    assert ("privacy.backup_days", {"by": "kari", "after": "0"}) in leaves(world)


def test_the_municipality_is_called_what_it_is_called_here(world):
    now = SettingsNow(world.settings)
    services = dataclasses.replace(world.services, settings=now)
    world.account("kari", "it")
    browser = Browser(create_app(services))
    world.sign_in(browser, "kari")
    save(browser, name="Storvik <kommune>")
    with world.services.database.read() as session:
        now.refresh(session, world.services.place.owner_id)
    assert "Storvik &lt;kommune&gt;" in browser.get("/courses").text


@pytest.mark.parametrize("name", ["key", "port", "nonsense", "url", "owner.key"])
def test_other_settings_are_not_changed_here(world, name):
    it = world.signed_in("it")
    assert save(it, **{name: "x", "back": name}).headers["location"] == "/settings?notice=same"
    assert leaves(world) == []


def test_all_settings_are_shown_with_where_they_come_from_and_no_secret(world, monkeypatch):
    monkeypatch.setenv("GJESTENETT_OWNER__SITE", "bibliotek")
    hidden = "postgresql://gjestenett:s3cret@db/gjestenett"
    settings = world.settings.model_copy(
        update={
            "owner": world.settings.owner.model_copy(update={"site": "bibliotek", "name": "Storvik"}),
            "database": world.settings.database.model_copy(update={"url": hidden}),
        }
    )
    world.account("kari", "it")
    browser = Browser(create_app(dataclasses.replace(world.services, settings=settings)))
    world.sign_in(browser, "kari")
    page = browser.get("/settings/started").text
    assert "s3cret" not in page
    assert "(hidden)" in page
    assert re.search(r"<code>site</code>.*?bibliotek.*?environment", page, re.DOTALL)
    assert re.search(r"<code>name</code>.*?Storvik.*?settings file", page, re.DOTALL)
    assert re.search(r"<code>key</code>.*?kommune.*?default", page, re.DOTALL)
