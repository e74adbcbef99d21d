"""Requests for exemptions: sent once, within bounds; decided once, as leaves; erased with what they belong to."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime, timedelta

import pytest

from gateway.access.exemption_requests import (
    A_DAY_MAX,
    WAITING_MAX,
    Asked,
    Decided,
    NotAsked,
    NotDecided,
    Wanted,
    ask,
    decline,
    grant,
    pass_on,
)
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.storage import exemption_requests, generations, grants, persons
from gateway.storage.course_models import Course
from gateway.storage.engine import Database
from gateway.storage.exemption_models import ExemptionRequest
from gateway.storage.keyset import Cut
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Acceptance, Grant, RulesVersion
from gateway.storage.places import Place
from policies.document import parse_document
from policies.schedule import standing
from tests.contract.storage.records import HOUR, MAC, NOW, add_grant, add_rules, at_once, scalar

PHONE = Neighbour("lo", MAC)
GAME = Wanted("www.game.example", ("gaming",), "a lesson about games")
UNTIL = NOW + HOUR


@pytest.fixture
def guest(database: Database, place: Place) -> str:
    """A policy with the groups default and course, and a guest's grant in the first."""
    with database.write() as session:
        document = publishing.draft(session, place)
        document["groups"]["course"] = deepcopy(document["groups"]["default"]) | {"mark": 7}
        publishing.save_draft(session, place, document, NOW)
        publishing.publish(session, place, "it", "", NOW)
        return add_grant(session, place, add_rules(session, place)).id


def sent(database: Database, place: Place, wanted: Wanted = GAME, now: datetime = NOW) -> Asked | NotAsked:
    with database.write() as session:
        return ask(session, place, PHONE, wanted, now)


def request_id(database: Database, place: Place) -> str:
    done = sent(database, place)
    assert isinstance(done, Asked)
    return done.request_id


def leaves(database: Database) -> list[dict[str, object]]:
    with database.read() as session:
        return [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]


def document(database: Database, place: Place) -> dict[str, object]:
    with database.read() as session:
        found = generations.in_force(session, place.owner_id)
        assert found is not None
        return dict(found.document)


def test_the_same_request_twice_is_one(database: Database, place: Place, guest: str) -> None:
    first = sent(database, place)
    assert isinstance(first, Asked)
    assert not first.repeated
    assert sent(database, place) == Asked(first.request_id, repeated=True)
    with database.read() as session:
        [asked] = exemption_requests.waiting(session, place.owner_id)
        assert (asked.request.name, asked.request.categories) == ("www.game.example", ["gaming"])
        assert (asked.request.purpose, asked.request.group_key) == (GAME.purpose, "default")
        assert (asked.grant.id, asked.grant.holder, asked.grant.device.mac) == (guest, "Kari Nordmann", MAC)
        assert exemption_requests.count_waiting(session, place.owner_id) == 1
        assert exemption_requests.waiting(session, place.owner_id, "a course") == []


def test_the_course_that_the_guest_attends_goes_with_the_request(database: Database, place: Place, guest: str) -> None:
    with database.write() as session:
        course = Course(
            owner_id=place.owner_id,
            site_id=place.site_id,
            title="Spilldesign",
            unit="Kultur",
            code="en-to-tre",
            code_key="entotre",
            starts_at=NOW,
            ends_at=NOW + HOUR,
            group_key="default",
            max_devices=60,
            offered="code",
            created_at=NOW,
            created_by="it",
            ended_at=None,
        )
        session.add(course)
        session.flush()
        session.get(Grant, guest).course_id = course.id  # type: ignore[union-attr]
        identity = course.id
    request = request_id(database, place)
    with database.read() as session:
        assert [each.request.id for each in exemption_requests.waiting(session, place.owner_id, identity)] == [request]
        assert exemption_requests.waiting(session, place.owner_id, "another") == []


