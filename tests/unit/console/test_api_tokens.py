"""Personal access tokens: made with the password, shown once, good for their scopes and the role of the moment."""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from captive_portal.auth import accounts, api_tokens, staff_keeping
from captive_portal.auth.accounts import ROLES
from captive_portal.auth.api_tokens import FORM, covers, is_well_formed, may_give, new_secret, scopes_of
from captive_portal.auth.tokens import token_sha256
from gateway.audit import entry as entries
from gateway.storage import api_tokens as stored
from gateway.storage import staff
from gateway.storage.api_models import ApiToken
from gateway.storage.log_models import Disclosure, StagedLeaf
from tests.unit.console.conftest import PASSWORD, START

PAGE = "/account/tokens"


def asked(browser, **fields):
    form = {"name": "Sync", "expires": "2027-01-31", "current_password": PASSWORD, "scope-policy": "read"}
    return browser.fill(PAGE, PAGE, **form | fields)


def token_of(answer) -> str:
    return FORM.search(answer.text)[0]


def call(world, token, path="/api/v1/account"):
    """A program's call, on one console for all of a test's."""
    if not hasattr(world, "program"):
        world.program = world.browser("192.0.2.9")
    return world.program.get(path, headers={"authorization": f"Bearer {token}"})


def test_a_token_is_made_shown_once_used_and_revoked_each_with_its_leaf(world):
    browser = world.signed_in("it", "kari")
    assert "You have no tokens" in browser.get(PAGE).text
    answer = asked(browser, **{"scope-lists": "write"})
    assert answer.status_code == 200
    token = token_of(answer)
    line = "openssl s_client -connect localhost:8081 </dev/null 2>/dev/null | openssl x509 > console.pem   # compare"
    assert line in html.unescape(answer.text)
    assert line in Path("docs/api.md").read_text(encoding="utf-8")
    for shown in (answer.text, browser.get(PAGE).text):
        assert ("31\u00a0January 2027</time>" in shown, "1\u00a0February" in shown) == (True, False)
    assert token not in browser.get(PAGE).text
    with world.services.database.read() as session:
        [row] = session.query(ApiToken)
        assert (row.name, row.scopes, row.token_sha256) == ("Sync", "policy:read lists:write", token_sha256(token))
        assert row.expires_at == datetime(2027, 1, 31, 23, tzinfo=UTC), "the end of that day in Norway"
    who = call(world, token)
    assert who.json() == {
        "username": "kari", "role": "it", "unit": "", "ends_at": None, "scopes": ["lists:write", "policy:read"],
    }  # fmt: skip
    assert "192.0.2.9" in browser.get(PAGE).text
    [listed] = call(world, token, "/api/v1/tokens").json().get("tokens", [None])
    assert listed is None, "it has no scope for that"
    browser.fill(PAGE, f"{PAGE}/{row.id}/revoke")
    assert call(world, token).status_code == 401
    assert "Revoked" in browser.get(PAGE).text
    with world.services.database.read() as session:
        leaves = [(row.leaf_id, entries.parse_entry(row.entry)) for row in session.query(StagedLeaf)]
        changes = [(leaf, each["change"]) for leaf, each in leaves if each["type"] == "staff_change"]
        assert [change for _, change in changes][-2:] == ["token_added", "token_revoked"]
        values = {row.name: row.value for row in session.query(Disclosure).filter_by(leaf_id=changes[-1][0])}
    assert (values["staff"], values["subject"]) == ("kari", "kari")
    assert json.loads(values["scope"]) == {
        "token": "Sync", "scopes": ["policy:read", "lists:write"], "ends_at": "2027-01-31T23:00:00.000Z",
    }  # fmt: skip
    assert token not in str(values)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"current_password": "wrong"}, "not the password"),
        ({"name": " "}, "what the token is for"),
        ({"name": "x" * 81}, "At most 80"),
        ({"name": "a\0"}, "can’t be used"),
        ({"expires": ""}, "last day"),
        ({"expires": "2026-11-21"}, "This day is past"),
        ({"expires": "2027-11-24"}, "at most a year"),
        ({"expires": "9999-12-31"}, "last day"),
        ({"scope-policy": ""}, "at least one"),
        ({"scope-policy": "all"}, "at least one"),
    ],
)
def test_what_can_not_be_made_is_told_so(world, fields, said):
    browser = world.signed_in("it")
    answer = asked(browser, **fields)
    assert (answer.status_code, said in answer.text) == (422, True)
    with world.services.database.read() as session:
        assert session.query(ApiToken).count() == 0


