"""Exemptions in a publication: one leaf for each that is added, changed or ended, and none for what stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.context import Services
from gateway.lists import generations
from gateway.storage.log_models import Disclosure, StagedLeaf

COURSE = {
    "id": "spill-1",
    "group": "default",
    "categories": ["gaming", "streaming"],
    "from": "2026-12-01T08:00:00+01:00",
    "until": "2026-12-01T16:00:00+01:00",
    "approved_by": "Kari Nordmann",
    "reason": "a course in game design",
}
OTHER = COURSE | {"id": "spill-2", "categories": ["gaming"]}


def publish(services: Services, *exemptions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Publish the policy with just these exemptions; the leaves that it stages, with what they disclose."""
    now, place = services.clock(), services.place
    with services.database.write() as session:
        last = session.query(StagedLeaf).count()
        document = generations.draft(session, place) | {"exemptions": list(exemptions)}
        generations.save_draft(session, place, document, now)
        generations.publish(session, place, "ola", "", now)
        found = []
        for row in session.query(StagedLeaf).order_by(StagedLeaf.id).offset(last):
            personal = {each.name: each.value for each in session.query(Disclosure).filter_by(leaf_id=row.leaf_id)}
            assert all(value.encode() not in row.entry for value in personal.values())
            found.append(json.loads(row.entry) | {"personal": personal})
        return found


def told(leaves: list[dict[str, Any]]) -> list[tuple[str, str, list[str], str]]:
    assert leaves[0]["type"] == "policy_published"
    assert {leaf["type"] for leaf in leaves[1:]} <= {"exemption_changed"}
    return [(leaf["change"], leaf["personal"]["scope"], leaf["categories"], leaf["until"]) for leaf in leaves[1:]]


def test_each_that_differs_is_a_leaf(services: Services) -> None:
    one, two = "spill-1 from 2026-12-01T07:00:00.000Z", "spill-2 from 2026-12-01T07:00:00.000Z"
    end, later = "2026-12-01T15:00:00.000Z", "2026-12-02T15:00:00.000Z"
    added = publish(services, COURSE, OTHER)
    assert told(added) == [("added", one, ["gaming", "streaming"], end), ("added", two, ["gaming"], end)]
    assert added[1]["group"] == "default"
    assert added[1]["personal"] == {
        "by": "ola",
        "scope": one,
        "approved_by": "Kari Nordmann",
        "reason": "a course in game design",
    }
    longer = OTHER | {"until": "2026-12-02T16:00:00+01:00"}
    assert told(publish(services, COURSE, longer)) == [("changed", two, ["gaming"], later)]
    assert told(publish(services, longer)) == [("ended", one, ["gaming", "streaming"], end)]


def test_going_back_and_a_change_of_something_else_tell_only_what_they_change(services: Services) -> None:
    publish(services, COURSE)
    with services.database.write() as session:
        before = session.query(StagedLeaf).count()
        generations.set_category(session, services.place, "default", "gaming", closed=False, now=services.clock())
        generations.publish(session, services.place, "ola", "", services.clock())
        assert session.query(StagedLeaf).count() == before + 1
        generations.rollback(session, services.place, 1, "ola", "", services.clock())
        newest = session.query(StagedLeaf).order_by(StagedLeaf.id.desc()).first()
        assert newest is not None
        assert json.loads(newest.entry)["change"] == "ended"


def test_a_leaf_that_fails_fails_the_publication(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_arguments: object) -> None:
        raise RuntimeError("no leaf")

    monkeypatch.setattr("gateway.lists.exemption_leaves.record", failing)
    with pytest.raises(RuntimeError, match="no leaf"):
        publish(services, COURSE)
    with services.database.read() as session:
        assert [number for number, _ in generations.generations.documents(session, services.place.owner_id)] == [1]
