"""Writing the rules: a draft is kept, seen as guests see it, published once it is ready, and overwritten by nobody."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from gateway.access.accept import Applicant, Refused, accept
from gateway.link.neighbours import Neighbour
from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.settings import Privacy, Settings
from gateway.storage import generations, grants, rules, rules_drafts
from gateway.storage.models import Grant
from tests.unit.console.conftest import Browser, World
from tests.unit.console.test_pages import disclosed, leaf_types

PRIVACY = Privacy(
    controller="Eksempel kommune", dpo="personvernombud@example.test", legal_basis="6.1.e",
    legal_basis_law="kommuneloven § 25-1", backup_days=30,
)  # fmt: skip
GOOD = {
    "text_nb": "# Regler\n\nVær snill.\n\n---\n\nAlt sammen.",
    "text_nn": "",
    "text_en": "# Rules\n\nBe kind.",
    "label": "2026-2",
    "binding_language": "nb",
    "adopting_body": "Kommunestyret",
    "adopted_on": "2026-11-20",
    "case_number": "26/9",
    "next_review_on": "2027-11-20",
}
EDIT, PREVIEW, PUBLISH, DISCARD = (f"/rules/-/{page}" for page in ("edit", "preview", "publish", "discard"))
HTML = "<script>alert(1)</script>"


@pytest.fixture
def world(tmp_path):
    made = World(Settings(state=tmp_path, privacy=PRIVACY))
    made.publish_all()
    made.now += timedelta(minutes=1)  # of two versions of one moment, neither is the later one
    yield made
    made.services.database.close()


def edition_on(page: str) -> str:
    found = re.search(r'name="edition" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def send(browser: Browser, page: str = EDIT, **other: str):
    """Open the editor and save, as a browser does."""
    shown = browser.get(page).text
    token = re.search(r'name="form_token" value="([^"]+)"', shown)[1]
    fields = {"form_token": token, "edition": edition_on(shown), "then": "look", **GOOD, **other}
    return post(browser, page, fields)


def post(browser: Browser, page: str, fields: dict[str, str]):
    return browser.post(page, files={name: (None, value) for name, value in fields.items()})


def publish(browser: Browser, room: str = "/rules/-", ask: str = "later"):
    shown = browser.get(f"{room}/publish").text
    return browser.fill(f"{room}/publish", f"{room}/publish", edition=edition_on(shown), ask=ask)


def in_force(world: World, group: str = ""):
    with world.services.database.read() as session:
        return rules.version_in_force(session, world.services.place.owner_id, group, now=world.now)


def draft(world: World, group: str = ""):
    with world.services.database.read() as session:
        return rules_drafts.find(session, world.services.place.owner_id, group)


def add_group(world: World, key: str, title: str) -> None:
    services = world.services
    with services.database.write() as session:
        before = publishing.draft(session, services.place)
        edited, _ = draft_edits.with_group(before, key, like="default", mark=None, title=title)
        publishing.save_draft(session, services.place, edited, world.now)
        publishing.publish(session, services.place, "it", "a group", world.now)


def test_written_seen_compared_and_published_and_the_next_guest_sees_it(world):
    browser = world.signed_in("it", "kari")
    world.accepted("Ola")
    begun = browser.get(EDIT).text
    assert "You begin with version 1, which is in force" in begun
    assert "Vær grei." in begun
    assert 'value="2026-1"' in begun, "a label that is free"
    answer = send(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, PREVIEW)
    assert in_force(world).label == "1", "a draft changes nothing"
    page = browser.get(f"{PREVIEW}?text=nb").text
    assert '<section class="card rules" aria-label="As guests will see it">' in page
    assert "<h2>Regler</h2>\n<p>Vær snill.</p>" in page
    assert "Read the whole text" in page, "the rules in short, as guests get them"
    assert '<del><span class="unseen">removed: </span>grei</del>' in page
    assert '<ins><span class="unseen">added: </span>snill</ins>' in page
    assert "Kommunestyret" in page
    assert "There is no text in Nynorsk" in browser.get(f"{PREVIEW}?text=nn").text
    assert "so the whole is new" in browser.get(f"{PREVIEW}?text=en").text
    before = leaf_types(world)
    asked = browser.get(PUBLISH).text
    assert "Publish these rules?" in asked
    assert "shown the binding text: Nynorsk" in asked
    assert "Now that is: 1." in asked
    assert in_force(world).label == "1", "asking publishes nothing"
    assert publish(browser).headers["location"] == "/rules?notice=published"
    version = in_force(world)
    assert (version.label, version.adopting_body, version.case_number) == ("2026-2", "Kommunestyret", "26/9")
    assert (f"{version.adopted_on}", f"{version.next_review_on}") == ("2026-11-20", "2027-11-20")
    assert {text.language: text.markdown for text in version.texts} == {
        "nb": GOOD["text_nb"], "en": GOOD["text_en"]
    }  # fmt: skip
    assert leaf_types(world) == [*before, "rules_published"]
    assert "kari" in disclosed(world)
    assert draft(world) is None
    assert "The next guest sees it" in browser.get("/rules?notice=published").text
    with world.services.database.write() as session:
        stale = accept(
            session, world.services.place, Neighbour("lo", "02:00:00:00:00:09"), Applicant("Per"), version_id="1",
            language="nb", address="", duration=timedelta(hours=1), now=world.now,
        )  # fmt: skip
    assert stale == Refused("rules_changed")
    world.accepted("Per", "02:00:00:00:00:09")


def test_everybody_is_asked_again_only_where_that_is_chosen(world):
    browser = world.signed_in("it", "kari")
    first = world.accepted("Ola")

    def is_open(grant_id: str) -> bool:
        with world.services.database.read() as session:
            return session.get_one(Grant, grant_id).revoked_at is None

    send(browser)
    publish(browser)
    assert is_open(first.grant_id)
    second = world.accepted("Kari", "02:00:00:00:00:02")
    world.now += timedelta(minutes=1)
    send(browser, label="2026-3")
    before = leaf_types(world)
    assert publish(browser, ask="again").headers["location"] == "/rules?notice=asked"
    assert not is_open(first.grant_id)
    assert not is_open(second.grant_id)
    wrote = leaf_types(world)[len(before) :]
    assert wrote == ["rules_published", "rules_asked_again", "grant_revoked", "grant_revoked"]
    world.seal()
    words = browser.get("/log").text
    assert "A new version of the rules was published, and everybody is asked again" in words
    assert words.count("Those who are online under earlier rules are asked to accept version 2026-3.") == 1
    world.accepted("Ola")
    with world.services.database.read() as session:
        assert len(grants.open_grants(session, world.services.place.owner_id, world.now)) == 1


def test_two_people_never_overwrite_each_other_unseen(world):
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    token = ola.token_on(EDIT)
    mine = {"form_token": token, "edition": "", **GOOD, "text_nb": "# Regler\n\nFra Ola."}
    assert send(kari).status_code == 303
    answer = post(ola, EDIT, mine)
    assert answer.status_code == 409
    assert "kari has saved this draft while you were writing" in answer.text
    assert "Fra Ola." in answer.text, "nothing that was written is lost"
    assert '<ins><span class="unseen">added: </span>Fra</ins>' in answer.text
    assert draft(world).texts["nb"] == GOOD["text_nb"]
    assert edition_on(answer.text) == draft(world).edition, "whoever has seen it may put theirs in its place"
    assert post(ola, EDIT, mine | {"edition": edition_on(answer.text)}).status_code == 303
    assert (draft(world).texts["nb"], draft(world).changed_by) == ("# Regler\n\nFra Ola.", "ola")
    edition = draft(world).edition
    publish(ola)
    late = post(kari, EDIT, {"form_token": kari.token_on(EDIT), **GOOD, "edition": edition, "text_nb": "# Sent"})
    assert late.status_code == 409
    assert "published or thrown away while you were writing" in late.text
    assert "# Sent" in late.text
    assert draft(world) is None
    assert edition_on(late.text) == ""


def test_what_was_not_seen_is_neither_published_nor_thrown_away(world):
    kari, ola = world.signed_in("it", "kari"), world.signed_in("it", "ola")
    send(kari)
    seen = edition_on(kari.get(PUBLISH).text)
    send(ola, text_nb="# Regler\n\nNoe annet.")
    for action in (PUBLISH, DISCARD):
        answer = kari.post(action, data={"form_token": kari.token_on(PUBLISH), "edition": seen})
        assert answer.status_code == 409
        assert "The draft has changed since you opened the page" in answer.text
    assert in_force(world).label == "1"
    assert draft(world).changed_by == "ola"
    assert "Throw this draft away?" in ola.get(DISCARD).text
    edition = draft(world).edition
    assert ola.fill(DISCARD, DISCARD, edition=edition).headers["location"] == "/rules?notice=discarded"
    assert draft(world) is None
    for action in (PUBLISH, DISCARD):
        gone = ola.post(action, data={"form_token": ola.token_on(EDIT), "edition": edition})
        assert (gone.status_code, "no longer there" in gone.text) == (409, True)
    assert ola.get(DISCARD).status_code == 404
    assert ola.get(PREVIEW).headers["location"] == EDIT
    assert ola.get(PUBLISH).headers["location"] == PREVIEW


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"label": "x" * 81}, "at most 80 characters"),
        ({"label": "a\u202eb"}, "can’t be used"),
        ({"adopting_body": "x" * 201}, "at most 200 characters"),
        ({"case_number": "a\0b"}, "can’t be used"),
        ({"adopted_on": "yesterday"}, "day of adoption as a date"),
        ({"adopted_on": "20261120"}, "day of adoption as a date"),
        ({"next_review_on": "2027-02-30"}, "next review as a date"),
        ({"text_nb": "a\0b"}, "have been taken out of the text"),
        ({"text_en": "x" * (256 * 1024 + 1)}, "The text is too long"),
    ],
)
def test_what_cant_be_kept_is_said_at_its_field_and_stays_in_the_form(world, other, told):
    browser = world.signed_in("it")
    answer = send(browser, **{"text_nn": "# Det eg skreiv", **other})
    assert answer.status_code == 422
    assert told in answer.text
    assert f'href="#{next(iter(other))}"' in answer.text
    assert "# Det eg skreiv" in answer.text
    assert "\0" not in answer.text
    assert draft(world) is None


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"label": ""}, "Write what this version is called"),
        ({"label": "1"}, "Another version has that name already"),
        ({"adopted_on": "2026-11-23"}, "The day of adoption lies ahead"),
        ({"next_review_on": "2026-11-22"}, "The next review must lie ahead"),
        ({"binding_language": "nn"}, "There is no text in the binding language"),
        ({"text_nb": " \r\n "}, "There is no text in the binding language"),
    ],
)
def test_what_is_not_ready_is_kept_and_told_and_not_published(world, other, told):
    browser = world.signed_in("it")
    assert send(browser, **other).status_code == 303
    page = browser.get(PREVIEW).text
    assert told in page
    assert f'href="{PUBLISH}"' not in page
    assert browser.get(PUBLISH).headers["location"] == PREVIEW
    forced = browser.post(PUBLISH, data={"form_token": browser.token_on(EDIT), "edition": draft(world).edition})
    assert forced.headers["location"] == PREVIEW
    assert in_force(world).label == "1"


def test_the_preview_says_in_which_languages_the_texts_differ(world):
    browser = world.signed_in("it")
    send(browser)
    publish(browser)
    world.now += timedelta(minutes=1)
    send(browser, label="3", text_nb=f"{GOOD['text_nb']}\n\nOg noe mer.")
    page = browser.get(f"{PREVIEW}?text=en").text
    assert "The texts are the same in this language. They differ in: Bokmål." in page
    assert "They differ in" not in browser.get(f"{PREVIEW}?text=nb").text
    assert "<dt>Changed in</dt><dd>Bokmål</dd>" in browser.get(PUBLISH).text


def test_who_publishes_texts_that_are_in_force_already_is_told_so(world):
    browser = world.signed_in("it")
    send(browser)
    assert "<dt>Changed in</dt><dd>Bokmål, English</dd>" in browser.get(PUBLISH).text
    publish(browser)
    world.now += timedelta(minutes=1)
    send(browser, label="3")
    assert "<dt>Changed in</dt><dd>no language" in browser.get(PUBLISH).text


def test_nothing_is_published_under_half_a_notice(tmp_path):
    bare = World(Settings(state=tmp_path))
    browser = bare.signed_in("it")
    assert "No rules are in force. You begin with a proposal" in browser.get(EDIT).text
    send(browser)
    page = browser.get(PREVIEW).text
    assert "<code>privacy.controller</code>" in page
    assert "so everything is new" in page
    forced = browser.post(PUBLISH, data={"form_token": browser.token_on(EDIT), "edition": draft(bare).edition})
    assert forced.headers["location"] == PREVIEW
    assert in_force(bare) is None
    bare.services.database.close()


def test_a_group_gets_rules_of_its_own(world):
    add_group(world, "library", "Bibliotek")
    browser = world.signed_in("it")
    overview = unescape(browser.get("/rules").text)
    assert "the rules of everybody" in overview
    assert 'href="/rules/library/edit"' in overview
    room = "/rules/library"
    assert 'value="library-2026-1"' in browser.get(f"{room}/edit").text
    send(browser, f"{room}/edit", label="library-2026-1")
    assert draft(world) is None, "everybody's draft is another"
    assert "has rules of its own" in browser.get(f"{room}/publish").text
    world.accepted("Ola")
    with world.services.database.read() as session:
        owner_id = world.services.place.owner_id
        assert rules_drafts.count_reached(session, owner_id, "library", world.now) == 0
        assert rules_drafts.count_reached(session, owner_id, "", world.now) == 1
        assert generations.mark_of(session, owner_id, "library") is not None
    publish(browser, room)
    assert (in_force(world).label, in_force(world, "library").label) == ("1", "library-2026-1")
    assert browser.get("/rules/nowhere/edit").status_code == 404
    assert browser.get("/rules/session-1/edit").status_code == 404


def test_a_version_published_meanwhile_is_told(world):
    browser = world.signed_in("it")
    send(browser)
    world.now += timedelta(minutes=1)
    from gateway.terms.publish import publish as publish_elsewhere

    with world.services.database.write() as session:
        publish_elsewhere(
            session, world.services.place, {"nb": "# Fra kommandolinjen"}, label="cli", adopting_body="",
            adopted_on=None, case_number="", binding_language="nb", next_review_on=None, published_by="x",
            now=world.now,
        )  # fmt: skip
    assert "Version cli came into force after this draft was begun from 1" in browser.get(PREVIEW).text


def test_markup_is_shown_as_the_text_it_is(world):
    browser = world.signed_in("it")
    send(browser, text_nb=f"# R\n\n{HTML}\n\n[x](javascript:alert(1))", adopting_body=HTML, label=HTML)
    for page in (EDIT, PREVIEW, PUBLISH):
        assert HTML not in browser.get(page).text
    assert 'href="javascript' not in browser.get(PREVIEW).text


def test_an_auditor_sees_what_is_in_force_and_no_draft(world):
    send(world.signed_in("it", "kari"), next_review_on="2026-12-01")
    page = world.signed_in("auditor").get("/rules").text
    assert "Which rules are in force" in page
    assert "kari" not in page
    assert "/edit" not in page


def test_a_review_that_is_due_is_told(world):
    browser = world.signed_in("it")
    send(browser)
    publish(browser)
    assert "due now" not in browser.get("/rules").text
    world.now += timedelta(days=370)
    assert "due now" in world.signed_in("it", "ola").get("/rules").text
