"""Signing in at an OpenID provider that runs beside the test as a process of its own, and refuses or misbehaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from captive_portal.auth import federated
from captive_portal.auth.oidc_trust import provider_context
from captive_portal.console.visit import OIDC_COOKIE, SESSION_COOKIE
from gateway.audit import entry as entries
from gateway.errors import UsageError
from gateway.settings import Console, Settings
from gateway.settings.oidc import Oidc
from gateway.storage import staff
from gateway.storage.log_models import StagedLeaf
from tests.oidc_provider import CLIENT, SECRET
from tests.unit.console.conftest import START, Browser, World
from tests.unit.console.test_pages import leaf_types

KARI = {"sub": "248289761001", "preferred_username": "Kari@Storvik.kommune.no", "roles": ["Gjestenett.IT"]}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.oidc_provider"],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        assert process.stdin is not None
        process.stdin.close()


def chosen(issuer: str, folder: Path, **other) -> Oidc:
    path = folder / "client.secret"
    path.write_text(f"{SECRET}\n", encoding="utf-8")
    return Oidc(
        **{
            "name": "Storvik-konto",
            "issuer": issuer,
            "client_id": CLIENT,
            "client_secret_file": path,
            "roles": {"Gjestenett.IT": "it", "Gjestenett.Revisor": "auditor", "Vert": "host"},
            **other,
        }
    )


@pytest.fixture
def oidc_world(tmp_path: Path, issuer: str) -> Iterator[World]:
    made = World(Settings(state=tmp_path, oidc=chosen(issuer, tmp_path)))
    yield made
    made.services.database.close()


def order(world: World, claims: dict | None = None, **other) -> None:
    """Tell the provider who signs in next, and what it does wrong."""
    document = {"now": world.now.timestamp(), "claims": KARI if claims is None else claims, **other}
    httpx.post(f"{world.settings.oidc.issuer}/control", json=document, trust_env=False).raise_for_status()


def there(browser: Browser) -> str:
    """Go to the provider; the address that it sends the browser back to."""
    going = browser.get("/sign-in/oidc")
    assert going.status_code == 303, going.text
    answer = httpx.get(going.headers["location"], trust_env=False)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


def come_back(world: World, browser: Browser | None = None, **ordered) -> httpx.Response:
    order(world, **ordered)
    browser = browser or world.browser()
    return browser.get(there(browser))


def account_of(world: World, subject: str):
    with world.services.database.read() as session:
        return staff.by_subject(session, world.services.place.owner_id, world.settings.oidc.issuer, subject)


def logins(world: World) -> list[str]:
    with world.services.database.read() as session:
        documents = [entries.parse_entry(row.entry) for row in session.query(StagedLeaf)]
    return [document["result"] for document in documents if document["type"] == "staff_login"]


def test_somebody_with_the_role_signs_in_and_gets_an_account(oidc_world):
    browser = oidc_world.browser()
    page = browser.get("/sign-in").text
    assert "Sign in with Storvik-konto" in page
    answer = come_back(oidc_world, browser)
    assert answer.headers["location"] == "/"
    assert OIDC_COOKIE not in browser.cookies
    assert browser.get("/devices").status_code == 200
    account = account_of(oidc_world, KARI["sub"])
    assert (account.username, account.role, account.role_by_claim) == ("kari@storvik.kommune.no", "it", True)
    assert account.password_hash is None
    assert leaf_types(oidc_world) == ["staff_change", "staff_login"]
    assert "You sign in with Storvik-konto" in browser.get("/account").text
    assert browser.get("/account/password").status_code == 404
    assert browser.fill("/account", "/sign-out").headers["location"] == "/sign-in?notice=signed-out"
    assert browser.get("/devices").status_code == 303
    assert 'href="/sign-in/oidc/leave"' in browser.get("/sign-in?notice=signed-out").text
    leaving = urlsplit(browser.get("/sign-in/oidc/leave").headers["location"])
    assert leaving.path == "/end"
    assert parse_qs(leaving.query)["post_logout_redirect_uri"] == ["https://localhost:8081/sign-in"]


@pytest.mark.parametrize("path", ["/sign-in/oidc", "/sign-in/oidc/done"])
def test_a_page_elsewhere_can_not_hold_it_back_unseen(oidc_world, path):
    browser = oidc_world.browser()
    for part in ("image", "iframe", "empty"):
        headers = {"sec-fetch-site": "cross-site", "sec-fetch-dest": part}
        assert {browser.get(path, headers=headers).status_code for _ in range(15)} == {403}, part
    order(oidc_world)
    opened = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    assert browser.get("/sign-in/oidc", headers=opened).status_code == 303, "a link on another page may lead here"
    assert browser.get(there(browser), headers=opened).headers["location"] == "/"


def test_the_request_has_fresh_state_nonce_and_challenge_and_a_host_cookie(oidc_world):
    order(oidc_world)
    asked = []
    for _ in range(2):
        going = oidc_world.browser().get("/sign-in/oidc")
        asked.append(parse_qs(urlsplit(going.headers["location"]).query))
        kept = going.headers["set-cookie"]
        assert kept.startswith("__Host-console-oidc=")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(kept.split("; "))
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[0][name][0]) >= 43
        assert asked[0][name] != asked[1][name]
        assert asked[0][name][0] not in kept, "the cookie is sealed"
    assert asked[0]["code_challenge_method"] == ["S256"]
    assert asked[0]["scope"] == ["openid profile email"]


def test_keys_of_the_set_are_found_by_their_name_or_tried(oidc_world):
    browser = oidc_world.browser()
    for sign in ("RS256", "ES256"):
        for no_kid in (False, True):
            assert come_back(oidc_world, browser, sign=sign, no_kid=no_kid).status_code == 303, (sign, no_kid)


def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(oidc_world):
    assert come_back(oidc_world, auth=["client_secret_post"]).status_code == 303


LATE = START.timestamp()


WRONG = (
    ("nonce", {"nonce": "another"}),
    ("no nonce", {"nonce": None}),
    ("issuer", {"iss": "https://evil.example"}),
    ("audience", {"aud": "another-client"}),
    ("audience without azp", {"aud": [CLIENT, "another"]}),
    ("azp", {"aud": [CLIENT, "another"], "azp": "another"}),
    ("expired", {"iat": LATE - 500, "exp": LATE - 200}),
    ("no end", {"exp": None}),
    ("an end in words", {"exp": "tomorrow"}),
    ("issued long ago", {"iat": LATE - 5000}),
    ("issued in times to come", {"iat": LATE + 5000}),
    ("not before", {"nbf": LATE + 5000}),
    ("no subject", {"sub": None}),
    ("a subject that is none", {"sub": ["248289761001"]}),
)


def test_an_id_token_for_somebody_or_something_else_is_refused(oidc_world):
    browser = oidc_world.browser()
    for number, (what, claims) in enumerate(WRONG):
        one = browser.elsewhere(f"192.0.2.{number}")
        answer = come_back(oidc_world, one, claims=KARI | claims)
        assert answer.status_code == 400, what
        assert "does not fit what was asked" in answer.text, what
        assert SESSION_COOKIE not in one.cookies, what
    assert account_of(oidc_world, KARI["sub"]) is None


def test_an_id_token_that_the_provider_has_not_signed_is_refused(oidc_world):
    browser = oidc_world.browser()
    for sign in ("none", "HS256", "wrong"):
        assert come_back(oidc_world, browser, sign=sign).status_code == 400, sign
    assert account_of(oidc_world, KARI["sub"]) is None


def test_an_algorithm_that_the_settings_do_not_name_is_refused(tmp_path, issuer):
    world = World(Settings(state=tmp_path, oidc=chosen(issuer, tmp_path, algorithms=("ES256",))))
    assert come_back(world, sign="RS256").status_code == 400
    assert come_back(world, sign="ES256").status_code == 303
    world.services.database.close()


def test_a_response_in_another_issuers_name_or_in_none_is_refused(oidc_world):
    browser = oidc_world.browser()
    for iss in ("https://evil.example", None):
        assert come_back(oidc_world, browser, response={"iss": iss}).status_code == 400, iss
    assert account_of(oidc_world, KARI["sub"]) is None


def test_a_code_is_redeemed_once_and_by_the_browser_that_asked(oidc_world):
    order(oidc_world)
    browser = oidc_world.browser()
    back = there(browser)
    stranger = browser.elsewhere("192.0.2.66")
    assert stranger.get(back).status_code == 400, "without the cookie"
    stolen = browser.cookies[OIDC_COOKIE]
    assert browser.get(back).status_code == 303
    for later in (browser, stranger):
        later.cookies.set(OIDC_COOKIE, stolen)
        answer = later.get(back)
        assert answer.status_code == 400, "the same attempt"
        assert "was done already" in answer.text
    # the provider itself takes a code once, whatever attempt it is sent with
    order(oidc_world)
    other = oidc_world.browser()
    fresh = parse_qs(urlsplit(there(other)).query)
    replayed = parse_qs(urlsplit(back).query)["code"][0]
    answer = other.get(f"/sign-in/oidc/done?code={replayed}&state={fresh['state'][0]}&iss={fresh['iss'][0]}")
    assert answer.status_code == 400


def test_a_code_of_another_attempt_fails_on_its_pkce_verifier(oidc_world):
    order(oidc_world)
    attacker, victim = oidc_world.browser(), oidc_world.browser()
    injected = parse_qs(urlsplit(there(attacker)).query)["code"][0]
    own = parse_qs(urlsplit(there(victim)).query)
    answer = victim.get(f"/sign-in/oidc/done?code={injected}&state={own['state'][0]}&iss={own['iss'][0]}")
    assert answer.status_code == 400
    assert SESSION_COOKIE not in victim.cookies


def test_an_attempt_ends_after_ten_minutes_and_a_refusal_there_is_said(oidc_world):
    order(oidc_world)
    browser = oidc_world.browser()
    back = there(browser)
    oidc_world.now += timedelta(minutes=10)
    assert "took too long" in browser.get(back).text
    answer = come_back(oidc_world, response={"code": None, "error": "access_denied"})
    assert answer.status_code == 400
    assert "did not sign you in" in answer.text


def test_without_a_role_nobody_gets_in_and_it_learns_whom_to_link(oidc_world):
    browser = oidc_world.browser()
    stranger = {"sub": "<b>77</b>", "preferred_username": "ola", "roles": ["Something.Else"]}
    answer = come_back(oidc_world, browser, claims=stranger)
    assert answer.status_code == 403
    assert "&lt;b&gt;77&lt;/b&gt;" in answer.text
    assert "staff link" in answer.text
    assert SESSION_COOKIE not in browser.cookies
    assert logins(oidc_world) == ["no_role"]
    place, issuer = oidc_world.services.place, oidc_world.settings.oidc.issuer
    with oidc_world.services.database.write() as session:
        federated.link(
            session,
            place,
            "ola",
            issuer,
            "<b>77</b>",
            "auditor",
            oidc_world.now,
            by="test",
            console=Console(),
        )
    assert come_back(oidc_world, browser, claims=stranger).status_code == 303
    assert browser.get("/acceptances").status_code == 200
    assert browser.get("/devices").status_code == 403


def test_a_role_that_is_taken_there_is_gone_here_and_another_one_signs_out(oidc_world):
    browser = oidc_world.browser()
    assert come_back(oidc_world, browser).status_code == 303
    other = oidc_world.browser()
    assert come_back(oidc_world, other, claims=KARI | {"roles": "Gjestenett.Revisor"}).status_code == 303
    assert browser.get("/devices").headers["location"] == "/sign-in", "what was IT's session has ended"
    assert other.get("/devices").status_code == 403
    assert come_back(oidc_world, claims=KARI | {"roles": []}).status_code == 403
    assert other.get("/acceptances").headers["location"] == "/sign-in"


def test_a_disabled_account_stays_so_whatever_the_claims_say(oidc_world):
    from captive_portal.auth import accounts

    assert come_back(oidc_world).status_code == 303
    place = oidc_world.services.place
    with oidc_world.services.database.write() as session:
        accounts.disable_account(session, place, "kari@storvik.kommune.no", oidc_world.now, by="test")
        with pytest.raises(UsageError, match="staff link"):
            accounts.reset_account(session, place, "kari@storvik.kommune.no", oidc_world.now, by="test")
    assert come_back(oidc_world).status_code == 403


def test_a_local_account_of_the_same_name_is_not_taken_over(oidc_world):
    oidc_world.account("kari@storvik.kommune.no", "it")
    assert come_back(oidc_world).status_code == 303
    account = account_of(oidc_world, KARI["sub"])
    assert account.username.startswith("kari@storvik.kommune.no-")
    assert oidc_world.browser().sign_in("kari@storvik.kommune.no").status_code == 303
    place, issuer = oidc_world.services.place, oidc_world.settings.oidc.issuer
    with oidc_world.services.database.write() as session, pytest.raises(UsageError, match="last account of IT"):
        federated.link(
            session,
            place,
            "kari@storvik.kommune.no",
            issuer,
            "9",
            "",
            oidc_world.now,
            by="test",
            console=Console(),
        )


def test_strength_that_was_asked_for_must_be_in_the_token(tmp_path, issuer):
    world = World(Settings(state=tmp_path, oidc=chosen(issuer, tmp_path, acr_values=("high",))))
    order(world)
    asked = parse_qs(urlsplit(world.browser().get("/sign-in/oidc").headers["location"]).query)
    assert asked["acr_values"] == ["high"]
    assert come_back(world).status_code == 400
    assert come_back(world, claims=KARI | {"acr": "low"}).status_code == 400
    assert come_back(world, claims=KARI | {"acr": "high"}).status_code == 303
    world.services.database.close()


def test_a_provider_that_is_away_or_another_is_said_and_the_password_still_works(tmp_path, issuer):
    world = World(Settings(state=tmp_path, oidc=chosen("http://127.0.0.1:9", tmp_path)))
    world.account("ola", "it")
    browser = world.browser()
    answer = browser.get("/sign-in/oidc")
    assert answer.status_code == 502
    assert "sign in with a password" in answer.text
    assert browser.sign_in("ola").status_code == 303
    world.services.database.close()


def test_metadata_that_name_another_issuer_or_plain_http_are_refused(oidc_world):
    for metadata in ({"issuer": "https://evil.example"}, {"token_endpoint": "http://example.com/token"}):
        order(oidc_world, metadata=metadata)
        assert oidc_world.browser().get("/sign-in/oidc").status_code == 502


def test_without_settings_there_is_no_such_page(world):
    browser = world.browser()
    assert browser.get("/sign-in/oidc").status_code == 404
    assert "/sign-in/oidc" not in browser.get("/sign-in").text


def test_with_settings_three_more_routes_are_public(oidc_world, tmp_path_factory):
    from tests.unit.console.test_gate import pages

    plain = World(Settings(state=tmp_path_factory.mktemp("plain")))
    without = {(page.method, page.path) for page in pages(plain.browser())}
    plain.services.database.close()
    more = {
        (page.method, page.path): page.permission
        for page in pages(oidc_world.browser())
        if (page.method, page.path) not in without
    }
    paths = ("/sign-in/oidc", "/sign-in/oidc/done", "/sign-in/oidc/leave")
    assert more == {("GET", path): "public" for path in paths}


def test_settings_that_can_not_work_are_refused():
    with pytest.raises(ValueError, match="client_id"):
        Oidc(issuer="https://id.example.no")
    with pytest.raises(ValueError, match="openid"):
        Oidc(scopes=("profile",))
    with pytest.raises(UsageError, match="client_secret_file"):
        _ = Oidc(client_secret_file=Path("/nowhere")).client_secret
    with pytest.raises(UsageError, match="ca_file"):
        provider_context(Oidc(ca_file=Path("/nowhere")))
    for issuer in ("http://id.example.no", "https://", "https://a b", "id.example.no", "https://id.example.no/?x=1"):
        with pytest.raises(ValueError, match="issuer"):
            Oidc(issuer=issuer, client_id="x")


def test_a_host_has_the_unit_that_a_claim_names_and_none_without(oidc_world):
    host = {"sub": "31", "preferred_username": "vert", "roles": ["Vert"]}
    assert come_back(oidc_world, claims=host).status_code == 403
    browser = oidc_world.browser()
    assert come_back(oidc_world, browser, claims=host | {"department": "Voksenopplæringen"}).status_code == 303
    assert browser.get("/courses").status_code == 200
    assert browser.get("/account").status_code == 200
    assert browser.get("/acceptances").status_code == 403
    assert account_of(oidc_world, "31").unit == "Voksenopplæringen"
