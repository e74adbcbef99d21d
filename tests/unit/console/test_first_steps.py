"""The first steps on a new installation: each ticks itself, and the list is gone when all are done."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from captive_portal.console.first_steps import STEPS, Standing, ticked
from captive_portal.console_app import create_app
from gateway.lists import sources
from gateway.lists.source import Source
from gateway.settings import Privacy
from gateway.terms.publish import publish, starter_texts
from tests.unit.console.conftest import Browser

FRESH = Standing(
    is_named=False, blanks=("controller", "dpo"), rules_are_example=True, lists_on=0, it_accounts=1,
    console_has_name=False, has_second_factor=False, copy_targets=0, is_enforced=False,
)  # fmt: skip
FINISHED = Standing(
    is_named=True, blanks=(), rules_are_example=False, lists_on=1, it_accounts=2, console_has_name=True,
    has_second_factor=True, copy_targets=1, is_enforced=True,
)  # fmt: skip


def test_nothing_is_done_at_first_and_the_blanks_are_named():
    steps = ticked(FRESH)
    assert len(steps) == len(STEPS) == len(dataclasses.fields(Standing))
    assert not any(each.done for each in steps)
    assert [each.settings for each in steps if each.settings] == [("privacy.controller", "privacy.dpo")]


@pytest.mark.parametrize("number", range(len(STEPS)))
def test_each_fact_ticks_one_step_of_its_own(number):
    name = dataclasses.fields(Standing)[number].name
    steps = ticked(dataclasses.replace(FRESH, **{name: getattr(FINISHED, name)}))
    assert sum(each.done for each in steps) == 1
    others = ticked(dataclasses.replace(FINISHED, **{name: getattr(FRESH, name)}))
    assert [each.step for each in others if not each.done] == [each.step for each in steps if each.done]


def test_when_all_is_done_there_is_no_list():
    assert ticked(FINISHED) == []


def test_passkeys_come_after_the_name_that_they_are_bound_to():
    order = [each.step.what for each in ticked(FRESH)]
    assert order.index("Give the console a name of its own") < order.index("Give your account a second factor")


@pytest.mark.parametrize(
    ("hostname", "named"), [("localhost", False), ("192.0.2.8", False), ("console.storvik.kommune.no", True)]
)
def test_a_console_has_a_name_where_passkeys_can_stay(world, hostname, named):
    console = world.settings.console.model_copy(update={"hostname": hostname})
    services = dataclasses.replace(world.services, settings=world.settings.model_copy(update={"console": console}))
    world.account("kari", "it")
    browser = Browser(create_app(services))
    world.sign_in(browser, "kari")
    text = browser.get("/").text
    assert ("<code>console.hostname</code>" in text) is not named
    assert "<strong>Give the console a name of its own</strong>" in text


def test_each_tick_comes_from_what_is_true(world):
    with world.services.database.write() as session:
        publish_as(session, world, starter_texts(), "1.0")
    it = world.signed_in("it")
    text = it.get("/").text
    assert "First steps" in text
    assert "<code>privacy.controller</code>" in text
    assert "an example, after another municipality" in text
    before = text.count('class="done"')
    with world.services.database.write() as session:
        sources.put(session, world.services.place, Source("own", "gaming"), "kari", world.now)
        publish_as(session, world, starter_texts() | {"nb": "Våre egne."}, "2027-1")
    world.account("ola", "it")
    text = it.get("/").text
    assert text.count('class="done"') == before + 3
    assert "an example, after another municipality" not in text
    world.account("per", "auditor")
    assert it.get("/").text.count('class="done"') == before + 3


def test_rules_in_force_while_guests_are_told_too_little_are_warned_of(world):
    with world.services.database.write() as session:
        publish_as(session, world, starter_texts(), "1.0")
    bare = dataclasses.replace(world.services, settings=world.settings.model_copy(update={"privacy": Privacy()}))
    world.account("kari", "it")
    browser = Browser(create_app(bare))
    world.sign_in(browser, "kari")
    warned = "Your rules are in force, but guests are not told"
    assert warned not in browser.get("/").text, "the first steps say it"
    with world.services.database.write() as session:
        publish_as(session, world, starter_texts() | {"nb": "Våre egne."}, "2027-1")
    assert warned in browser.get("/").text


def publish_as(session, world, texts, label):
    publish(
        session, world.services.place, texts, label=label, adopting_body="", adopted_on=None, case_number="",
        binding_language="nb", next_review_on=None, published_by="kari",
        now=world.now + timedelta(minutes=len(label)),
    )  # fmt: skip


def test_what_is_only_wise_is_folded_away(world, monkeypatch):
    world.publish_all()
    done = dataclasses.replace(FINISHED, copy_targets=0)
    monkeypatch.setattr("captive_portal.console.overview.room.first_steps", lambda visit: ticked(done))
    text = world.signed_in("it").get("/").text
    assert "What is still wise to do</summary>" in text
    assert 'class="done"' not in text
    monkeypatch.setattr("captive_portal.console.overview.room.first_steps", lambda visit: ticked(FINISHED))
    assert "First steps" not in world.signed_in("it", "ola").get("/").text
