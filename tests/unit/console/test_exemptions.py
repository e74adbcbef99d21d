"""The room of requests for exemptions: IT sees who asks for what, and grants or declines it once."""

from __future__ import annotations

import html
import json
import re

import pytest

from gateway.access.exemption_requests import Asked, Wanted, ask, decline
from gateway.link.neighbours import Neighbour
from gateway.lists.publish import publish
from gateway.storage import exemption_requests, generations, grants
from gateway.storage.log_models import StagedLeaf
from policies.snapshot import NamedList, compile_snapshot

MAC = "02:00:00:00:00:01"


@pytest.fixture
def asked(world):
    """A guest who has asked for an exemption: world, request id, grant id."""
    world.publish_all()
    grant = world.accepted("Ola <b>Nordmann</b>", MAC).grant_id
    return world, request(world, "www.game.example"), grant


def leaf_types(world) -> list[str]:
    with world.services.database.read() as session:
        return [json.loads(row.entry)["type"] for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]


def request(world, name: str, categories: tuple[str, ...] = ("gaming",)) -> str:
    with world.services.database.write() as session:
        done = ask(
            session, world.services.place, Neighbour("lo", MAC), Wanted(name, categories, "en <i>time</i>"), world.now
        )
    assert isinstance(done, Asked)
    return done.request_id


def compile_in_force(world, *lists: NamedList) -> None:
    with world.services.database.read() as session:
        published = generations.in_force(session, world.services.place.owner_id)
        assert published is not None
        publish(world.settings.state, compile_snapshot(published.document, list(lists), published.generation))


def test_the_room_shows_who_asks_for_what(asked) -> None:
    world, request_id, _ = asked
    browser = world.signed_in("it", "kari")
    page = browser.get("/exemptions").text
    for part in (
        "www.game.example",
        "Ola &lt;b&gt;",
        "Firma AS",
        "en &lt;i&gt;time",
        "Online games",
        "group All other devices",
    ):
        assert part in page
    assert f'href="/exemptions/{request_id}"' in page
    assert re.search(r"Requests for exemptions \(1<span", page)
    assert re.search(r"Guests \(1<span", page)
    page = browser.get(f"/exemptions/{request_id}").text
    for part in (MAC, "This guest alone", "Everybody in the group All other devices", "/policy?name=www.game.example"):
        assert part in page


def test_a_granted_request_is_published_and_gone_from_the_list(asked) -> None:
    world, request_id, grant = asked
    browser = world.signed_in("it", "kari")
    path = f"/exemptions/{request_id}"
    written = {"scope": "session", "until": "2026-11-22T20:00", "answer": "Lykke til"}
    answer = browser.fill(path, f"{path}/grant", **written)
    assert answer.headers["location"] == "/exemptions?notice=granted"
    page = browser.get("/exemptions?notice=granted").text
    assert "No request waits" in page
    assert "Granted" in page
    assert "kari" in page
    assert leaf_types(world)[-4:] == ["policy_published", "exemption_changed", "grant_moved", "exemption_decided"]
    with world.services.database.read() as session:
        row = grants.owned_grant(session, world.services.place.owner_id, grant)
        assert row is not None
        assert row.group_key.startswith("session-")
        [done] = exemption_requests.of_grant(session, grant)
        assert done.until is not None
        assert done.until.isoformat() == "2026-11-22T19:00:00+00:00"  # by the municipality's clock
    again = browser.post(f"{path}/grant", data={"form_token": browser.token_on("/exemptions"), **written})
    assert again.status_code == 422
    assert "already" in again.text


def test_what_closes_the_name_now_is_what_is_opened(asked) -> None:
    world, request_id, _ = asked
    compile_in_force(
        world,
        NamedList("t/g", "gaming", "0" * 64, ("game.example",)),
        NamedList("t/d", "dating", "1" * 64, ("game.example",)),
    )
    browser = world.signed_in("it", "kari")
    path = f"/exemptions/{request_id}"
    browser.fill(path, f"{path}/grant", scope="group", until="2026-11-22T20:00", answer="")
    with world.services.database.read() as session:
        published = generations.in_force(session, world.services.place.owner_id)
        assert published is not None
        [exemption] = published.document["exemptions"]
    assert exemption["categories"] == ["dating", "gaming"]


