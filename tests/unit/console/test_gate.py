"""Deny by default: every route is walked, signed out, as an auditor and as IT."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from starlette.routing import Route

from captive_portal import serve
from captive_portal.auth import api_tokens
from captive_portal.console import gate
from captive_portal.console.entry import pace, signin
from captive_portal.console.permissions import may
from captive_portal.console.route import Call, Page
from captive_portal.console.visit import FORM_COOKIE, SESSION_COOKIE
from captive_portal.console_app import create_app
from gateway.errors import UsageError
from gateway.storage import staff
from gateway.storage.staff_models import StaffSession
from gateway.telemetry import Report, Totals
from tests.unit.console.conftest import Browser

PUBLIC = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/static/{name:path}"), ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/setup/{token}"), ("POST", "/setup/{token}"), ("POST", "/witness/add-checkpoint"),
    ("GET", "/sign-in/code"), ("POST", "/sign-in/code"), ("GET", "/host/{token}"), ("POST", "/host/{token}"),
    ("GET", "/sign-in/passkey"), ("POST", "/sign-in/passkey"),
    ("GET", "/sign-in/code/passkey"), ("POST", "/sign-in/code/passkey"),
}  # fmt: skip
AUDITOR = {
    ("GET", "/acceptances"), ("POST", "/acceptances/export"),
    ("GET", "/lists"), ("GET", "/lists/source/{key}"), ("GET", "/api/v1/lists"), ("GET", "/api/v1/lists/history"),
    ("GET", "/acceptances/exports/{key}"), ("GET", "/acceptances/exports/{key}/{file}"),
    ("GET", "/acceptances/export"), ("POST", "/acceptances/exports/{key}/remove"),
    ("GET", "/acceptances/{id}"), ("GET", "/log"), ("GET", "/log/{index}"), ("GET", "/log/{index}/proof"),
    ("GET", "/log/{index}/entry"), ("GET", "/rules"), ("GET", "/policy-then"), ("GET", "/checkpoints"),
    ("GET", "/checkpoints/{size}"), ("GET", "/exports"), ("GET", "/overview/now"),
    ("GET", "/api/v1/overview"),
    ("GET", "/api/v1/lists/source/{key}"), ("GET", "/api/v1/policy/then"), ("GET", "/api/v1/rules"),
    ("GET", "/api/v1/rules/coming"), ("GET", "/api/v1/rules/compare"),
    ("GET", "/api/v1/rules/versions/{version}"), ("GET", "/api/v1/acceptances"),
    ("GET", "/api/v1/acceptances/{acceptance}"), ("GET", "/api/v1/log"), ("GET", "/api/v1/log/{index}"),
    ("GET", "/api/v1/log/{index}/entry"), ("GET", "/api/v1/log/{index}/proof"), ("GET", "/api/v1/checkpoints"),
    ("GET", "/api/v1/checkpoints/{size}"), ("GET", "/api/v1/checkpoint-targets"), ("POST", "/api/v1/exports"),
    ("GET", "/api/v1/exports/{export}"), ("GET", "/api/v1/exports/{export}/{file}"),
    ("DELETE", "/api/v1/exports/{export}"),
}  # fmt: skip
STAFF = {
    ("GET", "/"), ("POST", "/sign-out"), ("GET", "/account"), ("GET", "/account/password"),
    ("POST", "/account/password"), ("GET", "/account/authenticator"), ("POST", "/account/authenticator"),
    ("GET", "/account/recovery-codes"), ("POST", "/account/recovery-codes"),
    ("POST", "/account/sessions/{id}/end"), ("POST", "/account/sessions/end-others"),
    ("GET", "/api/v1/openapi.json"), ("GET", "/api/v1/account"), ("GET", "/api/v1/account/sessions"),
    ("DELETE", "/api/v1/account/sessions/{session}"), ("GET", "/api/v1/account/tokens"),
    ("DELETE", "/api/v1/account/tokens/{token}"), ("GET", "/api"), ("GET", "/account/tokens"),
    ("POST", "/account/tokens"), ("POST", "/account/tokens/{id}/revoke"), ("GET", "/account/passkeys"),
    ("POST", "/account/passkeys"), ("POST", "/account/passkeys/add"), ("GET", "/account/passkeys/{id}/remove"),
    ("POST", "/account/passkeys/{id}/remove"),
}  # fmt: skip
ANY_TOKEN = {"/api/v1/account", "/api/v1/openapi.json"}
HOST = {
    ("GET", "/courses"), ("GET", "/courses/new"), ("POST", "/courses/new"), ("GET", "/courses/{course}"),
    ("GET", "/courses/{course}/edit"), ("POST", "/courses/{course}/edit"), ("GET", "/courses/{course}/end"),
    ("GET", "/courses/{course}/requests/{request}"),
    *(("POST", f"/courses/{{course}}/requests/{{request}}/{act}") for act in ("grant", "decline", "pass-on")),
    ("POST", "/courses/{course}/end"), ("GET", "/courses/{course}/open"), ("POST", "/courses/{course}/open"),
    ("POST", "/courses/{course}/openings/{opening}/close"), ("GET", "/courses/{course}/poster"),
    ("GET", "/courses/{course}/slide"),
    ("GET", "/api/v1/courses"), ("POST", "/api/v1/courses"), ("GET", "/api/v1/courses/{course}"),
    ("PUT", "/api/v1/courses/{course}"), ("POST", "/api/v1/courses/{course}/end"),
    ("GET", "/api/v1/courses/{course}/usage"), ("GET", "/api/v1/courses/{course}/openings"),
    ("POST", "/api/v1/courses/{course}/openings"), ("DELETE", "/api/v1/courses/{course}/openings/{opening}"),
    ("GET", "/api/v1/courses/{course}/requests"), ("GET", "/api/v1/courses/{course}/requests/{request}"),
    *(
        ("POST", f"/api/v1/courses/{{course}}/requests/{{request}}/{act}") for act in ("grant", "decline", "pass-on")
    ),
}  # fmt: skip


def pages(browser):
    for route in browser.app.application.routes:
        assert isinstance(route, Route), f"{route} is not behind the gate"
        page = getattr(route.endpoint, "page", None)
        assert isinstance(page, Page | Call), f"{route.path} declares no permission"
        assert route.methods <= {page.method, "HEAD"}
        assert isinstance(page, Page) or page.room or page.path in ANY_TOKEN, f"{page.path} needs no scope"
        yield page


def filled(path: str) -> str:
    if path.startswith("/api/"):
        return path.translate({ord("{"): None, ord("}"): None})
    return (
        path.replace("{name:path}", "x")
        .replace("{token}", "x")
        .replace("{grant}", "x")
        .replace("{course}", "x")
        .replace("{key}", "x")
        .replace("{file}", "bundle")
        .replace("{id}", "x")
        .replace("{index}", "0")
        .replace("{size}", "1")
        .replace("{category}", "gaming")
        .replace("{generation}", "1")
    )


def test_every_route_declares_its_permission_and_they_are_these(world):
    declared = {(page.method, page.path): page.permission for page in pages(world.browser())}
    assert {route for route, permission in declared.items() if permission == "public"} == PUBLIC
    assert {route for route, permission in declared.items() if permission == "auditor"} == AUDITOR
    assert {route for route, permission in declared.items() if permission == "staff"} == STAFF
    assert {route for route, permission in declared.items() if permission == "host"} == HOST
    assert set(declared.values()) == {"public", "staff", "auditor", "host", "it", "scrape"}
    assert [route for route, permission in declared.items() if permission == "scrape"] == [("GET", "/metrics")]


def test_signed_out_nothing_but_the_public_pages_answers(world):
    browser = world.browser("192.0.2.9")
    for page in pages(browser):
        if page.permission == "public":
            continue
        answer = browser.request(page.method, filled(page.path), data={"a": "b"} if page.method == "POST" else None)
        if page.permission == "scrape":
            assert answer.status_code == 403
        elif isinstance(page, Call):
            assert (answer.status_code, answer.json()["type"]) == (401, "urn:gjestenett:problem:signed-out"), page.path
            assert answer.headers["www-authenticate"] == 'Bearer realm="gjestenett"'
        else:
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), page.path


def test_an_auditor_reaches_no_page_of_it_and_can_change_nothing(world):
    world.publish_all()
    auditor = world.signed_in("auditor")
    token = auditor.token_on("/acceptances")
    walked = 0
    for page in pages(auditor):
        if page.permission in ("it", "host"):
            walked += 1
            data = {"form_token": token} if page.method == "POST" else None
            assert auditor.request(page.method, filled(page.path), data=data).status_code == 403, page.path
    assert walked >= 5
    assert auditor.get("/").status_code == 200
    assert 'href="/policy"' not in auditor.get("/acceptances").text


def test_a_host_reaches_no_page_but_those_of_courses(world):
    world.publish_all()
    host = world.signed_in("host", unit="Nybø skule")
    token = host.token_on("/courses/new")
    for page in pages(host):
        if page.permission in ("it", "auditor"):
            data = {"form_token": token} if page.method == "POST" else None
            assert host.request(page.method, filled(page.path), data=data).status_code == 403, page.path


@pytest.mark.parametrize(("role", "limits"), [("it", {}), ("auditor", {}), ("host", {"unit": "Nybø skule"})])
def test_a_token_reaches_the_calls_of_its_scopes_that_its_role_may_make_and_no_other(world, role, limits):
    world.publish_all()
    world.account("kari", role, **limits)
    browser, place = world.browser("192.0.2.9"), world.services.place
    calls = [page for page in pages(browser) if isinstance(page, Call)]
    assert {call.scope.partition(":")[0] for call in calls} == {"", *api_tokens.ROOMS}
    one_of_each = list({(call.scope, call.permission): call for call in calls}.values())
    reached = set()
    for scope in api_tokens.scopes_of(role):
        with world.services.database.write() as session:
            account = staff.by_username(session, place.owner_id, "kari")
            ends = world.now + timedelta(days=1)
            token = api_tokens.make(session, place, account.id, scope, [scope], ends, world.now).secret
        own = [call for call in calls if call.room in ("", scope.partition(":")[0])]
        for call in dict.fromkeys([*own, *one_of_each]):
            lets = may(role, call.permission) and (not call.scope or api_tokens.covers([scope], call.scope))
            headers = {"authorization": f"Bearer {token}"}
            answer = browser.request(call.method, filled(call.path), headers=headers)
            assert (answer.status_code in (401, 403)) != lets, (scope, call.method, call.path, answer.text)
            reached |= {call} if lets else set()
    assert {call.permission for call in reached} == {
        "it": {"it", "auditor", "host", "staff"}, "auditor": {"auditor", "staff"}, "host": {"host", "staff"},
    }[role]  # fmt: skip
    assert len(reached) == sum(may(role, call.permission) for call in calls if call.room) + 2, (
        "some call is out of reach"
    )


def test_a_role_that_is_not_known_may_nothing():
    every = ("public", "staff", "auditor", "host", "it", "scrape")
    assert not any(may(role, permission) for role in ("", "guest", "IT") for permission in every)
    assert [permission for permission in every if may("host", permission)] == ["staff", "host"]


def test_metrics_are_for_this_machine_and_for_it(world):
    assert "gjestenett_grants_open 0.0" in world.browser("127.0.0.1").get("/metrics").text
    assert world.browser("::ffff:127.0.0.1").get("/metrics").status_code == 200
    world.account("ola", "it")
    world.account("rev", "auditor")
    for name, status in (("ola", 200), ("rev", 403)):
        browser = world.browser("192.0.2.9")
        world.sign_in(browser, name)
        assert browser.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == status


def test_with_a_token_metrics_are_for_whoever_sends_it_and_no_longer_for_this_machine(world, tmp_path):
    path = tmp_path / "token"
    path.write_text("0123456789abcdef-secret\n")
    settings = world.services.settings
    console = settings.console.model_copy(update={"metrics_token_file": path})
    services = dataclasses.replace(world.services, settings=settings.model_copy(update={"console": console}))
    app = create_app(services)
    for address in ("192.0.2.9", "127.0.0.1"):
        browser = Browser(app, address)
        assert browser.get("/metrics").status_code == 403
        for wrong in ("Bearer", "Bearer x", "Basic 0123456789abcdef-secret", "Bearer 0123456789abcdef-secretæ"):
            assert browser.get("/metrics", headers={"authorization": wrong.encode()}).status_code == 403
        right = browser.get("/metrics", headers={"authorization": "Bearer 0123456789abcdef-secret"})
        assert "gjestenett_grants_open 0.0" in right.text
        assert browser.get("/devices", headers={"authorization": "Bearer 0123456789abcdef-secret"}).status_code == 303
    path.write_text("short")
    with pytest.raises(UsageError, match="too short"):
        _ = services.settings.metrics_token


def test_metrics_have_what_dns_workers_counted(world):
    totals = Totals()
    totals.add(Report("0" * 16, {("answers", "default", "refused", "gaming"): 7}), 0.0)
    text = Browser(create_app(world.services, totals), "127.0.0.1").get("/metrics").text
    assert 'gjestenett_dns_answers_total{category="gaming",group="default",outcome="refused"} 7.0' in text


def test_every_form_needs_the_token_of_its_own_session(world):
    world.publish_all()
    ola = world.signed_in("it", "ola")
    other = world.signed_in("it", "kari")
    foreign = other.token_on("/policy")
    for page in pages(ola):
        if isinstance(page, Page) and page.method == "POST" and page.permission != "public":
            for token in ("", foreign, "x" * 5000, "æ\0"):
                assert ola.post(filled(page.path), data={"form_token": token}).status_code == 403, page.path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "https://console.test:8081"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://console.test:8081"}, 403),
    ],
)
def test_forms_from_elsewhere_are_refused_even_with_a_good_token(world, headers, status):
    browser = world.signed_in("it")
    token = browser.token_on("/policy")
    assert browser.post("/sign-out", data={"form_token": token}, headers=headers).status_code == status


def test_the_cookie_is_safe_and_changes_at_sign_in(world):
    world.account("ola", "it")
    browser = world.browser()
    browser.cookies.set(SESSION_COOKIE, "fixed-by-an-attacker")
    first = browser.sign_in("ola")
    header = next(line for line in first.headers.get_list("set-cookie") if line.startswith(SESSION_COOKIE + "="))
    attributes = {part.strip().lower() for part in header.split(";")[1:]}
    assert attributes == {"path=/", "secure", "httponly", "samesite=lax"}
    assert "fixed-by-an-attacker" not in header
    old = first.cookies[SESSION_COOKIE]
    browser.cookies.clear()
    browser.cookies.set(SESSION_COOKIE, old)
    new = browser.sign_in("ola").cookies[SESSION_COOKIE]
    assert new != old
    stale = world.browser()
    stale.cookies.set(SESSION_COOKIE, old)
    assert stale.get("/devices").status_code == 303, "the session before the sign-in has ended"
    with world.services.database.read() as session:
        kept = [row.token_sha256 for row in session.query(StaffSession)]
    assert new not in kept
    assert len(kept) == 1


def test_idle_and_absolute_limits(world):
    browser = world.signed_in("it")
    world.now += timedelta(minutes=29)
    assert browser.get("/devices").status_code == 200
    world.now += timedelta(minutes=29)
    assert browser.get("/devices").status_code == 200, "use keeps it alive"
    world.now += timedelta(minutes=30)
    assert browser.get("/devices").status_code == 303
    browser.sign_in("it-person")
    for _ in range(24):
        assert browser.get("/devices").status_code == 200
        world.now += timedelta(minutes=29, seconds=59)
    assert browser.get("/devices").status_code == 200
    world.now += timedelta(minutes=1)
    assert browser.get("/devices").status_code == 303, "12 hours are over"


def test_a_disabled_account_is_out_at_once(world):
    browser = world.signed_in("it", "ola")
    with world.services.database.write() as session:
        staff.by_username(session, world.services.place.owner_id, "ola").disabled_at = world.now
    assert browser.get("/devices").status_code == 303
    assert browser.sign_in("ola").status_code == 422


def test_sign_out_ends_the_session_for_good(world):
    browser = world.signed_in("it")
    cookie = browser.cookies[SESSION_COOKIE]
    token = browser.token_on("/policy")
    assert browser.post("/sign-out", data={"form_token": token}).headers["location"].startswith("/sign-in")
    again = world.browser()
    again.cookies.set(SESSION_COOKIE, cookie)
    assert again.get("/policy").status_code == 303
    browser = world.signed_in("it", "kari")
    left = browser.post("/sign-out", data={"form_token": browser.token_on("/policy")})
    assert left.headers["clear-site-data"] == '"cache", "storage"'


def test_headers_stand_on_every_answer(world):
    browser = world.browser()
    for path in ("/sign-in", "/nowhere", "/healthz", "/metrics", "/devices", "/static/console.css"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers
        assert headers["cache-control"] == ("max-age=3600" if path.startswith("/static") else "no-store")


def test_hsts_is_sent_where_it_is_set(world):
    console = world.settings.console.model_copy(update={"hsts_days": 365})
    services = dataclasses.replace(world.services, settings=world.settings.model_copy(update={"console": console}))
    headers = Browser(create_app(services)).get("/sign-in").headers
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_what_is_refused_is_logged_without_names(world, caplog):
    world.account("anna", "auditor")
    browser = world.browser("192.0.2.9")
    browser.sign_in("anna", "not her password at all")
    browser.sign_in("nobody-of-this-name", "not a password at all")
    browser.post("/sign-in", data={"username": "anna"})  # without a form token
    world.signed_in("auditor").get("/devices")
    told = [each.getMessage() for each in caplog.records if each.name == "gjestenett.security"]
    assert told == [
        "event=attempt_failed route=/sign-in from=192.0.2.9",
        "event=attempt_failed route=/sign-in from=192.0.2.9",
        "event=attempt_failed route=/sign-in from=192.0.2.9",
        "event=forbidden route=/sign-in from=192.0.2.9",
        "event=forbidden route=/devices from=127.0.0.1",
    ]
    assert "anna" not in caplog.text
    assert "nobody-of-this-name" not in caplog.text


def test_bodies_are_bounded_and_must_be_forms(world):
    browser = world.browser()
    token = browser.token_on("/sign-in")
    assert browser.post("/sign-in", data={"form_token": token, "username": "x" * 70_000}).status_code == 413
    assert browser.post("/sign-in", json={"form_token": token}).status_code == 415
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/sign-in", content=b"a=%ff", headers=form).status_code == 400
    assert browser.post("/sign-in", content=b"\xff", headers=form).status_code == 400
    assert browser.post("/sign-in", content="&".join(["a=1"] * 300).encode(), headers=form).status_code == 400
    assert browser.delete("/sign-in").status_code == 405
    assert browser.get("/static/../console_app.py").status_code == 404
    assert browser.get("/static/%2e%2e/console_app.py").status_code == 404


def test_a_hostile_form_cookie_is_replaced(world):
    browser = world.browser()
    browser.cookies.set(FORM_COOKIE, "x" * 3000)
    assert FORM_COOKIE in browser.get("/sign-in").cookies


def test_wrong_name_and_wrong_password_look_the_same_and_cost_the_same(world, monkeypatch):
    world.account("ola", "it")
    asked = []
    real = signin.password_matches
    monkeypatch.setattr(signin, "password_matches", lambda kept, given: asked.append(kept) or real(kept, given))
    texts = []
    for name, password in (("ola", "wrong"), ("nobody", world.password), ("\0<b>", "x"), ("?", world.password)):
        answer = world.browser().sign_in(name, password)
        assert answer.status_code == 422
        texts.append(answer.text.replace('value="ola"', "").replace('value="nobody"', "").replace('value=""', ""))
    assert len(asked) == 4, "a hash is computed for unknown names as well"
    stripped = {text.split("form_token")[0] for text in texts}
    assert len(stripped) == 1


def test_guessing_is_slowed_for_that_name_and_address_only(world, monkeypatch):
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(gate.asyncio, "sleep", sleep)
    world.account("ola", "it")
    attacker = world.browser("192.0.2.66")
    answers = [attacker.sign_in("ola", f"guess {number}") for number in range(12)]
    statuses = [answer.status_code for answer in answers]
    assert 2 < int(answers[-1].headers["retry-after"]) <= 30
    assert f"Wait {answers[-1].headers['retry-after']} seconds." in answers[-1].text
    assert waited[4] > 0.5
    assert statuses[:5] == [422] * 5
    assert statuses[-1] == 429
    assert len(waited) == statuses.count(422), "a long wait is said, not made"
    assert max(waited) <= pace.PATIENCE_S < serve.GRACE_S, "stopping the service cuts no wait off"
    elsewhere = attacker.elsewhere("192.0.2.7")
    waited.clear()
    assert elsewhere.sign_in("ola").status_code == 303
    assert waited == [0]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/staff/a1/last-day", "/staff/a1"),
        ("/staff/a1/reopen", "/staff/a1"),
        ("/account/tokens/a1/revoke", "/account/tokens"),
        ("/account/passkeys/add", "/account/passkeys"),
        ("/policy/overrule", "/policy"),
        ("/sign-out", "/"),
    ],
)
def test_the_address_of_a_form_opened_again_shows_the_page_it_was_on(world, address, shown):
    browser = world.browser()
    answer = browser.get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, shown)
    assert browser.delete(address).status_code == 405
