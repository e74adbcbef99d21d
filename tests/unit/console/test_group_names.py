"""Groups that the product made for a course or a guest are called by whose they are; no page shows their keys."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event

from captive_portal.console.group_names import GroupNames, distinct
from captive_portal.i18n import translators
from gateway.access import exemption_requests as requests
from gateway.access.course_openings import Opened, open_category, own_group
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.storage import dns_counters
from gateway.storage.dns_counters import hour_of
from policies.snapshot import NamedList
from tests.unit.console.test_course_requests import UNIT, asked
from tests.unit.console.test_courses import course, join, make
from tests.unit.console.test_exemptions import compile_in_force

TITLE = "Spill & <i>design</i>"
SHOWN = "Course: Spill &amp; &lt;i&gt;design&lt;/i&gt;"
RAW = re.compile(r"(?:course|session)-[0-9a-f]{12}")


@pytest.fixture
def evening(world):
    """A course for which a host has opened games; one guest of it has dating for themselves, another one asks."""
    world.publish_all()
    it = world.signed_in("it", "kari")
    made = course(world, make(it, unit=UNIT, title=TITLE))
    place = world.services.place
    with world.services.database.write() as session:
        document = draft_edits.with_host_categories(publishing.draft(session, place), ["gaming"])
        publishing.save_draft(session, place, document, world.now)
        publishing.publish(session, place, "it", "", world.now)
    for number in (1, 2):
        join(world, made.code, number)
    with world.services.database.write() as session:
        done = open_category(session, place, made.id, "gaming", 1, reason="spill", by="vert", now=world.now)
        assert isinstance(done, Opened)
        wanted = requests.Wanted("date.example", ("dating",))
        sent = requests.ask(session, place, Neighbour("lo", "02:00:00:00:00:02"), wanted, world.now)
        assert isinstance(sent, requests.Asked)
        until = made.ends_at
        requests.grant(session, place, sent.request_id, "kari", "", scope="session", until=until, now=world.now)
    compile_in_force(world, NamedList("t/g", "gaming", "0" * 64, ("game.example",)))
    return world, it, made, asked(world)


def read(page: str) -> str:
    """What is read of a page: without tags and their attributes."""
    return re.sub(r"<[^>]+>", " ", page.partition("<main")[2])


def test_no_page_shows_a_key_where_people_read_whose_group_it_is(evening) -> None:
    world, it, made, request = evening
    place, hour = world.services.place, hour_of(world.now)
    with world.services.database.write() as session:
        counts = {(hour, own_group(made), "refused", "dating"): 7}
        dns_counters.add_answers(session, place.owner_id, place.gateway_id, counts)
    world.seal()
    shown = {
        path: read(it.get(path).text)
        for path in (
            "/", "/devices", "/exemptions", f"/exemptions/{request}", "/policy/exemptions", "/policy", "/policy/groups",
            "/lookups", "/try", f"/try?name=game.example&group={own_group(made)}", f"/courses/{made.id}",
            "/courses/new", "/devices/admit", "/courses", "/policy/draft", "/policy/history", "/policy-then", "/log",
            "/policy/rollback/2", "/rules", "/network",
            *(f"/policy/compare?from={number}&to={number + 1}" for number in (1, 2, 3)),
        )
    }  # fmt: skip
    entries = shown.pop("/log")
    assert {path: RAW.findall(text) for path, text in shown.items() if RAW.search(text)} == {}
    shown["/log"] = entries
    for path in ("/", "/devices", "/exemptions", f"/exemptions/{request}", "/policy/exemptions", "/lookups", "/try"):
        assert SHOWN in shown[path], path
    for path in ("/devices", "/policy/exemptions", "/try", "/log"):
        assert "Exemption for one guest" in shown[path], path
    for path in ("/policy-then", "/policy/compare?from=2&to=3", "/log"):
        assert SHOWN in shown[path], path
    assert f"New group {SHOWN}." in shown["/policy/compare?from=2&to=3"]
    numbers = re.findall(r'href="/log/([0-9]+)"', it.get("/log").text)
    sentences = [
        read(re.search(r"<main.*?<p class=.long.>.*?</p>", it.get(f"/log/{each}").text, re.S)[0]) for each in numbers
    ]
    assert any(SHOWN in each for each in sentences)
    bracketed = re.compile(rf" \({RAW.pattern}(?:-[0-9]+)?\)")
    for each in (entries, *sentences):
        assert len(bracketed.findall(each)) == len(RAW.findall(each)), "a key stands beside its name"
    assert bracketed.search(entries)
    assert f"Exemption for group {SHOWN}: " in shown["/policy/compare?from=2&to=3"], "its id is not said besides"
    assert f"group {SHOWN}." in shown[f"/try?name=game.example&group={own_group(made)}"]
    one = "One course has a group of its own" if "One course" in shown["/policy/groups"] else ""
    assert one, "a guest's is not counted as a course's"


def test_a_page_looks_a_course_up_once_however_many_of_its_exemptions_it_shows(evening) -> None:
    world, it, _, _ = evening
    asked_for: list[str] = []

    def note(_connection, _cursor, statement, *_other) -> None:
        if "FROM course" in statement:
            asked_for.append(statement)

    engine = world.services.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        page = it.get("/policy/exemptions").text
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert page.count(SHOWN) > 1
    assert len(asked_for) == 1, asked_for


def test_menus_offer_no_group_of_a_course_or_a_guest(evening) -> None:
    _, it, _, _ = evening
    for path in ("/courses/new", "/devices/admit", "/policy/exemptions", "/policy/groups"):
        assert not re.search(r'<option value="(?:course|session)-', it.get(path).text), path


def test_groups_are_read_by_their_titles_and_keys_stand_beside_those_that_two_have(world) -> None:
    world.publish_all()
    place = world.services.place
    it = world.signed_in("it", "kari")

    def publish(*steps) -> None:
        with world.services.database.write() as session:
            document = publishing.draft(session, place)
            for step in steps:
                document = step(document)
            publishing.save_draft(session, place, document, world.now)
            publishing.publish(session, place, "it", "", world.now)

    def group(key: str, title: str):
        return lambda document: draft_edits.with_group(document, key, like="default", mark=None, title=title)[0]

    publish(group("library", "Bibliotek"))
    made = course(world, make(it, group="library"))
    for path in (
        "/courses",
        f"/courses/{made.id}",
        f"/courses/{made.id}/edit",
        "/courses/new",
        "/devices/admit",
        "/rules",
    ):
        assert "Bibliotek" in read(it.get(path).text), path
        assert "library" not in read(it.get(path).text), path
    world.seal()
    assert "group Bibliotek (library), from" in read(it.get("/log").text), "an entry is of a key, whatever its title"

    told = read(it.get("/policy/compare?from=1&to=2").text)
    assert "New group Bibliotek." in told
    assert "is now called" not in told, "it never was called anything else"

    publish(group("branch", "bibliotek"))
    page = read(it.get("/courses/new").text)
    assert "Bibliotek (library)" in page
    assert "bibliotek (branch)" in page

    publish(lambda document: draft_edits.without_group(document, "library"))
    told = read(it.get("/policy/compare?from=3&to=4").text)
    assert "Group Bibliotek (library) removed" in told
    assert "The group library is not in the content filter any more" in read(it.get(f"/courses/{made.id}").text)


def test_a_title_that_is_another_groups_key_is_told_apart() -> None:
    assert distinct({"library": "", "branch": "Library", "school": "Skole"}) == {
        "library": "library", "branch": "Library (branch)", "school": "Skole",
    }  # fmt: skip


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_what_is_nobodys_any_more_is_called_so_and_peoples_own_groups_keep_their_names(world, language) -> None:
    translate = translators("console", ("nb", "nn", "en"))[language]
    with world.services.database.read() as session:
        called = GroupNames(session, world.services.place.owner_id, translate)
        gone = called("course-0123456789ab")
        assert ("course-" in gone, called("session-0123456789ab") == translate("Exemption for one guest")) == (
            False,
            True,
        )
        assert [called("default"), called("library", "Bibliotek"), called("course-evening")] == [
            translate("All other devices"), "Bibliotek", "course-evening",
        ]  # fmt: skip


def test_where_several_guests_stand_together_each_has_the_first_digits_of_its_key(world) -> None:
    translate = translators("console", ("nb", "nn", "en"))["en"]
    called = GroupNames(None, world.services.place.owner_id, translate)
    assert [called.told_apart(key, "") for key in ("session-0123456789ab", "session-4567456789ab", "default")] == [
        "Exemption for one guest (0123)", "Exemption for one guest (4567)", "All other devices",
    ]  # fmt: skip