def test_all_that_is_wrong_is_told_together_also_where_no_password_is_written(world, caplog):
    browser = world.signed_in("it")
    wrong = {"name": "", "expires": "2026-11-21", "scope-policy": ""}
    told = ("what the token is for", "at least one thing", "This day is past")
    for password, said in (("wrong", "not the password you have now"), ("", "Write your password"), (PASSWORD, "")):
        page = asked(browser, **wrong, current_password=password).text
        assert [each for each in (*told, said) if each not in page] == []
    assert caplog.text.count("attempt_failed") == 1, "of a wrong password, and of nothing else"


def test_only_wrong_passwords_are_spaced_and_an_empty_one_frees_nobody_who_guesses(world, caplog):
    browser = world.signed_in("it")
    assert asked(browser).status_code == 200
    assert {asked(browser).status_code for _ in range(8)} == {422}, "the name is taken, the password right"
    assert {asked(browser, current_password="").status_code for _ in range(8)} == {422}
    assert "attempt_failed" not in caplog.text
    statuses = []
    while len(statuses) < 12 and 429 not in statuses:
        statuses.append(asked(browser, current_password="wrong").status_code)
        asked(browser, current_password="")
    assert statuses[-1] == 429


def test_sending_the_form_again_makes_no_second_token(world):
    browser = world.signed_in("it")
    token = token_of(asked(browser))
    again = asked(browser, **{"scope-lists": "write"})
    assert (again.status_code, "You have a token of this name" in again.text) == (422, True)
    assert not FORM.search(again.text)
    with world.services.database.read() as session:
        [row] = session.query(ApiToken)
    assert asked(browser, name="Backup").status_code == 200
    browser.fill(PAGE, f"{PAGE}/{row.id}/revoke")
    again = asked(browser)
    assert (again.status_code, "A token of this name was just revoked" in again.text) == (422, True)
    assert not FORM.search(again.text)
    for _ in range(2):
        world.now += timedelta(minutes=29, seconds=59)
        assert asked(browser).status_code == 422
    world.now += timedelta(seconds=2)
    assert token_of(asked(browser)) != token, "the name is free again after an hour"
    other = world.signed_in("it", "ola")
    assert asked(other).status_code == 200, "and was never anybody else's"


@pytest.mark.parametrize("name", ["SYNC", "sync\u200b", "sy\u00adnc", "\u2060Sync", "Ｓync"])
def test_a_name_that_reads_like_another_is_taken(world, name):
    browser = world.signed_in("it")
    token_of(asked(browser))
    answer = asked(browser, name=name)
    assert (answer.status_code, "You have a token of this name" in answer.text) == (422, True)
    assert asked(browser, name="Sync 2").status_code == 200
    assert asked(browser, name="sync\u00a0\u00a02").status_code == 422


@pytest.mark.parametrize(
    ("role", "limits", "wanted"),
    [("auditor", {}, "policy"), ("auditor", {}, "courses"), ("host", {"unit": "Nybø skule"}, "evidence")],
)
def test_nobody_gives_more_than_they_may_do(world, role, limits, wanted):
    browser = world.signed_in(role, **limits)
    answer = asked(browser, **{"scope-policy": "", f"scope-{wanted}": "read"})
    assert (answer.status_code, "more than you may do" in answer.text) == (422, True)
    assert f'name="scope-{wanted}"' not in browser.get(PAGE).text
    assert asked(browser, **{"scope-policy": "", "scope-lists": "write"}).status_code == 422
    assert asked(browser, **{"scope-policy": "", "scope-account": "read"}).status_code == 200


