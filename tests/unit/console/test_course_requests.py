"""A host decides requests of guests of their own courses, within what IT has listed; of other units' they see none."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gateway.access.course_openings import Opened, open_category
from gateway.access.exemption_requests import Asked, Wanted, ask
from gateway.access.status import device_status
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.storage import exemption_requests, generations, grants
from gateway.storage.log_models import StagedLeaf
from policies.document import parse_document
from policies.schedule import standing as standing_of
from policies.snapshot import NamedList
from tests.unit.console.test_courses import course, join, make
from tests.unit.console.test_exemptions import compile_in_force

UNIT = "Nybø skule"


@pytest.fixture
def listed(world):
    """A world in which IT has listed games for hosts, with a course of UNIT from 13 to 15 UTC; world, course page."""
    world.publish_all()
    with world.services.database.write() as session:
        document = draft_edits.with_host_categories(publishing.draft(session, world.services.place), ["gaming"])
        publishing.save_draft(session, world.services.place, document, world.now)
        publishing.publish(session, world.services.place, "it", "", world.now)
    page = make(world.signed_in("it", "kari"), unit=UNIT)
    joined = join(world, course(world, page).code)
    return world, page, joined.grant_id


def asked(world, name: str = "www.game.example", categories: tuple[str, ...] = ("gaming",)) -> str:
    with world.services.database.write() as session:
        wanted = Wanted(name, categories, "en <i>time</i>")
        done = ask(session, world.services.place, Neighbour("lo", "02:00:00:00:00:01"), wanted, world.now)
    assert isinstance(done, Asked)
    return done.request_id


def leaf(world) -> dict[str, object]:
    with world.services.database.read() as session:
        newest = session.query(StagedLeaf).order_by(StagedLeaf.id.desc()).first()
        return json.loads(newest.entry)


def row(world, grant_id: str):
    with world.services.database.read() as session:
        [found] = exemption_requests.of_grant(session, grant_id)
        return found


def host_of(world, unit: str = UNIT, username: str = "vert"):
    return world.signed_in("host", username, unit=unit)


def test_the_hosts_course_says_how_many_wait_and_what_for_but_not_who_asks(listed) -> None:
    world, page, _ = listed
    host = host_of(world)
    assert "Requests that wait" not in host.get("/courses").text
    request = asked(world)
    assert "Requests that wait: 1" in host.get("/courses").text
    shown = host.get(page).text
    assert f'href="{page}/requests/{request}"' in shown
    assert "en &lt;i&gt;time" in shown
    one = host.get(f"{page}/requests/{request}")
    assert one.status_code == 200
    for part in ("www.game.example", "en &lt;i&gt;time", "Online games", "at most", "Grant the exemption"):
        assert part.casefold() in one.text.casefold()
    for page_text in (shown, one.text):
        assert "Kari" not in page_text
        assert "02:00:00" not in page_text
    assert f'href="/exemptions/{request}"' in world.signed_in("it", "ola").get(page).text


def test_a_host_grants_for_this_guest_alone_with_a_leaf(listed) -> None:
    world, page, grant = listed
    request = asked(world)
    host = host_of(world)
    path = f"{page}/requests/{request}"
    done = host.fill(path, f"{path}/grant", until="2026-11-22T15:30", answer="Lykke til", scope="group")
    assert done.headers["location"] == f"{page}?notice=granted"
    assert "the guest is told" in host.get(f"{page}?notice=granted").text
    with world.services.database.read() as session:
        moved = grants.owned_grant(session, world.services.place.owner_id, grant)
        standing = generations.in_force(session, world.services.place.owner_id)
        assert standing is not None
        assert moved is not None
        [exemption] = standing.document["exemptions"]
    assert moved.group_key.startswith("session-"), "whatever scope is posted"
    assert (exemption["group"], exemption["categories"]) == (moved.group_key, ["gaming"])
    assert exemption["approved_by"] == "vert"
    assert (row(world, grant).decision, row(world, grant).decided_by) == ("granted", "vert")
    assert (leaf(world)["type"], leaf(world)["decision"]) == ("exemption_decided", "granted")
    assert "Requests that wait" not in host.get("/courses").text
    assert host.fill("/courses/new", f"{path}/grant", until="2026-11-22T15:30", answer="").status_code == 422


def test_what_is_open_for_the_course_stays_open_for_a_guest_with_an_exemption_alone(listed) -> None:
    world, page, grant = listed
    made = course(world, page)
    with world.services.database.write() as session:
        document = draft_edits.with_cells(
            publishing.draft(session, world.services.place), {("default", "streaming"): "closed"}
        )
        document = draft_edits.with_host_categories(document, ["gaming", "streaming"])
        publishing.save_draft(session, world.services.place, document, world.now)
        publishing.publish(session, world.services.place, "it", "", world.now)
        opened = open_category(
            session, world.services.place, made.id, "streaming", 1, reason="a film", by="vert", now=world.now
        )
    assert isinstance(opened, Opened), opened
    path = f"{page}/requests/{asked(world)}"
    assert host_of(world).fill(path, f"{path}/grant", until="2026-11-22T15:30", answer="").status_code == 303
    with world.services.database.read() as session:
        standing = generations.in_force(session, world.services.place.owner_id)
        moved = grants.owned_grant(session, world.services.place.owner_id, grant)
        assert standing is not None
        assert moved is not None
        status = device_status(session, world.services.place, Neighbour("lo", "02:00:00:00:00:01"), world.now)
    policy = parse_document(standing.document)
    group = policy.groups[moved.group_key]
    assert {"gaming", "streaming"} <= group.closed
    assert standing_of(policy, group, world.now).lifted.keys() == {"gaming", "streaming"}
    assert status.hours_group == "default"


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2026-11-22T16:01", "not after the course ends"),
        ("2026-11-22T12:59", "Write a moment that lies ahead, at most 8 hours"),
        ("", "at most 8 hours"),
        ("nonsense" * 50, "at most 8 hours"),
        ("9999-12-31T23:59", "at most 8 hours"),
        ("0001-01-01T00:00", "at most 8 hours"),
    ],
)
def test_no_longer_than_the_course(listed, until, told) -> None:
    world, page, grant = listed
    path = f"{page}/requests/{asked(world)}"
    answer = host_of(world).fill(path, f"{path}/grant", until=until, answer="")
    assert answer.status_code == 422
    assert told in answer.text
    assert row(world, grant).decision == ""


def test_no_longer_than_eight_hours_of_a_long_course(listed) -> None:
    world, _, _ = listed
    page = make(world.signed_in("it", "ola"), unit=UNIT, ends_at="2026-11-24T16:00")
    world.now += timedelta(minutes=1)
    joined = join(world, course(world, page).code, number=1)
    path = f"{page}/requests/{asked(world)}"
    host = host_of(world)
    assert host.fill(path, f"{path}/grant", until="2026-11-22T21:02", answer="").status_code == 422
    assert host.fill(path, f"{path}/grant", until="2026-11-22T21:01", answer="").status_code == 303
    assert row(world, joined.grant_id).decision == "granted"


def test_what_it_has_not_listed_a_host_can_only_decline_or_leave_to_it(listed) -> None:
    world, page, grant = listed
    request = asked(world, "www.bets.example", ("gambling",))
    host = host_of(world)
    path = f"{page}/requests/{request}"
    shown = host.get(path).text
    assert "Grant the exemption" not in shown
    assert "not listed" in shown
    refused = host.fill(path, f"{path}/grant", until="2026-11-22T15:00", answer="")
    assert (refused.status_code, "not listed" in refused.text) == (422, True)
    assert row(world, grant).decision == ""
    done = host.fill(path, f"{path}/pass-on")
    assert done.headers["location"] == f"{page}?notice=passed-on"
    assert (leaf(world)["type"], leaf(world)["decision"]) == ("exemption_decided", "passed_on")
    assert "Requests that wait" not in host.get("/courses").text
    assert host.fill("/courses/new", f"{path}/pass-on").status_code == 422, "once"
    shown = host.get(path).text
    assert ("IT decides it now" in shown, f"{path}/decline" in shown, f"{path}/grant" in shown) == (True, False, False)
    late = host.fill("/courses/new", f"{path}/decline", answer="Likevel ikke")
    assert (late.status_code, "left to IT, who decides it" in late.text) == (422, True)
    assert row(world, grant).decision == ""
    it = world.signed_in("it", "ola")
    assert "left to IT by vert" in it.get("/exemptions").text
    assert "vert has left this to IT" in it.get(f"/exemptions/{request}").text
    it_path = f"/exemptions/{request}"
    assert it.fill(it_path, f"{it_path}/decline", answer="Nei").status_code == 303
    assert (row(world, grant).decision, row(world, grant).decided_by) == ("declined", "ola")


def test_what_closes_the_site_now_counts_not_what_did_when_it_was_asked(listed) -> None:
    world, page, grant = listed
    path = f"{page}/requests/{asked(world)}"
    games = NamedList("t/g", "gaming", "0" * 64, ("game.example",))
    compile_in_force(world, games, NamedList("t/d", "dating", "1" * 64, ("game.example",)))
    answer = host_of(world).fill(path, f"{path}/grant", until="2026-11-22T15:00", answer="")
    assert (answer.status_code, "not listed" in answer.text) == (422, True)
    assert row(world, grant).decision == ""


def test_what_it_has_closed_by_name_a_host_does_not_open(listed) -> None:
    world, page, _ = listed
    path = f"{page}/requests/{asked(world)}"
    with world.services.database.write() as session:
        document = publishing.draft(session, world.services.place)
        document["groups"]["default"]["forbid"] = ["game.example"]
        publishing.save_draft(session, world.services.place, document, world.now)
        publishing.publish(session, world.services.place, "it", "", world.now)
    compile_in_force(world, NamedList("t/g", "gaming", "0" * 64, ("game.example",)))
    assert "Grant the exemption" not in host_of(world).get(path).text


def test_a_host_declines_with_a_sentence(listed) -> None:
    world, page, grant = listed
    path = f"{page}/requests/{asked(world)}"
    host = host_of(world)
    assert host.fill(path, f"{path}/decline", answer=" ").status_code == 422
    assert host.fill(path, f"{path}/decline", answer="Bruk biblioteket").headers["location"].endswith("declined")
    assert (row(world, grant).decision, row(world, grant).decided_by) == ("declined", "vert")
    assert leaf(world)["decision"] == "declined"


def test_a_host_of_another_unit_is_refused_and_so_is_a_request_of_another_course(listed) -> None:
    world, page, grant = listed
    request = asked(world)
    other = host_of(world, "Biblioteket", "annen")
    theirs = make(other)
    token = other.token_on("/courses/new")
    sent = {"form_token": token, "answer": "x", "until": "2026-11-22T15:00"}
    for path in (f"{page}/requests/{request}", f"{theirs}/requests/{request}"):
        assert other.get(path).status_code == 404, path
        for act in ("grant", "decline", "pass-on"):
            assert other.post(f"{path}/{act}", data=sent).status_code == 404, (path, act)
    for path in (f"/exemptions/{request}", "/exemptions"):
        assert other.get(path).status_code == 403
    host = host_of(world)
    for wrong in ("nothing", "x" * 300, "%00", "<script>"):
        assert host.get(f"{page}/requests/{wrong}").status_code == 404
    found = row(world, grant)
    assert (found.decision, found.decided_at) == ("", None)
    assert "Requests that wait" not in other.get("/courses").text
