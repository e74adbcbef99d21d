"""The policy over JSON and the "Try a name" box: the same explanation, for signed-in IT only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from captive_portal.console.route import Call
from gateway.lists import generations
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from policies.snapshot import NamedList

EXPLAIN, CLASSIFY = "/api/v1/policy/explain", "/api/v1/policy/classify"
LISTS = (
    NamedList("test/gaming", "gaming", "0" * 64, ("game.example",)),
    NamedList("test/dating", "dating", "1" * 64, ("date.example",), ("ok.date.example",)),
)


@pytest.fixture
def it(world):
    world.publish_all()
    with world.services.database.write() as session:
        document = generations.draft(session, world.services.place)
        hours = {"categories": ["dating"], "days": ["sun"], "from": "16:00", "to": "22:00", "effect": "open"}
        document["groups"]["default"] |= {"schedules": [hours], "safe_search": ["google"]}
        generations.save_draft(session, world.services.place, document, world.now)
        number = generations.publish(session, world.services.place, "kari", "kveldskurs", world.now)
    publish(world.settings.state, compile_policy(document, number, lists=LISTS))
    return world.signed_in("it")


def test_explain_answers_who_what_why_which_list_since_when_and_what_would_change_it(it):
    answer = it.get(EXPLAIN, params={"name": "https://www.game.example/x?y", "group": "default"})
    assert answer.status_code == 200
    facts = answer.json()
    assert (facts["name"], facts["group"], facts["permitted"]) == ("www.game.example", "default", False)
    assert facts["category"]["key"] == "gaming"
    assert facts["lists"][0]["source"] == "test/gaming"
    assert facts["since"] == {
        "generation": 1, "published_at": "2026-11-22T12:00:00Z", "published_by": "test", "note": "",
    }  # fmt: skip
    assert [change["action"] for change in facts["changes"]] == ["open_categories", "permit_name", "exempt_categories"]
    assert facts["generation"] == 2


def test_explain_follows_the_clock(it, world):
    at_noon = it.get(EXPLAIN, params={"name": "date.example"}).json()
    assert (at_noon["permitted"], at_noon["valid_until"]) == (False, "2026-11-22T15:00:00Z")
    evening = it.get(EXPLAIN, params={"name": "date.example", "at": "2026-11-22T16:00"}).json()
    assert (evening["permitted"], evening["at"]) == (True, "2026-11-22T16:00:00+01:00")
    assert evening["reasons"][-1]["detail"] == "sun 16:00-22:00"
    assert it.get(EXPLAIN, params={"name": "www.google.no"}).json()["safe_search"] == "forcesafesearch.google.com"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"name": "192.0.2.1"}, 422),
        ({"name": "a..b"}, 422),
        ({"name": "x" * 3000}, 422),
        ({"name": "a.no", "at": "soon"}, 422),
        ({"name": "a.no", "at": "0001-01-01T00:00"}, 422),
        ({"name": "a.no", "at": "9999-12-31T23:59:59Z"}, 422),
        ({"name": "a.no", "more": "1"}, 422),
        ({"name": "a.no", "group": "none"}, 404),
    ],
)
def test_a_question_that_is_none_is_told_so(it, query, status):
    answer = it.get(EXPLAIN, params=query)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_classify(it):
    asked = {"names": ["www.game.example", "x.ok.date.example", "other.example", "NAV.no", "1.2.3.4"]}
    answer = it.post(CLASSIFY, json=asked)
    assert answer.status_code == 200
    found = [(row["name"], row["categories"], row["sources"], row["error"]) for row in answer.json()["names"]]
    assert found == [
        ("www.game.example", ["gaming"], ["test/gaming"], None),
        ("x.ok.date.example", [], [], None),
        ("other.example", [], [], None),
        ("nav.no", [], ["never_blocked/public_service"], None),
        ("1.2.3.4", [], [], "ip_address"),
    ]
    assert it.post(CLASSIFY, json=asked | {"judge": True}).status_code == 409
    assert it.post(CLASSIFY, json={"names": ["a"] * 10_001}).status_code == 422
    assert it.post(CLASSIFY, content=b"{", headers={"content-type": "application/json"}).status_code == 422
    assert it.post(CLASSIFY, content=b"x" * (3 << 20), headers={"content-type": "application/json"}).status_code == 413
    assert it.post(CLASSIFY, data={"names": "a"}).status_code == 415
    assert it.post(CLASSIFY, json=asked, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_openapi_describes_every_call_and_nothing_else(it, world):
    schema = it.get("/api/v1/openapi.json").json()
    served = {
        (page.method.lower(), page.path)
        for route in it.app.application.routes
        if isinstance(page := getattr(route.endpoint, "page", None), Call)
    }
    assert {(method, path) for path, methods in schema["paths"].items() for method in methods} == served - {
        ("get", "/api/v1/openapi.json")
    }
    parameters = {each["name"]: each["required"] for each in schema["paths"][EXPLAIN]["get"]["parameters"]}
    assert parameters == {"name": True, "group": False, "at": False}
    assert "Explanation" in schema["components"]["schemas"]
    assert world.browser().get("/api/v1/openapi.json").status_code == 401
    assert world.signed_in("auditor").get("/api/v1/openapi.json").status_code == 200


def test_a_session_that_has_ended_is_401_and_the_next_needs_a_sign_in(it, world):
    world.now += timedelta(hours=1)
    assert it.get(EXPLAIN, params={"name": "a.no"}).status_code == 401


def test_nothing_compiled_is_503(world):
    world.publish_all()
    assert world.signed_in("it").get(EXPLAIN, params={"name": "a.no"}).status_code == 503


def test_the_box_on_the_policy_page_says_it_in_words(it):
    page = it.get("/try", params={"name": "www.game.example", "group": "default", "at": ""}).text
    assert "Online games is closed for this group. The list test/gaming has game.example." in page
    assert "Permit www.game.example for the group." in page
    assert "So since generation 1, published by test." in page
    page = it.get("/try", params={"name": "date.example", "at": "2026-11-22T17:00", "lang": "nn"}).text
    assert "Ein tidsplan avgjer på denne tida: sun 16:00-22:00." in page
    for name, told in (
        ("192.0.2.1", "IP address"),
        ("<script>alert(1)</script>", "no domain name"),
        ("a b", "no domain name"),
    ):
        page = it.get("/try", params={"name": name, "lang": "en"}).text
        assert told in page
        assert "<script>" not in page
    assert "no such group" in it.get("/try", params={"name": "a.no", "group": "none"}).text
    assert "date and a time" in it.get("/try", params={"name": "a.no", "at": "soon"}).text