@pytest.mark.usefixtures("guest")
def test_two_submissions_at_once_are_one(database: Database, place: Place) -> None:
    done = at_once(2, lambda _: sent(database, place))
    assert len({each.request_id for each in done if isinstance(each, Asked)}) == 1
    assert scalar(database, "SELECT count(*) FROM exemption_request") == 1


@pytest.mark.parametrize("categories", [("malware",), ("gaming", "phishing"), ()])
@pytest.mark.usefixtures("guest")
def test_nobody_may_ask_for_what_harms(database: Database, place: Place, categories: tuple[str, ...]) -> None:
    assert sent(database, place, Wanted("bad.example", categories)) == NotAsked("never")


@pytest.mark.usefixtures("guest")
def test_a_device_sends_a_few_and_waits(database: Database, place: Place) -> None:
    for number in range(WAITING_MAX):
        assert isinstance(sent(database, place, Wanted(f"n{number}.example", ("gaming",))), Asked)
    assert sent(database, place, Wanted("more.example", ("gaming",))) == NotAsked("too_many")
    with database.read() as session:
        waiting = [each.request.id for each in exemption_requests.waiting(session, place.owner_id)]
    for each in waiting:
        with database.write() as session:
            assert isinstance(decline(session, place, each, "it", "no", NOW), Decided)
    for number in range(A_DAY_MAX - WAITING_MAX):
        with database.write() as session:
            done = ask(session, place, PHONE, Wanted(f"m{number}.example", ("gaming",)), NOW)
            assert isinstance(done, Asked)
            decline(session, place, done.request_id, "it", "no", NOW)
    assert sent(database, place, Wanted("last.example", ("gaming",))) == NotAsked("too_many")


def test_without_access_nothing_can_be_asked(database: Database, place: Place, guest: str) -> None:
    assert sent(database, place, now=NOW + 2 * HOUR) == NotAsked("no_access")
    with database.write() as session:
        assert ask(session, place, Neighbour("lo", "02:00:00:00:00:99"), GAME, NOW) == NotAsked("no_access")
        assert ask(session, place, Neighbour("other0", MAC), GAME, NOW) == NotAsked("no_access")
    assert guest


def test_granting_for_the_guest_alone_gives_the_session_a_group_of_its_own(
    database: Database, place: Place, guest: str
) -> None:
    request = request_id(database, place)
    with database.write() as session:
        done = grant(session, place, request, "kari", "Lykke til", scope="session", until=UNTIL, now=NOW)
        assert done == Decided(request, 2)
    policy = document(database, place)
    key = f"session-{request[:12]}"
    group, default = policy["groups"][key], policy["groups"]["default"]  # type: ignore[index]
    assert group["closed"] == default["closed"]
    assert (group["mark"], default["mark"]) == (0xFFFF, 1)
    [exemption] = policy["exemptions"]  # type: ignore[misc]
    assert (exemption["group"], exemption["categories"], exemption["approved_by"]) == (key, ["gaming"], "kari")
    assert datetime.fromisoformat(exemption["until"]) == UNTIL.replace(microsecond=0)
    written = json.dumps(policy)
    assert "game.example" not in written  # what is kept for ever names no website, and nobody's words
    assert GAME.purpose not in written
    with database.read() as session:
        row = grants.owned_grant(session, place.owner_id, guest)
        assert row is not None
        assert (row.group_key, row.mark) == (key, group["mark"])
        [asked] = exemption_requests.of_grant(session, guest)
        assert (asked.decision, asked.answer, asked.decided_by) == ("granted", "Lykke til", "kari")
    kinds = [leaf["type"] for leaf in leaves(database)]
    assert kinds[-4:] == ["policy_published", "exemption_changed", "grant_moved", "exemption_decided"]
    last = leaves(database)[-1]
    assert (last["decision"], last["grant"], last["categories"]) == ("granted", guest, ["gaming"])
    assert "game.example" not in json.dumps(leaves(database))


