"""The pages of lists: what stands where, switching, refreshing, adding and removing; the auditor only looks."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from captive_portal.console.lists import words as lists_words
from captive_portal.console.lists.adding import UPLOAD_MAX_BYTES
from captive_portal.console.look import Look
from gateway.lists import due, sources, store
from gateway.lists.active import active_lists
from gateway.lists.catalogue import catalogue
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.lists.refresh import Refresh
from gateway.lists.round import refresh_all
from gateway.lists.source import Source
from gateway.storage import generations
from policies.categories import CATEGORIES
from policies.snapshot import NamedList

GAMES = "v2fly-steam"


async def nowhere(host: str) -> list[str]:
    raise AssertionError(f"{host} must not be looked up")


def asked(world) -> dict[str, due.Due]:
    with world.services.database.read() as session:
        return {each.source.key: each for each in due.due(session, world.services.place, world.now) if each.asked}


def do_what_is_asked(world) -> list[Refresh]:
    """What the jobs service does."""
    services = world.services
    world.now += timedelta(seconds=1)
    done = refresh_all(
        services.database, services.place, services.settings.state, asked(world).values(), nowhere, services.clock,
        progress=lambda _key: lambda *_: None,
    )  # fmt: skip
    world.now += timedelta(seconds=1)
    return done


def source(world, key: str) -> Source:
    with world.services.database.read() as session:
        found = sources.find(session, world.services.place, key)
    assert found is not None
    return found


def add_file(browser, content: bytes, name: str = "Mine spill.txt", **fields):
    return browser.post(
        "/lists/upload",
        data={"form_token": browser.token_on("/lists/add"), "category": "gaming", "format": "auto", **fields},
        files={"file": (name, content, "text/plain")},
    )


@pytest.fixture
def it(world):
    world.publish_all()
    return world.signed_in("it", "kari")


def test_the_catalogue_is_shown_with_publisher_licence_category_and_rhythm(it):
    page = it.get("/lists").text
    assert "No list is on" in page
    for each in catalogue().values():
        assert f'href="/lists/source/{each.key}"' in page
        assert each.licence in page
    one = it.get(f"/lists/source/{GAMES}").text
    for text in (
        "v2fly domain-list-community",
        "MIT",
        CATEGORIES["gaming"].names["en"],
        "Refreshed every 3 days",
        "Off",
        catalogue()[GAMES].url,
    ):
        assert text in one


def test_a_switch_puts_a_source_on_and_off_and_a_new_one_is_asked_for_at_once(it, world):
    answer = it.fill("/lists", f"/lists/source/{GAMES}/switch", on="1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/lists/source/{GAMES}")
    assert source(world, GAMES).enabled
    assert list(asked(world)) == [GAMES]
    page = it.get(f"/lists/source/{GAMES}")
    assert "Waits to be fetched" in page.text
    assert 'data-live-every="2"' in page.text
    world.now += timedelta(minutes=2)
    page = it.get(f"/lists/source/{GAMES}")
    assert "Is the service “jobs” running?" in page.text
    assert 'data-live-every="15"' in page.text
    it.fill("/lists", f"/lists/source/{GAMES}/switch", on="0")
    assert not source(world, GAMES).enabled
    assert asked(world) == {}
    assert "data-live-every" not in it.get(f"/lists/source/{GAMES}").text


def test_what_is_under_way_shows_its_progress(it, world):
    it.fill("/lists", f"/lists/source/{GAMES}/switch", on="1")
    folder = store.folder_of(world.settings.state, GAMES)
    folder.mkdir(parents=True)
    for stage, total, shown in (
        ("downloading", 4096, "Fetching: 2 of 4 KB"), ("downloading", None, "Fetching: 2 KB so far"),
        ("reading", None, "Reading: 2,048 names so far"), ("sorting", None, "Sorting: 2,048 names so far"),
    ):  # fmt: skip
        (folder / ".progress").write_text(json.dumps({"stage": stage, "done": 2048, "total": total}))
        page = it.get(f"/lists/source/{GAMES}")
        assert shown in page.text
        assert page.text.count("<progress ") == 1
        assert 'data-live-every="2"' in page.text
        assert f'<a href="/lists/source/{GAMES}">Look again</a>' in page.text, "where there are no scripts"
    assert "Being refreshed" in it.get("/lists").text
    [row] = [each for each in it.get("/api/v1/lists").json()["lists"] if each["key"] == GAMES]
    assert (row["state"], row["progress"]) == ("busy", {"stage": "sorting", "done": 2048, "total": None})


def test_an_uploaded_file_goes_through_the_database_to_the_list_in_force(it, world):
    answer = add_file(it, b"spill.example\nwww.spel.example\n1.2.3.4\n<b>x</b>\n", title="Våre spill")
    assert (answer.status_code, answer.headers["location"]) == (303, "/lists/source/v-re-spill")
    path = answer.headers["location"]
    assert store.folder_of(world.settings.state, "v-re-spill").exists() is False, "the console reads and writes no list"
    [done] = do_what_is_asked(world)
    assert (done.outcome, done.facts.entries) == ("updated", 2)
    assert asked(world) == {}
    page = it.get(path).text
    for text in ("In force", "Mine spill.txt", "kari", "an IP address, not a name", "1.2.3.4", "&lt;b&gt;", "2 names"):
        assert text in page, text
    assert "<b>x" not in page
    again = it.post(
        f"{path}/upload", data={"form_token": it.token_on(path)}, files={"file": ("ny.txt", b"a.example\nb.example\n")}
    )
    assert again.status_code == 303
    world.now += timedelta(seconds=1)
    assert [each.outcome for each in do_what_is_asked(world)] == ["updated"]
    page = it.get(path).text
    assert page.count("Fetched and put in force") == 2
    assert "ny.txt" in page
    assert it.post(f"{path}/upload", data={"form_token": it.token_on(path)}).headers["location"].endswith("no-file")


def test_a_refresh_is_asked_for_and_what_came_of_it_is_said_in_words(it, world):
    path = add_file(it, b"".join(b"spill%d.example\n" % n for n in range(40))).headers["location"]
    key = path.rpartition("/")[2]
    do_what_is_asked(world)
    world.now += timedelta(seconds=5)
    it.post(f"{path}/upload", data={"form_token": it.token_on(path)}, files={"file": ("x", b"spill1.example\n")})
    do_what_is_asked(world)
    page = it.get(path).text
    assert re.search(
        r"It has less than half of the names that it had\. [^<]*40[^<]* The list before it stays in force\.", page
    )
    assert "Not refreshed" in it.get("/lists").text
    assert store.current_facts(world.settings.state, key).entries == 40
    world.now += timedelta(seconds=5)
    assert it.fill(path, f"{path}/refresh", accept="1").status_code == 303
    [done] = do_what_is_asked(world)
    assert (done.outcome, done.facts.entries) == ("updated", 1)
    world.now += timedelta(seconds=5)
    it.fill("/lists", "/lists/refresh")
    assert list(asked(world)) == [key]
    assert 'data-live-every="2"' in it.get("/lists?notice=asked").text
    assert [each.outcome for each in do_what_is_asked(world)] == ["unchanged"]
    done_page = it.get("/lists?notice=asked")
    assert "data-live-every" not in done_page.text
    assert "The refresh has ended, and every list was fetched." in done_page.text
    history = it.get("/api/v1/lists/history", params={"key": key}).json()["refreshes"]
    assert [each["outcome"] for each in history] == ["unchanged", "updated", "refused", "updated"]
    assert [each["reason"] for each in history] == ["", "", "shrunk", ""]


def test_history_comes_in_pages_that_miss_none(it, world):
    path = add_file(it, b"a.example\n").headers["location"]
    token = it.token_on(path)
    for _ in range(45):
        do_what_is_asked(world)
        it.post(f"{path}/refresh", data={"form_token": token})
    seen, url = 0, path
    while url:
        page = it.get(url).text
        seen += page.count("Looked at: unchanged") + page.count("Fetched and put in force")
        url = unescape(page.partition('rel="next" href="')[2].partition('"')[0])
    assert seen == 45


def test_a_list_at_an_address_is_checked_and_added(it, world):
    good = {"url": "https://lists.example/spill.txt", "category": "gaming", "format": "hosts", "hours": "72"}
    for bad, problem in (
        ({"url": "ftp://lists.example/x"}, "Write the whole address"), ({"url": ""}, "Write the whole address"),
        ({"url": "https://user:pw@lists.example/"}, "Write the whole address"),
        ({"url": "https://lists.example/\u202ex"}, "Write the whole address"),
        ({"category": "nonsense"}, "Choose what the list is about"), ({"format": "nonsense"}, "can’t be used"),
        ({"format": "csv"}, "Say which column"), ({"title": "x" * 300}, "too long"),
        ({"url": catalogue()[GAMES].url}, "one of the sources already"),
    ):  # fmt: skip
        answer = it.fill("/lists/add", "/lists/add", **(good | bad))
        assert (answer.status_code, problem in answer.text) == (422, True), bad
    answer = it.fill("/lists/add", "/lists/add", **good)
    assert answer.headers["location"] == "/lists/source/lists.example-spill.txt"
    made = source(world, "lists.example-spill.txt")
    assert (made.url, made.interval_s, made.format, made.internal) == (good["url"], 72 * 3600, "hosts", False)
    assert list(asked(world)) == [made.key]
    assert "one of the sources already" in it.fill("/lists/add", "/lists/add", **good).text


@pytest.mark.parametrize(
    ("fields", "content", "problem"),
    [
        ({"category": ""}, b"a.example", "Choose what the list is about"),
        ({}, b"", "The file is empty"),
        ({"title": "a\x07b"}, b"a.example", "can’t be used"),
    ],
)
def test_an_upload_says_what_is_missing(it, fields, content, problem):
    answer = add_file(it, content, **fields)
    assert (answer.status_code, problem in answer.text) == (422, True)


def test_an_upload_is_bounded_and_read_only_of_those_who_may(it, world):
    large = b"x" * (UPLOAD_MAX_BYTES + (1 << 17))
    too_large = add_file(it, large)
    assert too_large.status_code == 413
    assert 'id="file-file-error">The file is larger than 16 MB.' in too_large.text
    path = add_file(it, b"a.example\n").headers["location"]
    do_what_is_asked(world)
    answer = it.post(f"{path}/upload", data={"form_token": it.token_on(path)}, files={"file": ("x", large)})
    assert answer.status_code == 413
    assert "The file is larger than 16 MB." in answer.text
    assert asked(world) == {}, "the list stays as it was"
    form = {"content-type": "multipart/form-data; boundary=b"}
    for broken in (b"", b"--b", b"--b\r\n\r\n", b"--b\r\nx\r\n--b--", b"no form at all"):
        assert it.post("/lists/upload", content=broken, headers=form).status_code in (400, 403)
    huge = b"x" * (1 << 20)
    assert world.browser().post("/lists/upload", content=huge, headers=form).headers["location"] == "/sign-in"
    auditor = world.signed_in("auditor")
    assert auditor.post("/lists/upload", content=huge, headers=form).status_code == 403
    assert it.post("/sign-out", content=b"--b--", headers=form).status_code == 415, "other pages take no files"


def test_a_file_name_is_never_a_path_and_never_markup(it, world):
    path = add_file(it, b"a.example\n", name="../../<script>x</script>\\..\\ond.txt").headers["location"]
    page = it.get(path).text
    assert "ond.txt" in page
    assert "<script>" not in page
    assert not any(Path(world.settings.state).parent.rglob("ond*"))


def test_ones_own_list_can_be_removed_and_the_catalogue_cannot(it, world):
    path = add_file(it, b"a.example\n").headers["location"]
    do_what_is_asked(world)
    assert "What only this list closes is open" in it.get(f"{path}/remove").text
    assert it.fill(path, f"{path}/remove").headers["location"] == "/lists?notice=removed"
    assert it.get(path).status_code == 404
    it.fill("/lists", f"/lists/source/{GAMES}/switch", on="1")
    assert it.get(f"/lists/source/{GAMES}/remove").status_code == 404
    assert it.fill("/lists", f"/lists/source/{GAMES}/remove").status_code == 404
    assert source(world, GAMES).enabled


def test_a_removed_list_does_not_come_back_as_another_of_its_name(it, world):
    path = add_file(it, b"spill.example\n", title="Mine").headers["location"]
    assert path == "/lists/source/mine"
    do_what_is_asked(world)
    it.fill(path, f"{path}/remove")
    url = "https://lists.example/casino.txt"
    fields = {"url": url, "category": "gambling", "format": "auto", "hours": "168", "title": "Mine"}
    path = it.fill("/lists/add", "/lists/add", **fields).headers["location"]
    assert path == "/lists/source/mine-2"
    assert list(asked(world)) == ["mine-2"]
    assert "Waits to be fetched" in it.get(path).text
    with world.services.database.read() as session:
        configured = sources.configured(session, world.services.place)
    assert active_lists(world.settings.state, configured) == ()


def test_a_list_that_another_gateway_left_on_disk_keeps_its_key(it, world):
    (store.folder_of(world.settings.state, "mine")).mkdir(parents=True)
    assert add_file(it, b"spill.example\n", title="Mine").headers["location"] == "/lists/source/mine-2"


def test_what_is_on_disk_of_another_list_is_not_called_in_force(it, world):
    path = add_file(it, b"spill.example\n", title="Mine").headers["location"]
    do_what_is_asked(world)
    services = world.services
    with services.database.write() as session:  # as the command line adds it, under a key of one's own choice
        due.add(session, services.place, Source("mine", "gambling", url="https://lists.example/a"), "kari", world.now)
    assert list(asked(world)) == ["mine"]
    [row] = [each for each in it.get("/api/v1/lists").json()["lists"] if each["key"] == "mine"]
    assert (row["state"], row["names"]) == ("waiting", 0)
    page = it.get(path).text
    assert "Waits to be fetched" in page
    assert "1 names" not in page.partition("In force after it")[0]


def test_an_auditor_looks_and_changes_nothing(it, world):
    path = add_file(it, b"a.example\n").headers["location"]
    auditor = world.signed_in("auditor")
    for page in (auditor.get("/lists"), auditor.get(path)):
        assert page.status_code == 200
        assert re.findall(r'<form method="post" action="([^"]+)"', page.text) == ["/sign-out"]
    for api in ("switch", "refresh"):
        assert auditor.post(f"/api/v1/lists/{api}", json={"key": GAMES, "on": True}).status_code == 403
    assert auditor.get("/api/v1/lists").status_code == 200


def test_a_damaged_list_is_said_to_be_one(it, world):
    path = add_file(it, b"a.example\n").headers["location"]
    do_what_is_asked(world)
    store_key = path.rpartition("/")[2]
    facts = store.current_facts(world.settings.state, store_key)
    (store.folder_of(world.settings.state, store_key) / f"{facts.sha256}.txt").write_text("b.example\n")
    assert store.mark_damaged(world.settings.state, [store_key]) == {store_key}
    assert "It is fetched again at once" in it.get(path).text
    assert "Damaged" in it.get("/lists").text


def test_the_quarantine_of_a_source_leads_to_where_it_is_overruled(it, world):
    path = add_file(it, b"a.example\n", title="mine").headers["location"]
    with world.services.database.read() as session:
        row = generations.in_force(session, world.services.place.owner_id)
    listed = NamedList("mine", "gaming", "0" * 64, ("cloudfront.net", "nav.no"))
    publish(world.settings.state, compile_policy(row.document, row.generation, lists=(listed,)))
    page = it.get(path).text
    assert "Other sites are served through it (Amazon)." in page
    assert 'href="/policy#quarantine"' in page
    assert 'href="/policy#quarantine"' not in world.signed_in("auditor").get(path).text


def test_names_in_quarantine_are_not_counted_as_in_force(it, world):
    add_file(it, b"a.example\nb.example\ncloudfront.net\n", title="mine")
    do_what_is_asked(world)

    def counted() -> tuple[str, str]:
        page = it.get("/lists").text
        total = re.search(r"Names in force from them</dt><dd>(\d+)", page)
        own = re.search(r'data-label="In force">(\d+) names', page.partition("<bdi>mine</bdi>")[2])
        assert total is not None
        assert own is not None
        return total[1], own[1]

    assert counted() == ("3", "3"), "nothing is compiled yet"
    with world.services.database.read() as session:
        row = generations.in_force(session, world.services.place.owner_id)
    listed = NamedList("mine", "gaming", "0" * 64, ("a.example", "b.example", "cloudfront.net"))
    publish(world.settings.state, compile_policy(row.document, row.generation, lists=(listed,)))
    assert counted() == ("2", "2")


def test_a_list_tells_how_many_of_its_names_others_have(it, world):
    path = add_file(it, b"a.example\n", title="mine").headers["location"]
    assert "Overlap" not in it.get(path).text, "it is not compiled yet"
    with world.services.database.read() as session:
        row = generations.in_force(session, world.services.place.owner_id)
    lists = (
        NamedList("mine", "gaming", "0" * 64, ("a.example", "b.example", "c.example")),
        NamedList("other", "gaming", "1" * 64, ("b.example", "c.example", "d.example", "sub.a.example")),
    )
    publish(world.settings.state, compile_policy(row.document, row.generation, lists=lists))
    page = it.get(path).text
    assert "Only in this list: 1 of 3 names" in page
    row = page[page.index("<bdi>other</bdi>") :].partition("</tr>")[0]
    assert re.findall(r">([0-9.]+)(?: %)?</td>", row) == ["2", "66.7", "50.0"]


def test_over_json_a_list_is_switched_and_refreshed(it, world):
    answer = it.post("/api/v1/lists/switch", json={"key": GAMES, "on": True})
    assert (answer.status_code, answer.json()["state"]) == (200, "waiting")
    assert it.post("/api/v1/lists/refresh", json={"key": GAMES}).json()["on"] is True
    assert list(asked(world)) == [GAMES]
    assert len(it.get("/api/v1/lists").json()["lists"]) == len(catalogue())
    for call, question in (("switch", {"key": "nothing-there", "on": True}), ("refresh", {"key": "nothing-there"})):
        assert it.post(f"/api/v1/lists/{call}", json=question).status_code == 404
    assert it.get("/api/v1/lists/history", params={"key": "nothing-there"}).status_code == 404
    for bad in ({"key": "../x", "on": True}, {"key": GAMES}, {"key": GAMES, "on": True, "more": 1}):
        assert it.post("/api/v1/lists/switch", json=bad).status_code == 422
    assert it.post("/api/v1/lists/switch", data={"key": GAMES}).status_code == 415
    foreign = it.post("/api/v1/lists/refresh", json={"key": GAMES}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


@pytest.mark.parametrize("key", ["nothing-there", "..%2f..%2fetc", "a%00b", "x" * 300, "%F0%9F%92%A9"])
def test_a_key_that_is_none_is_not_found(it, key):
    assert it.get(f"/lists/source/{key}").status_code == 404
    assert it.fill("/lists", f"/lists/source/{key}/switch", on="1").status_code == 404
    assert it.get(f"/lists/source/{GAMES}?before={'9' * 400}").status_code == 200


def test_every_reason_that_the_code_gives_has_words():
    import re

    root = Path(__file__).parents[3]
    refusals, troubles = set(), set()
    for path in (root / "policies" / "formats").glob("*.py"):
        refusals |= set(re.findall(r'Refusal\(\s*"([a-z_]+)"', path.read_text()))
    refusals |= set(re.findall(r'NameError_\(\s*"([a-z_]+)"', (root / "policies" / "names.py").read_text()))
    refusals |= {"keyword", "regexp", "include", "substring", "modifier", "zone_record", "tcp_only", "unknown_category"}
    for path in (root / "gateway" / "lists").glob("*.py"):
        if not path.name.startswith("judge"):
            troubles |= set(re.findall(r'(?:Refused|Download|Archive|Source)Error\(\s*"([a-z_]+)"', path.read_text()))
    assert len(refusals) > 25
    assert len(troubles) > 18
    assert refusals <= lists_words.LINES.keys()
    assert troubles <= lists_words.TROUBLES.keys()


def test_a_first_file_that_is_refused_leaves_no_list_behind_and_says_why(it, world):
    path = add_file(it, b"<!doctype html><html><body>Sign in</body></html>\n", title="Mine").headers["location"]
    [done] = do_what_is_asked(world)
    assert done.outcome == "refused"
    page = it.get(path)
    assert page.status_code == 200
    assert "The file was not taken in" in page.text
    assert "A web page came instead of a list." in page.text
    assert "Mine" not in it.get("/lists").text
    assert asked(world) == {}
    assert "A web page came" in world.signed_in("auditor").get(path).text
    assert it.get("/lists/source/never-there").status_code == 404


def test_a_later_file_that_is_refused_leaves_the_list_as_it_was(it, world):
    path = add_file(it, b"a.example\nb.example\n").headers["location"]
    do_what_is_asked(world)
    it.post(f"{path}/upload", data={"form_token": it.token_on(path)}, files={"file": ("x", b"<html></html>")})
    assert [each.outcome for each in do_what_is_asked(world)] == ["refused"]
    page = it.get(path).text
    assert "A web page came instead of a list. " in page
    assert "The list before it stays in force." in page
    assert "2 names" in page


def test_a_list_that_another_gateway_has_is_not_dropped_for_a_newer_file_that_is_refused(it, world):
    path = add_file(it, b"a.example\nb.example\n").headers["location"]
    key = path.rpartition("/")[2]
    do_what_is_asked(world)
    shutil.rmtree(store.folder_of(world.settings.state, key))  # this gateway is new; the history is everybody's
    it.post(f"{path}/upload", data={"form_token": it.token_on(path)}, files={"file": ("x", b"<html></html>")})
    assert [each.outcome for each in do_what_is_asked(world)] == ["refused"]
    assert source(world, key).enabled


def test_a_refresh_of_all_says_how_many_lists_were_not_refreshed(it, world):
    paths = [add_file(it, b"a.example\n", title=title).headers["location"] for title in ("En", "To")]
    do_what_is_asked(world)
    it.post(f"{paths[0]}/upload", data={"form_token": it.token_on(paths[0])}, files={"file": ("x", b"<html></html>")})
    it.fill("/lists", "/lists/refresh")
    do_what_is_asked(world)
    page = it.get("/lists?notice=asked").text
    assert "Lists that could not be refreshed: 1." in page
    assert "every list was fetched" not in page


def test_what_went_wrong_is_told_in_the_readers_language(it, world):
    path = add_file(it, b"".join(b"spill%d.example\n" % n for n in range(40))).headers["location"]
    do_what_is_asked(world)
    it.post(f"{path}/upload", data={"form_token": it.token_on(path)}, files={"file": ("x", b"spill1.example\n")})
    do_what_is_asked(world)
    page = it.get(f"{path}?lang=nb").text
    assert "Den har 1 navn, og listen som gjelder, har 40." in page
    outside = re.sub(r'<p lang="en">.*?</p>', "", page)
    assert "accept it if that is right" not in outside
    assert "accept it if that is right" in page, "under the words that say that it is English"


@pytest.mark.parametrize(
    ("reason", "message", "told"),
    [
        ("status", "lists.example/a: the server answered 404", "Svaret fra tjeneren var 404."),
        ("shrunk", "12 names, the list in use has 12345: accept it if that is right", "har 12 navn"),
        ("mostly_rejects", "9 lines rejected and 3 names read: not a list, or another format", "Navn som ble lest: 3."),
        ("empty", "no usable name in it (7 lines rejected); the list before it stays", "Linjer som ble avvist: 7."),
        ("public_suffixes", "88 public suffixes in it: not a list of sites", "Slike navn: 88."),
        ("never_blocked", "21 never-blocked names in it: a list of permitted sites?", "Slike navn: 21."),
        (
            "private_address",
            "a.example leads to 10.0.0.1, which is this machine itself",
            "a.example fører til 10.0.0.1.",
        ),
        ("no_address", "a.example was not found (Name or service not known)", "Navnet er a.example."),
        ("redirects", "a.example/x: a redirect from https to b.example/y is not followed", "videre til b.example/y."),
        ("too_large", "a.example/x: more than 512 MiB", "Høyst 512 MB"),
        ("too_large", "a.example/x: 900 MiB, at most 512 are taken", "Høyst 512 MB"),
        ("bomb", "unpacks to more than 2048 MiB: refused", "Høyst"),
        ("packer", "packed with xz, which is not read: offer it as gzip or zip", "pakket med xz."),
        ("html", "not a list: a web page came instead of a list", ""),
        ("error", "unexpected: KeyError; see the log", ""),
    ],
)
def test_details_are_read_out_of_what_was_kept(reason, message, told):
    found = lists_words.detail(Look().translator("nb"), reason, message)
    assert told in found if told else found == ""