def test_what_has_become_malware_meanwhile_is_not_opened(asked) -> None:
    world, request_id, _ = asked
    compile_in_force(
        world,
        NamedList("t/g", "gaming", "0" * 64, ("game.example",)),
        NamedList("t/m", "malware", "1" * 64, ("www.game.example",)),
    )
    browser = world.signed_in("it", "kari")
    path = f"/exemptions/{request_id}"
    page = browser.get(path).text
    assert "never opened by an exemption" in page
    assert "Grant the exemption" not in page
    data = {"form_token": browser.token_on(path), "scope": "group", "until": "2026-11-22T20:00", "answer": ""}
    assert browser.post(f"{path}/grant", data=data).status_code == 422
    with world.services.database.read() as session:
        assert exemption_requests.count_waiting(session, world.services.place.owner_id) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"until": ""}, "at most 400 days"),
        ({"until": "2026-11-22T08:00"}, "at most 400 days"),
        ({"until": "3026-11-22T08:00"}, "at most 400 days"),
        ({"until": "nonsense" * 100}, "at most 400 days"),
        ({"until": "2026-11-22T20:00", "answer": "x" * 301}, "at most 300 characters"),
        ({"until": "2026-11-22T20:00", "answer": "a\x07b"}, "at most 300 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changed(asked, fields, said) -> None:
    world, request_id, _ = asked
    browser = world.signed_in("it", "kari")
    path = f"/exemptions/{request_id}"
    page = browser.fill(path, f"{path}/grant", scope="session", **fields)
    assert page.status_code == 422
    assert said in page.text
    with world.services.database.read() as session:
        assert exemption_requests.count_waiting(session, world.services.place.owner_id) == 1


def test_what_the_product_notes_of_a_request_is_in_the_readers_language(asked) -> None:
    world, request_id, _ = asked
    browser = world.signed_in("it", "kari")
    path = f"/exemptions/{request_id}"
    browser.fill(path, f"{path}/grant", scope="group", until="2026-11-22T20:00", answer="")
    for page in ("/policy/history", "/policy/exemptions", "/policy/compare?from=1&to=2"):
        for language, said in (
            ("en", "a guest’s request"),
            ("nb", "forespørsel fra en gjest"),
            ("nn", "førespurnad frå ein gjest"),
        ):
            shown = browser.get(f"{page}{'&' if '?' in page else '?'}lang={language}").text
            assert f'<a href="{path}">{said}</a>' in shown
            assert "exemption request" not in shown
    assert browser.get(path).status_code == 200, "what the links lead to"
    told = html.unescape(browser.get("/policy/compare?from=1&to=2&lang=en").text).replace("\u00a0", " ")
    assert re.search("Exemption for group All other devices: online games from 22 November 2026 at 13:00 to", told)
    assert "approved by kari (a guest’s request)" in told


def test_declining_needs_a_sentence(asked) -> None:
    world, request_id, grant = asked
    browser = world.signed_in("it", "kari")
    path = f"/exemptions/{request_id}"
    assert browser.fill(path, f"{path}/decline", answer=" ").status_code == 422
    answer = browser.fill(path, f"{path}/decline", answer="Bruk biblioteket")
    assert answer.headers["location"] == "/exemptions?notice=declined"
    assert "Bruk biblioteket" in browser.get("/exemptions?notice=declined").text
    with world.services.database.read() as session:
        [done] = exemption_requests.of_grant(session, grant)
        assert (done.decision, done.answer) == ("declined", "Bruk biblioteket")
    assert leaf_types(world)[-1] == "exemption_decided"


def test_a_request_that_does_not_exist_is_not_found(asked) -> None:
    world, _, _ = asked
    browser = world.signed_in("it", "kari")
    for wrong in ("nothing", "x" * 300, "%00", "<script>", "..%2f"):
        assert browser.get(f"/exemptions/{wrong}").status_code == 404
    token = browser.token_on("/exemptions")
    for action in ("grant", "decline"):
        sent = {"form_token": token, "answer": "x", "until": "2026-11-22T20:00"}
        assert browser.post(f"/exemptions/nothing/{action}", data=sent).status_code == 404


def test_an_auditor_has_no_business_here(asked) -> None:
    world, request_id, _ = asked
    browser = world.signed_in("auditor", "rita")
    assert browser.get("/exemptions").status_code == 403
    assert browser.get(f"/exemptions/{request_id}").status_code == 403
    assert "/exemptions" not in browser.get("/acceptances").text
    with world.services.database.write() as session:
        decline(session, world.services.place, request_id, "kari", "no", world.now)