@pytest.mark.parametrize(
    ("is_same", "later", "found"), [(True, 0, True), (False, 0, False), (True, 1, False)], ids=["next", "else", "later"]
)
def test_what_was_granted_with_the_access_before_is_found_by_the_next_one_of_the_same_person(
    database: Database, place: Place, guest: str, is_same: bool, later: int, found: bool
) -> None:
    request = request_id(database, place)
    assert isinstance(sent(database, place, Wanted("www.dating.example", ("dating",))), Asked)
    middle = NOW + HOUR / 2
    with database.write() as session:
        assert isinstance(grant(session, place, request, "it", "", scope="session", until=UNTIL, now=NOW), Decided)
        first = session.get_one(Grant, guest)
        first.revoked_at = middle
        accepted = session.get_one(Acceptance, first.acceptance_id)
        rules = session.get_one(RulesVersion, accepted.rules_version_id)
        second = add_grant(session, place, rules, starts_at=middle + later * HOUR / 4)
        if is_same:
            session.get_one(Acceptance, second.acceptance_id).visitor_id = accepted.visitor_id
        session.flush()
        ended = exemption_requests.ended_with_the_one_before(session, second.id)
        assert [each.id for each in ended] == ([request] if found else [])
        assert exemption_requests.ended_with_the_one_before(session, guest) == []


@pytest.mark.usefixtures("guest")
def test_granting_for_the_group_leaves_the_guest_where_it_is(database: Database, place: Place) -> None:
    request = request_id(database, place)
    with database.write() as session:
        done = grant(session, place, request, "kari", "", scope="group", until=UNTIL, now=NOW)
    assert done == Decided(request, 2)
    policy = document(database, place)
    assert list(policy["groups"]) == ["course", "default"]  # type: ignore[call-overload]
    assert [each["group"] for each in policy["exemptions"]] == ["default"]  # type: ignore[attr-defined]
    assert [leaf["type"] for leaf in leaves(database)][-3:] == [
        "policy_published", "exemption_changed", "exemption_decided",
    ]  # fmt: skip


@pytest.mark.usefixtures("guest")
def test_a_second_exemption_for_the_same_guest_stays_in_its_group(database: Database, place: Place) -> None:
    first = request_id(database, place)
    with database.write() as session:
        grant(session, place, first, "kari", "", scope="session", until=UNTIL, now=NOW)
        second = ask(session, place, PHONE, Wanted("date.example", ("dating",)), NOW)
        assert isinstance(second, Asked)
        grant(session, place, second.request_id, "kari", "", scope="session", until=UNTIL, now=NOW)
    policy = document(database, place)
    key = f"session-{first[:12]}"
    assert [group for group in policy["groups"] if group.startswith("session-")] == [key]  # type: ignore[attr-defined]
    assert [each["group"] for each in policy["exemptions"]] == [key, key]  # type: ignore[attr-defined]


def test_what_the_group_was_granted_before_holds_for_the_guest_too(
    database: Database, place: Place, guest: str
) -> None:
    with database.write() as session:
        done = ask(session, place, PHONE, Wanted("date.example", ("dating",)), NOW)
        assert isinstance(done, Asked)
        grant(session, place, done.request_id, "kari", "", scope="group", until=UNTIL, now=NOW)
    request = request_id(database, place)
    with database.write() as session:
        grant(session, place, request, "kari", "", scope="session", until=UNTIL, now=NOW)
    key = f"session-{request[:12]}"
    policy = parse_document(document(database, place))
    assert standing(policy, policy.groups[key], NOW).lifted.keys() == {"dating", "gaming"}
    assert guest


def test_what_it_closes_for_the_group_later_is_closed_for_a_guest_with_an_exemption_too(
    database: Database, place: Place, guest: str
) -> None:
    request = request_id(database, place)
    with database.write() as session:
        grant(session, place, request, "kari", "", scope="session", until=UNTIL, now=NOW)
        later = draft_edits.with_cells(publishing.draft(session, place), {("default", "streaming"): "closed"})
        publishing.save_draft(session, place, later, NOW)
        publishing.publish(session, place, "it", "", NOW)
    policy = parse_document(document(database, place))
    own = policy.groups[f"session-{request[:12]}"]
    assert (own.like, "streaming" in own.closed) == ("default", True)
    assert guest


