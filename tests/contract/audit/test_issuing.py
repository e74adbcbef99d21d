"""Receipts by code on both databases: found, issued and verified; whose they are."""

from __future__ import annotations

import random

from sqlalchemy import event, select, text, update

from gateway.audit.issuing import issue, seal_of
from gateway.audit.receipt import parse_receipt, verify_receipt
from gateway.installation import read_signing_key
from gateway.storage import receipts
from gateway.storage.log_models import Leaf
from gateway.storage.models import Acceptance
from tests.contract.audit.test_evidence import accept_one, seal_all


def test_every_sealed_leaf_has_a_receipt_that_verifies_with_nothing_but_the_key(services):
    for number in range(1, 12):
        accept_one(services, number)
        if number % 4 == 0:
            seal_all(services)
    unsealed = accept_one(services, 12)
    owner_id, keys = services.place.owner_id, [read_signing_key(services.settings).verifier]
    with services.database.read() as session:
        found = receipts.by_code(session, owner_id, unsealed.receipt_code)
        assert issue(session, owner_id, found.leaf_id) is None
        assert seal_of(session, owner_id, found.leaf_id) is None
    seal_all(services)
    with services.database.read() as session:
        leaves = list(session.scalars(select(Leaf).order_by(Leaf.leaf_index)))
        assert len(leaves) >= 14
        for leaf in leaves:
            receipt = parse_receipt(issue(session, owner_id, leaf.leaf_id).encode())
            assert (receipt.index, receipt.extra) == (leaf.leaf_index, leaf.entry)
            checkpoint = verify_receipt(receipt, receipt.extra, keys, services.place.log_origin)
            seal = seal_of(session, owner_id, leaf.leaf_id)
            assert (seal.index, seal.checkpoint) == (leaf.leaf_index, checkpoint)
            assert checkpoint.size == len(leaves)


def test_a_code_finds_its_acceptance(services):
    outcome = accept_one(services, 5)
    owner_id = services.place.owner_id
    with services.database.read() as session:
        found = receipts.by_code(session, owner_id, outcome.receipt_code)
        assert (found.name, found.mac, found.version.label, found.language) == (
            "Gjest 5", "02:00:00:00:00:05", "1.0", "nn"
        )  # fmt: skip
        assert {text.language for text in found.version.texts} == {"nb", "nn", "en"}
        assert receipts.by_code(session, "another", outcome.receipt_code) is None
        assert receipts.by_code(session, owner_id, "0" * 16) is None


def test_a_short_code_finds_exactly_what_begins_with_it_newest_first(services):
    dice = random.Random(19)
    codes = ["".join(dice.choice("0AZ") for _ in range(16)) for _ in range(30)]
    codes += ["0000000000000000", "00000000AAAAAAAA", "00000000ZZZZZZZZ"]
    codes = list(dict.fromkeys(codes))
    ids = [accept_one(services, number).acceptance_id for number in range(len(codes))]
    with services.database.write() as session:
        for id_, code in zip(ids, codes, strict=True):
            session.execute(update(Acceptance).where(Acceptance.id == id_).values(receipt_code=code))
    with services.database.read() as session:
        for short in {code[:8] for code in codes} | {"ZZZZZZZZ", "0A0A0A0A"}:
            found = receipts.by_short_code(session, services.place.owner_id, short, 99)
            assert len(found) == sum(code.startswith(short) for code in codes), short
        assert len(receipts.by_short_code(session, services.place.owner_id, "00000000", 2)) == 2
        assert receipts.by_short_code(session, "another", "00000000", 9) == []


def test_a_short_code_is_looked_up_by_an_index(services):
    """Whoever knows one can ask for it again and again, and the acceptances of years are many."""
    asked = []

    def listen(_connection, _cursor, statement, parameters, *_):
        asked.append((statement, parameters))

    with services.database.read() as session:
        session.connection()
        event.listen(services.database.engine, "before_cursor_execute", listen)
        receipts.by_short_code(session, services.place.owner_id, "00000000", 5)
        event.remove(services.database.engine, "before_cursor_execute", listen)
        [(statement, parameters)] = asked
        if services.database.is_sqlite:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        else:
            session.execute(text("SET LOCAL enable_seqscan = off"))  # which is right for a table this small
            plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters).all()
    assert "ix_acceptance_short_code" in str(plan), plan
    assert ("owner_id=? AND <expr>=?" if services.database.is_sqlite else "substr") in str(plan), plan
