"""The policy page: which group it changes, rules that change nothing, and no English on Norwegian pages."""

from __future__ import annotations

import pytest

from gateway.lists import generations as publishing
from gateway.lists.compile import compile_policy
from gateway.lists.publish import publish
from gateway.storage import generations


def publish_document(world, edit) -> None:
    with world.services.database.write() as session:
        document = publishing.draft(session, world.services.place)
        edit(document)
        publishing.save_draft(session, world.services.place, document, world.now)
        number = publishing.publish(session, world.services.place, "command line", "", world.now)
    publish(world.settings.state, compile_policy(document, number))


def in_force(world):
    with world.services.database.read() as session:
        return generations.in_force(session, world.services.place.owner_id).document


@pytest.fixture
def it(world):
    world.publish_all()
    return world.signed_in("it")


def with_course(document) -> None:
    default = document["groups"]["default"]
    document["groups"]["course"] = default | {
        "mark": 2, "closed": ["adult"], "names": {"nb": "Kurs i juni", "nn": "Kurs", "en": "June course"},
    }  # fmt: skip


def test_each_group_has_a_column_and_is_changed_by_itself(it, world):
    publish_document(world, with_course)
    before = in_force(world)["groups"]
    page = it.get("/policy").text
    assert 'aria-label="Adult content, June course"' in page or "June course" in page
    answer = it.fill("/policy", "/policy", **{"2.gaming": "open>closed"})
    assert answer.headers["location"] == "/policy?notice=kept"
    with world.services.database.read() as session:
        after = publishing.draft(session, world.services.place)["groups"]
    assert after["course"]["closed"] == ["adult", "gaming"]
    assert after["default"]["closed"] == before["default"]["closed"]


def test_a_group_that_is_gone_is_told_and_the_rest_is_kept(it, world):
    publish_document(world, with_course)
    with world.services.database.write() as session:
        draft = publishing.draft(session, world.services.place)
        del draft["groups"]["course"]
        publishing.save_draft(session, world.services.place, draft, world.now)
    answer = it.fill("/policy", "/policy", **{"2.gaming": "open>closed", "1.gaming": "closed>open"})
    assert answer.status_code == 409
    assert "gone from the draft" in answer.text
    with world.services.database.read() as session:
        groups = publishing.draft(session, world.services.place)["groups"]
    assert [*groups] == ["default"]
    assert "gaming" not in groups["default"]["closed"]


def test_rules_without_effect_are_told_on_the_page_and_in_the_box(it, world):
    assert "no effect" not in it.get("/policy").text

    def edit(document) -> None:
        group = document["groups"]["default"]
        group["forbid"], group["permit"] = ["www.apple.com", "ok.example"], ["mask.icloud.com"]

    publish_document(world, edit)
    page = it.get("/policy").text
    assert "the rule to forbid www.apple.com has no effect." in page
    assert "devices find out by it whether they are online" in page
    assert "the rule to permit mask.icloud.com has no effect." in page
    assert "ok.example" not in page
    tried = it.get("/try?name=www.apple.com&lang=nb").text
    assert "Regelen fra IT om å forby www.apple.com har ingen virkning her." in tried
    facts = it.get("/api/v1/policy/explain", params={"name": "a.www.apple.com"}).json()
    assert facts["no_effect"] == [
        {"rule": "forbid", "name": "www.apple.com",
         "because": {"kind": "never_blocked", "name": "www.apple.com", "service": "connectivity"}}
    ]  # fmt: skip


def test_a_canary_is_said_to_be_answered_with_no_such_name(it, world):
    publish_document(world, with_course)
    box = it.get("/try?name=use-application-dns.net").text
    assert "always answered with no such name" in box
    assert "may be visited" not in box
    assert "What would change it" not in box


def test_nothing_typed_is_told(it, world):
    publish_document(world, with_course)
    assert "Write a name first" in it.get("/try?name=&group=default&at=").text
    assert "Write a name first" not in it.get("/try?group=default").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nb", ("en offentlig tjeneste", "kommandolinjen", "tilbake til generasjon 1", "unntak e1 gjelder")),
        ("nn", ("ei offentleg teneste", "kommandolinja", "tilbake til generasjon 1", "unntak e1 gjeld")),
    ],
)
def test_what_the_product_keeps_in_english_is_shown_in_the_readers_language(it, world, language, words):
    def edit(document) -> None:
        document["exemptions"] = [
            {"id": "e1", "group": "default", "categories": ["dating"], "from": "2026-11-01T00:00:00+00:00",
             "until": "2026-12-24T11:00:00+00:00", "approved_by": "Kari", "reason": "kurs"},
        ]  # fmt: skip

    publish_document(world, with_course)
    with world.services.database.write() as session:
        publishing.rollback(session, world.services.place, 1, "command line", "", world.now)
    publish_document(world, edit)
    pages = [it.get(f"/try?lang={language}&name={name}").text for name in ("nav.no", "tinder.com")]
    pages.append(it.get(f"/policy/history?lang={language}").text)
    for word in words:
        assert any(word in page for page in pages), word
    for english in ("public_service", "command line", "rollback to", "approved by", "+00:00"):
        assert not any(english in page for page in pages), english
    assert any("24.\u00a0desember 2026 kl.\u00a012.00" in page for page in pages)
