"""The staff room: accounts made, changed, suspended and opened again by IT, who can't lock itself out."""

from __future__ import annotations

import dataclasses
import html
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from captive_portal.auth import accounts, sessions, staff_keeping
from captive_portal.auth.last_way_in import is_last_way_in
from captive_portal.auth.second_factor import load_second_factor
from captive_portal.console.visit import SESSION_COOKIE
from captive_portal.console_app import create_app
from gateway.context import Services
from gateway.settings import Console
from gateway.storage import staff
from gateway.storage.log_models import StagedLeaf
from gateway.storage.passkey_models import Passkey
from gateway.storage.staff_models import Staff
from tests.unit.console.conftest import SECRET, Browser, World

HTML = "<script>alert(1)</script>"


def stored(world: World, username: str) -> Staff:
    with world.services.database.read() as session:
        found = staff.by_username(session, world.services.place.owner_id, username)
    assert found is not None
    return found


def page_of(world: World, username: str) -> str:
    return f"/staff/{stored(world, username).id}"


def changes(world: World) -> list[str]:
    """What the log says of accounts, oldest first."""
    with world.services.database.read() as session:
        entries = [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]
    return [entry["change"] for entry in entries if entry["type"] == "staff_change"]


def test_an_account_is_made_by_a_link_that_is_shown_once_and_works_once(world):
    world.publish_all()
    it = world.signed_in("it", "kari")
    answer = it.fill("/staff/new", "/staff/new", username="Vert.Vertsen", role="host", unit="Nybø skule")
    link = re.search(r"https://[^/<]+(/setup/[\w-]+)", answer.text)
    assert link is not None
    assert answer.headers["cache-control"] == "no-store"
    listed = it.get("/staff").text
    assert "vert.vertsen" in listed
    assert "Waits for its link to be used" in listed
    assert link[1] not in listed
    assert link[1] not in it.get(page_of(world, "vert.vertsen")).text
    assert changes(world)[-1] == "added"
    bearer = world.browser()
    assert "vert.vertsen" in bearer.get(link[1]).text
    words = "correct horse battery staple"
    assert bearer.fill(link[1], link[1], password=words, password_again=words).status_code in (200, 303)
    assert bearer.get(link[1]).status_code != 200
    world.sign_in(world.browser(), "vert.vertsen")
    assert "Can sign in" in it.get(page_of(world, "vert.vertsen")).text
    assert stored(world, "vert.vertsen").last_sign_in_at == world.now


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "x"}, "username"),
        ({"username": HTML}, "username"),
        ({"username": "a\0b"}, "username"),
        ({"username": "Kari"}, "username"),
        ({"role": "root"}, "role"),
        ({"role": ""}, "role"),
        ({"role": "host", "unit": " "}, "unit"),
        ({"role": "host", "unit": "x" * 121}, "unit"),
        ({"role": "host", "unit": "a\u202eb"}, "unit"),
    ],
)
def test_wrong_input_is_told_by_its_field_and_makes_nothing(world, other, field):
    it = world.signed_in("it", "kari")
    answer = it.fill("/staff/new", "/staff/new", **({"username": "ny", "role": "it", "unit": ""} | other))
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert HTML not in answer.text
    with world.services.database.read() as session:
        assert len(staff.accounts(session, world.services.place.owner_id)) == 1


def test_an_account_is_suspended_and_opened_again_with_its_password(world):
    it = world.signed_in("it", "kari")
    other = world.signed_in("it", "ola")
    page = page_of(world, "ola")
    assert "signed out everywhere at once" in it.get(f"{page}/suspend").text
    assert it.fill(f"{page}/suspend", f"{page}/suspend").headers["location"] == f"{page}?notice=suspended"
    assert other.get("/policy").headers["location"] == "/sign-in"
    assert other.sign_in("ola").status_code == 422
    assert "Suspended" in it.get("/staff").text
    again = it.fill(page, f"{page}/suspend")
    assert (again.status_code, "It stands so already" in again.text) == (409, True)
    assert it.fill(page, f"{page}/reopen").headers["location"] == f"{page}?notice=reopened"
    world.sign_in(other, "ola")
    assert changes(world)[-2:] == ["disabled", "reopened"]
    assert it.fill(page, f"{page}/reopen").status_code == 409