def test_groups_of_sessions_that_are_over_go_with_the_next_grant(database: Database, place: Place, guest: str) -> None:
    request = request_id(database, place)
    with database.write() as session:
        grant(session, place, request, "kari", "", scope="session", until=UNTIL, now=NOW)
    later = NOW + timedelta(days=1)
    with database.write() as session:
        version = session.get(Grant, guest).acceptance_id  # type: ignore[union-attr]
        assert version
        again = add_grant(session, place, add_rules(session, place, "2", later), starts_at=later, ends_at=later + HOUR)
        done = ask(session, place, PHONE, GAME, later)
        assert isinstance(done, Asked)
        assert isinstance(
            grant(session, place, done.request_id, "kari", "", scope="session", until=later + HOUR, now=later),
            Decided,
        )
        assert again.group_key == f"session-{done.request_id[:12]}"
    policy = document(database, place)
    assert [key for key in policy["groups"] if key.startswith("session-")] == [again.group_key]  # type: ignore[attr-defined]
    assert [each["group"] for each in policy["exemptions"]] == [again.group_key]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("guest")
def test_a_draft_that_somebody_works_on_gets_the_same_change_and_is_not_published(
    database: Database, place: Place
) -> None:
    request = request_id(database, place)
    with database.write() as session:
        draft = publishing.draft(session, place)
        draft["groups"]["library"] = deepcopy(draft["groups"]["default"]) | {"mark": 8}
        publishing.save_draft(session, place, draft, NOW)
        grant(session, place, request, "kari", "", scope="session", until=UNTIL, now=NOW)
        key = f"session-{request[:12]}"
        assert "library" not in document(database, place)["groups"]  # type: ignore[operator]
        changed = publishing.draft(session, place)
        assert {"library", key} <= changed["groups"].keys()
        assert changed["groups"][key]["mark"] not in (1, 7, 8)
        publishing.publish(session, place, "it", "", NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"until": NOW}, "until"),
        ({"until": NOW + timedelta(days=500)}, "until"),
        ({"categories": ("gaming", "malware")}, "never"),
        ({"now": NOW + 2 * HOUR, "until": NOW + 3 * HOUR}, "ended"),
    ],
)
@pytest.mark.usefixtures("guest")
def test_what_can_not_be_granted_changes_nothing(database, place, changes, reason) -> None:  # type: ignore[no-untyped-def]
    request = request_id(database, place)
    before = len(leaves(database))
    with database.write() as session:
        values = {"scope": "session", "until": UNTIL, "now": NOW} | changes
        assert grant(session, place, request, "kari", "", **values) == NotDecided(reason)
        assert grant(session, place, "nothing", "kari", "", **values) == NotDecided("gone")
    assert len(leaves(database)) == before
    assert scalar(database, "SELECT decision FROM exemption_request") == ""


@pytest.mark.usefixtures("guest")
def test_a_request_is_decided_once(database: Database, place: Place) -> None:
    request = request_id(database, place)
    with database.write() as session:
        assert decline(session, place, request, "kari", "Bruk biblioteket", NOW) == Decided(request)
        assert decline(session, place, request, "ola", "", NOW) == NotDecided("decided")
        done = grant(session, place, request, "ola", "", scope="group", until=UNTIL, now=NOW)
        assert done == NotDecided("decided")
        newest = Cut("decided", descending=True, limit=5)
        [asked] = exemption_requests.page_of_requests(session, place.owner_id, ("declined", "granted"), newest).rows
        assert (asked.request.decision, asked.request.decided_by) == ("declined", "kari")
    assert [leaf["type"] for leaf in leaves(database)].count("exemption_decided") == 1
    assert leaves(database)[-1]["decision"] == "declined"


