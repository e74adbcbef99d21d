"""Passkeys in the console: registered, listed, removed with the password; signing in alone or after the password."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from datetime import timedelta

import pytest

from captive_portal.auth import accounts, federated
from captive_portal.auth.accounts import console_url
from captive_portal.console.visit import FORM_COOKIE, SESSION_COOKIE
from gateway.audit import entry as entries
from gateway.settings import Console, Settings
from gateway.settings.now import SettingsNow
from gateway.storage import passkeys, staff
from gateway.storage.log_models import StagedLeaf
from gateway.storage.passkey_models import Passkey
from tests.soft_key import SoftKey
from tests.unit.console.conftest import PASSWORD, World
from tests.unit.console.test_settings_room import save

KEYS = "/account/passkeys"


@pytest.fixture
def origin(world) -> str:
    return console_url(world.services.settings.console)


def leaves(world, kind: str) -> list[dict]:
    with world.services.database.read() as session:
        documents = [entries.parse_entry(row.entry) for row in session.query(StagedLeaf)]
    return [document for document in documents if document["type"] == kind]


def changes(world) -> list[str]:
    return [leaf["change"] for leaf in leaves(world, "staff_change")]


def sign_ins(world) -> list[tuple[str, str]]:
    return [(leaf["method"], leaf["result"]) for leaf in leaves(world, "staff_login")]


def asked(browser, name="Ringen", password=PASSWORD):
    """The page that asks a new key, and what it asks."""
    page = browser.fill(KEYS, KEYS, name=name, current_password=password)
    found = re.search(r'data-options="([^"]+)"', page.text)
    return page, html.unescape(found[1]) if found else ""


def register(browser, origin, name="Ringen", **said) -> SoftKey:
    key = SoftKey()
    _, options = asked(browser, name)
    answer = browser.fill(KEYS, f"{KEYS}/add", name=name, passkey=key.create(options, origin, **said))
    assert answer.headers["location"] == f"{KEYS}?notice=added"
    return key


def alone(browser, key, origin, **said):
    """Sign in with the key and nothing else."""
    token = browser.token_on("/sign-in")
    options = browser.get("/sign-in/passkey").text
    return browser.post("/sign-in/passkey", data={"form_token": token, "passkey": key.get(options, origin, **said)})


def second(browser, key, origin, **said):
    """Show the key after the password."""
    options = browser.get("/sign-in/code/passkey").text
    return browser.fill("/sign-in/code", "/sign-in/code/passkey", passkey=key.get(options, origin, **said))


def stored(world, username="it-person"):
    with world.services.database.read() as session:
        account = staff.by_username(session, world.services.place.owner_id, username)
        return list(passkeys.of_staff(session, account.id))


def test_a_key_is_registered_with_the_password_and_signs_in_alone(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    page = browser.get(KEYS).text
    assert "Ringen" in page
    assert "never" in page
    world.now += timedelta(hours=1)
    other = browser.elsewhere("192.0.2.9")
    assert alone(other, key, origin).headers["location"] == "/"
    assert other.get("/account").status_code == 200
    [kept] = stored(world)
    assert (kept.sign_count, kept.last_used_at, kept.rp_id) == (1, world.now, "localhost")
    assert changes(world)[-1] == "passkey_added"
    assert sign_ins(world)[-1] == ("passkey", "ok")
    assert "never" not in browser.get(KEYS).text


def test_registering_asks_for_the_name_and_the_password_before_it_asks_the_key(world, origin):
    browser = world.signed_in("it")
    for fields, said in (
        ({"name": "", "password": PASSWORD}, "Write what you call the key"),
        ({"name": "x" * 81, "password": PASSWORD}, "At most 80 characters"),
        ({"name": "Ringen", "password": "wrong"}, "not the password you have now"),
    ):
        page, options = asked(browser, **fields)
        assert (page.status_code, options, said in page.text) == (422, "", True)
    both, _ = asked(browser, name="", password="")
    assert ("Write what you call the key" in both.text, "Write your password" in both.text) == (True, True)
    statuses = [asked(browser, password="wrong")[0].status_code for _ in range(8)]
    assert statuses[-1] == 429, "guessing the password here is spaced as elsewhere"


def test_before_anything_is_written_it_is_said_where_passkeys_work(world, origin):
    page = world.signed_in("it").get(KEYS).text
    form = re.search(r"<form[^>]*novalidate[^>]*>", page)[0]
    assert f'data-origin="{origin}"' in form, "the script shows it there, and nowhere else"
    assert " hidden" in form
    missing = re.search(r"<p data-passkey-missing>.*?</p>", page)[0]
    assert f'<a href="{origin}{KEYS}">{origin}</a>' in missing
    assert "/static/passkey.js" in page


def test_a_new_key_carries_the_name_that_the_municipality_has_now(world):
    now = SettingsNow(world.settings)
    world.services = dataclasses.replace(world.services, settings=now)
    browser = world.signed_in("it")
    save(browser, name="Storvik kommune")
    with world.services.database.read() as session:
        now.refresh(session, world.services.place.owner_id)
    assert json.loads(asked(browser)[1])["rp"] == {"id": "localhost", "name": "Storvik kommune"}


def test_what_a_key_answers_to_anything_else_is_not_saved(world, origin):
    browser = world.signed_in("it")
    other = browser.elsewhere("192.0.2.9")
    world.sign_in(other, "it-person")
    add = f"{KEYS}/add"

    def answered(text, by=browser):
        answer = by.fill(KEYS, add, name="Ringen", passkey=text)
        assert answer.status_code == 422
        assert stored(world) == []
        return answer.text

    key = SoftKey()
    assert "was not saved" in answered(key.create(asked(browser)[1], "https://evil.example"))
    assert "did not check that it is you" in answered(key.create(asked(browser)[1], origin, uv=False))
    assert "another browser" in answered(key.create(asked(browser)[1], origin), by=other)
    assert "Try again" in answered("nonsense")
    _, options = asked(browser)
    world.now += timedelta(minutes=5)
    assert "took too long" in answered(key.create(options, origin))
    fields = {"name": "", "passkey": key.create(asked(browser)[1], origin)}
    assert browser.fill(KEYS, add, **fields).status_code == 404, "the page names it"


def test_a_challenge_registers_once_and_a_key_is_one_accounts(world, origin):
    browser = world.signed_in("it")
    _, options = asked(browser)
    key = SoftKey()
    sent = key.create(options, origin)
    assert browser.fill(KEYS, f"{KEYS}/add", name="Ringen", passkey=sent).status_code == 303
    assert "done already" in browser.fill(KEYS, f"{KEYS}/add", name="Ringen", passkey=sent).text
    _, options = asked(browser)
    assert len(json.loads(options)["excludeCredentials"]) == 1
    kari = world.signed_in("it", "kari")
    copied = key.create(asked(kari)[1], origin)
    assert "registered already" in kari.fill(KEYS, f"{KEYS}/add", name="Stjålet", passkey=copied).text
    assert stored(world, "kari") == []


def test_a_changed_password_makes_a_challenge_void(world, origin):
    browser = world.signed_in("it")
    _, options = asked(browser)
    new = "fire helt andre ord her"
    path = "/account/password"
    assert browser.fill(path, path, current_password=PASSWORD, password=new, password_again=new).status_code == 303
    answer = browser.fill(KEYS, f"{KEYS}/add", name="Ringen", passkey=SoftKey().create(options, origin))
    assert (answer.status_code, stored(world)) == (422, [])


def test_there_are_at_most_ten(world, origin):
    browser = world.signed_in("it")
    for number in range(10):
        register(browser, origin, f"Nøkkel {number}")
        world.now += timedelta(minutes=1)
    page, options = asked(browser)
    assert (page.status_code, options) == (422, "")
    assert "You have 10 passkeys" in page.text


def test_removing_asks_for_the_password_and_signs_the_others_out(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    other = browser.elsewhere("192.0.2.9")
    alone(other, key, origin)
    path = f"{KEYS}/{stored(world)[0].id}/remove"
    assert "Remove the passkey Ringen?" in browser.get(path).text
    assert browser.fill(path, path, current_password="no").status_code == 422
    assert len(stored(world)) == 1
    assert browser.fill(path, path, current_password=PASSWORD).headers["location"] == f"{KEYS}?notice=removed"
    assert stored(world) == []
    assert changes(world)[-1] == "passkey_removed"
    assert other.get("/account").status_code == 303
    assert browser.get("/account").status_code == 200
    refused = alone(other, key, origin)
    assert (refused.status_code, "does not fit any account" in refused.text) == (422, True)
    assert browser.get(path).status_code == 404
    assert browser.fill(KEYS, path, current_password=PASSWORD).status_code == 404


def test_nobody_removes_the_keys_of_others(world, origin):
    browser = world.signed_in("it")
    register(browser, origin)
    kari = world.signed_in("it", "kari")
    path = f"{KEYS}/{stored(world)[0].id}/remove"
    assert kari.get(path).status_code == 404
    assert kari.fill(KEYS, path, current_password=PASSWORD).status_code == 404
    assert len(stored(world)) == 1


def test_the_last_second_factor_stays_where_one_is_demanded(tmp_path):
    world = World(Settings(state=tmp_path, console=Console(second_factor="everybody")))
    origin = console_url(world.services.settings.console)
    demanding, world.services = (
        world.services,
        type(world.services)(
            Settings(state=tmp_path), world.services.database, world.services.place, world.services.clock
        ),
    )
    browser = world.signed_in("it")
    first = register(browser, origin)
    register(browser, origin, "Skapet")
    world.services = demanding
    browser = world.browser()
    assert browser.sign_in("it-person").headers["location"] == "/sign-in/code"
    assert second(browser, first, origin).headers["location"] == "/"
    one, two = (f"{KEYS}/{key.id}/remove" for key in stored(world))
    assert browser.fill(one, one, current_password=PASSWORD).status_code == 303
    last = browser.fill(two, two, current_password=PASSWORD)
    assert (last.status_code, "last second factor" in last.text) == (422, True)
    assert len(stored(world)) == 1
    world.services.database.close()


def test_nobody_is_left_with_keys_of_another_name_alone(world, origin):
    browser = world.signed_in("it")
    register(browser, origin)
    with world.services.database.write() as session:
        session.get(Passkey, stored(world)[0].id).rp_id = "old.storvik.no"
    register(browser, origin, "Skapet")
    old, new = (f"{KEYS}/{key.id}/remove" for key in sorted(stored(world), key=lambda key: key.name))
    kept = browser.fill(new, new, current_password=PASSWORD)
    assert (kept.status_code, "made for another address" in kept.text) == (422, True)
    assert len(stored(world)) == 2
    assert browser.fill(old, old, current_password=PASSWORD).status_code == 303
    assert browser.fill(new, new, current_password=PASSWORD).status_code == 303
    assert browser.elsewhere("192.0.2.9").sign_in("it-person").headers["location"] == "/"


def test_with_an_authenticator_the_last_key_may_go(world, origin):
    auditor = world.signed_in("auditor")
    register(auditor, origin)
    path = f"{KEYS}/{stored(world, 'auditor-person')[0].id}/remove"
    assert auditor.fill(path, path, current_password=PASSWORD).status_code == 303


def test_after_the_password_a_key_is_the_second_factor(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    other = browser.elsewhere("192.0.2.9")
    assert other.sign_in("it-person").headers["location"] == "/sign-in/code", "the password alone is not enough now"
    page = other.get("/sign-in/code").text
    assert "Use a passkey" in page
    assert 'name="code"' not in page
    options = json.loads(other.get("/sign-in/code/passkey").text)
    assert (len(options["allowCredentials"]), options["userVerification"]) == (1, "discouraged")
    assert second(other, key, origin, uv=False).headers["location"] == "/", "the password is the other factor"
    assert sign_ins(world)[-1] == ("password+passkey", "ok")
    assert stored(world)[0].last_used_at == world.now
    assert other.get("/sign-in/code/passkey").status_code == 403, "the ticket is used up"


def test_an_authenticator_and_keys_are_both_offered(world, origin):
    auditor = world.signed_in("auditor")
    key = register(auditor, origin)
    browser = auditor.elsewhere("192.0.2.9")
    browser.sign_in("auditor-person")
    page = browser.get("/sign-in/code").text
    assert 'name="code"' in page
    assert "Use a passkey" in page
    world.now += timedelta(seconds=60)
    assert browser.write_code(world.code("auditor-person")).headers["location"] == "/"
    third = auditor.elsewhere("192.0.2.10")
    third.sign_in("auditor-person")
    assert second(third, key, origin).headers["location"] == "/"


def test_the_second_factor_is_a_key_of_this_account_that_has_signed_this(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    kari = world.signed_in("it", "kari")
    karis = register(kari, origin)
    other = browser.elsewhere("192.0.2.9")
    other.sign_in("it-person")
    assert second(other, karis, origin).status_code == 422
    assert second(other, SoftKey(), origin).status_code == 422
    assert second(other, key, "https://evil.example").status_code == 422
    assert sign_ins(world)[-3:] == [("password+passkey", "wrong_key")] * 3
    first = other.get("/sign-in/passkey").text
    text = key.get(first, origin)
    answer = other.fill("/sign-in/code", "/sign-in/code/passkey", passkey=text)
    assert "Try again" in answer.text, "what was asked for signing in alone is another challenge"
    assert second(other, key, origin).headers["location"] == "/"
    nobody = browser.elsewhere("192.0.2.11")
    assert nobody.get("/sign-in/code/passkey").status_code == 403
    assert nobody.fill("/sign-in", "/sign-in/code/passkey", passkey=text).status_code == 422


@pytest.mark.parametrize(
    ("said", "result"),
    [({"uv": False}, "unverified"), ({"origin": "https://evil.example"}, None), ({"rp_id": "example.no"}, None)],
)
def test_alone_a_key_has_to_verify_its_bearer_and_sign_for_this_console(world, origin, said, result):
    browser = world.signed_in("it")
    key = register(browser, origin)
    before = sign_ins(world)
    other = browser.elsewhere("192.0.2.9")
    answer = alone(other, key, **{"origin": origin} | said)
    assert answer.status_code == 422
    assert SESSION_COOKIE not in other.cookies
    assert sign_ins(world)[len(before) :] == ([("passkey", result)] if result else []), "unsigned, it is no leaf"
    assert alone(other, key, origin).headers["location"] == "/"


def test_a_challenge_is_used_once_by_the_browser_that_asked_and_in_time(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    other, third = browser.elsewhere("192.0.2.9"), browser.elsewhere("192.0.2.10")
    assert third.get("/sign-in/passkey").status_code == 403, "not before it has our page"
    token = other.token_on("/sign-in")
    held = other.cookies[FORM_COOKIE]
    sent = key.get(other.get("/sign-in/passkey").text, origin)
    stranger = third.post("/sign-in/passkey", data={"form_token": third.token_on("/sign-in"), "passkey": sent})
    assert (stranger.status_code, "another browser" in stranger.text) == (422, True)
    assert other.post("/sign-in/passkey", data={"form_token": token, "passkey": sent}).status_code == 422, "tried"
    sent = key.get(other.get("/sign-in/passkey").text, origin)
    assert other.post("/sign-in/passkey", data={"form_token": token, "passkey": sent}).status_code == 303
    assert other.cookies[FORM_COOKIE] == held
    assert "done already" in other.post("/sign-in/passkey", data={"form_token": token, "passkey": sent}).text
    sent = key.get(other.get("/sign-in/passkey").text, origin)
    world.now += timedelta(minutes=5)
    assert "took too long" in other.post("/sign-in/passkey", data={"form_token": token, "passkey": sent}).text


def test_a_key_says_whose_it_is_and_is_not_believed_of_others(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    world.account("kari", "it")
    with world.services.database.read() as session:
        key.handle = staff.by_username(session, world.services.place.owner_id, "kari").id.encode()
    other = browser.elsewhere("192.0.2.9")
    assert alone(other, key, origin).status_code == 422
    key.handle = b""
    assert alone(other, key, origin).status_code == 422, "alone it has to say so"
    assert alone(other, SoftKey(), origin).status_code == 422


def test_a_key_that_may_have_been_copied_is_refused_and_said(world, origin, caplog):
    browser = world.signed_in("it")
    key = register(browser, origin)
    key.count = 40
    other = browser.elsewhere("192.0.2.9")
    assert alone(other, key, origin).status_code == 303
    key.count = 7
    answer = alone(browser.elsewhere("192.0.2.10"), key, origin)
    assert (answer.status_code, "may have been copied" in answer.text) == (422, True)
    assert sign_ins(world)[-1] == ("passkey", "counter")
    assert stored(world)[0].sign_count == 40
    assert "as a copy of one does" in caplog.text
    assert "it-person" not in caplog.text
    third = browser.elsewhere("192.0.2.11")
    third.sign_in("it-person")
    assert second(third, key, origin).status_code == 422
    assert sign_ins(world)[-1] == ("password+passkey", "counter")


@pytest.mark.parametrize(("what", "said"), [("ended", "The account has ended"), ("disabled", "does not fit any")])
def test_an_account_that_has_ended_or_is_suspended_lets_nobody_in_by_key(world, origin, what, said):
    ends_at = world.now + timedelta(days=1)
    browser = world.signed_in("it", ends_at=ends_at)
    key = register(browser, origin)
    if what == "ended":
        world.now = ends_at
    else:
        with world.services.database.write() as session:
            accounts.disable_account(session, world.services.place, "it-person", world.now, by="kari")
    answer = alone(browser.elsewhere("192.0.2.9"), key, origin)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert sign_ins(world)[-1][1] == ("ended" if what == "ended" else "ok")


def test_guessing_is_spaced_and_known_browsers_are_counted_apart(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    known = browser.elsewhere("127.0.0.1")
    assert alone(known, key, origin).status_code == 303
    guesser = browser.elsewhere("127.0.0.1")
    statuses = []
    while len(statuses) < 15 and 429 not in statuses:
        statuses.append(alone(guesser, key, "https://evil.example").status_code)
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {422}
    assert alone(browser.elsewhere("127.0.0.1"), key, origin).status_code == 429, "behind the same address"
    assert alone(known, key, origin).status_code == 303


def asked_until_held_back(browser, path) -> list[int]:
    """What asking for challenges answers, until it is held back."""
    statuses: list[int] = []
    while len(statuses) < 60 and 429 not in statuses:
        statuses.append(browser.get(path).status_code)
    return statuses


def test_asking_for_challenges_is_spaced_in_known_browsers_too(world, origin):
    browser = world.browser()
    browser.get("/sign-in")
    statuses = asked_until_held_back(browser, "/sign-in/passkey")
    assert (set(statuses[:-1]), statuses[-1]) == ({200}, 429)
    assert len(statuses) > 30
    known = world.signed_in("it")
    register(known, origin)
    statuses = asked_until_held_back(known, "/sign-in/passkey")
    assert (len(statuses) > 30, statuses[-1]) == (True, 429)
    known.sign_in("it-person")
    statuses = asked_until_held_back(known, "/sign-in/code/passkey")
    assert (set(statuses[:-1]), statuses[-1]) == ({200}, 429), "what was asked well does not undo what was asked"
    assert len(statuses) > 30


def test_who_asks_from_behind_the_same_address_holds_no_known_browser_back(world, origin):
    browser = world.signed_in("it")
    key = register(browser, origin)
    known = browser.elsewhere("192.0.2.9")
    assert alone(known, key, origin).status_code == 303
    stranger, fresh = browser.elsewhere("192.0.2.9"), browser.elsewhere("192.0.2.9")
    stranger.get("/sign-in")
    fresh.get("/sign-in")
    assert asked_until_held_back(stranger, "/sign-in/passkey")[-1] == 429
    assert fresh.get("/sign-in/passkey").status_code == 429, "a browser that nobody has signed in with waits"
    assert alone(known, key, origin).headers["location"] == "/"
    assert known.sign_in("it-person").headers["location"] == "/sign-in/code"
    assert asked_until_held_back(stranger, "/sign-in/code/passkey")[-1] == 429
    assert second(known, key, origin).headers["location"] == "/"


@pytest.mark.parametrize("path", ["/sign-in/passkey", "/sign-in/code/passkey"])
def test_no_page_elsewhere_and_nobody_without_ours_is_counted(world, origin, path):
    browser = world.signed_in("it")
    register(browser, origin)
    at_it = browser.elsewhere("192.0.2.9")
    assert at_it.sign_in("it-person").headers["location"] == "/sign-in/code"
    for site in ("cross-site", "same-site", "none"):
        headers = {"sec-fetch-site": site, "sec-fetch-dest": "document"}
        assert {at_it.get(path, headers=headers).status_code for _ in range(20)} == {403}, site
    without = browser.elsewhere("192.0.2.9")
    assert {without.get(path).status_code for _ in range(40)} == {403}
    without.cookies.set(FORM_COOKIE, "x" * 3000)
    assert {without.get(path).status_code for _ in range(40)} == {403}
    assert at_it.get(path, headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_a_new_link_takes_the_keys_and_so_does_an_account_elsewhere(world, origin):
    browser = world.signed_in("it")
    register(browser, origin)
    world.account("kari", "it")
    with world.services.database.write() as session:
        accounts.reset_account(session, world.services.place, "it-person", world.now)
    assert stored(world) == []
    ola = world.signed_in("it", "ola")
    register(ola, origin)
    with world.services.database.write() as session:
        place, console = world.services.place, world.settings.console
        federated.link(session, place, "ola", "https://op.test", "sub", "it", world.now, by="kari", console=console)
    assert stored(world, "ola") == []


def test_an_account_that_signs_in_elsewhere_has_no_keys_here(world):
    browser = world.signed_in("it")
    world.account("kari", "it")
    with world.services.database.write() as session:
        account = staff.by_username(session, world.services.place.owner_id, "it-person")
        account.oidc_subject, account.password_hash = "sub", None
    assert browser.get(KEYS).status_code == 404
    assert browser.fill("/account", KEYS, name="Ringen", current_password=PASSWORD).status_code == 404


def test_it_sees_who_has_which_factors_and_removes_them_all(world, origin):
    it = world.signed_in("it")
    register(it, origin)
    host = world.signed_in("host", unit="Skulen")
    register(host, origin, "Telefonen")
    world.signed_in("auditor")
    page = it.get("/staff").text
    assert page.count("and passkeys") == 2
    assert "and an authenticator" in page
    with world.services.database.read() as session:
        rows = {row.username: row for row in accounts.list_accounts(session, world.services.place, world.now)}
        host_id = staff.by_username(session, world.services.place.owner_id, "host-person").id
    assert (rows["host-person"].passkeys, rows["host-person"].second_factor) == (1, True)
    assert (rows["auditor-person"].passkeys, rows["auditor-person"].authenticator) == (0, True)
    path = f"/staff/{host_id}/second-factor"
    assert it.fill(path, path).headers["location"].endswith("notice=factor-removed")
    assert stored(world, "host-person") == []
    assert changes(world)[-1] == "passkey_removed"
    assert it.fill(path, path).status_code == 409
    assert host.elsewhere("192.0.2.9").sign_in("host-person").headers["location"] == "/"


def test_at_an_ip_address_there_are_no_passkeys_and_the_account_says_why(tmp_path, world, origin):
    browser = world.signed_in("it")
    register(browser, origin)
    place, database = world.services.place, world.services.database
    world.services = type(world.services)(
        Settings(state=world.settings.state, console=Console(hostname="192.0.2.1")), database, place, lambda: world.now
    )
    moved = world.browser()
    assert "passkey" not in moved.get("/sign-in").text
    assert moved.get("/sign-in/passkey").status_code == 404
    assert moved.sign_in("it-person").headers["location"] == "/sign-in/code"
    assert "made for another address" in moved.get("/sign-in/code").text
    old = world.browser()
    old.cookies.update(browser.cookies)
    page = old.get(KEYS).text
    assert "reached at an IP address" in page
    assert "works only at localhost" in page
    assert 'action="/account/passkeys"' not in page
    assert old.fill("/account", KEYS, name="Ringen", current_password=PASSWORD).status_code == 404


def test_while_the_console_has_no_name_of_its_own_the_page_warns(world):
    warned, trusted = "This console is called localhost, as delivered", "only where the browser trusts"
    page = world.signed_in("it").get(KEYS).text
    assert (warned in page, trusted in page, "Chromium and Edge use them at localhost" in page) == (True, False, True)
    assert "console.hostname in the settings file" in page
    named = world.settings.model_copy(update={"console": Console(hostname="gjestenett.storvik.no")})
    world.services = dataclasses.replace(world.services, settings=named)
    page = world.signed_in("it", "kari").get(KEYS).text
    assert (warned in page, trusted in page) == (False, True)


def test_a_second_key_is_asked_for_until_there_are_two(world, origin):
    browser, said = world.signed_in("it"), "Register two"
    for there, asked_for in ((0, True), (1, True), (2, False)):
        assert (said in browser.get(KEYS).text) == asked_for, there
        register(browser, origin, f"Nøkkel {there}")


def test_without_scripts_the_button_is_hidden_and_the_password_signs_in(world):
    world.account("ola", "it")
    browser = world.browser()
    form = re.search(r"<form[^>]*data-passkey[^>]*>", browser.get("/sign-in").text)[0]
    assert re.search(r"\shidden>", form)
    assert browser.sign_in("ola").headers["location"] == "/"