def test_nobody_locks_it_out(world):
    """Not oneself, and not the last account of IT that can be signed in to here, whoever asks."""
    it = world.signed_in("it", "kari")
    own = page_of(world, "kari")
    token = it.token_on("/staff/new")
    for action in ("/suspend", "/reset", "/second-factor", "/reopen", ""):
        answer = it.post(f"{own}{action}", data={"form_token": token, "role": "auditor"})
        assert (answer.status_code, "your own account" in answer.text) == (409, True), action
    federated = by_the_provider(world, "ola")
    page = page_of(world, "kari")
    assert "It can’t be suspended" in federated.get(page).text
    token = federated.token_on("/staff/new")
    for action, fields in (("/suspend", {}), ("/reset", {}), ("", {"role": "auditor"})):
        answer = federated.post(f"{page}{action}", data={"form_token": token} | fields)
        assert (answer.status_code, "the last account of IT" in answer.text) == (409, True), action
    assert it.get("/staff").status_code == 200
    world.account("per", "it")
    assert federated.post(f"{page}/suspend", data={"form_token": token}).status_code == 303


def by_the_provider(world: World, username: str, services: Services | None = None) -> Browser:
    """A browser of somebody of IT who has come in by the OpenID provider."""
    with world.services.database.write() as session:
        account = accounts.new_account(session, world.services.place, username, "it", world.now)
        account.oidc_issuer, account.oidc_subject, account.role_by_claim = "https://op.test", username, True
        cookie = sessions.sign_in(
            session, world.services.place, account, method="oidc", address="", previous="", now=world.now
        )
    browser = Browser(create_app(services or world.services))
    browser.cookies.set(SESSION_COOKIE, cookie)
    return browser


def test_what_the_provider_says_is_changed_there(world):
    it = world.signed_in("it", "kari")
    by_the_provider(world, "ola")
    page = page_of(world, "ola")
    for action, fields in (("/reset", {}), ("", {"role": "auditor"})):
        answer = it.fill(page, f"{page}{action}", **fields)
        assert (answer.status_code, "Change it there" in answer.text) == (409, True), action
    assert it.fill(page, f"{page}/suspend").status_code == 303
    assert it.fill(page, f"{page}/reopen").status_code == 303


def test_an_account_that_has_ended_or_is_suspended_is_no_way_in(world):
    it = world.signed_in("it", "kari")
    world.account("ola", "it")
    page = page_of(world, "ola")

    assert not is_last(world, "kari")
    assert it.fill(f"{page}/suspend", f"{page}/suspend").status_code == 303
    assert is_last(world, "kari")
    assert it.fill(page, f"{page}/reopen").status_code == 303
    assert not is_last(world, "kari")
    with world.services.database.write() as session:
        account = session.get(Staff, page.rpartition("/")[2])
        assert account is not None
        account.ends_at = world.now
    assert is_last(world, "kari")
    for action in ("/reset",):
        answer = it.fill(page, f"{page}{action}")
        assert (answer.status_code, "last day is over" in answer.text) == (409, True)


def is_last(world: World, username: str, **console: str) -> bool:
    """Whether IT gets in by this account alone, with these settings of the console."""
    with world.services.database.read() as session:
        account = staff.by_username(session, world.services.place.owner_id, username)
        assert account is not None
        return is_last_way_in(session, world.services.place, account, Console(**console), world.now)


def give_factors(world: World, username: str, *, authenticator: bool = False, keys: tuple[str, ...] = ()) -> None:
    """Give the account an authenticator, and a passkey at each of these names."""
    with world.services.database.write() as session:
        account = staff.by_username(session, world.services.place.owner_id, username)
        assert account is not None
        if authenticator:
            account.totp_secret = load_second_factor(world.settings.state).lock(SECRET)
        for name in keys:
            session.add(
                Passkey(
                    staff_id=account.id, name=name, rp_id=name, credential_id=f"{username} {name}".encode(),
                    public_key=b"", sign_count=0, backup_eligible=False, transports="", created_at=world.now,
                    last_used_at=None,
                )
            )  # fmt: skip


def test_an_account_without_the_factor_that_is_demanded_is_no_way_in(world):
    world.account("kari", "it")
    world.account("vert", "host", unit="Nybø skule")
    give_factors(world, "kari", authenticator=True)
    demanding = Console(second_factor="everybody")
    services = dataclasses.replace(world.services, settings=world.settings.model_copy(update={"console": demanding}))
    federated, page = by_the_provider(world, "ola", services), page_of(world, "vert")
    assert federated.fill(page, page, role="it").headers["location"] == f"{page}?notice=changed"
    assert not is_last(world, "kari"), "where none is demanded the password lets the other one in"
    kari = page_of(world, "kari")
    for action, fields in (("suspend", {}), ("reset", {}), ("", {"role": "auditor"})):
        answer = federated.fill("/staff/new", f"{kari}/{action}".rstrip("/"), **fields)
        assert (answer.status_code, "the last account of IT" in answer.text) == (409, True), action
    give_factors(world, "vert", keys=("localhost",))
    assert federated.fill("/staff/new", f"{kari}/suspend").headers["location"] == f"{kari}?notice=suspended"


