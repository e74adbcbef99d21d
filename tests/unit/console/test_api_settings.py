"""The settings over JSON: checked and kept with a leaf as in the room, given back, and shown without secrets."""

from __future__ import annotations

import dataclasses

import pytest

from captive_portal.console_app import create_app
from gateway.settings.operational import OPERATIONAL
from gateway.settings.origin import HIDDEN
from tests.unit.console.conftest import Browser
from tests.unit.console.test_settings_room import GOOD, leaves

SETTINGS = "/api/v1/settings"
OTHER = {key: text for key, text in GOOD.items() if key != "courses.host_groups"}  # which says what the default says


@pytest.fixture
def it(world):
    world.publish_all()
    return world.signed_in("it", "kari")


def row(it, key):
    return next(each for each in it.get(SETTINGS).json()["settings"] if each["key"] == key)


def test_each_setting_is_changed_told_and_given_back(it, world):
    assert [each["key"] for each in it.get(SETTINGS).json()["settings"]] == list(OPERATIONAL)
    for key, text in OTHER.items():
        before = row(it, key)
        kind = OPERATIONAL[key].kind
        value = int(text) if kind == "number" else text.split() if kind == "keys" else text
        changed = it.put(f"{SETTINGS}/{key}", json={"value": value})
        assert (changed.status_code, changed.json()["value"]) == (200, value), changed.text
        assert row(it, key) == changed.json() == before | {
            "value": value, "changed_by": "kari", "changed_at": "2026-11-22T12:00:00Z",
        }  # fmt: skip
        count = len(leaves(world))
        assert it.put(f"{SETTINGS}/{key}", json={"value": value}).status_code == 200
        assert len(leaves(world)) == count, "it was so already"
        assert it.delete(f"{SETTINGS}/{key}").status_code == 204
        assert it.delete(f"{SETTINGS}/{key}").status_code == 204
        assert row(it, key) == before
    assert [setting for setting, _ in leaves(world)] == [key for key in OTHER for _ in range(2)]
    assert leaves(world)[0][1]["by"] == "kari"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("owner.unit", ""), ("owner.helpdesk_phone", "ring oss"), ("console.idle_minutes", 4),
        ("console.idle_minutes", 10**30), ("courses.host_groups", ["nobody"]), ("owner.unit", "a\x1fb"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_told_and_changes_nothing(it, world, key, value):
    answer = it.put(f"{SETTINGS}/{key}", json={"value": value})
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["value"])
    assert leaves(world) == []


@pytest.mark.parametrize("value", [True, 1.5, None, {}])
def test_what_is_no_value_is_unreadable(it, value):
    answer = it.put(f"{SETTINGS}/console.idle_minutes", json={"value": value})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gjestenett:problem:unreadable")


def test_what_can_stop_a_service_is_not_changed_here(it):
    for key in ("database.url", "portal.port", "unknown"):
        assert it.put(f"{SETTINGS}/{key}", json={"value": "x"}).status_code == 404
        assert it.delete(f"{SETTINGS}/{key}").status_code == 404


def test_every_setting_is_shown_with_its_origin_and_without_secrets(it, world):
    assert it.put(f"{SETTINGS}/owner.unit", json={"value": "Digitalisering"}).status_code == 200
    url = world.settings.database.model_copy(update={"url": "postgresql://gjestenett:s3cret@db/gjestenett"})
    settings = world.settings.model_copy(update={"database": url})
    browser = Browser(create_app(dataclasses.replace(world.services, settings=settings)))
    world.sign_in(browser, "kari")
    found = browser.get(f"{SETTINGS}/started").json()
    rows = {(each["table"], each["key"]): (each["value"], each["origin"]) for each in found["settings"]}
    assert rows["owner", "unit"] == ("Digitalisering", "console")
    assert rows["portal", "port"] == (8080, "default")
    assert rows["database", "url"][0] == HIDDEN
    assert "s3cret" not in str(found)
    assert all(isinstance(each, str) for each in found["warnings"])