def test_scopes_cover_what_they_say_and_writing_covers_reading():
    assert covers({"policy:write"}, "policy:read")
    assert not covers({"policy:read"}, "policy:write")
    assert not covers({"lists:write"}, "policy:read")
    assert not covers(set(), "account:read")
    assert set(scopes_of("it")) == set(api_tokens.SCOPES)
    assert "lists:write" not in scopes_of("auditor")
    assert scopes_of("nobody") == ()
    assert [scope for scope in api_tokens.SCOPES if scope.startswith("overview")] == ["overview:read"]


def test_no_token_gives_more_than_it_may_do_and_none_what_it_may():
    assert all(may_give(None, role) for role in ROLES), "in a browser as the console"
    for role in ("host", "auditor"):
        needed = {scope for scope in scopes_of(role) if not scope.startswith("account:")}
        assert may_give(needed, role)
        assert not may_give({"staff:write"}, role)
        for each in needed - {"courses:read", "evidence:read"}:  # who may write may read
            assert not may_give(needed - {each}, role), each
    assert not may_give(api_tokens.SCOPES, "it")


def test_a_token_never_opens_a_page_and_a_session_does_not_stand_in_for_it(world):
    browser = world.signed_in("it")
    token = token_of(asked(browser))
    for path in ("/", "/policy", "/account", "/devices"):
        assert call(world, token, path).headers["location"] == "/sign-in"
    assert browser.get("/api/v1/account").status_code == 200
    assert browser.get("/api/v1/account", headers={"authorization": "Bearer gjn_x"}).status_code == 401
    assert browser.get("/api/v1/policy/explain", headers={"authorization": f"Bearer {token}"}).status_code == 422


def test_a_token_needs_the_scope_of_the_call(world):
    token = token_of(asked(world.signed_in("it")))
    answer = call(world, token, "/api/v1/lists")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:gjestenett:problem:scope")
    assert 'error="insufficient_scope", scope="lists:read"' in answer.headers["www-authenticate"]


def test_the_role_of_the_moment_counts_and_a_disabled_account_is_out_at_once(world):
    token = token_of(asked(world.signed_in("it", "kari"), **{"scope-lists": "write"}))
    assert call(world, token, "/api/v1/lists").status_code == 200
    owner = world.services.place.owner_id
    with world.services.database.write() as session:
        staff.by_username(session, owner, "kari").role = "auditor"
    assert call(world, token, "/api/v1/lists").status_code == 200
    assert call(world, token, "/api/v1/policy/explain?name=a.no").json()["type"] == "urn:gjestenett:problem:role"
    for moment, status in ((world.now, 401), (world.now + timedelta(days=1), 200)):
        with world.services.database.write() as session:
            staff.by_username(session, owner, "kari").ends_at = moment
        assert call(world, token, "/api/v1/lists").status_code == status
    with world.services.database.write() as session:
        accounts.disable_account(session, world.services.place, "kari", world.now, by="ola")
    assert call(world, token, "/api/v1/lists").status_code == 401
    with world.services.database.write() as session:
        account = staff.by_username(session, owner, "kari")
        account.disabled_at = None
    assert call(world, token, "/api/v1/lists").status_code == 401, "disabling has ended the token for good"


def test_a_token_ends_with_the_role_it_was_made_under(world):
    world.account("ola", "it")
    token = token_of(asked(world.signed_in("it", "kari"), **{"scope-lists": "write"}))
    with world.services.database.write() as session:
        kari = staff.by_username(session, world.services.place.owner_id, "kari")
        place, console = world.services.place, world.settings.console
        assert staff_keeping.change_role(session, place, kari, "auditor", "", console, world.now, by="ola") is None
    assert call(world, token, "/api/v1/lists").status_code == 401


