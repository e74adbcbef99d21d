"""Drafts of the rules on both databases: of two editions one is kept, and what a publication reaches."""

from __future__ import annotations

from datetime import timedelta

from gateway.lists import draft_edits
from gateway.lists import generations as publishing
from gateway.storage import places, rules, rules_drafts
from gateway.storage.engine import Database
from gateway.storage.models import Network
from gateway.storage.places import Place
from gateway.storage.rules_draft_models import RulesDraft
from gateway.terms import drafting
from gateway.terms.draft import Draft
from gateway.terms.drafting import NotPublished, Overtaken, Published
from tests.contract.storage.records import HOUR, NOW, add_grant, add_rules, at_once

DRAFT = Draft({"nb": "# Regler\r\n\r\nVær snill."}, "2026-2", "nb")


def keep(database: Database, place: Place, by: str, edition: str = "", group_key: str = "") -> RulesDraft | Overtaken:
    with database.write() as session:
        return drafting.keep(session, place, group_key, DRAFT, edition, by, NOW)


def put_in_force(database: Database, place: Place, edition: str, group_key: str = "", *, ask_again: bool = False):
    with database.write() as session:
        return drafting.put_in_force(
            session, place, group_key, edition, languages=("nb", "en"), by="kari",
            choice=drafting.Choice(ask_again=ask_again), now=NOW + timedelta(minutes=1),
        )  # fmt: skip


def test_a_draft_is_kept_and_kept_again_and_read_as_it_was_written(database: Database, place: Place) -> None:
    with database.write() as session:
        begun = add_rules(session, place).id
    first = keep(database, place, "kari")
    assert isinstance(first, RulesDraft)
    second = keep(database, place, "ola", first.edition)
    assert isinstance(second, RulesDraft)
    assert second.edition != first.edition
    with database.read() as session:
        row = rules_drafts.find(session, place.owner_id, "")
        assert row is not None
        assert (row.changed_by, row.changed_at, row.begun_from) == ("ola", NOW, begun)
        assert drafting.kept(row).texts == {"nb": "# Regler\n\nVær snill."}
        assert [each.group_key for each in rules_drafts.all_of(session, place.owner_id)] == [""]


def test_of_people_who_save_at_once_one_is_first_and_the_others_are_told(database: Database, place: Place) -> None:
    outcomes = at_once(3, lambda number: keep(database, place, ("kari", "ola", "per")[number]))
    assert sorted(isinstance(each, Overtaken) for each in outcomes) == [False, True, True]
    with database.read() as session:
        row = rules_drafts.find(session, place.owner_id, "")
        assert row is not None
        assert {each.draft.changed_by for each in outcomes if isinstance(each, Overtaken) and each.draft} == {
            row.changed_by
        }


def test_of_two_publications_at_once_one_is_done(database: Database, place: Place) -> None:
    kept = keep(database, place, "kari")
    assert isinstance(kept, RulesDraft)
    outcomes = at_once(2, lambda _: put_in_force(database, place, kept.edition))
    assert sorted(type(each).__name__ for each in outcomes) == ["Overtaken", "Published"]
    with database.read() as session:
        assert [each.label for each in rules.versions(session, place.owner_id)] == ["2026-2"]
        assert rules_drafts.find(session, place.owner_id, "") is None


def test_what_is_asked_again_is_what_stands_on_an_acceptance_in_the_groups_reached(
    database: Database, place: Place
) -> None:
    with database.write() as session:
        version = add_rules(session, place)
        open_ = add_grant(session, place, version)
        add_grant(session, place, version, mac="02:00:00:00:00:02", ends_at=NOW)
        add_grant(session, place, version, mac="02:00:00:00:00:03", revoked_at=NOW)
        moment, owner_id = NOW + timedelta(minutes=1), place.owner_id
        assert rules_drafts.grants_reached(session, owner_id, "", moment) == [open_.id]
        assert rules_drafts.count_reached(session, owner_id, "", moment) == 1
        assert rules_drafts.count_reached(session, owner_id, "library", moment) == 0
        network = places.network_on(session, place.gateway_id, "lo")
        assert network is not None
        session.get_one(Network, network.id).group_key = "library"
        session.flush()
        assert rules_drafts.count_reached(session, owner_id, "library", moment) == 1
        assert rules_drafts.count_reached(session, owner_id, "", moment) == 1, "it has no rules of its own"
        add_rules(session, place, "library-1", group_key="library")
        assert rules_drafts.count_reached(session, owner_id, "", moment) == 0
        assert rules_drafts.count_reached(session, owner_id, "library", NOW + 2 * HOUR) == 0


def test_asking_again_ends_each_access_once(database: Database, place: Place) -> None:
    with database.write() as session:
        version = add_rules(session, place)
        for number in range(3):
            add_grant(session, place, version, mac=f"02:00:00:00:00:{number:02x}")
    kept = keep(database, place, "kari")
    assert isinstance(kept, RulesDraft)
    done = put_in_force(database, place, kept.edition, ask_again=True)
    assert isinstance(done, Published)
    assert done.ended == 3
    with database.read() as session:
        assert rules_drafts.count_reached(session, place.owner_id, "", NOW + timedelta(minutes=2)) == 0


def test_a_group_that_is_gone_gets_no_rules(database: Database, place: Place) -> None:
    with database.write() as session:
        publishing.publish(session, place, "it", "", NOW)
        document, _ = draft_edits.with_group(
            publishing.draft(session, place), "library", like="default", mark=None, title="Bibliotek"
        )
        publishing.save_draft(session, place, document, NOW)
        publishing.publish(session, place, "it", "", NOW)
    kept = keep(database, place, "kari", group_key="library")
    gone = keep(database, place, "kari", group_key="youngsters")
    assert isinstance(kept, RulesDraft)
    assert isinstance(gone, RulesDraft)
    assert put_in_force(database, place, gone.edition, "youngsters") == NotPublished("no_group")
    assert isinstance(put_in_force(database, place, kept.edition, "library"), Published)
    with database.read() as session:
        version = rules.version_in_force(session, place.owner_id, "library", now=NOW + HOUR)
        assert version is not None
        assert (version.label, version.group_key) == ("2026-2", "library")
        assert rules.version_in_force(session, place.owner_id, now=NOW + HOUR) is None
