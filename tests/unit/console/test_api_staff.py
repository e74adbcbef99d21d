"""Accounts of staff over JSON: made with a link that is told once, changed, suspended; and no token makes itself IT."""

from __future__ import annotations

import json
from datetime import timedelta
from secrets import token_hex
from urllib.parse import urlsplit

import pytest

from captive_portal.auth import api_tokens
from gateway.storage import staff
from gateway.storage.api_models import KeptAnswer
from gateway.storage.log_models import StagedLeaf
from tests.unit.console.conftest import Browser, World

ACCOUNTS = "/api/v1/staff"
HOST = {"username": "Vert.Vertsen", "role": "host", "unit": "Nybø skule"}


@pytest.fixture
def it(world):
    world.publish_all()
    return world.signed_in("it", "kari")


def program(world: World, username: str, *scopes: str) -> Browser:
    """What shows a token of an account with these scopes."""
    place = world.services.place
    with world.services.database.write() as session:
        account = staff.by_username(session, place.owner_id, username)
        made = api_tokens.make(
            session, place, account.id, token_hex(4), scopes, world.now + timedelta(days=9), world.now
        )
    assert isinstance(made, api_tokens.Made)
    browser = world.browser("192.0.2.9")
    browser.headers = {"authorization": f"Bearer {made.secret}"}
    return browser


def account_id(world: World, username: str) -> str:
    with world.services.database.read() as session:
        return staff.by_username(session, world.services.place.owner_id, username).id


def changes(world: World) -> list[str]:
    """What the log says of accounts, oldest first."""
    with world.services.database.read() as session:
        entries = [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]
    return [entry["change"] for entry in entries if entry["type"] == "staff_change"]


def test_an_account_is_made_listed_changed_suspended_and_opened_again(it, world):
    made = it.post(ACCOUNTS, json=HOST)
    assert made.status_code == 201
    one = made.headers["location"]
    assert one == f"{ACCOUNTS}/{made.json()['id']}"
    assert made.headers["cache-control"] == "no-store"
    shown = it.get(one).json()
    assert (shown["username"], shown["unit"], shown["state"]) == ("vert.vertsen", "Nybø skule", "waiting")
    assert "link" not in shown
    assert [each["username"] for each in it.get(ACCOUNTS).json()["accounts"]] == ["kari", "vert.vertsen"]
    page = it.get(f"{ACCOUNTS}?limit=1").json()
    assert [each["username"] for each in it.get(page["next"]).json()["accounts"]] == ["vert.vertsen"]
    path = urlsplit(made.json()["link"]).path
    words = "correct horse battery staple"
    bearer = world.browser()
    assert bearer.fill(path, path, password=words, password_again=words).status_code in (200, 303)
    assert it.get(one).json()["state"] == "ready"
    assert it.patch(one, json={"unit": "Ny skule"}).json()["unit"] == "Ny skule"
    assert it.post(f"{one}/suspend").json()["state"] == "disabled"
    assert it.post(f"{one}/suspend").status_code == 409
    assert it.post(f"{one}/reopen").json()["state"] == "ready"
    again = it.post(f"{one}/reset").json()
    assert (again["state"], urlsplit(again["link"]).path != path) == ("waiting", True)
    assert changes(world)[-5:] == ["password_set", "changed", "disabled", "reopened", "reset"]


def test_what_can_not_be_is_told_by_field_and_leaves_nothing(it, world):
    before = changes(world)
    for wrong, field in (
        ({"username": "x"}, "username"),
        ({"username": "kari"}, "username"),
        ({"unit": " "}, "unit"),
        ({"role": "auditor"}, "unit"),
        ({"role": "auditor", "unit": "", "sees": {"sites": ["nowhere"]}}, "sees.sites"),
    ):
        answer = it.post(ACCOUNTS, json=HOST | wrong)
        assert (answer.status_code, list(answer.json()["fields"])) == (422, [field]), wrong
    assert it.post(ACCOUNTS, json=HOST | {"sees": {"fields": ["name"]}}).status_code == 422
    assert it.post(ACCOUNTS, json=HOST | {"role": "root"}).status_code == 422
    assert it.post(ACCOUNTS, json=HOST | {"ends_at": "2026-01-01T00:00Z"}).status_code == 422
    assert changes(world) == before
    own = f"{ACCOUNTS}/{account_id(world, 'kari')}"
    for answer in (it.patch(own, json={"role": "auditor"}), it.post(f"{own}/suspend"), it.post(f"{own}/reset")):
        assert answer.status_code == 409
    assert it.post(f"{ACCOUNTS}/unknown/suspend").status_code == 404
    assert it.get(f"{ACCOUNTS}/unknown").status_code == 404
    assert changes(world) == before


def test_what_an_auditor_sees_is_limited_and_given_back(it, world):
    sees = {"sites": ["hovedbygg"], "since": "2026-01-01T00:00:00Z", "fields": ["name"]}
    asked = {"username": "rev", "role": "auditor", "sees": sees, "ends_at": "2026-12-31T23:00:00Z"}
    made = it.post(ACCOUNTS, json=asked).json()
    assert made["sees"] == sees | {"until": None}
    assert made["ends_at"] == "2026-12-31T23:00:00Z"
    one = f"{ACCOUNTS}/{made['id']}"
    leaves = len(changes(world))
    assert it.patch(one, json={"sees": sees}).json()["sees"] == sees | {"until": None}
    assert len(changes(world)) == leaves, "nothing was changed"
    assert it.patch(one, json={"sees": {}}).json()["sees"] is None
    wrong = it.patch(one, json={"role": "it", "sees": sees})
    assert wrong.status_code == 422
    assert it.get(one).json()["role"] == "auditor", "all that is asked, or nothing"
    assert it.patch(one, json={"unit": "Skule"}).json()["fields"].keys() == {"unit"}
    assert it.patch(one, json={"sees": {"since": "2026-02-01T00:00Z", "until": "2026-01-01T00:00Z"}}).status_code == 422


