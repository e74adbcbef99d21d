"""The way between the rooms: every page is in one of them, and nobody is shown a room that they may not use."""

from __future__ import annotations

import re

import pytest

from captive_portal.console.navigation import GROUPS, Group, Room, shown
from captive_portal.console.pages import all_pages
from captive_portal.console.permissions import may
from captive_portal.console.route import Page
from gateway.telemetry import Totals

ROOMS = [room for group in GROUPS for room in group.rooms]
OUTSIDE = ("/account", "/healthz", "/readyz", "/metrics", "/static", "/sign-in", "/setup", "/host")


@pytest.fixture
def pages(world) -> list[Page]:
    return [page for page in all_pages(world.services, Totals()) if page.method == "GET"]


def test_every_room_is_a_page_and_declares_the_page_s_own_permission(pages):
    permissions = {page.path: page.permission for page in pages} | {"/": "auditor"}  # hosts go on to their courses
    for room in ROOMS:
        assert permissions[room.path] == room.permission, room.path


def test_every_page_of_staff_is_in_a_room(pages):
    assert [
        page.path
        for page in pages
        if not page.path.startswith(OUTSIDE) and shown("it", page.path.replace("{", "").replace("}", "")).room is None
    ] == []


def test_no_two_rooms_have_one_name():
    titles = [room.title for room in ROOMS]
    assert sorted(set(titles)) == sorted(titles)


@pytest.mark.parametrize("role", ["it", "auditor", "host", "nobody"])
def test_each_role_is_shown_its_own_rooms_in_the_order_of_the_table(role):
    found = [room for group in shown(role, "/devices").groups for room in group.rooms]
    assert found == [room for room in ROOMS if may(role, room.permission)]


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("/policy", "/policy"),
        ("/policy/overrule", "/policy"),
        ("/policy/groups/course/hours/gaming", "/policy/groups"),
        ("/policy/compare", "/policy/history"),
        ("/policy/rollback/3", "/policy/history"),
        ("/policy-then", "/policy-then"),
        ("/exemptions/0a", "/exemptions"),
        ("/policy/exemptions", "/policy/exemptions"),
        ("/acceptances/exports/x", "/acceptances"),
        ("/devicesque", None),
        ("/account", None),
        ("/", "/"),
        ("/overview/now", "/"),
    ],
)
def test_a_page_belongs_to_the_room_with_the_longest_path(path, room):
    found = shown("it", path)
    assert (found.room.path if found.room else None) == room
    assert found.group is None or found.room in found.group.rooms


def test_a_group_with_one_room_for_the_reader_is_called_what_the_room_is_called():
    groups = (
        Group("Both", (Room("/a", "A", "it"), Room("/b", "B", "auditor"))),
        Group("IT's", (Room("/c", "C", "it"),)),
    )
    assert [group.title for group in shown("it", "/a", groups).groups] == ["Both", "C"]
    assert [group.title for group in shown("auditor", "/b", groups).groups] == ["B"]
    assert shown("auditor", "/a", groups).room is None


def links(text: str) -> list[tuple[str, str]]:
    """Where the two navigations lead, and how each link is marked."""
    found = re.findall(
        r'<a href="(/[\w/-]*)"(?: aria-current="(\w+)")?>', text.partition('class="rooms"')[2].partition("</header>")[0]
    )
    return [(path, current) for path, current in found]


def test_what_it_is_shown(world):
    world.publish_all()
    browser = world.signed_in("it")
    text = browser.get("/policy/history").text
    assert links(text) == [
        ("/", ""), ("/devices", ""), ("/policy", "true"), ("/rules", ""), ("/acceptances", ""), ("/network", ""),
        ("/policy", ""), ("/policy/groups", ""), ("/policy/exemptions", ""), ("/policy/hosts", ""),
        ("/policy/judged", ""),
        ("/policy/draft", ""), ("/policy/history", "page"), ("/lists", ""), ("/try", ""), ("/lookups", ""),
    ]  # fmt: skip
    assert ("/rules", "page") in links(browser.get("/rules").text)
    assert all(not current for _, current in links(browser.get("/account").text))


@pytest.mark.parametrize(
    ("role", "home", "paths"),
    [
        ("host", "/courses", ["/courses"]),
        ("auditor", "/acceptances",
         ["/", "/lists", "/rules", "/acceptances", "/acceptances", "/log", "/policy-then", "/checkpoints", "/exports"]),
    ],
)  # fmt: skip
def test_hosts_and_auditors_are_shown_only_theirs(world, role, home, paths):
    world.publish_all()
    limits = {"unit": "Nybø skule"} if role == "host" else {}
    assert [path for path, _ in links(world.signed_in(role, **limits).get(home).text)] == paths


def test_another_language_asks_the_same(world):
    world.publish_all()
    browser = world.signed_in("auditor")
    text = browser.get("/acceptances?name=%C3%85s+%26+sons&lang=en&device=ab").text
    assert '<a href="/acceptances?name=%C3%85s+%26+sons&amp;device=ab&amp;lang=nn"' in text
    assert 'value="Ås &amp; sons"' in browser.get("/acceptances?name=%C3%85s+%26+sons&device=ab&lang=nn").text
    assert 'href="/sign-in?lang=nn"' in world.browser().get("/sign-in?code=secret").text
