"""A session moved into another group: its mark, a leaf in the same transaction, a wake-up for the enforcer."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import timedelta

import pytest

from gateway.access.grants import Moved, NotMoved, move, revoke
from gateway.lists import generations as publishing
from gateway.storage import grants, leaves
from gateway.storage.engine import Database
from gateway.storage.feed import open_feed
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Grant
from gateway.storage.places import Place
from tests.contract.storage.records import HOUR, NOW, add_grant, add_rules, scalar


@pytest.fixture
def two_groups(database: Database, place: Place) -> None:
    """A policy in force with the groups default (mark 1) and course (mark 7)."""
    with database.write() as session:
        document = publishing.draft(session, place)
        document["groups"]["course"] = deepcopy(document["groups"]["default"]) | {"mark": 7, "closed": ["malware"]}
        publishing.save_draft(session, place, document, NOW)
        publishing.publish(session, place, "it", "", NOW)


def session_of(database: Database, place: Place, **times: object) -> Grant:
    with database.write() as session:
        return add_grant(session, place, add_rules(session, place), **times)  # type: ignore[arg-type]


def last_leaf(database: Database) -> bytes:
    with database.read() as session:
        return session.query(StagedLeaf).order_by(StagedLeaf.id.desc()).first().entry  # type: ignore[union-attr]


@pytest.mark.usefixtures("two_groups")
@pytest.mark.parametrize("by", ["receipt", "id"])
def test_the_grant_takes_the_groups_mark_and_the_log_says_so(database: Database, place: Place, by: str) -> None:
    grant = session_of(database, place)
    code = grant.id if by == "id" else grant.acceptance.receipt_code
    feed = open_feed(database, ("grants",), lambda: False)
    while feed.wait(0.3):
        pass
    with database.write() as session:
        assert move(session, place, code, "course", "kari", NOW) == Moved(grant.id, "default", "course")
    assert feed.wait(2)
    feed.close()
    with database.read() as session:
        [row] = grants.grants_of_gateway(session, place.gateway_id, NOW)
        assert row.mark == 7
        assert grants.open_grants(session, place.owner_id, NOW)[0].group_key == "course"
    entry = last_leaf(database)
    assert re.search(rb'"from_group":"default","grant":"%s"' % grant.id.encode(), entry)
    assert b'"to_group":"course","type":"grant_moved"' in entry
    assert b"kari" not in entry
    assert scalar(database, "SELECT count(*) FROM disclosure WHERE value = 'kari'") == 1


@pytest.mark.usefixtures("two_groups")
def test_what_can_not_be_moved_leaves_everything_as_it_was(database: Database, place: Place) -> None:
    grant = session_of(database, place)
    before = scalar(database, "SELECT count(*) FROM staged_leaf")
    with database.write() as session:
        for code, group, reason in (
            ("nobody", "course", "no_grant"),
            ("", "course", "no_grant"),
            ("a\0b", "course", "no_grant"),
            ("x" * 500, "course", "no_grant"),
            (grant.id, "no-such", "no_group"),
            (grant.id, "a\0b", "no_group"),
            (grant.id, "default", "same_group"),
        ):
            assert move(session, place, code, group, "kari", NOW) == NotMoved(reason), (code, group)  # type: ignore[arg-type]
        assert move(session, place, grant.id, "course", "kari", NOW + HOUR) == NotMoved("no_grant")
        assert move(session, place, grant.id, "course", "kari", NOW - timedelta(seconds=1)) == NotMoved("no_grant")
        revoke(session, place, grant.id, "kari", NOW)
        assert move(session, place, grant.id, "course", "kari", NOW) == NotMoved("no_grant")
    with database.read() as session:
        assert session.get_one(Grant, grant.id).mark == 1
    assert scalar(database, "SELECT count(*) FROM staged_leaf") == int(str(before)) + 1  # the revocation's own


@pytest.mark.usefixtures("two_groups")
def test_a_move_that_does_not_commit_leaves_neither_mark_nor_leaf(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = session_of(database, place)
    before = scalar(database, "SELECT count(*) FROM staged_leaf")

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(leaves, "stage", full)
    with pytest.raises(RuntimeError), database.write() as session:
        move(session, place, grant.id, "course", "kari", NOW)
    with database.read() as session:
        assert session.get_one(Grant, grant.id).mark == 1
    assert scalar(database, "SELECT count(*) FROM staged_leaf") == before


@pytest.mark.usefixtures("two_groups")
def test_another_owners_grant_is_not_found(database: Database, place: Place) -> None:
    from dataclasses import replace

    grant = session_of(database, place)
    with database.write() as session:
        assert move(session, replace(place, owner_id="another"), grant.id, "course", "x", NOW) == NotMoved("no_grant")
