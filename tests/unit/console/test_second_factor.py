"""Authenticators: the RFC's own codes, one use each, the window, recovery codes, and sign-in in two steps."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from captive_portal.auth import accounts
from captive_portal.auth.second_factor import (
    SecondFactor,
    SecondFactorError,
    load_second_factor,
    matching_step,
    new_recovery_codes,
    qr_svg,
    recovery_sha256,
)
from captive_portal.console.visit import TICKET_COOKIE
from gateway.storage import staff
from gateway.storage.staff_models import RecoveryCode
from tests.unit.console.conftest import PASSWORD, SECRET
from tests.unit.console.test_pages import leaf_types

# RFC 6238 appendix B, SHA-1: the last six of its eight digits
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}


@pytest.mark.parametrize(("at", "code"), VECTORS.items())
def test_the_codes_of_the_rfc_are_good_within_one_step_and_once(at, code):
    moment, step = datetime.fromtimestamp(at, UTC), at // 30
    assert matching_step(SECRET, code, moment, 0) == step
    assert matching_step(SECRET, f" {code[:3]} {code[3:]} ", moment, step - 1) == step
    assert matching_step(SECRET, code, moment, step) is None, "used"
    for off, good in ((-60, False), (-30, True), (30, True), (60, False)):
        assert (matching_step(SECRET, code, moment + timedelta(seconds=off), 0) is not None) == good


@pytest.mark.parametrize("code", ["", "12345", "1234567", "28708a", "٢٨٧٠٨٢", "287083", "\0" * 6])
def test_what_is_no_code_is_refused(code):
    assert matching_step(SECRET, code, datetime.fromtimestamp(59, UTC), 0) is None


def test_a_secret_is_locked_by_the_key_and_by_no_other(tmp_path):
    second = load_second_factor(tmp_path)
    kept = second.lock(SECRET)
    assert SECRET not in kept
    assert load_second_factor(tmp_path).unlock(kept) == SECRET
    assert (tmp_path / "keys" / "console.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SecondFactorError, match="another key"):
        SecondFactor(b"x" * 32).unlock(kept)
    assert second.secret_for("a") != second.secret_for("b")
    assert second.secret_for("a") != SecondFactor(b"x" * 32).secret_for("a"), "the link alone does not give the secret"
    (tmp_path / "keys" / "console.key").write_text("short")
    with pytest.raises(SecondFactorError, match=r"console\.key"):
        load_second_factor(tmp_path)


def test_a_ticket_is_for_its_account_its_password_and_five_minutes():
    second, now = SecondFactor(b"k" * 32), datetime(2026, 11, 22, tzinfo=UTC)
    ticket = second.ticket("a1", "hash", now + timedelta(minutes=5))
    assert second.ticket_holder(ticket, now) == "a1"
    assert second.ticket_matches(ticket, "hash")
    assert not second.ticket_matches(ticket, "another hash")
    assert not second.ticket_matches(ticket.replace("a1", "a2"), "hash")
    assert second.ticket_holder(ticket, now + timedelta(minutes=5)) is None
    for bad in ("", ".", "a1", "a1.x.y", "a1.99999999999999.z", "æ.9999999999.z", "\ud800.9999999999.z", "." * 500):
        assert second.ticket_holder(bad, now) is None or not second.ticket_matches(bad, "hash")


def test_recovery_codes_are_many_and_read_as_people_write_them():
    codes = new_recovery_codes()
    assert len(set(codes)) == 8
    assert recovery_sha256(codes[0]) == recovery_sha256(codes[0].lower().replace("-", " "))
    assert recovery_sha256("123456") is None
    assert qr_svg("otpauth://totp/x").startswith("<svg")
    assert "style" not in qr_svg("otpauth://totp/x")


def _set_up(world, browser, role="auditor", code=None):
    with world.services.database.write() as session:
        link = accounts.add_account(session, world.services.place, "rev", role, world.now)
    path = f"/setup/{link.token}"
    page = browser.get(path).text
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    assert f"secret={secret}" in page, "the address for this phone"
    code = pyotp.TOTP(secret).at(world.now) if code is None else code
    return secret, browser.fill(path, path, password=PASSWORD, password_again=PASSWORD, code=code)


def test_an_auditor_pairs_an_authenticator_and_signs_in_with_its_codes(world):
    browser = world.browser()
    secret, answer = _set_up(world, browser)
    recovery = re.findall(r"<code>([0-9A-Z-]{19})</code>", answer.text)
    assert (answer.status_code, len(recovery)) == (200, 8)
    used = pyotp.TOTP(secret).at(world.now)
    assert browser.sign_in("rev").headers["location"] == "/sign-in/code"
    assert browser.get("/acceptances").headers["location"] == "/sign-in", "the password alone opens nothing"
    assert "already used" in browser.write_code(used).text
    assert browser.write_code("000000").status_code == 422
    world.now += timedelta(seconds=30)
    fresh = pyotp.TOTP(secret).at(world.now)
    assert browser.write_code(fresh).headers["location"] == "/"
    assert browser.get("/acceptances").status_code == 200
    other = world.browser("192.0.2.8")
    other.sign_in("rev")
    assert other.write_code(fresh).status_code == 422, "the same code, seen over a shoulder"
    assert other.write_code(recovery[0].lower()).headers["location"] == "/"
    third = world.browser("192.0.2.9")
    third.sign_in("rev")
    assert third.write_code(recovery[0]).status_code == 422, "a recovery code works once"
    with world.services.database.read() as session:
        account = staff.by_username(session, world.services.place.owner_id, "rev")
        assert session.query(RecoveryCode).filter_by(staff_id=account.id).count() == 7
        assert secret not in account.totp_secret
    assert leaf_types(world).count("staff_login") == 6


def test_an_auditor_without_an_authenticator_stays_out_and_a_link_asks_for_it(world):
    browser = world.browser()
    for code, words in (("", "Auditors need it"), ("000000", "not right")):
        with world.services.database.write() as session:
            link = accounts.add_account(session, world.services.place, f"r{len(code)}", "auditor", world.now)
        path = f"/setup/{link.token}"
        answer = browser.fill(path, path, password=PASSWORD, password_again=PASSWORD, code=code)
        assert answer.status_code == 422
        assert words in answer.text
    world.account("old", "auditor")
    with world.services.database.write() as session:  # as accounts were before authenticators
        staff.by_username(session, world.services.place.owner_id, "old").totp_secret = None
    assert "has no second factor yet" in browser.sign_in("old").text


def test_it_may_do_without_and_may_have_one(world):
    browser = world.browser()
    _, answer = _set_up(world, browser, "it", code="")
    assert answer.headers["location"] == "/sign-in?notice=ready"
    assert browser.sign_in("rev").headers["location"] == "/"
    with world.services.database.write() as session:
        link = accounts.reset_account(session, world.services.place, "rev", world.now)
    path = f"/setup/{link.token}"
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', browser.get(path).text)[1].replace(" ", "")
    code = pyotp.TOTP(secret).at(world.now)
    assert browser.fill(path, path, password=PASSWORD, password_again=PASSWORD, code=code).status_code == 200
    assert browser.sign_in("rev").headers["location"] == "/sign-in/code"


def test_an_authenticator_may_be_demanded_of_everybody(world):
    world.account("anna", "it")
    console = world.settings.console.model_copy(update={"second_factor": "everybody"})
    world.services = replace(world.services, settings=world.settings.model_copy(update={"console": console}))
    browser = world.browser()
    refused = browser.sign_in("anna")
    assert (refused.status_code, "has no second factor yet" in refused.text) == (422, True)
    _, answer = _set_up(world, browser, "it", code="")
    assert answer.status_code == 422


def test_a_ticket_that_is_late_or_of_an_old_password_starts_again(world):
    world.account("rev", "auditor")
    browser = world.browser()
    assert browser.get("/sign-in/code").headers["location"] == "/sign-in"
    browser.sign_in("rev")
    token = browser.token_on("/sign-in/code")
    world.now += timedelta(minutes=6)
    late = browser.post("/sign-in/code", data={"form_token": token, "code": world.code("rev")})
    assert (late.status_code, "took too long" in late.text) == (422, True)
    browser.sign_in("rev")
    token = browser.token_on("/sign-in/code")
    code = world.code("rev")
    with world.services.database.write() as session:
        accounts.reset_account(session, world.services.place, "rev", world.now)
    assert "took too long" in browser.post("/sign-in/code", data={"form_token": token, "code": code}).text
    assert browser.get("/sign-in/code").headers["location"] == "/sign-in"


def test_the_account_ends_after_its_last_day_and_its_sessions_with_it(world):
    browser = world.signed_in("auditor", "rev", ends_at=world.now + timedelta(minutes=20))
    assert browser.get("/acceptances").status_code == 200
    world.now += timedelta(minutes=20)
    assert browser.get("/acceptances").headers["location"] == "/sign-in"
    assert "The account has ended" in browser.sign_in("rev").text
    assert "is wrong" in browser.sign_in("rev", "not the password").text, "told to the right password only"
    with world.services.database.write() as session:
        accounts.change_account(session, world.services.place, "rev", world.now, by="it", ends_at=None)
    assert world.sign_in(browser, "rev").headers["location"] == "/"


def test_a_disabled_account_is_out_and_its_links_stop(world):
    browser = world.signed_in("auditor", "rev")
    place = world.services.place
    with world.services.database.write() as session:
        accounts.disable_account(session, place, "rev", world.now, by="it")
        link = accounts.add_account(session, place, "new", "auditor", world.now)
        accounts.disable_account(session, place, "new", world.now, by="it")
    assert browser.get("/acceptances").headers["location"] == "/sign-in"
    assert browser.sign_in("rev").status_code == 422
    assert browser.get(f"/setup/{link.token}").status_code == 410


def test_wrong_codes_are_spaced_for_whoever_writes_them_and_nobody_else(world):
    world.account("rev", "auditor")
    thief = world.browser("192.0.2.66")
    thief.sign_in("rev")
    ticket = thief.cookies[TICKET_COOKIE]
    statuses = []
    for _ in range(4):
        statuses.append(thief.write_code("000000").status_code)
        token = thief.token_on("/sign-in/code")
        thief.cookies.set(TICKET_COOKIE, ticket.partition(".")[0] + ".0.forged", domain="console.test")
        statuses.append(thief.post("/sign-in/code", data={"form_token": token, "code": "1"}).status_code)
        thief.cookies.set(TICKET_COOKIE, ticket, domain="console.test")
    assert statuses[0] == 422
    assert statuses[-1] == 429, "a ticket that is no more does not wipe the slate"
    assert world.sign_in(world.browser("192.0.2.7"), "rev").headers["location"] == "/"
