"""The rooms of the content filter: what is set goes into the draft, is told in words, and applies when published."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from captive_portal.console.policy.hours import Line, minute_of, schedules_of, week
from captive_portal.console.policy.matrix import read_cells
from gateway.lists import generations as publishing
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.settings import Dns, Settings
from gateway.storage import dns_counters, generations
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Network
from policies.document import default_document
from policies.snapshot import NamedList
from tests.unit.console.conftest import World

LISTS = (NamedList("test/gaming", "gaming", "0" * 64, ("game.example", "more.example")),)


def in_force(world):
    with world.services.database.read() as session:
        row = generations.in_force(session, world.services.place.owner_id)
        return row.generation, row.document


def draft(world) -> dict:
    with world.services.database.read() as session:
        return publishing.draft(session, world.services.place)


def compiled(world) -> None:
    number, document = in_force(world)
    publish(world.settings.state, compile_policy(document, number, lists=LISTS))


def hidden(browser, path: str, name: str, after: str = "") -> str:
    """A hidden field of a page, the first after some text."""
    page = browser.get(path).text
    return re.search(rf'name="{name}" value="([^"]*)"', page[page.index(after) :])[1]


def published(browser, note: str = "") -> object:
    return browser.fill(
        "/policy/draft", "/policy/draft/publish", note=note,
        generation=hidden(browser, "/policy/draft", "generation"), draft=hidden(browser, "/policy/draft", "draft"),
    )  # fmt: skip


@pytest.fixture
def it(world):
    world.publish_all()
    compiled(world)
    return world.signed_in("it", "kari")


def test_a_cell_is_kept_told_in_words_and_published_with_a_note(it, world):
    page = it.get("/policy").text
    assert "2 names in" in page
    assert '<option value="closed>closed" selected>Closed</option>' in page
    answer = it.fill(
        "/policy", "/policy", **{"1.gaming": "closed>open", "1.streaming": "open>report", "then": "publish"}
    )
    assert answer.headers["location"] == "/policy/draft"
    assert in_force(world)[0] == 1, "nothing applies before it is published"
    page = it.get("/policy/draft?lang=nb").text
    assert "Nettspill åpnet for gruppen Alle andre enheter" in page.replace("nettspill", "Nettspill")
    assert "Oppslag i strømming telles for gruppen Alle andre enheter" in page
    assert "2 changes wait" in it.get("/policy?lang=en").text
    assert published(it, "spillkurs").headers["location"] == "/policy?notice=published"
    number, document = in_force(world)
    assert number == 2
    assert "gaming" not in document["groups"]["default"]["closed"]
    assert document["groups"]["default"]["report"] == ["streaming"]
    assert "changes wait" not in it.get("/policy").text
    assert "says what is in force, generation 2" in it.get("/policy/draft").text
    with world.services.database.read() as session:
        entries = [bytes(leaf.entry) for leaf in session.query(StagedLeaf)]
    assert sum(b'"type":"policy_published"' in each for each in entries) == 2


def test_two_who_edit_at_once_do_not_overwrite_each_other(it, world):
    assert it.fill("/policy", "/policy", **{"1.gaming": "closed>open"}).status_code == 303
    other = world.signed_in("it", "ola")
    # ola's page was made before kari's change: what ola changed is kept, what kari changed stays, and ola is told.
    answer = other.fill("/policy", "/policy", **{"1.gaming": "closed>report", "1.streaming": "open>closed"})
    assert answer.status_code == 409
    assert "Online games, All other devices: you chose “Report only”, but it has become “Open”" in answer.text
    group = draft(world)["groups"]["default"]
    assert "gaming" not in group["closed"]
    assert "gaming" not in group["report"]
    assert "streaming" in group["closed"]
    # What is published is what was looked at.
    seen = hidden(it, "/policy/draft", "draft")
    other.fill("/policy", "/policy", **{"1.meetings": "open>closed"})
    answer = it.fill("/policy/draft", "/policy/draft/publish", generation="1", draft=seen, note="")
    assert answer.status_code == 409
    assert "The draft was changed after you looked at it" in answer.text
    assert in_force(world)[0] == 1
    assert published(other).status_code == 303
    answer = it.fill("/policy", "/policy/draft/publish", generation="1", draft=seen, note="")
    assert answer.status_code == 409
    assert "Generation 2 was published by ola after you looked" in answer.text


def test_a_draft_begun_before_a_rollback_is_published_only_when_that_was_seen(it, world):
    it.fill("/policy", "/policy", **{"1.gaming": "closed>open"})
    published(it)
    it.fill("/policy", "/policy", **{"1.streaming": "open>closed"})
    answer = it.fill("/policy/rollback/1", "/policy/rollback/1", generation="2", note="det var feil")
    assert answer.headers["location"] == "/policy?notice=published"
    assert "gaming" in in_force(world)[1]["groups"]["default"]["closed"]
    page = it.get("/policy/draft").text
    assert "Something was published after this draft was begun" in page
    assert "det var feil" in page
    answer = published(it)
    assert answer.status_code == 422
    assert "Tick that you have seen" in answer.text
    answer = it.fill(
        "/policy/draft", "/policy/draft/publish", seen="1", note="", generation="3",
        draft=hidden(it, "/policy/draft", "draft"),
    )  # fmt: skip
    assert answer.status_code == 303
    group = in_force(world)[1]["groups"]["default"]
    assert ("gaming" in group["closed"], "streaming" in group["closed"]) == (False, True)


def test_forgetting_the_draft_asks_first(it, world):
    it.fill("/policy", "/policy", **{"1.gaming": "closed>open"})
    page = it.get("/policy/draft/discard").text
    assert "These changes are lost" in page
    assert "gaming" not in draft(world)["groups"]["default"]["closed"]
    answer = it.fill("/policy/draft/discard", "/policy/draft/discard", draft="another")
    assert answer.status_code == 409
    seen = hidden(it, "/policy/draft/discard", "draft")
    assert it.fill("/policy/draft/discard", "/policy/draft/discard", draft=seen).status_code == 303
    assert "gaming" in draft(world)["groups"]["default"]["closed"]


def test_by_schedule_leads_to_the_week_and_hours_are_kept(it, world):
    answer = it.fill("/policy", "/policy", **{"1.gaming": "closed>schedule"})
    path = answer.headers["location"]
    assert path == "/policy/groups/default/hours/gaming"
    seen = hidden(it, path, "seen")
    assert it.fill(path, path, seen=seen, base="closed").status_code == 422, "no hours"
    line = {"mon-0": "1", "tue-0": "1", "from-0": "8", "to-0": "16.30", "effect-0": "open"}
    for wrong in ({"from-0": "25:00"}, {"to-0": "x"}, {"to-0": "8"}, {"mon-0": "", "tue-0": ""}, {"effect-0": "x"}):
        assert it.fill(path, path, seen=seen, base="closed", **(line | wrong)).status_code == 422
    assert it.fill(path, path, seen=seen, base="closed", also="dating", **line).status_code == 303
    [schedule] = draft(world)["groups"]["default"]["schedules"]
    assert schedule == {
        "categories": ["dating", "gaming"], "days": ["mon", "tue"], "from": "08:00", "to": "16:30", "effect": "open",
    }  # fmt: skip
    answer = it.fill(path, path, seen=seen, base="open", **line)
    assert answer.status_code == 409
    assert "from 08:00 to 16:30 (Monday, Tuesday)" in answer.text
    assert it.get("/policy/groups/default/hours/nothing").status_code == 404
    page = it.get("/policy").text
    assert '<option value="schedule>schedule" selected>' in page
    it.fill("/policy", "/policy", **{"1.gaming": "schedule>closed"})
    assert draft(world)["groups"]["default"]["schedules"][0]["categories"] == ["dating"]


def test_a_group_is_made_named_given_names_and_removed(it, world):
    assert it.fill("/policy/groups", "/policy/groups", key="Kurs 1", title="", like="").status_code == 422
    assert it.fill("/policy/groups", "/policy/groups", key="default", title="", like="").status_code == 422
    answer = it.fill("/policy/groups", "/policy/groups", key="kurs", title="Kurs", like="default")
    assert answer.headers["location"] == "/policy/groups/kurs"
    path = "/policy/groups/kurs"
    names = {"title-nb": "Kurset", "title-nn": "", "title-en": "Course"}
    seen = hidden(it, path, "seen", 'id="titles-heading"')
    assert it.fill(path, f"{path}/titles", seen=seen, **names).status_code == 303
    assert it.fill(path, f"{path}/titles", seen=seen, **names).status_code == 409
    typed = "https://www.kurs.example/side\nBilder.example"
    assert it.fill(path, f"{path}/names", names=typed, rule="permit").status_code == 303
    assert it.fill(path, f"{path}/names", names="spill.example", rule="forbid").status_code == 303
    for bad in ("", "192.0.2.1", "ikke et navn", "nav.no"):
        assert it.fill(path, f"{path}/names", names=bad, rule="forbid").status_code == 422
    seen = hidden(it, path, "seen", "safe-search")
    answer = it.fill(path, f"{path}/safe-search", seen=seen, engine=["youtube_strict", "youtube_moderate"])
    assert answer.status_code == 422
    assert it.fill(path, f"{path}/safe-search", seen=seen, engine=["google", "bing"]).status_code == 303
    seen = hidden(it, path, "seen", f"{path}/judge")
    assert it.fill(path, f"{path}/judge", seen=seen, **{"judge-gambling": "40"}).status_code == 422
    assert it.fill(path, f"{path}/judge", seen=seen, top_names="1", **{"judge-gambling": "97"}).status_code == 303
    group = draft(world)["groups"]["kurs"]
    assert group["names"] == {"nb": "Kurset", "en": "Course"}
    assert group["permit"] == ["bilder.example", "www.kurs.example"]
    assert (group["forbid"], group["safe_search"]) == (["spill.example"], ["google", "bing"])
    assert (group["judge"], group["top_names"]) == ({"gambling": 0.97}, True)
    assert it.fill(path, f"{path}/names", names="spill.example", rule="none").status_code == 303
    assert draft(world)["groups"]["kurs"]["forbid"] == []
    assert "come under the rules of the group All other devices" in it.get(f"{path}/remove").text
    assert it.get("/policy/groups/default/remove").status_code == 404
    assert it.fill(f"{path}/remove", f"{path}/remove").headers["location"] == "/policy/groups?notice=removed"
    assert [*draft(world)["groups"]] == ["default"]
    assert it.get(path).status_code == 404


def test_an_exemption_is_made_published_as_a_leaf_and_ended(it, world):
    path = "/policy/exemptions"
    answer = it.fill(path, path, group="default", until="2026-11-22T10:00", approved_by="", reason="")
    assert answer.status_code == 422
    for text in ("Tick at least one category", "has passed already", "Fill in this field"):
        assert text in answer.text
    wanted = {
        "group": "default", "category": ["gaming", "malware"], "from": "", "until": "2026-11-23T16:00",
        "approved_by": "Kari Nordmann", "reason": "spillkurs",
    }  # fmt: skip
    assert it.fill(path, path, **wanted).status_code == 303
    [exemption] = draft(world)["exemptions"]
    assert exemption["categories"] == ["gaming"], "malware is never exempted"
    assert "not published yet" in it.get(path).text
    published(it)
    assert "not published yet" not in it.get(path).text
    assert it.fill(path, f"{path}/e9/end").status_code == 409
    assert it.fill(path, f"{path}/e1/end").status_code == 303
    published(it)
    with world.services.database.read() as session:
        entries = [bytes(leaf.entry) for leaf in session.query(StagedLeaf)]
    told = [each for each in entries if b'"type":"exemption_changed"' in each]
    assert [b'"change":"added"' in each for each in told] == [True, False]


def test_history_compares_two_generations_and_goes_back_after_asking(it, world):
    it.fill("/policy", "/policy", **{"1.gaming": "closed>open"})
    published(it, "spill <b>åpnes</b>")
    page = it.get("/policy/history").text
    assert "spill &lt;b&gt;åpnes" in page
    told = it.get("/policy/compare?from=1&to=2").text
    assert "Online games opened for group All other devices" in told
    assert "They say the same" in it.get("/policy/compare?from=1&to=1").text
    for bad in ("from=1&to=9", "from=x&to=1", "from=1", f"from={'9' * 40}&to=1"):
        assert it.get(f"/policy/compare?{bad}").status_code == 422
    assert "Online games closed for group All other devices" in it.get("/policy/rollback/1").text
    assert in_force(world)[0] == 2
    assert it.fill("/policy/rollback/1", "/policy/rollback/1", generation="1", note="").status_code == 409
    assert it.get("/policy/rollback/9").status_code == 404
    assert it.fill("/policy/rollback/1", "/policy/rollback/1", generation="2", note="").status_code == 303
    number, document = in_force(world)
    assert number == 3
    assert "gaming" in document["groups"]["default"]["closed"]


def test_a_judged_name_is_confirmed_or_dismissed_and_then_gone(it, world):
    path, place = "/policy/judged", world.services.place
    assert "No judge is trained" in it.get(path).text
    with world.services.database.write() as session:
        hour = dns_counters.hour_of(world.now)
        counts = {(hour, "default", "judged", "gambling", name): 7 for name in ("bet.example", "fine.example")}
        dns_counters.add_names(session, place.owner_id, place.gateway_id, counts)
    assert "bet.example" in it.get(path).text
    name = {"name": "bet.example", "group": "default"}
    assert it.fill(path, path, name="other.example", group="default", rule="forbid").status_code == 409
    assert it.fill(path, path, rule="forbid", **name).status_code == 303
    assert it.fill(path, path, rule="permit", **(name | {"name": "fine.example"})).status_code == 303
    group = draft(world)["groups"]["default"]
    assert (group["forbid"], group["permit"]) == (["bet.example"], ["fine.example"])
    assert "bet.example" not in it.get(path).text.partition("<table")[2]


def test_the_box_is_on_every_page_of_its_and_explains(it, world):
    for path in ("/devices", "/lists", "/log", "/policy/history"):
        assert 'action="/try"' in it.get(path).text
    page = it.get("/try?name=www.game.example").text
    assert "www.game.example" in page
    assert "The list test/gaming has game.example" in page
    assert "Write a name first" in it.get("/try?name=").text
    for word in ("netflix", "localhost"):
        assert "This is one word" in it.get(f"/try?name={word}").text
    auditor = world.signed_in("auditor")
    assert 'action="/try"' not in auditor.get("/lists").text
    assert auditor.get("/try?name=game.example").status_code == 403


def test_cells_are_read_strictly():
    document = default_document()
    for bad in ({"1.nothing": ["open>closed"]}, {"1.gaming": ["open"]}, {"1.gaming": ["x>open"]}):
        assert read_cells(bad, document).unknown
    asked = read_cells({"7.gaming": ["closed>open"], "note": ["x"]}, document)
    assert (asked.gone, asked.unknown) == (True, False)
    assert read_cells({"1.gaming": ["open>closed"]}, document).met == [], "it stands so already"


def test_a_week_hour_by_hour():
    assert [minute_of(text) for text in ("8", "08:00", "8.30", "0830", "24:00", "24:01", "8:60", "", "x")] == [
        480, 480, 510, 510, 1440, None, None, None, None,
    ]  # fmt: skip
    night = schedules_of([Line(frozenset({"sun"}), "22:30", "01:00", "close")], "gaming")
    assert isinstance(night, list)
    hours = week("open", night)
    assert (hours[6][22], hours[6][23], hours[0][0], hours[0][1]) == ("partly", "closed", "closed", "open")
    twice = [Line(frozenset({"mon"}), "8", "12", "close"), Line(frozenset({"mon"}), "11", "13", "open")]
    assert isinstance(schedules_of(twice, "gaming"), str)


def test_exemptions_that_have_ended_are_folded_away(it, world):
    wanted = {
        "group": "default", "category": "gaming", "from": "", "until": "2026-11-23T16:00", "approved_by": "Kari",
        "reason": "kurs",
    }  # fmt: skip
    it.fill("/policy/exemptions", "/policy/exemptions", **wanted)
    world.now += timedelta(days=2)
    world.sign_in(it, "kari")
    assert "Ended: 1" in it.get("/policy/exemptions").text


def test_a_group_that_is_in_use_and_missing_is_told_before_publishing(it, world):
    it.fill("/policy/groups", "/policy/groups", key="kurs", title="Kurs", like="default")
    published(it)
    with world.services.database.write() as session:
        session.add(Network(gateway_id=world.services.place.gateway_id, interface="guest7", group_key="kurs"))
    assert "would be missing" not in it.get("/policy/draft").text, "nothing is missing yet"
    it.fill("/policy/groups/kurs/remove", "/policy/groups/kurs/remove")
    page = it.get("/policy/draft").text
    assert "The guest network guest7 uses the group Kurs, which is missing here" in page
    assert "By dns.sources" not in page
    assert "The guest network guest7 uses the group Kurs" in it.get("/policy/rollback/1").text


def test_addresses_of_a_missing_group_are_told(tmp_path):
    settings = Settings(state=tmp_path, dns=Dns(sources={"192.0.2.0/24": "library", "198.51.100.0/24": "default"}))
    world = World(settings)
    world.publish_all()
    browser = world.signed_in("it")
    browser.fill("/policy", "/policy", **{"1.gaming": "closed>open"})
    page = browser.get("/policy/draft").text
    assert "By dns.sources 192.0.2.0/24 uses the group library, which is missing here" in page
    assert "198.51.100.0/24" not in page
    world.services.database.close()
