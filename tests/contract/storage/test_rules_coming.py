"""Rules that come into force later, on both databases: by the clock alone, once, for those who were to be asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from gateway.audit.entry import parse_entry
from gateway.storage import places, rules, rules_drafts, rules_proposals
from gateway.storage.engine import Database, Session
from gateway.storage.log_models import StagedLeaf
from gateway.storage.models import Grant, Network, RulesVersion
from gateway.storage.places import Place
from gateway.storage.rules_draft_models import RulesDraft
from gateway.storage.rules_wait_models import RulesProposal
from gateway.storage.staff_models import Staff
from gateway.terms import coming, drafting, proposing
from gateway.terms.coming import ComingRules
from gateway.terms.draft import Draft
from gateway.terms.drafting import Choice, NotPublished, Published
from gateway.terms.proposing import NotApproved, Person
from tests.contract.storage.records import HOUR, NOW, add_grant, add_rules, at_once

LATER = NOW + 24 * HOUR
MINUTE = timedelta(minutes=1)


def add_coming(
    session: Session, place: Place, label: str, at: datetime = LATER, *, group_key: str = "", ask_again: bool = False
) -> RulesVersion:
    """A version that was published at NOW and comes into force at `at`."""
    draft = Draft({"nb": f"# {label}"}, label, "nb")
    return drafting.publish_now(
        session, place, group_key, draft, Choice(at, ask_again), by="kari", now=NOW + MINUTE
    ).version


def in_force(database: Database, place: Place, now: datetime, group_key: str = "") -> str | None:
    with database.read() as session:
        version = rules.version_in_force(session, place.owner_id, group_key, now=now)
        return version.label if version is not None else None


def leaves(session: Session) -> list[str]:
    return [parse_entry(entry)["type"] for entry in session.scalars(select(StagedLeaf.entry).order_by(StagedLeaf.id))]


def test_a_version_is_in_force_from_its_moment_and_says_so_in_its_leaf(database: Database, place: Place) -> None:
    with database.write() as session:
        add_rules(session, place)
        add_coming(session, place, "2027-1")
        entry = parse_entry(session.scalars(select(StagedLeaf.entry)).one())
    assert entry["in_force_from"] == "2026-11-23T12:00:00.123Z"
    assert in_force(database, place, LATER - timedelta(microseconds=1)) == "2026-1"
    assert in_force(database, place, LATER) == "2027-1"
    with database.read() as session:
        assert [each.label for each in rules.coming(session, place.owner_id, now=NOW)] == ["2027-1"]
        assert rules.coming(session, place.owner_id, now=LATER) == []


def test_it_comes_into_force_also_after_a_version_that_was_published_since(database: Database, place: Place) -> None:
    with database.write() as session:
        add_rules(session, place)
        add_coming(session, place, "2027-1")
        add_rules(session, place, "2026-2", NOW + HOUR)
    assert in_force(database, place, NOW + 2 * HOUR) == "2026-2"
    assert in_force(database, place, LATER) == "2027-1"
    with database.write() as session:
        add_rules(session, place, "2027-2", LATER + HOUR)
    assert in_force(database, place, LATER + 2 * HOUR) == "2027-2"


def test_a_withdrawn_version_never_comes_into_force(database: Database, place: Place) -> None:
    with database.write() as session:
        add_rules(session, place)
        add_coming(session, place, "2027-1")
        assert coming.withdraw(session, place, "2027-1", "kari", LATER - MINUTE) == "done"
        assert leaves(session) == ["rules_published", "rules_withdrawn"]
    assert in_force(database, place, LATER + HOUR) == "2026-1"
    with database.write() as session:
        assert rules.coming(session, place.owner_id, now=NOW) == []
        assert coming.withdraw(session, place, "2027-1", "kari", LATER - MINUTE) == "withdrawn"
        assert coming.turn(session, place, LATER) == 0
        assert rules.outcomes(session, place.owner_id) != {}, "what was withdrawn stays so"
        assert leaves(session) == ["rules_published", "rules_withdrawn"]


def test_what_is_in_force_cant_be_withdrawn(database: Database, place: Place) -> None:
    with database.write() as session:
        add_rules(session, place)
        add_coming(session, place, "2027-1")
        assert coming.withdraw(session, place, "2026-1", "kari", NOW + MINUTE) == "in_force"
        assert coming.withdraw(session, place, "nothing", "kari", NOW) == "unknown"
        assert coming.withdraw(session, place, "2027-1", "kari", LATER) == "in_force", "by the clock"
        coming.turn(session, place, LATER)
        earlier = LATER - MINUTE  # the clock of another gateway
        assert coming.withdraw(session, place, "2027-1", "kari", earlier) == "in_force", "by what was done"
    assert in_force(database, place, LATER) == "2027-1"


@pytest.mark.parametrize("ask_again", [True, False])
def test_at_its_moment_those_online_are_asked_or_not_as_was_chosen(
    database: Database, place: Place, *, ask_again: bool
) -> None:
    with database.write() as session:
        old = add_rules(session, place)
        open_ = [
            add_grant(session, place, old, mac=f"02:00:00:00:00:{number:02x}", ends_at=LATER + HOUR).id
            for number in range(3)
        ]
        new = add_coming(session, place, "2027-1", ask_again=ask_again)
        since = add_grant(session, place, new, mac="02:00:00:00:00:0f", starts_at=LATER, ends_at=LATER + HOUR).id
        assert not coming.is_due(session, place, LATER - MINUTE)
        assert coming.turn(session, place, LATER - MINUTE) == 0
    with database.read() as session:
        assert {session.get_one(Grant, each).revoked_at for each in open_} == {None}
        assert coming.is_due(session, place, LATER)

    def one_gateway(_: int) -> int:
        with database.write() as session:
            return coming.turn(session, place, LATER + timedelta(seconds=2))

    assert sorted(at_once(2, one_gateway)) == ([0, 3] if ask_again else [0, 0]), "one of two gateways has done it"
    with database.read() as session:
        assert [session.get_one(Grant, each).revoked_at is not None for each in open_] == [ask_again] * 3
        assert session.get_one(Grant, since).revoked_at is None, "who has accepted the new rules goes on"
        assert not coming.is_due(session, place, LATER + HOUR)
        assert leaves(session).count("grant_revoked") == (3 if ask_again else 0)


def test_a_service_does_it_without_anybody(database: Database, place: Place) -> None:
    with database.write() as session:
        grant = add_grant(session, place, add_rules(session, place), ends_at=LATER + HOUR).id
        add_coming(session, place, "2027-1", ask_again=True)
    moment = [LATER - MINUTE]
    service = ComingRules(database, place, lambda: moment[0])
    service.poll()
    with database.read() as session:
        assert session.get_one(Grant, grant).revoked_at is None
    moment[0] = LATER
    service.poll()
    with database.read() as session:
        assert session.get_one(Grant, grant).revoked_at == LATER
        assert session.get_one(Grant, grant).revoked_by == coming.THE_PRODUCT


def test_a_groups_own_rules_to_come_leave_it_under_everybodys_until_then(database: Database, place: Place) -> None:
    with database.write() as session:
        old = add_rules(session, place)
        add_grant(session, place, old, ends_at=LATER + HOUR)
        network = places.network_on(session, place.gateway_id, "lo")
        assert network is not None
        session.get_one(Network, network.id).group_key = "library"
        add_coming(session, place, "library-1", group_key="library")
        add_coming(session, place, "2027-1", LATER + HOUR / 2)
        owner_id = place.owner_id
        assert rules_drafts.count_reached(session, owner_id, "", NOW + MINUTE) == 1
        assert rules_drafts.count_reached(session, owner_id, "", LATER + MINUTE) == 0
        assert [each.label for each in rules.coming(session, owner_id, "library", now=NOW)] == ["library-1"]
        assert [each.label for each in rules.coming(session, owner_id, "course", now=NOW)] == ["2027-1"]
    assert in_force(database, place, LATER - MINUTE, "library") == "2026-1"
    assert in_force(database, place, LATER, "library") == "library-1"


# --- by two people ----------------------------------------------------------------------------------------------------


def two_people(session: Session, place: Place) -> tuple[Person, Person]:
    people = []
    for name in ("kari", "ola"):
        account = Staff(owner_id=place.owner_id, username=name, role="it", created_at=NOW)
        session.add(account)
        session.flush()
        people.append(Person(account.id, name))
    return people[0], people[1]


def keep(session: Session, place: Place, edition: str = "", text: str = "# Nye") -> RulesDraft:
    row = drafting.keep(session, place, "", Draft({"nb": text}, "2027-1", "nb"), edition, "kari", NOW)
    assert isinstance(row, RulesDraft)
    return row


def propose(session: Session, place: Place, edition: str, by: Person, choice: Choice | None = None) -> RulesProposal:
    made = proposing.propose(session, place, "", edition, languages=("nb",), choice=choice or Choice(), by=by, now=NOW)
    assert isinstance(made, RulesProposal)
    return made


def test_another_person_publishes_what_was_proposed_and_both_stand_in_the_leaf(
    database: Database, place: Place
) -> None:
    with database.write() as session:
        kari, ola = two_people(session, place)
        made = propose(session, place, keep(session, place).edition, kari, Choice(LATER, ask_again=True))
        assert in_force(database, place, LATER) is None
    with database.write() as session:
        own = proposing.approve(session, place, "", made.sha256, by=kari, now=NOW + MINUTE)
        assert own == NotApproved("same_person")
        renamed = Person(ola.id, "KARI")
        assert proposing.approve(session, place, "", made.sha256, by=renamed, now=NOW) == NotApproved("same_person")
        assert proposing.approve(session, place, "", "0" * 64, by=ola, now=NOW) == NotApproved("changed")

    def publish(_: int) -> Published | NotApproved:
        with database.write() as session:
            return proposing.approve(session, place, "", made.sha256, by=ola, now=NOW + MINUTE)

    done = at_once(2, publish)
    assert sorted(type(each).__name__ for each in done) == ["NotApproved", "Published"]
    assert NotApproved("gone") in done
    assert in_force(database, place, LATER) == "2027-1"
    with database.read() as session:
        proposed, leaf, asked = session.scalars(select(StagedLeaf).order_by(StagedLeaf.id))
        assert parse_entry(proposed.entry)["type"] == "rules_proposed"
        assert parse_entry(leaf.entry)["type"] == "rules_published"
        again = parse_entry(asked.entry)
        assert (again["type"], again["version"], len(again["personal"])) == ("rules_asked_again", "2027-1", 2)
        version = rules.versions(session, place.owner_id)[0]
        assert (version.in_force_from, version.ask_again) == (LATER, True)
        assert len(parse_entry(leaf.entry)["personal"]) == 2
        assert rules_drafts.find(session, place.owner_id, "") is None
        assert rules_proposals.find(session, place.owner_id, "") is None


def test_what_is_proposed_is_frozen_and_a_draft_that_went_on_stays(database: Database, place: Place) -> None:
    with database.write() as session:
        kari, ola = two_people(session, place)
        row = keep(session, place)
        made = propose(session, place, row.edition, kari)
        keep(session, place, row.edition, "# Noe annet")
        done = proposing.approve(session, place, "", made.sha256, by=ola, now=NOW + MINUTE)
        assert isinstance(done, Published)
        assert [text.markdown for text in done.version.texts] == ["# Nye"]
        left = rules_drafts.find(session, place.owner_id, "")
        assert left is not None
        assert left.texts == {"nb": "# Noe annet"}


def test_a_proposal_that_was_changed_in_the_database_is_not_published(database: Database, place: Place) -> None:
    with database.write() as session:
        kari, ola = two_people(session, place)
        made = propose(session, place, keep(session, place).edition, kari)
        found = rules_proposals.find(session, place.owner_id, "")
        assert found is not None
        found.texts = {"nb": "# Helt andre regler"}
        session.flush()
        assert proposing.approve(session, place, "", made.sha256, by=ola, now=NOW) == NotApproved("changed")


def test_a_proposal_ends_by_its_time_by_its_moment_and_by_being_withdrawn(database: Database, place: Place) -> None:
    with database.write() as session:
        kari, ola = two_people(session, place)
        row = keep(session, place)
        made = propose(session, place, row.edition, kari)
        late = NOW + proposing.LASTS
        assert proposing.approve(session, place, "", made.sha256, by=ola, now=late) == NotApproved("expired")
        other = propose(session, place, row.edition, kari, Choice(NOW + HOUR))
        assert other.sha256 != made.sha256
        assert proposing.approve(session, place, "", made.sha256, by=ola, now=NOW) == NotApproved("changed")
        assert proposing.approve(session, place, "", other.sha256, by=ola, now=NOW + HOUR) == NotApproved("expired")
        assert not proposing.take_back(session, place, "", made.sha256, by="kari", now=NOW)
        assert proposing.take_back(session, place, "", other.sha256, by="kari", now=NOW)
        assert proposing.approve(session, place, "", other.sha256, by=ola, now=NOW) == NotApproved("gone")
        assert rules_drafts.find(session, place.owner_id, "") is not None, "the draft stays"
        past = proposing.propose(
            session, place, "", row.edition, languages=("nb",), choice=Choice(NOW), by=kari, now=NOW
        )
        assert past == NotPublished("past")


def test_expired_proposals_are_forgotten_after_a_month(database: Database, place: Place) -> None:
    with database.write() as session:
        kari, _ = two_people(session, place)
        propose(session, place, keep(session, place).edition, kari)
    for moment, left in ((NOW + proposing.LASTS + coming.EXPIRED_KEPT, 1), (NOW + timedelta(days=45), 0)):
        ComingRules(database, place, lambda moment=moment: moment).poll()
        with database.read() as session:
            assert len(rules_proposals.all_of(session, place.owner_id)) == left