@pytest.mark.parametrize("second_factor", ["auditors", "everybody"])
def test_a_passkey_of_another_name_is_no_way_in(world, second_factor):
    world.account("kari", "it")
    world.account("ola", "it")
    give_factors(world, "kari", authenticator=True)
    give_factors(world, "ola", keys=("localhost",))
    assert not is_last(world, "kari", second_factor=second_factor, hostname="LOCALHOST")
    for hostname in ("gjestenett.storvik.no", "192.0.2.1"):
        assert is_last(world, "kari", second_factor=second_factor, hostname=hostname)
    give_factors(world, "ola", keys=("gjestenett.storvik.no",))
    assert not is_last(world, "kari", second_factor=second_factor, hostname="gjestenett.storvik.no")
    assert is_last(world, "kari", second_factor=second_factor, hostname="192.0.2.1")
    give_factors(world, "ola", authenticator=True)
    assert not is_last(world, "kari", second_factor=second_factor, hostname="192.0.2.1")


def test_role_and_unit_are_changed_and_the_account_is_signed_out(world):
    it = world.signed_in("it", "kari")
    host = world.signed_in("host", "vert", unit="Nybø skule")
    page = page_of(world, "vert")
    assert it.fill(page, page, role="host", unit="Biblioteket").headers["location"] == f"{page}?notice=changed"
    assert stored(world, "vert").unit == "Biblioteket"
    assert host.get("/courses").headers["location"] == "/sign-in"
    assert it.fill(page, page, role="it", unit="is not read").status_code == 303
    assert (stored(world, "vert").role, stored(world, "vert").unit) == ("it", "")
    assert it.fill(page, page, role="host", unit="").status_code == 422
    assert it.fill(page, page, role="root", unit="").status_code == 422
    assert it.fill(page, page, role="it").status_code == 409, "it stands so already"
    assert changes(world)[-2:] == ["changed", "changed"]


def test_an_account_gets_another_last_day_or_none(world):
    it = world.signed_in("it", "kari")
    auditor = world.signed_in("auditor", "rev")
    page = page_of(world, "rev")
    assert it.fill(page, f"{page}/last-day", ends="").status_code == 409, "it has none already"
    assert it.fill(page, f"{page}/last-day", ends="2026-12-24").headers["location"] == f"{page}?notice=end-changed"
    assert stored(world, "rev").ends_at == datetime(2026, 12, 24, 23, tzinfo=UTC), "the end of that day in Norway"
    assert 'value="2026-12-24"' in it.get(page).text
    for each in ("/staff", page):
        shown = html.unescape(re.sub("<[^>]+>", " ", it.get(each).text)).replace("\u00a0", " ")
        assert re.search(r"Last day:?\s+24 December 2026\s", shown), each
        assert "25 December" not in shown, each
    assert it.fill(page, f"{page}/last-day", ends="2026-12-24").status_code == 409, "it stands so already"
    world.now = datetime(2026, 12, 24, 22, 59, tzinfo=UTC)
    world.sign_in(auditor, "rev")
    assert auditor.get("/account").status_code == 200
    world.now = datetime(2026, 12, 24, 23, 0, tzinfo=UTC)
    assert auditor.get("/account").headers["location"] == "/sign-in"
    world.sign_in(it, "kari")
    assert it.fill(page, f"{page}/last-day", ends="").headers["location"] == f"{page}?notice=end-changed"
    assert stored(world, "rev").ends_at is None
    assert changes(world)[-2:] == ["changed", "changed"]


@pytest.mark.parametrize(("written", "said"), [("2026-11-21", "This day is past"), ("soon", "as a date")])
def test_a_last_day_that_can_not_be_is_told_beside_it(world, written, said):
    it = world.signed_in("it", "kari")
    world.account("rev", "auditor")
    page = page_of(world, "rev")
    answer = it.fill(page, f"{page}/last-day", ends=written)
    assert (answer.status_code, said in answer.text, 'href="#ends"' in answer.text) == (422, True, True)
    assert stored(world, "rev").ends_at is None


def test_the_last_way_in_gets_no_end(world):
    world.account("kari", "it")
    with world.services.database.write() as session:
        place = world.services.place
        held = staff_keeping.hold(session, place, stored(world, "kari").id, "")
        ends_at, console = world.now + timedelta(days=1), world.settings.console
        assert staff_keeping.change_end(session, place, held, ends_at, console, world.now, by="ola") == "last"
        none = staff_keeping.change_end(session, place, held, None, console, world.now, by="ola")
    assert (none, stored(world, "kari").ends_at) == ("nothing", None)