def decide(database: Database, place: Place, request: str, how: str, by: str) -> Decided | NotDecided:
    """A decision in a transaction of its own, by `vert` as the course's host, by anybody else as IT."""
    by_host = by == "vert"
    with database.write() as session:
        if how == "pass_on":
            return pass_on(session, place, request, by, NOW)
        if how == "decline":
            return decline(session, place, request, by, "Nei", NOW, by_host=by_host)
        return grant(session, place, request, by, "", scope="session", until=UNTIL, now=NOW, by_host=by_host)


@pytest.mark.usefixtures("guest")
def test_what_a_host_has_passed_on_it_decides_alone(database: Database, place: Place) -> None:
    request = request_id(database, place)
    assert decide(database, place, request, "pass_on", "vert") == Decided(request)
    for how in ("grant", "decline", "pass_on"):
        assert decide(database, place, request, how, "vert") == NotDecided("passed_on")
    assert scalar(database, "SELECT decision FROM exemption_request") == ""
    assert decide(database, place, request, "grant", "it") == Decided(request, 2)
    assert decide(database, place, request, "decline", "vert") == NotDecided("decided")


@pytest.mark.usefixtures("guest")
@pytest.mark.parametrize("of_it", ["grant", "decline"])
@pytest.mark.parametrize("of_host", ["grant", "decline", "pass_on"])
@pytest.mark.parametrize("is_left", [False, True])
def test_of_a_host_and_it_who_decide_at_once_one_does(
    database: Database, place: Place, of_it: str, of_host: str, is_left: bool
) -> None:
    request = request_id(database, place)
    if is_left:
        decide(database, place, request, "pass_on", "vert")
    acts = [(of_it, "it"), (of_host, "vert")]
    it, host = at_once(2, lambda number: decide(database, place, request, *acts[number]))
    decided = [leaf["decision"] for leaf in leaves(database) if leaf["type"] == "exemption_decided"]
    if is_left:
        assert isinstance(it, Decided)
        assert host in (NotDecided("passed_on"), NotDecided("decided"))
    elif of_host == "pass_on":  # before IT's decision or after it, which stands either way
        assert isinstance(it, Decided)
        assert isinstance(host, Decided) == ("passed_on" in decided)
    else:
        assert sorted(map(type, (it, host)), key=str) == [Decided, NotDecided]
    assert len([each for each in decided if each != "passed_on"]) == 1
    assert scalar(database, "SELECT decision FROM exemption_request") in ("granted", "declined")


def test_a_guest_takes_a_request_back_and_nothing_is_left(database: Database, place: Place, guest: str) -> None:
    request = request_id(database, place)
    with database.write() as session:
        assert not exemption_requests.withdraw(session, "another grant", request)
        assert exemption_requests.withdraw(session, guest, request)
        assert not exemption_requests.withdraw(session, guest, request)
        done = ask(session, place, PHONE, GAME, NOW)
        assert isinstance(done, Asked)
        decline(session, place, done.request_id, "kari", "no", NOW)
        assert not exemption_requests.withdraw(session, guest, done.request_id)
    assert scalar(database, "SELECT count(*) FROM exemption_request") == 1


def test_old_requests_go_and_so_does_who_decided(database: Database, place: Place, guest: str) -> None:
    request = request_id(database, place)
    with database.write() as session:
        decline(session, place, request, "kari", "no", NOW)
        assert exemption_requests.forget(session, place.owner_id, NOW, NOW + HOUR) == 0
    assert scalar(database, "SELECT decided_by FROM exemption_request") == ""
    with database.write() as session:
        assert exemption_requests.forget(session, place.owner_id, NOW + HOUR, NOW) == 1
    assert scalar(database, "SELECT count(*) FROM exemption_request") == 0
    assert guest


def test_a_request_goes_with_the_acceptance_it_was_asked_under(database: Database, place: Place, guest: str) -> None:
    request_id(database, place)
    with database.write() as session:
        row = session.get(Grant, guest)
        assert row is not None
        assert row.acceptance_id is not None
        persons.delete_acceptances(session, [row.acceptance_id], [row.device_id])
        assert session.query(ExemptionRequest).count() == 0
