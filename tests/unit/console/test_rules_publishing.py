"""Rules that are published for a moment to come, withdrawn before it, and published by two people."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape as _unescape

import pytest

from gateway.settings import Rules, Settings
from gateway.storage.models import Grant
from gateway.terms.coming import ComingRules
from tests.unit.console.conftest import Browser, World
from tests.unit.console.test_pages import disclosed, leaf_types
from tests.unit.console.test_rules_writing import (
    PRIVACY,
    PUBLISH,
    add_group,
    draft,
    edition_on,
    in_force,
    send,
)


def unescape(page: str) -> str:
    """The text of a page, with plain spaces in its dates."""
    return _unescape(page).replace("\xa0", " ")


PROPOSAL = "/rules/-/proposal"
WHEN = "2026-12-01T08:00"  # Norwegian time; the world begins on 2026-11-22


@pytest.fixture
def world(tmp_path):
    made = World(Settings(state=tmp_path, privacy=PRIVACY))
    made.publish_all()
    made.now += timedelta(minutes=1)
    yield made
    made.services.database.close()


@pytest.fixture
def careful(tmp_path):
    """Where two people publish."""
    made = World(Settings(state=tmp_path, privacy=PRIVACY, rules=Rules(two_person=True)))
    made.publish_all()
    made.now += timedelta(minutes=1)
    yield made
    made.services.database.close()


def publish(browser: Browser, room: str = "/rules/-", when: str = WHEN, ask: str = "later"):
    """Fill in the form that says when, as a browser does."""
    page = f"{room}/publish"
    shown = browser.get(page).text
    return browser.fill(
        page, page, edition=edition_on(shown), when="later" if when else "now", in_force_from=when, ask=ask
    )


def proposal_hash(page: str) -> str:
    found = re.search(r'name="sha256" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def approve(browser: Browser, action: str = ""):
    shown = browser.get(PROPOSAL).text
    return browser.fill(PROPOSAL, f"{PROPOSAL}{action}", sha256=proposal_hash(shown))


def test_a_version_comes_into_force_by_itself_and_the_room_says_when(world):
    browser = world.signed_in("it", "kari")
    guest = world.accepted("Ola")
    send(browser)
    answer = publish(browser, ask="again")
    assert answer.headers["location"] == "/rules?notice=coming"
    assert in_force(world).label == "1"
    assert draft(world) is None
    assert leaf_types(world)[-2:] == ["rules_published", "rules_asked_again"]
    page = unescape(browser.get("/rules?notice=coming").text)
    assert "comes into force by itself" in page
    assert "2026-2 comes into force 1 December 2026 at 08:00; those who are online are asked then" in page
    auditor = unescape(world.signed_in("auditor").get("/rules").text)
    assert "2026-2 comes into force 1 December 2026 at 08:00" in auditor
    assert "/withdraw" not in auditor
    world.seal()
    assert "In force from 1 December 2026 at 08:00." in unescape(browser.get("/log").text)
    world.now = world.now.replace(month=12, day=1, hour=7, minute=0)  # UTC
    with world.services.database.write() as session:
        session.get_one(Grant, guest.grant_id).ends_at = world.now + timedelta(hours=1)
    ComingRules(world.services.database, world.services.place, lambda: world.now).poll()
    assert in_force(world).label == "2026-2"
    with world.services.database.read() as session:
        assert session.get_one(Grant, guest.grant_id).revoked_at == world.now
    again = world.signed_in("it", "ola")
    assert "in force from 1 December 2026" in unescape(again.get("/rules").text)
    world.seal()
    assert "everybody is asked again" in again.get("/log").text


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("", "Write the day and the time"),
        ("tomorrow", "Write the day and the time"),
        ("2027-03-28T02:30", "Write the day and the time"),  # the hour that summer time leaves out
        ("2026-11-22T12:00", "That moment has passed"),
        ("2029-01-01T08:00", "at most two years from now"),
        ("2027-12-01T08:00", "The next review comes before"),
    ],
)
def test_a_moment_that_cant_be_is_told_and_stays_in_the_form(world, when, told):
    browser = world.signed_in("it")
    send(browser)
    shown = browser.get(PUBLISH).text
    answer = browser.fill(PUBLISH, PUBLISH, edition=edition_on(shown), when="later", in_force_from=when, ask="again")
    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{when}"' in answer.text
    assert re.search(r'id="when-later"[^>]* checked', answer.text)
    assert re.search(r'id="ask-again"[^>]* checked', answer.text)
    assert draft(world) is not None
    assert leaf_types(world).count("rules_published") == 1


def test_a_day_that_is_written_but_not_chosen_publishes_nothing(world):
    browser = world.signed_in("it")
    send(browser)
    shown = browser.get(PUBLISH).text
    answer = browser.fill(PUBLISH, PUBLISH, edition=edition_on(shown), when="now", in_force_from="2027-01-01T08:00")
    assert answer.status_code == 422
    assert "A day is written" in answer.text
    assert 'value="2027-01-01T08:00"' in answer.text
    assert leaf_types(world).count("rules_published") == 1


def test_a_version_is_withdrawn_before_it_comes_into_force_and_not_after(world):
    browser = world.signed_in("it", "kari")
    send(browser)
    publish(browser)
    link = re.search(r'href="(/rules/versions/[0-9a-f]{32}/withdraw)"', browser.get("/rules").text)[1]
    asked = browser.get(link).text
    assert "Withdraw version 2026-2?" in asked
    send(browser, label="2026-3")
    assert "Version 2026-2 is published already and comes into force" in browser.get(PUBLISH).text
    assert browser.fill(link, link).headers["location"] == "/rules?notice=withdrawn"
    assert leaf_types(world)[-1] == "rules_withdrawn"
    page = browser.get("/rules?notice=withdrawn").text
    assert "withdrawn, was never in force" in page
    assert "The version is withdrawn" in page
    assert browser.get(link).status_code == 404
    assert browser.post(link, data={"form_token": browser.token_on(PUBLISH)}).status_code == 409
    world.now += timedelta(days=30)
    later = world.signed_in("it", "ola")
    assert in_force(world).label == "1"
    send(later, label="2027-1", next_review_on="")
    publish(later, when="2027-01-01T00:00")
    link = re.search(r'href="(/rules/versions/[0-9a-f]{32}/withdraw)"', later.get("/rules").text)[1]
    token = later.token_on("/rules/-/edit")
    world.now = world.now.replace(year=2026, month=12, day=31, hour=23, minute=0)
    late = world.signed_in("it", "per")
    assert late.get(link).status_code == 404
    assert late.post(link, data={"form_token": late.token_on("/rules/-/edit")}).status_code == 409
    assert token


def test_a_groups_version_is_withdrawn_in_its_own_row(world):
    add_group(world, "library", "Bibliotek")
    browser = world.signed_in("it")
    send(browser)
    publish(browser)
    page = unescape(browser.get("/rules").text)
    assert page.count("comes into force 1") >= 2, "everybody's next rules reach the library too"
    assert len(re.findall(r"/rules/versions/[0-9a-f]{32}/withdraw", page)) == 1


def test_who_publishes_for_another_is_told_which_texts_changed(careful):
    browser = careful.signed_in("it", "kari")
    send(browser)
    publish(browser, when="")
    assert "<dt>Changed in</dt><dd>Bokmål, English</dd>" in browser.get(PROPOSAL).text


def test_one_proposes_and_another_publishes(careful):
    kari, ola = careful.signed_in("it", "kari"), careful.signed_in("it", "ola")
    send(kari)
    assert "Go on to propose it" in kari.get("/rules/-/preview").text
    shown = kari.get(PUBLISH).text
    assert "Propose these rules?" in shown
    assert publish(kari, when="").headers["location"] == "/rules?notice=proposed"
    assert in_force(careful).label == "1"
    assert leaf_types(careful).count("rules_published") == 1, "nothing is in force by one person"
    assert leaf_types(careful)[-1] == "rules_proposed"
    own = kari.get(PROPOSAL).text
    assert "somebody else must publish them" in own
    assert "publish the rules</button>" not in own
    forced = kari.post(PROPOSAL, data={"form_token": kari.token_on(PROPOSAL), "sha256": proposal_hash(own)})
    assert forced.status_code == 409
    assert "You have proposed these rules yourself" in forced.text
    assert in_force(careful).label == "1"
    assert "Proposed, waits for somebody else" in ola.get("/rules").text
    seen = ola.get(f"{PROPOSAL}?text=nb").text
    assert '<del><span class="unseen">removed: </span>grei</del>' in seen
    assert proposal_hash(seen) in seen
    assert approve(ola).headers["location"] == "/rules?notice=published"
    assert in_force(careful).label == "2026-2"
    assert draft(careful) is None
    names = disclosed(careful)
    assert "kari" in names
    assert "ola" in names
    assert leaf_types(careful)[-1] == "rules_published"
    assert ola.get(PROPOSAL).status_code == 404
    assert kari.post(PROPOSAL, data={"form_token": kari.token_on("/rules/-/edit")}).status_code == 409


def test_a_proposal_that_was_replaced_is_not_published_unseen(careful):
    kari, ola = careful.signed_in("it", "kari"), careful.signed_in("it", "ola")
    send(kari)
    publish(kari)
    seen = proposal_hash(ola.get(PROPOSAL).text)
    token = ola.token_on(PROPOSAL)
    send(kari, text_nb="# Regler\n\nNoe annet.")
    assert "Changes to the draft since then are not part of it" in kari.get("/rules/-/preview").text
    publish(kari)
    assert "This draft is proposed as it stands" in kari.get("/rules/-/preview").text
    answer = ola.post(PROPOSAL, data={"form_token": token, "sha256": seen})
    assert answer.status_code == 409
    assert "Another proposal stands here now" in answer.text
    assert ola.post(f"{PROPOSAL}/withdraw", data={"form_token": token, "sha256": seen}).status_code == 409
    assert in_force(careful).label == "1"
    assert approve(ola, "/withdraw").headers["location"] == "/rules?notice=taken-back"
    assert leaf_types(careful)[-2:] == ["rules_proposed", "rules_proposed"]
    careful.seal()
    page = unescape(ola.get("/log").text)
    assert "Proposed: version 2026-2 of the rules." in page
    assert "Proposal withdrawn: version 2026-2 of the rules." in page
    assert draft(careful) is not None, "the draft stays"
    assert "waits for somebody else" not in ola.get("/rules").text


def test_a_proposal_has_an_end(careful):
    kari = careful.signed_in("it", "kari")
    send(kari)
    publish(kari)
    careful.now = careful.now.replace(month=12, day=1, hour=7, minute=0)
    ola = careful.signed_in("it", "ola")
    assert "A proposal whose time is over" in ola.get("/rules").text
    page = ola.get(PROPOSAL).text
    assert "The time of the proposal is over" in page
    assert "publish the rules</button>" not in page
    late = ola.post(PROPOSAL, data={"form_token": ola.token_on(PROPOSAL), "sha256": proposal_hash(page)})
    assert late.status_code == 409
    assert in_force(careful).label == "1"


def test_nobody_but_it_sees_proposals(careful):
    kari = careful.signed_in("it", "kari")
    send(kari)
    publish(kari)
    auditor = careful.signed_in("auditor")
    assert "kari" not in auditor.get("/rules").text
    assert auditor.get(PROPOSAL).status_code == 403
