"""Drafts, publication, rollback and history over a real database."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import UsageError
from gateway.lists import draft_edits, generations
from gateway.lists.compile import compile_policy
from gateway.lists.explanation import explanation
from gateway.lists.history import published
from gateway.storage import generations as storage
from gateway.storage import places
from gateway.storage.engine import open_database
from gateway.storage.log_models import StagedLeaf
from policies.document import default_document
from policies.snapshot import NamedList, open_snapshot
from tests.migrated import put_sqlite

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def scene(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    put_sqlite(database.sqlite_path)
    with database.write() as session:
        place = places.add_place(
            session, owner_key="k", owner_name="K", log_origin="example.test/log", site_key="s", gateway_key="g",
            interfaces=["lo"], now=NOW,
        )  # fmt: skip
    with database.write() as session:
        yield session, place
    database.close()


def publish(scene, edit, by: str, minutes: int) -> int:
    session, place = scene
    generations.save_draft(session, place, edit(generations.draft(session, place)), NOW)
    return generations.publish(session, place, by, f"by {by}", NOW + timedelta(minutes=minutes))


def test_rollback_is_a_new_generation_and_a_leaf_with_both_hashes(scene):
    session, place = scene
    assert publish(scene, lambda document: document, "a", 0) == 1
    publish(scene, lambda document: draft_edits.with_name(document, "default", "https://A.no/x", "forbid")[0], "b", 1)
    generations.set_category(session, place, "default", "streaming", closed=True, now=NOW)
    assert generations.rollback(session, place, 1, "c", "", NOW) == 3
    assert generations.document_of(session, place, 3) == generations.document_of(session, place, 1)
    assert "streaming" in generations.draft(session, place)["groups"]["default"]["closed"], "the draft stays"
    leaves = [json.loads(row.entry) for row in session.query(StagedLeaf).order_by(StagedLeaf.id)]
    facts = [re.findall(r'"(?:before|after)_sha256": "(\w*)"', json.dumps(leaf)) for leaf in leaves]
    first, second, third = ({*each} for each in facts)
    assert "" in first
    assert len(first & second) == 1
    assert second == third  # from the second's hash back to the first's
    for wrong, told in ((1, "says the same as the one in force"), (9, "no generation 9")):
        with pytest.raises(UsageError, match=told):
            generations.rollback(session, place, wrong, "c", "", NOW)


def test_a_document_with_problems_is_not_saved(scene):
    session, place = scene
    bad = default_document()
    bad["groups"]["default"] |= {"closed": ["datting"], "permit": ["a b"]}
    with pytest.raises(UsageError, match=r"unknown category 'datting'; .*a space"):
        generations.save_draft(session, place, bad, NOW)
    assert generations.draft(session, place) == default_document()


def test_since_when_goes_back_to_the_first_of_an_unbroken_row(scene):
    session, place = scene
    for number, closed in enumerate(([], ["gaming"], [], ["gaming"], ["gaming", "dating"])):
        publish(scene, lambda document, c=closed: with_closed(document, c), f"p{number + 1}", number)
    publish(scene, lambda document: draft_edits.with_name(document, "default", "x.no", "forbid")[0], "p6", 9)
    lists = [NamedList("test/gaming", "gaming", "0" * 64, ("game.example",))]
    snapshot = open_snapshot(compile_policy(generations.document_of(session, place, 6), 6, lists=lists))
    group = snapshot.group("default")

    def since(name: str) -> int | None:
        found = explanation(name, group, NOW, snapshot, published(session, place))["since"]
        return found and found["generation"]

    assert since("game.example") == 4
    assert since("a.x.no") == 6
    assert since("nav.no") is None
    assert since("other.example") is None
    assert explanation("game.example", group, NOW, snapshot)["since"] is None


def with_closed(document, closed):
    document["groups"]["default"]["closed"] = closed
    return document


def test_groups_get_the_next_mark_and_go_with_their_exemptions():
    document = default_document()
    document["groups"]["default"]["forbid"] = ["a.no"]
    document, mark = draft_edits.with_group(document, "course", like="default", mark=None, title="Kurs")
    assert mark == 2
    assert document["groups"]["course"]["forbid"] == ["a.no"]
    document, identity = draft_edits.with_exemption(
        document, "course", ["gaming"], NOW, NOW + timedelta(hours=1), approved_by="Kari", reason="kurs"
    )
    assert identity == "e1"
    assert draft_edits.without_exemption(document, "e1")["exemptions"] == []
    assert draft_edits.without_group(document, "course")["exemptions"] == []
    for wrong in (
        lambda: draft_edits.with_group(document, "course", like=None, mark=None, title=""),
        lambda: draft_edits.with_group(document, "x", like="none", mark=None, title=""),
        lambda: draft_edits.without_group(document, "default"),
        lambda: draft_edits.without_exemption(document, "e9"),
        lambda: draft_edits.with_name(document, "default", "1.2.3.4", "permit"),
    ):
        with pytest.raises(UsageError):
            wrong()


def test_a_name_changes_sides():
    document, name = draft_edits.with_name(default_document(), "default", "A.no", "permit")
    document, _ = draft_edits.with_name(document, "default", "a.no", "forbid")
    group = document["groups"]["default"]
    assert (name, group["permit"], group["forbid"]) == ("a.no", [], ["a.no"])
    assert draft_edits.with_name(document, "default", "a.no", None)[0]["groups"]["default"]["forbid"] == []


def test_a_change_beside_a_draft_publishes_only_itself_and_keeps_the_draft(scene):
    session, place = scene
    publish(scene, lambda document: document, "a", 0)
    with pytest.raises(generations.NothingChangedError, match="nothing is changed since generation 1"):
        generations.publish(session, place, "a", "", NOW)
    assert not generations.has_draft(session, place)
    document, _ = draft_edits.with_name(generations.draft(session, place), "default", "a.no", "forbid")
    generations.save_draft(session, place, document, NOW)
    assert generations.has_draft(session, place)

    def edit(document):
        document["groups"]["default"]["closed"] = ["adult"]

    assert generations.publish_change(session, place, edit, "b", "", NOW) == 2
    in_force = generations.document_of(session, place, 2)["groups"]["default"]
    worked_on = generations.draft(session, place)["groups"]["default"]
    assert (in_force["closed"], in_force["forbid"]) == (["adult"], [])
    assert (worked_on["closed"], worked_on["forbid"]) == (["adult"], ["a.no"])
    generations.discard_draft(session, place)
    assert not generations.has_draft(session, place)


def add_group(scene, key: str, mark: int | None = None) -> int:
    session, place = scene
    document, chosen = draft_edits.with_group(
        generations.draft(session, place), key, like=None, mark=mark, title="", given=generations.marks(session, place)
    )
    generations.save_draft(session, place, document, NOW)
    return chosen


def remove_group(scene, key: str) -> None:
    session, place = scene
    generations.save_draft(session, place, draft_edits.without_group(generations.draft(session, place), key), NOW)


def test_a_mark_that_was_ever_published_is_no_other_groups(scene):
    session, place = scene
    assert add_group(scene, "unpublished") == 2
    remove_group(scene, "unpublished")
    assert add_group(scene, "course") == 2
    generations.publish(session, place, "a", "", NOW)
    remove_group(scene, "course")
    generations.publish(session, place, "a", "", NOW)
    assert add_group(scene, "guests") == 3, "devices still carry mark 2"
    with pytest.raises(UsageError, match=r"mark 2 of group 'other' was the mark of group 'course' in generation 1"):
        add_group(scene, "other", 2)
    raw = generations.draft(session, place)
    raw["groups"]["guests"]["mark"] = 2
    storage.save_draft(session, place.owner_id, raw, NOW)  # as a draft from before this was refused
    with pytest.raises(UsageError, match="was the mark of group 'course' in generation 1"):
        generations.publish(session, place, "a", "", NOW)
    with pytest.raises(UsageError, match="was the mark of group 'course' in generation 1"):
        generations.publish_change(
            session, place, lambda document: document["groups"].update(raw["groups"]), "", "", NOW
        )
    generations.discard_draft(session, place)
    assert add_group(scene, "course") == 3
    remove_group(scene, "course")
    assert add_group(scene, "course", 2) == 2, "its own"


def test_marks_that_run_out_are_taken_from_those_never_used():
    document = default_document()
    assert (
        draft_edits.with_group(document, "a", like=None, mark=None, title="", given={2: ("x", 1), 65535: ("y", 1)})[1]
        == 3
    )
    used = dict.fromkeys(range(2, 65536), ("x", 1))
    with pytest.raises(UsageError, match="every mark"):
        draft_edits.with_group(document, "a", like=None, mark=None, title="", given=used)


def with_exemption(scene, **changes) -> None:
    session, place = scene
    document, _ = draft_edits.with_exemption(
        generations.draft(session, place), "default", ["gaming"], NOW, NOW + timedelta(days=9),
        approved_by="Kari", reason="kurs",
    )  # fmt: skip
    document["exemptions"][-1] |= changes
    generations.save_draft(session, place, document, NOW)


def end_exemption(scene, identity: str) -> None:
    session, place = scene
    document = draft_edits.without_exemption(generations.draft(session, place), identity)
    generations.save_draft(session, place, document, NOW)


def test_rollback_does_not_revive_what_was_ended_since(scene):
    session, place = scene
    with_exemption(scene)
    with_exemption(scene, id="stays")
    with_exemption(scene, id="shortened")
    with_exemption(scene, id="again")
    generations.publish(session, place, "a", "", NOW)
    end_exemption(scene, "e1")
    end_exemption(scene, "shortened")
    end_exemption(scene, "again")
    with_exemption(scene, id="shortened", until=(NOW + timedelta(days=1)).isoformat())
    with_exemption(scene, id="again", approved_by="Ola")
    generations.set_category(session, place, "default", "streaming", closed=True, now=NOW)
    generations.publish(session, place, "a", "", NOW)
    planned = generations.rolled_back(session, place, 1)
    assert planned.ended == ("again", "e1")
    assert generations.rollback(session, place, 1, "c", "", NOW) == 3
    found = {each["id"]: each for each in generations.document_of(session, place, 3)["exemptions"]}
    assert sorted(found) == ["shortened", "stays"]
    assert found["shortened"]["until"] == "2026-11-23T13:00:00+01:00"
    assert "streaming" not in generations.document_of(session, place, 3)["groups"]["default"]["closed"]
    with pytest.raises(UsageError, match=r"says the same .* apart from exemptions that have ended since: again, e1"):
        generations.rollback(session, place, 1, "c", "", NOW)
