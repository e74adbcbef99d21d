"""Every table of the console in every order that its headings offer, with rubbish in the address, within a scope."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from gateway.audit.scope import Scope
from gateway.storage.course_models import Course

ROOMS = (
    "/acceptances", "/log", "/exports", "/checkpoints", "/courses", "/exemptions", "/lists", "/rules",
    "/policy/history", "/sessions", "/lookups",
)  # fmt: skip
RUBBISH = ("after=%00~x", "before=1~9999-99-99", "after=1~&sort=-", "sort=password", "page=999999999999", "w-after=~")


def orders(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'<a class="sort" href="([^"]+)"', page)]


@pytest.mark.parametrize("path", ROOMS)
def test_every_order_and_any_rubbish_is_answered(world, path):
    world.publish_all()
    world.accepted("Ola Nordmann")
    world.accepted("Åse Berg", "02:00:00:00:00:02")
    world.seal()
    browser = world.signed_in("it")
    page = browser.get(path).text
    for address in orders(page):
        sorted_page = browser.get(address)
        assert sorted_page.status_code == 200
        assert 'aria-sort="' in sorted_page.text
        assert '<option value="' in sorted_page.text, "what narrow screens choose an order by"
    for rubbish in RUBBISH:
        assert browser.get(f"{path}?{rubbish}").status_code == 200, rubbish


def test_acceptances_are_sorted_by_name_and_no_name_stands_in_a_link(world):
    world.publish_all()
    for number, name in enumerate(["Åse Berg", "Ørjan Berg", "Anne Berg"] * 20):
        world.accepted(f"{name} {number:02}", f"02:00:00:00:00:{number:02x}")
    browser = world.signed_in("it")
    first = browser.get("/acceptances?sort=name").text
    shown = re.findall(r"<bdi>((?:Åse|Ørjan|Anne) Berg)", first)
    assert (len(shown), shown) == (50, sorted(shown, key=["Anne Berg", "Ørjan Berg", "Åse Berg"].index))
    following = unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])
    assert "Berg" not in following
    assert following.startswith("/acceptances?sort=name&after=")
    last = browser.get(following).text
    assert re.findall(r"<bdi>((?:Åse|Ørjan|Anne) Berg)", last) == ["Åse Berg"] * 10
    assert "Page 2" in last


def test_who_may_not_see_names_may_not_sort_by_them(world):
    world.publish_all()
    world.accepted("Ola Nordmann")
    scope = Scope(fields=frozenset({"mac"}))
    page = world.signed_in("auditor", scope=scope).get("/acceptances?sort=name").text
    assert [each for each in orders(page) if "name" in each] == []
    assert 'value="name"' not in page
    assert 'aria-sort="descending"' in page, "it is sorted by time"


def test_a_filter_stays_in_the_links(world):
    world.publish_all()
    world.seal()
    browser = world.signed_in("auditor")
    page = browser.get("/log?type=rules_published&first=2026-01-01").text
    assert "/log?type=rules_published&first=2026-01-01&sort=-at" in orders(page)
    assert "No entry of this kind" in browser.get("/log?type=export").text


def test_courses_that_are_over_are_all_there_and_a_host_sees_those_of_the_unit(world):
    place, long_ago = world.services.place, world.now - timedelta(days=400)
    with world.services.database.write() as session:
        for number in range(60):
            session.add(
                Course(
                    owner_id=place.owner_id, site_id=place.site_id, title=f"Kurs {number:02}", code=f"c-{number}",
                    unit=("Nybø skule", "nybø  SKULE", "Biblioteket")[number % 3], code_key=f"c{number}",
                    starts_at=long_ago, ends_at=long_ago + timedelta(hours=number), group_key="default", max_devices=9,
                    offered="code", created_at=long_ago, created_by="kari",
                )
            )  # fmt: skip

    def titles(browser, path):
        found = []
        while path:
            page = browser.get(path).text
            found += re.findall(r"<bdi>(Kurs \d\d)</bdi>", page)
            path = unescape(match[1]) if (match := re.search(r'rel="next" href="([^"]+)"', page)) else ""
        return found

    newest_first = [f"Kurs {number:02}" for number in reversed(range(60))]
    it = world.signed_in("it")
    assert titles(it, "/courses") == newest_first
    assert titles(it, "/courses?sort=ends") == newest_first[::-1]
    assert titles(it, "/courses?unit=Biblioteket") == newest_first[::3]
    host = world.signed_in("host", unit="Nybø Skule")
    assert titles(host, "/courses") == [each for each in newest_first if each not in newest_first[::3]]
    assert set(titles(host, "/courses?unit=Biblioteket")) & set(newest_first[::3]) == set(), "not the host's unit"