def test_a_role_that_a_provider_gave_opens_nothing_to_programs_once_nobody_signs_in_with_it(world):
    token = token_of(asked(world.signed_in("it", "kari"), **{"scope-lists": "write"}))
    with world.services.database.write() as session:
        staff.by_username(session, world.services.place.owner_id, "kari").role_by_claim = True
    world.now += timedelta(days=29)
    assert call(world, token, "/api/v1/lists").status_code == 200
    world.now += timedelta(days=1)
    assert call(world, token, "/api/v1/lists").status_code == 401


def test_a_token_ends_on_its_day(world):
    token = token_of(asked(world.signed_in("it"), expires="2026-11-22"))
    world.now = datetime(2026, 11, 22, 22, 59, tzinfo=UTC)
    assert call(world, token).status_code == 200
    world.now += timedelta(minutes=1)
    answer = call(world, token)
    assert (answer.status_code, answer.json()["title"]) == (401, "The token is not valid")
    assert answer.headers["www-authenticate"] == 'Bearer realm="gjestenett", error="invalid_token"'


def test_it_sees_and_ends_those_of_others_and_nobody_else_does(world):
    host = world.signed_in("host", "hege", unit="Nybø skule")
    token = token_of(asked(host, **{"scope-policy": "", "scope-account": "write"}))
    with world.services.database.read() as session:
        [row] = session.query(ApiToken)
    auditor = world.signed_in("auditor")
    assert auditor.get("/tokens").status_code == 403
    auditor.fill(PAGE, f"{PAGE}/{row.id}/revoke")
    assert call(world, token).status_code == 200
    it = world.signed_in("it", "kari")
    page = it.get("/tokens").text
    assert "hege" in page
    assert "Sync" in page
    assert it.get("/api/v1/tokens").json()["tokens"][0]["username"] == "hege"
    it.fill("/tokens", f"/tokens/{row.id}/revoke")
    assert call(world, token).status_code == 401


def test_wrong_tokens_are_slowed_and_hold_nobody_else_back(world):
    browser = world.signed_in("it")
    token = token_of(asked(browser))
    one = world.browser("192.0.2.66")
    answers = [
        one.get("/api/v1/account", headers={"authorization": f"Bearer {new_secret()}"}).status_code for _ in range(25)
    ]
    assert answers[:20] == [401] * 20
    assert answers[-1] == 429
    wrong = one.get("/api/v1/account", headers={"authorization": "Bearer x"})
    assert 1 <= int(wrong.headers["retry-after"]) <= 60
    assert one.get("/api/v1/account", headers={"authorization": f"Bearer {token}"}).status_code == 200
    other = one.elsewhere("192.0.2.67")
    assert other.get("/api/v1/account", headers={"authorization": "Bearer x"}).status_code == 401


def test_what_a_token_looks_like():
    drawn = {new_secret() for _ in range(50)}
    assert len(drawn) == 50
    for secret in drawn:
        assert FORM.fullmatch(secret)
        assert is_well_formed(secret)
        assert not is_well_formed(secret[:-1] + ("a" if secret[-1] != "a" else "b"))
        assert not is_well_formed(secret + "a")
    assert not is_well_formed("gjn_" + "æ" * 46)


def test_the_list_forgets_what_ended_a_month_ago(world):
    browser = world.signed_in("it")
    asked(browser)
    owner = world.services.place.owner_id
    for moment, left in ((datetime(2027, 3, 2, 22, tzinfo=UTC), 1), (datetime(2027, 3, 3, tzinfo=UTC), 0)):
        with world.services.database.write() as session:
            stored.forget(session, owner, moment)
            assert len(stored.of_owner(session, owner)) == left
    assert START.year == 2026
