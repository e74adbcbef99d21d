"""The rooms of courses: made, changed and ended with clear errors; hosts see those of their unit and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import segno.helpers
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.console.courses.wifi_code import wifi_text
from gateway.access import exemption_requests
from gateway.access.accept import Accepted, Applicant, accept
from gateway.access.course_plan import local_text
from gateway.access.courses import Sought
from gateway.errors import UsageError
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.settings import Wifi
from gateway.storage import rules
from gateway.storage.course_models import Course
from tests.unit.console.conftest import World

GOOD = {
    "title": "Excel for alle",
    "unit": "Nybø skule",
    "starts_at": "2026-11-22T14:00",
    "ends_at": "2026-11-22T16:00",
    "group": "default",
    "max_devices": "60",
    "offered": "code",
}
HTML = "<script>alert(1)</script>"


def make(browser, **other: str) -> str:
    """Make a course; its page."""
    answer = browser.fill("/courses/new", "/courses/new", **(GOOD | other))
    assert answer.status_code == 303, re.findall(r'class="error"[^>]*>([^<]+)', answer.text)
    return answer.headers["location"].partition("?")[0]


def course(world: World, page: str) -> Course:
    with world.services.database.read() as session:
        found = session.get(Course, page.rpartition("/")[2])
    assert found is not None
    return found


def join(world: World, code: str, number: int = 1) -> Accepted:
    with world.services.database.write() as session:
        version = rules.version_in_force(session, world.services.place.owner_id, now=world.now)
        assert version is not None
        done = accept(
            session, world.services.place, Neighbour("lo", f"02:00:00:00:00:{number:02x}"), Applicant("Kari"),
            version_id=version.id, language="nb", address="192.0.2.7", duration=timedelta(hours=10), now=world.now,
            sought=Sought(code=code),
        )  # fmt: skip
    assert isinstance(done, Accepted)
    return done


def test_an_empty_room_teaches_and_a_course_is_made_shown_changed_and_ended(world):
    world.publish_all()
    browser = world.signed_in("it", "kari")
    assert "A course gives its guests a code of three words" in browser.get("/courses").text
    form = browser.get("/courses/new").text
    assert 'value="2026-11-23T09:00"' in form
    assert 'value="60"' in form
    assert "60 is enough for 25 participants" in form
    page = make(browser, title=f"Excel {HTML}")
    made = course(world, page)
    assert (made.created_by, made.max_devices, made.starts_at.hour) == ("kari", 60, 13)
    shown = browser.get(page).text
    assert made.code in shown
    assert HTML not in shown
    assert "Nobody has come in by this course yet" in shown
    join(world, made.code)
    shown = browser.get(page).text
    assert "1 of 60" in shown
    assert "Acceptances by the hour" in shown
    assert "Kari" not in shown.replace("kari", ""), "who they are stands elsewhere"
    assert "1 of 60" in browser.get("/courses").text
    assert 'value="2026-11-22T16:00"' in browser.get(f"{page}/edit").text
    answer = browser.fill(f"{page}/edit", f"{page}/edit", **(GOOD | {"ends_at": "2026-11-22T15:30"}))
    assert answer.headers["location"] == f"{page}?notice=changed"
    assert course(world, page).ends_at.hour == 14
    assert "lose their access at once" in browser.get(f"{page}/end").text
    assert browser.fill(f"{page}/end", f"{page}/end").headers["location"] == f"{page}?notice=ended"
    assert "0 of 60" in browser.get(page).text
    for path in (f"{page}/end", f"{page}/edit"):
        again = browser.get(path)
        assert (again.status_code, "over already" in again.text) == (404, True)
        assert browser.fill("/courses/new", path, **GOOD).status_code == 404
    assert ">Over<" in browser.get("/courses").text


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"title": ""}, "Write what the course is called"),
        ({"title": "x" * 5000}, "At most 120 characters"),
        ({"title": "a\u202eb"}, "characters here that can’t be used"),
        ({"title": "a\0b"}, "characters here that can’t be used"),
        ({"unit": " "}, "Write which unit"),
        ({"starts_at": "in the morning"}, "when the course begins"),
        ({"ends_at": ""}, "when the course ends"),
        ({"ends_at": "2026-11-22T08:00"}, "The end has passed"),
        ({"ends_at": "2026-11-22T13:30"}, "must end after it begins"),
        ({"group": HTML}, "Choose a group"),
        ({"max_devices": "-1"}, "from 1 to 1000"),
        ({"max_devices": "9" * 400}, "from 1 to 1000"),
        ({"max_devices": "٣"}, "from 1 to 1000"),
        ({"offered": "all"}, "Choose how guests get in"),
    ],
)
def test_wrong_input_is_said_by_its_field_and_writes_nothing(world, other, told):
    world.publish_all()
    browser = world.signed_in("it")
    answer = browser.fill("/courses/new", "/courses/new", **(GOOD | other))
    assert answer.status_code == 422
    [field] = other
    assert told in answer.text
    assert f'href="#{field}"' in answer.text
    assert HTML not in answer.text
    with world.services.database.read() as session:
        assert session.query(Course).count() == 0


def test_a_host_has_the_courses_of_their_unit_and_reaches_nothing_else(world):
    world.publish_all()
    it = world.signed_in("it")
    others = make(it, unit="Biblioteket")
    host = world.signed_in("host", "vert", unit="Nybø  Skule")
    assert host.get("/").headers["location"] == "/courses"
    page = make(host, unit="Biblioteket", title="Vårt")
    assert course(world, page).unit == "Nybø  Skule", "whatever unit is posted"
    listed = host.get("/courses").text
    assert ("Vårt" in listed, "Excel" in listed) == (True, False)
    assert "Excel" in it.get("/courses").text
    for room in ("", "/edit", "/end", "/poster", "/slide"):
        assert host.get(others + room).status_code == 404, room
        assert host.get(page + room).status_code == 200, room
    for room in ("/edit", "/end"):
        assert host.fill(page + room, others + room, **GOOD).status_code == 404
    assert course(world, others).ended_at is None
    for path in ("/devices", "/policy", "/lists", "/acceptances", "/log", "/lookups", "/exports", "/rules"):
        answer = host.get(path)
        assert (answer.status_code, "not for hosts" in answer.text) == (403, True), path
    assert not set(re.findall(r'href="(/[a-z-]+)"', listed)) & {"/devices", "/policy", "/lists", "/log", "/acceptances"}


def test_a_host_gives_only_the_groups_that_it_allows(world):
    world.publish_all()
    with world.services.database.write() as session:
        document = publishing.draft(session, world.services.place)
        document["groups"]["staff"] = document["groups"]["default"] | {"mark": 9}
        publishing.save_draft(session, world.services.place, document, world.now)
        publishing.publish(session, world.services.place, "it", "", world.now)
    host = world.signed_in("host", "vert", unit="Nybø skule")
    assert 'value="staff"' not in host.get("/courses/new").text
    assert host.fill("/courses/new", "/courses/new", **(GOOD | {"group": "staff"})).status_code == 422
    it = world.signed_in("it")
    page = make(it, group="staff")
    kept = host.fill(f"{page}/edit", f"{page}/edit", **(GOOD | {"group": "staff", "title": "Nytt"}))
    assert kept.status_code == 303, "what IT has given may stay"


def test_the_auditor_sees_no_courses(world):
    assert world.signed_in("auditor").get("/courses").status_code == 403


def test_an_address_that_names_no_course_is_answered_404(world):
    browser = world.signed_in("it")
    for name in ("%00", "x" * 3000, "%3Cscript%3E", "a b", "'--"):
        assert browser.get(f"/courses/{name}").status_code == 404
        assert browser.fill("/policy", f"/courses/{name}/end").status_code == 404


@pytest.mark.parametrize("role", ["it", "auditor"])
def test_only_a_host_has_a_unit(world, role):
    with pytest.raises(UsageError, match="--unit"):
        world.account("one", role, unit="Nybø")
    with pytest.raises(UsageError, match="--unit"):
        world.account("two", "host")


@pytest.mark.parametrize(
    ("language", "said"),
    [("nb", "Koble til wifi"), ("nn", "Kople til wifi"), ("en", "Join the Wi-Fi")],
)
def test_posters_and_slides_have_all_that_guests_need(world, language, said):
    owner = world.settings.owner.model_copy(update={"helpdesk_phone": "61 00 00 00", "helpdesk_hours": "8–15"})
    settings = world.settings.model_copy(update={"wifi": Wifi(ssid="Nybø Gjest"), "owner": owner})
    world.services = replace(world.services, settings=settings)
    world.publish_all()
    browser = world.signed_in("it")
    page = make(browser)
    words = course(world, page).code.split("-")
    for sheet in ("poster?size=a4&", "poster?size=a5&", "slide?"):
        shown = browser.get(f"{page}/{sheet}in={language}").text
        assert f'<html lang="{language}">' in shown
        assert said in shown
        assert all(f"<span>{word}</span>" in shown for word in words)
        assert "<svg" in shown
        assert "Nybø Gjest" in shown
        assert "Wi-Fi" in shown
        assert "61 00 00 00" in shown
        assert "8–15" in shown
        assert "<script" not in shown
    assert '<html lang="en">' in browser.get("/courses").text, "the reader's own language stays"
    assert '<body class="a4' in browser.get(f"{page}/poster?size=<x>&in=<x>").text


def test_a_poster_of_a_network_with_a_password_shows_it(world, tmp_path):
    path = tmp_path / "wifi"
    path.write_text("hemmelig;passord\n")
    wifi = Wifi(ssid="Gjest", security="wpa", password_file=path)
    world.services = replace(world.services, settings=world.settings.model_copy(update={"wifi": wifi}))
    world.publish_all()
    browser = world.signed_in("it")
    assert "hemmelig;passord" in browser.get(f"{make(browser)}/poster").text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("Gjest", "open"), "WIFI:T:nopass;S:Gjest;;"),
        (("Nybø; \"Gjest\",\\:", "open"), "WIFI:T:nopass;S:Nybø\\; \\\"Gjest\\\"\\,\\\\\\:;;"),
        (("ABCD", "wpa", "12345678"), 'WIFI:T:WPA;S:"ABCD";P:"12345678";;'),
        (("Gjest", "wpa", "a;b:c,d\\e"), "WIFI:T:WPA;S:Gjest;P:a\\;b\\:c\\,d\\\\e;;"),
    ],
)  # fmt: skip
def test_the_wifi_code_is_escaped_as_phones_expect(arguments, text):
    assert wifi_text(*arguments) == text
    assert wifi_text("Gjest", "open", hidden=True) == "WIFI:T:nopass;S:Gjest;H:true;;"


@given(st.text(min_size=1, max_size=32), st.text(min_size=8, max_size=63))
def test_the_wifi_code_says_what_an_independent_implementation_says(ssid: str, password: str):
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", ssid) and not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", password):
        other = segno.helpers.make_wifi_data(ssid=ssid, password=password, security="WPA")
        assert _unescaped(wifi_text(ssid, "wpa", password)) == ("WPA", ssid, password)
        assert _unescaped(other) == ("WPA", ssid, password)


def _unescaped(text: str) -> tuple[str, str, str]:
    """A reader of the form, field by field."""
    fields, name, value, at = {}, "", "", len("WIFI:")
    while at < len(text):
        if text[at] == "\\":
            value, at = value + text[at + 1], at + 1
        elif text[at] == ":" and not name:
            name, value = value, ""
        elif text[at] == ";":
            if name:
                fields[name] = value
            name = value = ""
        else:
            value += text[at]
        at += 1
    return fields["T"], fields["S"], fields["P"]


def test_pages_and_posters_are_offered_in_the_consoles_own_languages(world):
    world.publish_all()
    page = world.signed_in("it", "kari").get(make(world.signed_in("it", "ola"))).text
    assert re.findall(r'href="[^"]*\?lang=(\w+)"', page) == ["nb", "nn", "en"]
    assert re.findall(r"/slide\?in=(\w+)", page) == ["nb", "nn", "en"]


def test_a_request_for_an_exemption_tells_the_course_that_the_guest_is_at(world):
    world.publish_all()
    browser = world.signed_in("it", "kari")
    made = course(world, make(browser, title=f"Excel {HTML}"))
    join(world, made.code)
    with world.services.database.write() as session:
        wanted = exemption_requests.Wanted("www.game.example", ("gaming",), "a lesson")
        done = exemption_requests.ask(
            session, world.services.place, Neighbour("lo", "02:00:00:00:00:01"), wanted, world.now
        )
    assert isinstance(done, exemption_requests.Asked)
    page = browser.get(f"/exemptions/{done.request_id}").text
    assert f'href="/courses/{made.id}"' in page
    assert "Nybø skule" in page
    assert HTML not in page


def test_a_course_whose_group_is_gone_is_warned_of_in_the_draft_and_in_its_room(world):
    world.publish_all()
    with world.services.database.write() as session:
        document, _ = draft_edits.with_group(
            publishing.draft(session, world.services.place), "kurs", like="default", mark=None, title=""
        )
        publishing.save_draft(session, world.services.place, document, world.now)
        publishing.publish(session, world.services.place, "it", "", world.now)
    browser = world.signed_in("it", "kari")
    page, other = make(browser, group="kurs", title="Strandet"), make(browser, title="Trygt")
    gone = "is not in the content filter any more"
    assert gone not in browser.get(page).text
    browser.fill("/policy/groups/kurs/remove", "/policy/groups/kurs/remove")
    draft = browser.get("/policy/draft").text
    assert "no group for these courses" in draft
    assert ("Strandet" in draft, "Trygt" in draft) == (True, False)
    with world.services.database.write() as session:
        publishing.publish(session, world.services.place, "it", "", world.now)
    assert gone in browser.get(page).text
    assert gone not in browser.get(other).text
    assert "no group for these courses" not in browser.get("/policy/draft").text


OPENING = {"category": "gaming", "hours": "1", "reason": "en time om spill"}


def for_hosts(world: World, *categories: str) -> None:
    """IT lists categories for hosts, in the console."""
    it = world.signed_in("it", "it-for-hosts")
    page = it.get("/policy/hosts").text
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    answer = it.fill("/policy/hosts", "/policy/hosts", seen=seen[1], category=list(categories))
    assert answer.headers["location"] == "/policy/hosts?notice=kept", answer.text
    with world.services.database.write() as session:
        publishing.publish(session, world.services.place, "it", "", world.now)


def test_a_host_opens_a_category_for_their_course_after_one_confirmation_and_closes_it_again(world):
    world.publish_all()
    host = world.signed_in("host", "vert", unit="Nybø skule")
    page = make(host, starts_at="2026-11-22T13:30")
    assert "IT has not listed any category that hosts may open" in host.get(page).text
    assert "There is nothing to open for this course now" in host.get(f"{page}/open").text
    for_hosts(world, "gaming", "streaming")
    assert "Open a category" in host.get(page).text
    form = host.get(f"{page}/open").text
    assert re.findall(r'name="category" value="(\w+)"', form) == ["gaming"], "streaming is open already"
    assert re.findall(r'<option value="(\d)"', form) == ["1", "2", "3"], "until the course ends at the latest"
    assert "Until the course ends, 16:00" in form
    asked = host.fill(f"{page}/open", f"{page}/open", **OPENING)
    assert asked.status_code == 200
    assert "Open Online games for this course?" in asked.text
    assert "en time om spill" in asked.text
    assert "Close it again" not in host.get(page).text, "nothing is open before it is confirmed"
    done = host.fill(f"{page}/open", f"{page}/open", **OPENING, confirmed="yes")
    assert done.headers["location"] == f"{page}?notice=opened"
    shown = host.get(page).text
    assert ("Online games" in shown, "vert" in shown, "en time om spill" in shown) == (True, True, True)
    assert "14:00" in shown
    assert "opened by a host for one course: Online games" in world.signed_in("it", "kari").get("/policy/history").text
    closing = re.search(r'action="([^"]+/close)"', shown)
    assert closing is not None
    assert host.fill(page, closing[1]).headers["location"] == f"{page}?notice=closed"
    assert host.fill(page, closing[1]).headers["location"] == f"{page}?notice=closed-already"
    assert "Close it again" not in host.get(page).text


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"category": ""}, "category"),
        ({"category": "adult"}, "category"),
        ({"category": "dating"}, "category"),
        ({"category": HTML}, "category"),
        ({"hours": ""}, "hours"),
        ({"hours": "9"}, "hours"),
        ({"hours": "-1"}, "hours"),
        ({"hours": "٣"}, "hours"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "a\0b"}, "reason"),
    ],
)
def test_an_opening_with_wrong_input_is_told_by_its_field_and_opens_nothing(world, other, field):
    world.publish_all()
    for_hosts(world, "gaming")
    host = world.signed_in("host", "vert", unit="Nybø skule")
    page = make(host, starts_at="2026-11-22T13:30")
    answer = host.fill(f"{page}/open", f"{page}/open", **(OPENING | other), confirmed="yes")
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert HTML not in answer.text
    assert "Close it again" not in host.get(page).text


def test_a_host_of_another_unit_opens_and_closes_nothing(world):
    world.publish_all()
    for_hosts(world, "gaming")
    host = world.signed_in("host", "vert", unit="Nybø skule")
    page = make(host, starts_at="2026-11-22T13:30")
    assert host.fill(f"{page}/open", f"{page}/open", **OPENING, confirmed="yes").status_code == 303
    closing = re.search(r'action="([^"]+/close)"', host.get(page).text)
    assert closing is not None
    other = world.signed_in("host", "annen", unit="Biblioteket")
    assert other.get(f"{page}/open").status_code == 404
    for path in (f"{page}/open", closing[1]):
        assert other.fill("/courses/new", path, **OPENING, confirmed="yes").status_code == 404
    assert "Close it again" in host.get(page).text


def test_it_lists_what_hosts_may_open_in_the_draft_and_never_adult_sites(world):
    world.publish_all()
    it = world.signed_in("it")
    page = it.get("/policy/hosts").text
    assert 'value="adult"' not in page
    assert "Adult sites, Malware, Phishing" in page.replace("\n", " ") or "never by hosts" in page
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    refused = it.fill("/policy/hosts", "/policy/hosts", seen=seen[1], category=["gaming", "adult"])
    assert (refused.status_code, "never opened by hosts" in refused.text) == (422, True)
    it.fill("/policy/hosts", "/policy/hosts", seen=seen[1], category=["gaming"])
    again = it.fill("/policy/hosts", "/policy/hosts", seen=seen[1], category=["streaming"])
    assert (again.status_code, "Somebody else has changed this" in again.text) == (409, True)
    assert "Hosts may open online games for their courses" in it.get("/policy/draft").text


def test_a_courses_own_group_is_shown_nowhere_as_one_to_choose_or_change(world):
    world.publish_all()
    for_hosts(world, "gaming")
    host = world.signed_in("host", "vert", unit="Nybø skule")
    page = make(host, starts_at="2026-11-22T13:30")
    host.fill(f"{page}/open", f"{page}/open", **OPENING, confirmed="yes")
    own = f"course-{page.rpartition('/')[2][:12]}"
    it = world.signed_in("it", "kari")
    join(world, course(world, page).code)
    for path in ("/policy", "/policy/groups", "/courses/new", "/rules"):
        assert own not in it.get(path).text, path
    assert "One course has a group of its own" in it.get("/policy/groups").text
    assert "Course: Excel for alle" in it.get("/policy/exemptions").text
    assert it.get(f"/policy/groups/{own}").status_code == 404
    assert it.fill("/policy/groups", f"/policy/groups/{own}/names", names="a.no", rule="permit").status_code == 404
    assert it.fill("/policy/groups", f"/policy/groups/{own}/remove").status_code == 404
    assert f'value="{own}"' not in it.get("/devices").text


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost:8080", True),
        ("http://0.0.0.0:8080", True),
        ("https://gjest.nybo.kommune.no", False),
        ("http://192.168.8.1", False),
    ],
)
@pytest.mark.parametrize("sheet", ["poster", "slide"])
def test_a_poster_with_an_address_that_no_guest_reaches_says_so_above_it(world, url, warned, sheet):
    portal = world.settings.portal.model_copy(update={"public_url": url})
    world.services = replace(world.services, settings=world.settings.model_copy(update={"portal": portal}))
    world.publish_all()
    browser = world.signed_in("it")
    shown = browser.get(f"{make(browser)}/{sheet}?in=en").text
    assert ("portal.public_url" in shown) == warned
    assert ("portal.public_url" in shown.partition("<main")[0]) == warned


@pytest.mark.parametrize(
    ("hours", "said"), [(6, "You are then online until the course ends."), (60, "up to 24 hours at a time")]
)
def test_posters_promise_what_the_code_gives(world, hours, said):
    world.publish_all()
    browser = world.signed_in("it")
    page = make(browser, ends_at=local_text(world.now + timedelta(hours=hours)))
    for sheet in ("poster", "slide"):
        assert said in browser.get(f"{page}/{sheet}?in=en").text
    assert ("longer than access may last at a time, 24 hours" in browser.get(page).text) == (hours == 60)
