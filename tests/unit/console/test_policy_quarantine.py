"""The quarantine on the policy page: what is held back and why, and overruling a name with one click."""

from __future__ import annotations

import pytest

from captive_portal.console.policy.quarantine import REASONS, in_words, is_overruled, overrule
from captive_portal.i18n import translators
from gateway.lists import generations as publishing
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.storage import generations
from gateway.storage.log_models import Disclosure, StagedLeaf
from policies.hygiene import read_quarantine
from policies.snapshot import NamedList, open_snapshot

LISTS = (
    NamedList("test/gaming", "gaming", "0" * 64, ("game.example", "nav.no", "cloudfront.net", "github.com")),
    NamedList("test/dating", "dating", "1" * 64, ("cloudfront.net",)),
)
CLICK = {"name": "cloudfront.net", "source": "test/gaming"}


def compiled(world, lists=LISTS):
    with world.services.database.read() as session:
        row = generations.in_force(session, world.services.place.owner_id)
        octets = compile_policy(row.document, row.generation, lists=lists)
    publish(world.settings.state, octets)
    return open_snapshot(octets)


def in_force(world):
    with world.services.database.read() as session:
        row = generations.in_force(session, world.services.place.owner_id)
        return row.generation, row.document, row.note, row.published_by


@pytest.fixture
def it(world):
    world.publish_all()
    compiled(world)
    return world.signed_in("it", "kari")


def test_the_page_says_what_is_held_back_and_why(it):
    page = it.get("/policy").text
    assert "Other sites are served through it (Amazon)." in page
    assert "nav.no and what is below it is never blocked." in page
    assert "It is a widely used site of another kind" in page
    assert "4 in all." in page
    assert page.count('action="/policy/overrule"') == 3, "what is never blocked stays open whatever lists say"
    assert "Can’t be overruled" in page
    assert "game.example" not in page
    assert "Andre nettstader blir leverte gjennom det (Amazon)." in it.get("/policy?lang=nn").text


def test_only_the_first_50_are_shown_with_the_total(it, world):
    names = tuple(f"{one}{two}" for one in "abcdefgh" for two in "0123456789")
    snapshot = compiled(world, (NamedList("test/gaming", "gaming", "0" * 64, names),))
    assert read_quarantine(snapshot.section("quarantine"))[0] == {"bare_tld": 80}
    page = it.get("/policy").text
    assert "The first 50 of 80." in page
    assert page.count('action="/policy/overrule"') == 50


def test_one_click_overrules_a_name_for_its_list_and_publishes(it, world):
    answer = it.fill("/policy", "/policy/overrule", **CLICK)
    assert (answer.status_code, answer.headers["location"]) == (303, "/policy?notice=overruled#quarantine")
    number, document, note, by = in_force(world)
    assert (number, document["overrules"], by) == (2, [CLICK], "kari")
    assert note == "Quarantine overruled: cloudfront.net (test/gaming)"
    with world.services.database.read() as session:
        assert b"policy_published" in session.query(StagedLeaf).all()[-1].entry
        assert note in {row.value for row in session.query(Disclosure)}
    page = it.get("/policy?notice=overruled").text
    assert "Overruled, and published as generation 2." in page
    assert page.count('action="/policy/overrule"') == 2
    assert compiled(world).group("default") is not None
    page = it.get("/policy").text
    assert "3 in all." in page
    assert "test/dating" in page, "the other list is not obeyed for it"


def test_a_draft_of_the_command_line_stays_and_gets_the_same_change_and_the_page_says_so(it, world):
    assert "waits in the draft" not in it.get("/policy").text
    place = world.services.place
    with world.services.database.write() as session:
        publishing.set_category(session, place, "default", "streaming", closed=True, now=world.now)
    assert "One change waits in the draft." in it.get("/policy").text
    assert it.fill("/policy", "/policy/overrule", **CLICK).status_code == 303
    _, document, _, _ = in_force(world)
    assert "streaming" not in document["groups"]["default"]["closed"]
    with world.services.database.read() as session:
        draft = publishing.draft(session, place)
    assert "streaming" in draft["groups"]["default"]["closed"]
    assert draft["overrules"] == [CLICK]
    assert "after this draft was begun" not in it.get("/policy/draft").text, "it has everything that is in force"


def test_what_is_not_held_back_or_was_overruled_already_publishes_nothing(it, world):
    for wrong in (
        {"name": "nav.no", "source": "test/gaming"},  # never blocked
        {"name": "game.example", "source": "test/gaming"},  # obeyed
        {"name": "cloudfront.net", "source": "test/other"},
        {"name": "<script>alert(1)</script>", "source": "\0"},
        {"name": "x" * 5000},
        {},
    ):
        answer = it.fill("/policy", "/policy/overrule", **wrong)
        assert answer.status_code == 409
        assert "not in quarantine any more" in answer.text
        assert "<script>" not in answer.text
    it.fill("/policy", "/policy/overrule", **CLICK)
    assert "Nothing was changed" in it.fill("/policy", "/policy/overrule", **CLICK).text
    assert in_force(world)[0] == 2


def test_the_click_needs_the_form_token_and_it(it, world):
    assert it.post("/policy/overrule", data=CLICK).status_code == 403
    token = it.token_on("/policy")
    foreign = it.post("/policy/overrule", data=CLICK | {"form_token": token}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    auditor = world.signed_in("auditor")
    assert auditor.fill("/acceptances", "/policy/overrule", **CLICK).status_code == 403
    assert in_force(world)[0] == 1


def test_nothing_compiled_and_nothing_held_back(world):
    world.publish_all()
    browser = world.signed_in("it")
    assert "Quarantine" not in browser.get("/policy").text
    assert browser.fill("/policy", "/policy/overrule", **CLICK).status_code == 409
    compiled(world, (NamedList("test/gaming", "gaming", "0" * 64, ("game.example",)),))
    assert "No listed name is held back." in browser.get("/policy").text


def test_an_overrule_for_every_list_counts_and_none_is_written_twice():
    document = {"overrules": [{"name": "a.no"}]}
    assert is_overruled(document, "a.no", "test/gaming")
    overrule(document, "a.no", "test/gaming")
    overrule(document, "b.no", "test/gaming")
    overrule(document, "b.no", "test/gaming")
    assert document == {"overrules": [{"name": "a.no"}, {"name": "b.no", "source": "test/gaming"}]}


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_every_reason_is_a_sentence(language):
    translate = translators("console", (language,))[language]
    for reason in REASONS:
        text = in_words(translate, reason, "gaming")
        assert text.endswith(".")
        assert "{" not in text
        assert "_" not in text
    assert in_words(translate, "misfiled", "gaming unknown").endswith(
        ": " + {"nb": "Nettspill", "nn": "Nettspel", "en": "Online games"}[language] + ", unknown."
    )
