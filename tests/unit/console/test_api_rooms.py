"""The rooms over JSON: the same changes as on the pages, for the same people, with editions, pages and errors."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest

from gateway.lists import draft_edits, generations
from gateway.storage import outages, traffic
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Grant

DRAFT, MATRIX = "/api/v1/policy/draft", "/api/v1/policy/matrix"


@pytest.fixture
def it(world):
    world.publish_all()
    return world.signed_in("it", "kari")


def cell(state, category="gaming"):
    return {"cells": [{"group": "default", "category": category, "state": state}]}


def problem_of(answer) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "fields"}
    assert body["status"] == answer.status_code
    return body["status"], body["type"].removeprefix("urn:gjestenett:problem:")


def test_a_policy_is_changed_looked_at_published_and_taken_back(it, world):
    changed = it.patch(MATRIX, json=cell("open"))
    assert changed.status_code == 200
    [row] = [row for row in changed.json()["cells"] if row["category"] == "gaming"]
    assert (row["state"], row["in_force"]) == ("open", "closed")
    draft = it.get(DRAFT)
    assert draft.headers["etag"] == changed.headers["etag"]
    assert len(draft.json()["changes"]) == 1
    publish = f"{DRAFT}/publish"
    assert problem_of(it.post(publish, json={})) == (428, "precondition")
    seen = {"if-match": draft.headers["etag"]}
    assert it.patch(MATRIX, json=cell("open", "dating")).status_code == 200
    stale = it.post(publish, json={"note": "x"}, headers=seen)
    assert problem_of(stale) == (412, "changed")
    seen = {"if-match": stale.headers["etag"]}
    assert it.post(publish, json={"note": "a\0"}, headers=seen).status_code == 422
    assert it.post(publish, json={"note": "vedtak"}, headers=seen).json() == {"generation": 2}
    assert it.post(publish, json={}, headers={"if-match": it.get(DRAFT).headers["etag"]}).status_code == 409
    assert len(it.get("/api/v1/policy/compare?from=1&to=2").json()["changes"]) == 2
    assert it.get("/api/v1/policy/compare?from=1&to=9").status_code == 404
    back = "/api/v1/policy/generations/1/rollback"
    assert problem_of(it.post(back, json={}, headers={"if-match": '"1"'})) == (412, "changed")
    assert it.post(back, json={"note": "likevel ikke"}, headers={"if-match": '"2"'}).json() == {"generation": 3}
    first = it.get("/api/v1/policy/generations?limit=2")
    assert [row["generation"] for row in first.json()["generations"]] == [3, 2]
    assert first.headers["link"] == f'<{first.json()["next"]}>; rel="next"'
    rest = it.get(first.json()["next"]).json()
    assert ([row["generation"] for row in rest["generations"]], rest["next"]) == ([1], None)
    assert it.get("/api/v1/policy/then").json()["generation"] == 3
    with world.services.database.read() as session:
        assert generations.document_of(session, world.services.place, 3)["groups"]["default"]["closed"]


def test_what_was_in_force_at_a_moment_is_exact(it, world):
    first = world.now
    world.now = (first + timedelta(minutes=5)).replace(second=41)
    it.patch(MATRIX, json=cell("open"))
    assert it.post(f"{DRAFT}/publish", json={}, headers={"if-match": it.get(DRAFT).headers["etag"]}).status_code == 200

    def then(at):
        answer = it.get("/api/v1/policy/then", params={"at": at.isoformat()})
        return answer.json()["generation"] if answer.status_code == 200 else answer.status_code

    assert then(world.now) == 2
    assert then(world.now - timedelta(seconds=1)) == 1
    assert then(world.now.replace(second=0)) == 1, "not the minute to its end, as on the page"
    assert (then(first), then(first - timedelta(microseconds=1))) == (1, 404)


def test_a_whole_policy_goes_out_and_in_again_as_json_and_as_toml(it):
    draft = it.get(DRAFT)
    document, seen = draft.json()["document"], {"if-match": draft.headers["etag"]}
    document["groups"]["default"]["permit"] = ["example.no"]
    done = it.put(DRAFT, json={"document": document}, headers=seen)
    assert (done.status_code, len(done.json()["changes"])) == (200, 1)
    assert problem_of(it.put(DRAFT, json={"document": document}, headers=seen)) == (412, "changed")
    text = it.get(f"{DRAFT}/toml").text.replace("example.no", "example.com")
    seen = {"if-match": done.headers["etag"]}
    again = it.put(DRAFT, json={"toml": text}, headers=seen)
    assert again.json()["document"]["groups"]["default"]["permit"] == ["example.com"]
    seen = {"if-match": again.headers["etag"]}
    for wrong in ({}, {"document": {}, "toml": "x"}, {"document": {"version": 9}}, {"toml": "= ="}, {"documents": {}}):
        assert it.put(DRAFT, json=wrong, headers=seen).status_code == 422
    assert it.delete(DRAFT, headers=seen).status_code == 204
    assert it.get(DRAFT).json()["changes"] == []


def test_groups_names_hours_and_exemptions(it, world):
    groups = "/api/v1/policy/groups"
    made = it.post(groups, json={"key": "course", "title": "Kurs"})
    assert (made.status_code, made.headers["location"]) == (201, f"{groups}/course")
    assert it.post(groups, json={"key": "course"}).json()["fields"] == {
        "key": "There is a group with that key already."
    }
    assert it.patch(f"{groups}/course", json={"safe_search": ["google"], "top_names": True}).json()["top_names"] is True
    assert it.patch(f"{groups}/course", json={"safe_search": ["altavista"]}).status_code == 422
    assert it.put(f"{groups}/course/names/Example.NO", json={"rule": "forbid"}).json()["forbid"] == ["example.no"]
    assert it.put(f"{groups}/course/names/192.0.2.1", json={"rule": "forbid"}).status_code == 422
    assert it.put(f"{groups}/none/names/a.no", json={"rule": "forbid"}).status_code == 404
    assert it.delete(f"{groups}/course/names/example.no").json()["forbid"] == []
    week = {"base": "closed", "hours": [{"days": ["mon"], "from": "08:00", "to": "16:00", "effect": "open"}]}
    assert it.put(f"{groups}/course/hours/gaming", json=week).json() == week
    assert it.get(f"{groups}/course/hours/gaming").json() == week
    week["hours"][0]["to"] = "08:00"
    assert it.put(f"{groups}/course/hours/gaming", json=week).status_code == 422
    until = (world.now + timedelta(days=1)).isoformat()
    asked = {"group": "course", "categories": ["gaming"], "ends_at": until, "approved_by": "Kari", "reason": "kurs"}
    exemption = it.post("/api/v1/policy/exemptions", json=asked)
    assert exemption.status_code == 201
    assert it.post("/api/v1/policy/exemptions", json=asked | {"categories": ["malware"]}).status_code == 422
    assert it.post("/api/v1/policy/exemptions", json=asked | {"reason": " "}).status_code == 422
    assert it.delete(f"/api/v1/policy/exemptions/{exemption.json()['id']}").status_code == 204
    assert it.delete(f"{groups}/default").status_code == 422
    assert it.delete(f"{groups}/course").status_code == 204
    assert [each["key"] for each in it.get(groups).json()["groups"]] == ["default"]


def test_devices_are_found_moved_extended_and_ended(it, world):
    grants = [world.accepted(name, f"02:00:00:00:00:0{number}").grant_id for number, name in enumerate(("Ola", "Kari"))]
    found = it.get("/api/v1/grants?find=ola").json()
    assert ([row["holder"] for row in found["grants"]], found["online"]) == (["Ola"], 2)
    one = f"/api/v1/grants/{grants[0]}"
    assert it.patch(one, json={"group": "none"}).status_code == 422
    later = it.get(one).json()["ends_at"]
    assert it.patch(one, json={"until": later}).json()["fields"].keys() == {"until"}
    longest = world.services.settings.sessions.longest_hours
    assert it.patch(one, json={"until": (world.now + timedelta(hours=longest + 1)).isoformat()}).status_code == 422
    until = (world.now + timedelta(hours=11)).isoformat()
    assert it.patch(one, json={"until": until, "group": "none"}).status_code == 422
    assert it.get(one).json()["ends_at"] == later, "all that is asked, or nothing"
    assert it.patch(one, json={"until": until}).status_code == 200
    assert it.delete(one).status_code == 204
    assert it.delete(one).status_code == 404
    device = {"mac": "00:1a:2b:3c:4d:5e", "unit": "Servicetorget", "reason": "skjerm"}
    device["until"] = (world.now + timedelta(days=30)).isoformat()
    admitted = it.post("/api/v1/devices", json=device | {"interface": "lo"})
    assert (admitted.status_code, admitted.headers["location"]) == (201, f"/api/v1/grants/{admitted.json()['id']}")
    assert it.post("/api/v1/devices", json=device | {"interface": "lo"}).status_code == 409
    assert it.post("/api/v1/devices", json=device | {"mac": "ff:ff:ff:ff:ff:ff"}).json()["fields"].keys() == {"mac"}
    assert it.get("/api/v1/devices?device=4d5e").json()["devices"][0]["aloud"].keys() == {"nb", "nn", "en"}
    with world.services.database.read() as session:
        assert session.get(Grant, grants[0]).revoked_by == "kari"


def leaves(world) -> list[tuple[str, dict[str, object]]]:
    """(type, document) of the leaves, oldest first."""
    with world.services.database.read() as session:
        found = [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]
    return [(each["type"], each) for each in found]


def is_for_it_alone(world, *calls: tuple[str, str, object]) -> None:
    """An auditor and a host are refused, and nothing is written."""
    auditor, host = world.signed_in("auditor", "revisor"), world.signed_in("host", "vert", unit="Nybø skule")
    before = leaves(world)
    for method, path, body in calls:
        for browser in (auditor, host):
            answer = browser.request(method, path, **({} if body is None else {"json": body}))
            assert problem_of(answer) == (403, "role"), (method, path)
    assert leaves(world) == before


def test_devices_online_are_filtered_paged_and_ended_together(it, world):
    for number, name in enumerate(("Ola", "Kari", "Per"), 1):
        world.accepted(name, f"02:00:00:00:00:0{number}")
    grants = "/api/v1/grants"
    first = it.get(f"{grants}?limit=2").json()
    rest = it.get(first["next"]).json()
    assert {row["holder"] for row in (*first["grants"], *rest["grants"])} == {"Ola", "Kari", "Per"}, "of one moment"
    assert (len(first["grants"]), rest["next"], rest["online"]) == (2, None, 3)
    for words, count in (
        ("group=default", 3), ("group=none", 0), ("network=lo", 3), ("network=none", 0), ("kind=accepted", 3),
        ("kind=admitted", 0), ("state=through", 0), ("state=waiting", 3), ("find=ola&group=default", 1),
        ("find=ola&kind=admitted", 0), ("course=none", 0),
    ):  # fmt: skip
        assert len(it.get(f"{grants}?{words}").json()["grants"]) == count, words
    assert it.get(f"{grants}?kind=all").status_code == 422
    assert it.get(f"{grants}?cursor=WyJhIiwgImIiXQ").status_code == 422
    for nobody in ({"reason": "x"}, {"find": ""}, {"find": "-"}, {"find": "- -"}, {"find": "--"}):
        assert it.post(f"{grants}/end", json=nobody).status_code == 422, "not all of them at once"
    assert it.get(grants).json()["online"] == 3
    assert it.post(f"{grants}/end", json={"find": "per", "reason": "spam"}).json() == {"ended": 1, "left": 0}
    assert it.post(f"{grants}/end", json={"group": "default"}).json() == {"ended": 2, "left": 0}
    assert it.get(grants).json() == {"grants": [], "online": 0, "next": None}
    assert [kind for kind, _ in leaves(world)][-3:] == ["grant_revoked"] * 3


MOMENTS = {
    "before all UTC": "0001-01-01T00:00:00+14:00",
    "after all UTC": "9999-12-31T23:59:59-14:00",
    "without an offset": "2026-11-22T12:00:00",
    "none": "now",
}


@pytest.mark.parametrize(
    "room", ["sessions", "tokens", "account/sessions", "account/tokens", "grants", "courses", "rules"]
)
def test_a_cursor_whose_moment_can_not_be_is_none(it, room):
    for which, moment in MOMENTS.items():
        cursor = urlsafe_b64encode(json.dumps([moment, "a"]).encode()).decode()
        answer = it.get(f"/api/v1/{room}", params={"cursor": cursor})
        assert problem_of(answer) == (422, "unreadable"), which
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-22T12:00:00+14:00"):
        cursor = urlsafe_b64encode(json.dumps([moment, "a"]).encode()).decode()
        assert it.get(f"/api/v1/{room}", params={"cursor": cursor}).status_code == 200, moment


def test_what_hosts_may_open_is_chosen_in_the_draft(it):
    path = "/api/v1/policy/host-categories"
    before = it.get(path)
    assert before.json()["categories"] == []
    seen = {"if-match": before.headers["etag"]}
    done = it.put(path, json={"categories": ["gaming", "dating"]}, headers=seen)
    assert (done.status_code, set(done.json()["categories"])) == (200, {"gaming", "dating"})
    assert it.get(DRAFT).headers["etag"] == done.headers["etag"]
    assert len(it.get(DRAFT).json()["changes"]) > 0
    assert problem_of(it.put(path, json={"categories": []}, headers=seen)) == (412, "changed")
    for wrong in (["adult"], ["malware"], ["none"]):
        assert it.put(path, json={"categories": wrong}).status_code == 422
    assert set(it.get(path).json()["categories"]) == {"gaming", "dating"}


def test_what_a_device_has_sent_and_received_is_told(it, world):
    first, second = (world.accepted(f"Gjest {one}", f"02:00:00:00:00:0{one}").grant_id for one in (1, 2))
    with world.services.database.write() as session:
        traffic.add(session, {first: traffic.Octets(5, 700)}, world.now)
    found = {row["id"]: (row["sent"], row["received"]) for row in it.get("/api/v1/grants").json()["grants"]}
    assert found == {first: (5, 700), second: (None, None)}
    assert it.get(f"/api/v1/grants/{first}").json()["received"] == 700


def test_a_device_is_blocked_listed_and_let_in_again(it, world):
    mac, blocks = "02:00:00:00:00:01", "/api/v1/blocks"
    grant = world.accepted("Ola", mac).grant_id
    asked = {"mac": mac.upper(), "reason": "spam", "told": "Ring IKT"}
    is_for_it_alone(world, ("GET", blocks, None), ("POST", blocks, asked), ("DELETE", f"{blocks}/{mac}", None))
    later = (world.now + timedelta(days=5)).isoformat()
    for wrong in ({"mac": "x"}, {"reason": " "}, {"until": world.now.isoformat()}, {"until": "2031-01-01T00:00"}):
        answer = it.post(blocks, json=asked | wrong)
        assert (answer.status_code, answer.json()["fields"].keys()) == (422, wrong.keys())
    made = it.post(blocks, json=asked | {"until": later})
    assert (made.status_code, made.headers["location"]) == (201, f"{blocks}/{mac}")
    assert [kind for kind, _ in leaves(world)[-2:]] == ["device_blocked", "grant_revoked"]
    assert it.get(f"/api/v1/grants/{grant}").status_code == 404
    [row] = it.get(blocks).json()["blocks"]
    assert row == made.json()
    assert (row["mac"], row["reason"], row["told"], row["blocked_by"]) == (mac, "spam", "Ring IKT", "kari")
    assert row["private"] is True
    again = it.post(blocks, json=asked | {"reason": "mer spam"})
    assert [row["reason"] for row in it.get(blocks).json()["blocks"]] == ["mer spam"], again.json()
    assert it.delete(f"{blocks}/{mac}").status_code == 204
    assert leaves(world)[-1][1]["change"] == "lifted"
    assert it.delete(f"{blocks}/{mac}").status_code == 404
    assert it.get(blocks).json()["blocks"] == []


def test_a_network_is_switched_and_restored(it, world):
    with world.services.database.read() as session:
        [network] = outages.networks(session, world.services.place.owner_id, world.now)
    path = f"/api/v1/networks/{network.id}/outage"
    until = (world.now + timedelta(hours=4)).isoformat()
    asked = {"mode": "closed", "reason": "vann", "until": until, "notices": {"nb": "Stengt"}}
    is_for_it_alone(world, ("GET", "/api/v1/networks", None), ("PUT", path, asked), ("DELETE", path, None))
    late = {"until": (world.now + timedelta(hours=73)).isoformat()}
    for wrong, field in (
        ({"mode": "everything"}, "mode"), ({"reason": ""}, "reason"), ({"until": world.now.isoformat()}, "until"),
        ({"notices": {}}, "notices"), ({"notices": {"nb": " "}}, "notices"), ({"notices": {"xx": "x"}}, "notices"),
        ({"notices": {"nb": "x" * 301}}, "notices.nb"), ({"mode": "rules_only", **late}, "until"),
    ):  # fmt: skip
        answer = it.put(path, json=asked | wrong)
        assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
    assert it.put("/api/v1/networks/none/outage", json=asked).status_code == 404
    assert it.delete(path).status_code == 409
    [usual] = it.get("/api/v1/networks").json()["networks"]
    assert (usual["interface"], usual["outage"]) == ("lo", None)
    switched = it.put(path, json=asked)
    assert (switched.status_code, switched.json()["outage"]["mode"]) == (200, "closed")
    assert it.get("/api/v1/networks").json()["networks"] == [switched.json()]
    assert switched.json()["outage"]["notices"]["nb"] == "Stengt"
    assert it.put(path, json=asked | {"mode": "rules_only"}).json()["outage"]["mode"] == "rules_only"
    assert it.delete(path).status_code == 204
    modes = [leaf["mode"] for kind, leaf in leaves(world) if kind == "network_switched"]
    assert modes == ["closed", "rules_only", "normal"]
    assert it.get("/api/v1/networks").json()["networks"] == [usual]


def test_a_host_sees_and_makes_their_own_courses_only(it, world):
    begins = world.now + timedelta(hours=1)
    times = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=4)).isoformat()}
    theirs = it.post("/api/v1/courses", json={"title": "IT-kurs", "unit": "IKT", **times}).json()
    host = world.signed_in("host", "hege", unit="Nybø skule")
    refused = host.post("/api/v1/courses", json={"title": "Kurs", "unit": "IKT", "group": "elever", **times})
    assert refused.json()["fields"].keys() == {"group"}, "IT has not given hosts this group"
    assert host.get("/api/v1/courses").json()["courses"] == []
    for method, path in (("GET", ""), ("PUT", ""), ("POST", "/end"), ("GET", "/usage")):
        body = {"json": {"title": "x", **times}} if method == "PUT" else {}
        assert host.request(method, f"/api/v1/courses/{theirs['id']}{path}", **body).status_code == 404
    own = it.post("/api/v1/courses", json={"title": "Lesekurs", "unit": "NYBØ  skule", **times}).json()
    assert [row["title"] for row in host.get("/api/v1/courses").json()["courses"]] == ["Lesekurs"]
    one = f"/api/v1/courses/{own['id']}"
    changed = host.put(one, json={"title": "Lesekurs 2", "unit": "IKT", "max_devices": 5, **times})
    assert (changed.status_code, changed.json()["unit"]) == (200, "Nybø skule")
    assert host.get(f"{one}/usage").json()["devices_now"] == 0
    assert host.post(f"{one}/end").json()["state"] == "over"
    assert host.post(f"{one}/end").status_code == 409
    titles, address = [], "/api/v1/courses?limit=1"
    while address:
        answer = it.get(address).json()
        titles += [row["title"] for row in answer["courses"]]
        address = answer["next"]
    assert sorted(titles) == ["IT-kurs", "Lesekurs 2"]


def test_a_host_opens_a_category_for_their_own_course_and_closes_it(it, world):
    place = world.services.place
    with world.services.database.write() as session:
        document = draft_edits.with_host_categories(generations.draft(session, place), ["gaming"])
        generations.save_draft(session, place, document, world.now)
        generations.publish(session, place, "it", "", world.now)
    times = {"starts_at": world.now.isoformat(), "ends_at": (world.now + timedelta(hours=4)).isoformat()}
    made = it.post("/api/v1/courses", json={"title": "Kurs", "unit": "Nybø skule", **times}).json()
    path = f"/api/v1/courses/{made['id']}/openings"
    asked = {"category": "gaming", "hours": 1, "reason": "en time om spill"}
    host, other = (
        world.signed_in("host", name, unit=unit) for name, unit in (("vert", "Nybø skule"), ("annen", "IKT"))
    )
    auditor = world.signed_in("auditor")
    before = leaves(world)
    for method, body in (("GET", {}), ("POST", {"json": asked})):
        assert other.request(method, path, **body).status_code == 404
        assert problem_of(auditor.request(method, path, **body)) == (403, "role")
    for wrong in ({"category": "adult"}, {"category": "dating"}, {"hours": 9}, {"reason": " "}):
        answer = host.post(path, json=asked | wrong)
        assert (answer.status_code, answer.json()["fields"].keys()) == (422, wrong.keys())
    assert host.get(path).json() == {"openings": [], "choices": ["gaming"]}
    assert leaves(world) == before
    opened = host.post(path, json=asked)
    assert (opened.status_code, opened.json()["choices"]) == (201, [])
    opening = [kind for kind, _ in leaves(world)[len(before) :]]
    assert opening[-1] == "exemption_changed"
    [row] = it.get(path).json()["openings"]
    assert (row["categories"], row["opened_by"], row["reason"]) == (["gaming"], "vert", "en time om spill")
    assert other.delete(f"{path}/{row['id']}").status_code == 404
    assert auditor.delete(f"{path}/{row['id']}").status_code == 403
    assert host.delete(f"{path}/{row['id']}").status_code == 204
    closing = leaves(world)[len(before) + len(opening) :]
    assert closing[-1][0] == "exemption_changed", closing
    assert host.delete(f"{path}/{row['id']}").status_code == 404
    assert host.get(path).json()["openings"] == []
    world.now += timedelta(hours=6)
    late = world.signed_in("it", "sein")
    assert late.post(path, json=asked).status_code == 409


def test_rules_are_written_by_edition_and_published(it, world):
    path = "/api/v1/rules/drafts/-"
    assert it.get(path).json()["begun"] is False
    draft = {"texts": {"nb": "# Regler\n\nNye."}, "label": "2026-2", "binding_language": "nb"}
    first = it.put(path, json=draft)
    assert (first.status_code, first.json()["hindrances"]) == (200, {})
    assert problem_of(it.put(path, json=draft)) == (412, "changed")
    seen = {"if-match": first.headers["etag"]}
    second = it.put(path, json=draft | {"label": "1"}, headers=seen)
    assert second.json()["hindrances"].keys() == {"label"}
    assert it.put(path, json=draft | {"texts": {"de": "x"}}, headers=seen).status_code == 422
    assert problem_of(it.delete(path, headers=seen)) == (412, "changed")
    published = it.post(f"{path}/publish", json={"ask_again": False}, headers={"if-match": second.headers["etag"]})
    assert (published.status_code, "privacy." in published.json()["detail"]) == (409, True)
    assert it.delete(path, headers={"if-match": second.headers["etag"]}).status_code == 204
    [version] = it.get("/api/v1/rules").json()["versions"]
    assert it.get(f"/api/v1/rules/versions/{version['id']}").json()["texts"] == {"nb": "# Regler\n\nVær grei."}


def test_lists_are_added_by_address_and_as_text_and_removed(it):
    made = it.post("/api/v1/lists", json={"category": "gaming", "content": "game.example\n", "title": "Spill"})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/lists/source/spill")
    assert it.put("/api/v1/lists/source/spill/content", json={"content": "a.example\n"}).status_code == 200
    asked = {"category": "gaming", "url": "https://lists.example/x.txt"}
    assert it.post("/api/v1/lists", json=asked).status_code == 201
    assert it.post("/api/v1/lists", json=asked).json()["fields"].keys() == {"url"}
    for wrong in ({}, {"category": "none", "content": "a"}, {"category": "gaming"}, asked | {"content": "a"}):
        assert it.post("/api/v1/lists", json=wrong).status_code == 422
    assert it.post("/api/v1/lists/refresh-all").json()["asked"] == 2
    assert it.delete("/api/v1/lists/source/spill").status_code == 204
    assert it.delete("/api/v1/lists/source/spill").status_code == 404


def test_evidence_is_searched_and_proved_within_what_the_reader_may_see(it, world):
    for number, name in enumerate(("Ola Nordmann", "Kari Ås", "Per Ås")):
        world.accepted(name, f"02:00:00:00:00:0{number}")
        world.now += timedelta(minutes=1)
    world.seal()
    first = it.get("/api/v1/acceptances?limit=2").json()
    assert [row["name"] for row in first["acceptances"]] == ["Per Ås", "Kari Ås"]
    rest = it.get(first["next"]).json()
    assert ([row["name"] for row in rest["acceptances"]], rest["next"]) == (["Ola Nordmann"], None)
    [ola] = it.get("/api/v1/acceptances?name=nordm").json()["acceptances"]
    assert it.get("/api/v1/acceptances?name=x").json()["fields"].keys() == {"name"}
    entry = it.get(f"/api/v1/acceptances/{ola['id']}").json()["entry"]
    proved = it.get(f"/api/v1/log/{entry}").json()
    assert (proved["proved"], proved["type"]) == (True, "acceptance")
    assert {each["name"]: each["value"] for each in proved["values"]}["name"] == "Ola Nordmann"
    assert it.get(f"/api/v1/log/{entry}/proof").text.startswith("c2sp.org/tlog-proof@v1\n")
    assert it.get("/api/v1/log?type=acceptance&limit=1").json()["next"]
    assert it.get("/api/v1/log?type=nothing").status_code == 422
    for cursor in ("x", "W10", "WzFd", "é"):
        assert problem_of(it.get("/api/v1/log", params={"cursor": cursor})) == (422, "unreadable")
    from gateway.audit.scope import Scope

    auditor = world.signed_in("auditor", scope=Scope(fields=frozenset({"receipt"})))
    assert [row["name"] for row in auditor.get("/api/v1/acceptances").json()["acceptances"]] == [None] * 3
    assert auditor.get("/api/v1/acceptances?name=nordm").json()["fields"].keys() == {"name"}
    assert auditor.get(f"/api/v1/log/{entry}").json()["withheld"] > 0
    with world.services.database.read() as session:
        staged = session.query(StagedLeaf).count()
    for method, path in (("PATCH", MATRIX), ("POST", "/api/v1/courses"), ("PUT", "/api/v1/rules/drafts/-")):
        assert problem_of(auditor.request(method, path, json={})) == (403, "role")
    with world.services.database.read() as session:
        assert session.query(StagedLeaf).count() == staged


def test_errors_are_problems_whatever_is_sent(it):
    assert problem_of(it.get("/api/v1/nothing")) == (404, "about:blank")
    wrong = it.delete("/api/v1/grants")
    assert (problem_of(wrong), wrong.headers["allow"]) == ((405, "about:blank"), "GET")
    assert it.request("TRACE", MATRIX).headers["allow"] == "GET, PATCH"
    assert problem_of(it.get("/api/v1/grants", headers={"accept": "text/html"})) == (406, "about:blank")
    for accept in ("application/*;q=0.1", "text/html, */*;q=0.5", "application/problem+json", "nonsense", ""):
        assert it.get("/api/v1/grants", headers={"accept": accept}).status_code == 200
    assert problem_of(it.patch(MATRIX, content=b"{}", headers={"content-type": "text/plain"})) == (415, "about:blank")
    big = b'{"cells": [' + b" " * (3 << 20) + b"]}"
    assert it.patch(MATRIX, content=big, headers={"content-type": "application/json"}).status_code == 413
    for body in (b"", b"{", b"[]", b"null", b"\xff", b'{"cells": [{"group": "\\ud800"}]}', b"[" * 100_000):
        answer = it.patch(MATRIX, content=body, headers={"content-type": "application/json"})
        assert problem_of(answer) == (422, "unreadable")
    assert problem_of(it.patch(MATRIX, json=cell("open"), headers={"origin": "https://evil.example"})) == (
        403,
        "foreign",
    )
    for query in ("limit=0", "limit=201", "limit=x", "more=1"):
        assert problem_of(it.get(f"/api/v1/grants?{query}")) == (422, "unreadable")
    for path in ("/api/v1/grants/a%00b", "/api/v1/log/-1", "/api/v1/policy/generations/99999999999999999999"):
        assert it.get(path).status_code == 404


def test_the_page_shows_every_call_in_each_language(it):
    document = it.get("/api/v1/openapi.json").json()
    for language in ("nb", "nn", "en"):
        page = it.get(f"/api?lang={language}").text
        for path, operations in document["paths"].items():
            for method in operations:
                assert f"{method.upper()} {path}<" in page
        assert "<script" not in page
        assert "curl " in page
