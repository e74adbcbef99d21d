"""Whoever is erased: every proof over the tree still verifies, and what others disclosed is intact to the byte."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.access import erasure, grants
from gateway.access.accept import Applicant, accept
from gateway.audit import merkle
from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.entry import Disclosure, belongs
from gateway.audit.erasing import current_list
from gateway.audit.erasure_list import numbers
from gateway.audit.sealer import seal_staged
from gateway.clock import utc_now
from gateway.context import Services
from gateway.installation import prepare, read_signing_key
from gateway.link.neighbours import Neighbour
from gateway.settings import load
from gateway.storage import leaves, persons, rules
from gateway.storage.engine import open_database
from gateway.storage.models import Acceptance

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PEOPLE = 12


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Twelve acceptances of six names on four devices, some ended by staff, all sealed; closed, to be copied."""
    services = prepare(load(state=tmp_path_factory.mktemp("erasing") / "state"), lambda: NOW)
    place = services.place
    for number in range(PEOPLE):
        now = NOW + timedelta(hours=11 * number)
        with services.database.write() as session:
            version = rules.version_in_force(session, place.owner_id, now=utc_now())
            done = accept(
                session, place, Neighbour("lo", f"02:00:00:00:00:{number % 4:02x}"),
                Applicant(f"Gjest Nummer{number % 6}", "", f"g{number % 6}@eksempel.no"), version_id=version.id,
                language="nb", address="10.1.1.1", duration=timedelta(hours=10), now=now,
            )  # fmt: skip
            if number % 3 == 0:
                grants.revoke(session, place, done.grant_id, "it-ola", now)
    services.database.close()
    return services


def seal(services):
    place = services.place
    while seal_staged(services.database, place.owner_id, place.log_origin, read_signing_key(services.settings), NOW):
        pass


def tree(services):
    """(checkpoint, entries, disclosures by leaf)."""
    owner_id = services.place.owner_id
    with services.database.read() as session:
        head = leaves.find_head(session, owner_id)
        rows = list(leaves.entries(session, owner_id, 0, head.size))
        return head.checkpoint.encode(), rows, leaves.disclosures(session, [leaf_id for _, leaf_id, _ in rows])


@given(st.lists(st.sets(st.integers(0, PEOPLE - 1), min_size=1), min_size=1, max_size=3))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_erasing_any_of_them(installed, tmp_path_factory, rounds):
    path = tmp_path_factory.mktemp("copy") / "gjestenett.sqlite3"
    shutil.copy(installed.database.sqlite_path, path)
    services = Services(installed.settings, open_database(f"sqlite:///{path}"), installed.place, installed.clock)
    try:
        seal(services)
        old, before, disclosed = tree(services)
        key = read_signing_key(services.settings).verifier
        gone = set()
        later = NOW + timedelta(days=30)
        for chosen in rounds:
            with services.database.read() as session:
                rows = session.query(Acceptance).all()
                ids = [row.id for row in rows if round((row.accepted_at - NOW) / timedelta(hours=11)) in chosen]
                plan = erasure.plan(session, services.place, ids, later)
            with services.database.write() as session:
                done = erasure.erase(session, services.place, plan, "it", "krav", later)
            assert isinstance(done, erasure.Erased) == bool(ids)
            gone.update(plan.numbers)
            seal(services)
        new, after, left = tree(services)
        head, was = open_checkpoint(new, (key,)), open_checkpoint(old, (key,))
        assert after[: len(before)] == before
        with services.database.read() as session:
            node = lambda level, index: leaves.node(session, services.place.owner_id, level, index)  # noqa: E731
            for index, _, entry in after:
                proof = merkle.inclusion_proof(index, head.size, node)
                assert merkle.verify_inclusion(merkle.leaf_hash(entry), index, head.size, proof, head.root)
            proof = merkle.consistency_proof(was.size, head.size, node)
            assert merkle.verify_consistency(was.size, was.root, head.size, head.root, proof)
            assert set(numbers(current_list(session, services.place).leaves)) == gone
        for index, leaf_id, entry in before:
            kept = disclosed.get(leaf_id, {})
            if index in gone:
                kept = {name: value for name, value in kept.items() if name in persons.STAFF_FIELDS}
            assert left.get(leaf_id, {}) == kept
            assert all(belongs(Disclosure(salt, name, value), entry) for name, (salt, value) in kept.items())
    finally:
        services.database.close()
