"""Requests of a course's guests over JSON: its host, and no other, grants, declines or passes on, within IT's list."""

from __future__ import annotations

import pytest

from gateway.storage import grants
from tests.unit.console.test_course_requests import UNIT, asked, host_of, leaf, listed, row

__all__ = ["listed"]


@pytest.fixture
def theirs(listed):
    """World, the address of the course's requests, the guest's grant, and a request that waits."""
    world, page, grant = listed
    return world, f"/api/v1{page}/requests", grant, asked(world)


def test_its_host_sees_what_is_asked_and_what_for_but_not_who_asks(theirs):
    world, path, _, request = theirs
    host = host_of(world)
    [listed_one] = host.get(path).json()["requests"]
    one = host.get(f"{path}/{request}")
    assert one.json() == listed_one | {
        "closing": ["gaming"], "open_now": False, "may_open": True, "latest": "2026-11-22T15:00:00Z",
    }  # fmt: skip
    assert (listed_one["id"], listed_one["decision"], listed_one["purpose"]) == (request, "waiting", "en <i>time</i>")
    for text in (one.text, host.get(path).text):
        assert "Kari" not in text
        assert "02:00:00" not in text
    other = world.signed_in("host", "annen", unit="En annen enhet")
    assert [other.get(path).status_code, other.get(f"{path}/{request}").status_code] == [404, 404]
    assert other.post(f"{path}/{request}/decline", json={"answer": "nei"}).status_code == 404
    assert host.get(f"{path.replace(path.split('/')[4], 'unknown')}/{request}").status_code == 404


def test_a_host_grants_for_this_guest_alone_and_not_for_long(theirs):
    world, path, grant, request = theirs
    host, before = host_of(world), leaf(world)
    act = f"{path}/{request}/grant"
    for wrong in ("2026-11-22T15:00:01Z", "2026-11-22T12:00:00Z", "2026-11-22T11:00:00Z"):
        answer = host.post(act, json={"until": wrong})
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["until"]), wrong
    assert host.post(act, json={"until": "2026-11-22T14:30Z", "scope": "group"}).status_code == 422
    assert leaf(world) == before
    done = host.post(act, json={"until": "2026-11-22T14:30Z", "answer": "Lykke til"})
    assert done.status_code == 200, done.text
    assert (done.json()["decision"], done.json()["decided_by"], done.json()["answer"]) == (
        "granted", "vert", "Lykke til",
    )  # fmt: skip
    with world.services.database.read() as session:
        moved = grants.owned_grant(session, world.services.place.owner_id, grant)
    assert moved.group_key.startswith("session-")
    assert (leaf(world)["type"], leaf(world)["decision"]) == ("exemption_decided", "granted")
    assert host.post(act, json={"until": "2026-11-22T14:30Z"}).status_code == 409, "it is decided"
    assert host.get(path).json()["requests"] == []


def test_what_it_has_not_listed_is_passed_on_and_left_to_it(listed):
    world, page, grant = listed
    request = asked(world, "www.date.example", ("dating",))
    path, host = f"/api/v1{page}/requests/{request}", host_of(world)
    assert host.get(path).json()["may_open"] is False
    refused = host.post(f"{path}/grant", json={"until": "2026-11-22T14:30Z"})
    assert (refused.status_code, "Pass the request on to IT" in refused.json()["detail"]) == (409, True)
    assert host.post(f"{path}/pass-on").json()["decision"] == "passed_on"
    assert host.post(f"{path}/pass-on").status_code == 409
    assert row(world, grant).decision == ""
    for act, body in (("grant", {"until": "2026-11-22T14:30Z"}), ("decline", {"answer": "Ikke i timen"})):
        assert host.post(f"{path}/{act}", json=body).status_code == 409, "IT decides what was left to them"
    it = world.signed_in("it", "ola")
    assert it.post(f"{path}/decline", json={"answer": " "}).status_code == 422
    assert it.post(f"{path}/decline", json={"answer": "Ikke i timen"}).json()["decision"] == "declined"
    assert leaf(world)["decision"] == "declined"


def test_no_auditor_and_nobody_without_the_unit_reaches_them(theirs):
    world, path, _, _ = theirs
    assert world.signed_in("auditor").get(path).status_code == 403
    assert world.signed_in("it", "ola").get(path).status_code == 200
    assert host_of(world, UNIT.upper(), "same").get(path).status_code == 200