def test_an_account_gets_another_end_or_none(it, world):
    world.account("rev", "auditor")
    one = f"{ACCOUNTS}/{account_id(world, 'rev')}"
    changed = it.patch(one, json={"ends_at": "2027-06-30T18:00"})
    assert (changed.status_code, changed.json()["ends_at"]) == (200, "2027-06-30T16:00:00Z")
    count = len(changes(world))
    for same in ({"ends_at": "2027-06-30T16:00:00Z"}, {}, {"role": "auditor"}):
        assert it.patch(one, json=same).json()["ends_at"] == "2027-06-30T16:00:00Z", "what is left out stays"
    assert len(changes(world)) == count
    past = it.patch(one, json={"ends_at": "2026-11-22T11:00:00Z", "role": "host", "unit": "Nybø skule"})
    assert (past.status_code, list(past.json()["fields"])) == (422, ["ends_at"])
    assert it.get(one).json()["role"] == "auditor", "all that is asked, or nothing"
    assert it.patch(one, json={"ends_at": None}).json()["ends_at"] is None
    own = f"{ACCOUNTS}/{account_id(world, 'kari')}"
    assert it.patch(own, json={"ends_at": "2027-06-30T18:00"}).status_code == 409, "one's own"


def test_an_authenticator_is_taken_where_it_may_be_missing(it, world):
    world.account("rev", "auditor")
    one = f"{ACCOUNTS}/{account_id(world, 'rev')}"
    assert (it.get(one).json()["authenticator"], it.get(one).json()["passkeys"]) == (True, 0)
    assert it.delete(f"{one}/second-factor").status_code == 409, "auditors must have one"
    host = it.post(ACCOUNTS, json=HOST).json()["id"]
    assert it.delete(f"{ACCOUNTS}/{host}/second-factor").status_code == 409, "there is none"


def test_the_link_is_told_once_and_a_repeated_call_is_answered_without_it(it, world):
    key = {"idempotency-key": "a"}
    first = it.post(ACCOUNTS, json=HOST, headers=key).json()
    again = it.post(ACCOUNTS, json=HOST, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.headers["location"]) == (201, f"{ACCOUNTS}/{first['id']}")
    assert again.json() == first | {"link": None}
    token = first["link"].rpartition("/")[2]
    reset = it.post(f"{ACCOUNTS}/{first['id']}/reset", headers={"idempotency-key": "b"}).json()["link"]
    with world.services.database.read() as session:
        kept = [row.body for row in session.query(KeptAnswer)]
    assert len(kept) == 2
    assert all(secret.encode() not in body for secret in (token, reset.rpartition("/")[2]) for body in kept)


GIVES_HOSTS = ("staff:write", "courses:write")
GIVES_AUDITORS = ("staff:write", "overview:read", "lists:read", "rules:read", "evidence:write")


def test_a_token_gives_nobody_more_than_it_may_do_and_nobody_what_it_may(it, world):
    auditor, host = {"username": "rev", "role": "auditor"}, HOST
    few, hosts = program(world, "kari", "staff:write"), program(world, "kari", *GIVES_HOSTS)
    auditors, every = program(world, "kari", *GIVES_AUDITORS), program(world, "kari", *api_tokens.scopes_of("it"))
    for token, asked, status in (
        (few, host, 403), (few, auditor, 403), (auditors, host, 403), (hosts, auditor, 403),
        (every, {"username": "ola", "role": "it"}, 403), (hosts, host, 201), (auditors, auditor, 201),
    ):  # fmt: skip
        answer = token.post(ACCOUNTS, json=asked)
        assert (answer.status_code, "link" in answer.json()) == (status, status == 201)
    assert few.post(ACCOUNTS, json=host).json()["type"] == "urn:gjestenett:problem:scope"
    one = f"{ACCOUNTS}/{account_id(world, 'vert.vertsen')}"
    assert every.patch(one, json={"role": "it"}).status_code == 403
    assert hosts.patch(one, json={"role": "auditor"}).status_code == 403
    assert few.patch(one, json={"unit": "Annen skule"}).status_code == 403
    assert few.post(f"{one}/reset").status_code == 403
    assert few.post(f"{one}/suspend").status_code == 200, "taking away needs no more than the scope"
    assert few.post(f"{one}/reopen").status_code == 403
    assert hosts.post(f"{one}/reopen").status_code == 200
    world.account("per", "it")
    other = f"{ACCOUNTS}/{account_id(world, 'per')}"
    for answer in (
        every.post(f"{other}/reset"), every.patch(other, json={"role": "auditor"}), every.post(f"{other}/reopen"),
        every.delete(f"{other}/second-factor"),
    ):  # fmt: skip
        assert answer.status_code == 403
    assert every.post(f"{other}/suspend").status_code == 200
    assert it.post(f"{other}/reset").status_code == 200, "who is signed in does what the console does"
