"""One's own account, and who is signed in: changed with the password only, each change a leaf."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest

from captive_portal.auth.browser_names import browser_name
from captive_portal.auth.known_browsers import KNOWN_LIFE, KnownBrowsers
from captive_portal.auth.throttle import network_of
from captive_portal.console.visit import KNOWN_COOKIE, SESSION_COOKIE
from gateway.audit import entry as entries
from gateway.storage.log_models import StagedLeaf
from tests.unit.console.conftest import PASSWORD, START

OTHER = "fire helt andre ord her"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def changes(world) -> list[str]:
    with world.services.database.read() as session:
        documents = [entries.parse_entry(row.entry) for row in session.query(StagedLeaf)]
    return [document["change"] for document in documents if document["type"] == "staff_change"]


def again(world, browser, username="it-person"):
    """Another browser of the same account."""
    other = browser.elsewhere("192.0.2.9")
    assert world.sign_in(other, username).headers["location"] == "/"
    return other


def test_the_password_is_changed_with_the_present_one_and_other_browsers_are_signed_out(world):
    browser = world.signed_in("it")
    other = again(world, browser)
    wrong = browser.fill("/account/password", "/account/password", current_password="no", password=OTHER)
    assert wrong.status_code == 422
    assert "not the password you have now" in wrong.text
    for new, twice, said in (
        ("short", "short", "at least 15"),
        (OTHER, "another", "not the same"),
        (PASSWORD, PASSWORD, "already"),
    ):
        answer = browser.fill(
            "/account/password", "/account/password", current_password=PASSWORD, password=new, password_again=twice
        )
        assert (answer.status_code, said in answer.text) == (422, True)
    done = browser.fill(
        "/account/password", "/account/password", current_password=PASSWORD, password=OTHER, password_again=OTHER
    )
    assert done.headers["location"] == "/account?notice=password"
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert changes(world)[-1] == "password_changed"
    assert other.sign_in("it-person").status_code == 422
    assert other.sign_in("it-person", OTHER).status_code == 303


def test_guessing_the_present_password_is_spaced(world):
    browser = world.signed_in("it")
    statuses: list[int] = []
    token = browser.token_on("/account/password")
    data = {"form_token": token, "current_password": "x", "password": OTHER, "password_again": OTHER}
    while len(statuses) < 12 and 429 not in statuses:
        statuses.append(browser.post("/account/password", data=data).status_code)
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {422}


def test_what_is_shown_after_the_right_password_is_no_failed_attempt(world, caplog):
    browser = world.signed_in("auditor")
    path = "/account/recovery-codes"
    statuses = [browser.fill(path, path, current_password=PASSWORD).status_code for _ in range(8)]
    assert set(statuses) == {200}
    assert "attempt_failed" not in caplog.text


def test_an_authenticator_is_paired_replaced_and_asked_for(world):
    browser = world.signed_in("it")
    page = browser.get("/account/authenticator").text
    secret = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    assert browser.get("/account/recovery-codes").status_code == 404
    code = pyotp.TOTP(secret).at(world.now)
    path = "/account/authenticator"
    assert browser.fill(path, path, code=code, current_password="no").status_code == 422
    assert browser.fill(path, path, code="000000", current_password=PASSWORD).status_code == 422
    done = browser.fill(path, path, code=code, current_password=PASSWORD)
    assert done.status_code == 200
    codes = re.findall(r"<li><code>([^<]+)</code></li>", done.text)
    assert len(codes) == 8
    assert "paired" in browser.get("/account").text
    assert secret not in browser.get(path).text.replace(" ", ""), "the next pairing has another secret"
    other = browser.elsewhere("192.0.2.9")
    assert other.sign_in("it-person").headers["location"] == "/sign-in/code"
    assert other.write_code(codes[0]).headers["location"] == "/"
    path = "/account/recovery-codes"
    assert browser.fill(path, path, current_password="no").status_code == 422
    renewed = re.findall(r"<li><code>([^<]+)</code></li>", browser.fill(path, path, current_password=PASSWORD).text)
    third = browser.elsewhere("192.0.2.10")
    third.sign_in("it-person")
    assert third.write_code(codes[1]).status_code == 422
    assert third.write_code(renewed[1]).headers["location"] == "/"
    assert changes(world)[-2:] == ["authenticator_set", "recovery_codes"]


def test_ones_own_browsers_are_listed_and_ended(world):
    browser = world.signed_in("it")
    other = again(world, browser)
    stranger = world.signed_in("auditor")
    page = browser.get("/account", headers={"user-agent": FIREFOX}).text
    assert "this browser" in page
    assert "192.0.2.9" in page
    ids = set(re.findall(r"/account/sessions/([0-9a-f]{32})/end", page))
    assert len(ids) == 2
    for one in ids:  # another's sessions are not theirs to end
        assert stranger.fill("/account", f"/account/sessions/{one}/end").status_code == 303
    assert browser.get("/account").status_code == other.get("/account").status_code == 200
    assert browser.fill("/account", "/account/sessions/end-others").headers["location"] == "/account?notice=session"
    assert other.get("/account").status_code == 303
    [own] = re.findall(r"/account/sessions/([0-9a-f]{32})/end", browser.get("/account").text)
    assert browser.fill("/account", f"/account/sessions/{own}/end").headers["location"].startswith("/sign-in")
    assert browser.get("/account").status_code == 303


def test_it_sees_who_is_signed_in_and_ends_their_sessions_as_a_leaf(world):
    auditor = world.signed_in("auditor")
    browser = world.signed_in("it")
    assert auditor.get("/sessions").status_code == 403
    page = browser.get("/sessions").text
    assert "auditor-person" in page
    row = page[page.index("auditor-person") :]
    session_id = re.search(r"/sessions/([0-9a-f]{32})/end", row)[1]
    assert auditor.fill("/account", f"/sessions/{session_id}/end").status_code == 403
    assert browser.fill("/sessions", f"/sessions/{session_id}/end").headers["location"] == "/sessions?notice=ended"
    assert auditor.get("/account").status_code == 303
    assert changes(world)[-1] == "session_ended"
    assert browser.fill("/sessions", f"/sessions/{session_id}/end").status_code == 303, "twice is no error"


def test_limits_of_a_session_are_those_of_the_settings(tmp_path):
    from gateway.settings import Console, Settings
    from tests.unit.console.conftest import World

    world = World(Settings(state=tmp_path, console=Console(idle_minutes=5, session_hours=1)))
    browser = world.signed_in("it")
    world.now += timedelta(minutes=4)
    assert browser.get("/account").status_code == 200
    world.now += timedelta(minutes=5)
    assert browser.get("/account").status_code == 303
    world.sign_in(browser, "it-person")
    for _ in range(14):
        world.now += timedelta(minutes=4)
        assert browser.get("/account").status_code == 200
    world.now += timedelta(minutes=4)
    assert browser.get("/account").status_code == 303
    world.services.database.close()


def test_a_known_browser_is_not_held_back_by_who_guesses_behind_the_same_address(world):
    world.account("ola", "it")
    browser = world.browser()
    assert browser.sign_in("ola").status_code == 303
    known = browser.cookies[KNOWN_COOKIE]
    assert SESSION_COOKIE in browser.cookies
    guesser = browser.elsewhere("127.0.0.1")
    token = guesser.token_on("/sign-in")
    statuses = []
    while len(statuses) < 15 and 429 not in statuses:
        data = {"form_token": token, "username": "ola", "password": f"guess {len(statuses)}"}
        statuses.append(guesser.post("/sign-in", data=data).status_code)
    assert statuses[-1] == 429
    fresh = browser.elsewhere("127.0.0.1")
    assert fresh.sign_in("ola").status_code == 429, "a browser that nobody knows waits with the guesser"
    assert browser.sign_in("ola").status_code == 303
    thief = browser.elsewhere("127.0.0.1")
    thief.cookies.set(KNOWN_COOKIE, known)
    assert thief.sign_in("kari", "x").status_code == 422, "the cookie is for one account"


def test_a_known_browsers_cookie_is_for_one_account_and_has_an_end():
    known = KnownBrowsers(b"k" * 32)
    cookie = known.mark("ola", "id-of-ola", START)
    assert known.by_name(cookie, "ola", START) == known.by_account(cookie, "id-of-ola", START) is not None
    assert known.by_anybody(cookie, START) == known.by_name(cookie, "ola", START)
    assert known.by_anybody(cookie, START + KNOWN_LIFE) is None
    assert known.by_name(cookie, "kari", START) is None
    assert known.by_account(cookie, "ola", START) is None
    assert known.by_name(cookie, "ola", START + KNOWN_LIFE) is None
    assert KnownBrowsers(b"x" * 32).by_name(cookie, "ola", START) is None
    for spoilt in ("", ".", "æ", cookie[:-1], cookie.replace(".", "_"), "\udcff." + cookie, cookie * 9):
        assert known.by_name(spoilt, "ola", START) is None
        assert known.by_anybody(spoilt, START) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("", ""),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_ipv6_network_counts_as_one(address, expected):
    assert network_of(address) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (FIREFOX, "Firefox, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("<script>", ""),
        ("", ""),
    ],
)
def test_a_browser_is_called_by_our_own_words(header, expected):
    assert browser_name(header) == expected