def test_an_account_that_is_to_end_is_no_way_in_beside_one_that_is_not(world):
    """Two who give each other a last day, or one that ends and the other suspended, would lock IT out."""
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    of_kari, of_ola = page_of(world, "kari"), page_of(world, "ola")
    ended = kari.fill(of_ola, f"{of_ola}/last-day", ends="2026-11-30")
    assert ended.headers["location"] == f"{of_ola}?notice=end-changed"
    assert (is_last(world, "kari"), is_last(world, "ola")) == (True, False)
    page = ola.get(of_kari).text
    assert ("Others that have a last day don’t count." in page, 'name="ends"' in page) == (True, False)
    token = ola.token_on("/staff/new")
    for action, fields in (
        ("/last-day", {"ends": "2026-12-24"}), ("/suspend", {}), ("/reset", {}), ("", {"role": "auditor"})
    ):  # fmt: skip
        answer = ola.post(f"{of_kari}{action}", data={"form_token": token} | fields)
        assert (answer.status_code, "the last account of IT" in answer.text) == (409, True), action
    assert kari.fill(of_ola, f"{of_ola}/suspend").headers["location"] == f"{of_ola}?notice=suspended"


def test_where_every_way_in_is_to_end_the_last_of_them_stays_and_may_lose_its_end(world):
    for name, days in (("kari", 3), ("ola", 9)):
        world.account(name, "it", ends_at=world.now + timedelta(days=days))
    assert (is_last(world, "kari"), is_last(world, "ola")) == (False, False)
    federated, page = by_the_provider(world, "per"), page_of(world, "ola")
    of_kari = page_of(world, "kari")
    assert federated.fill(of_kari, f"{of_kari}/suspend").status_code == 303
    assert is_last(world, "ola")
    refused = federated.fill("/staff/new", f"{page}/suspend")
    assert (refused.status_code, "the last account of IT" in refused.text) == (409, True)
    assert 'name="ends"' in federated.get(page).text
    assert federated.fill(page, f"{page}/last-day", ends="").headers["location"] == f"{page}?notice=end-changed"
    assert 'name="ends"' not in federated.get(page).text


def test_a_new_link_takes_password_and_authenticator(world):
    it = world.signed_in("it", "kari")
    other = world.signed_in("it", "ola")
    page = page_of(world, "ola")
    answer = it.fill(f"{page}/reset", f"{page}/reset")
    assert re.search(r"https://[^/<]+/setup/[\w-]+", answer.text)
    assert stored(world, "ola").password_hash is None
    assert other.get("/policy").headers["location"] == "/sign-in"
    assert changes(world)[-1] == "reset"


def test_an_authenticator_is_removed_where_none_is_demanded(world):
    it = world.signed_in("it", "kari")
    world.signed_in("auditor", "rev")
    world.account("ola", "it")
    with world.services.database.write() as session:
        account = staff.by_username(session, world.services.place.owner_id, "ola")
        assert account is not None
        account.totp_secret = "kept elsewhere"
        staff.set_recovery_codes(session, account.id, ["0" * 64])
    page = page_of(world, "ola")
    assert it.fill(f"{page}/second-factor", f"{page}/second-factor").status_code == 303
    assert stored(world, "ola").totp_secret is None
    with world.services.database.read() as session:
        assert staff.recovery_codes_left(session, stored(world, "ola").id) == 0
    assert changes(world)[-1] == "authenticator_removed"
    assert it.fill(page, f"{page}/second-factor").status_code == 409
    auditor = page_of(world, "rev")
    refused = it.fill(auditor, f"{auditor}/second-factor")
    assert (refused.status_code, "must have a second factor" in refused.text) == (409, True)


@pytest.mark.parametrize("wanted", ["nobody", "0" * 32, "a" * 500, "%00", "%3Cscript%3E"])
def test_an_account_that_is_not_there_is_not_found(world, wanted):
    it = world.signed_in("it", "kari")
    token = it.token_on("/staff/new")
    assert it.get(f"/staff/{wanted}").status_code == 404
    assert it.get(f"/staff/{wanted}/suspend").status_code == 404
    for action in ("", "/suspend", "/reopen", "/reset", "/second-factor"):
        answer = it.post(f"/staff/{wanted}{action}", data={"form_token": token, "role": "it"})
        assert answer.status_code == 404, action
