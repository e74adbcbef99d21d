"""Leaves are staged with the change they record, and ordered behind one head without gap or fork."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from gateway.storage import leaves
from gateway.storage.engine import Database, Session
from gateway.storage.log_models import Checkpoint
from gateway.storage.places import Place
from gateway.storage.types import new_id
from tests.contract.storage.records import HOUR, NOW, at_once, scalar


def stage(session: Session, place: Place, entry: bytes, clear: Mapping[str, tuple[str, str]] | None = None) -> str:
    leaf_id = new_id()
    leaves.stage(session, place.owner_id, leaf_id, entry, clear or {}, NOW)
    return leaf_id


def seal(session: Session, place: Place, limit: int) -> int:
    """What a sealer does, with level 0 only and a checkpoint that says its size; returns how many it ordered."""
    head = leaves.lock_head(session, place.owner_id)
    batch = leaves.staged(session, place.owner_id, limit)
    if batch:
        nodes = [(0, head.size + offset, hashlib.sha256(leaf.entry).digest()) for offset, leaf in enumerate(batch)]
        leaves.append(session, head, batch, nodes, f"size {head.size + len(batch)}", NOW)
    return len(batch)


def test_leaves_are_ordered_as_they_were_staged(database: Database, place: Place) -> None:
    contents = [f"entry {number}".encode() + b"\x00\xff" for number in range(5)]
    with database.write() as session:
        assert leaves.find_head(session, place.owner_id) is None
        ids = [stage(session, place, entry) for entry in contents]
        assert leaves.leaf_index(session, ids[0]) is None
        assert [leaf.leaf_id for leaf in leaves.staged(session, place.owner_id, 2)] == ids[:2]
    with database.write() as session:
        assert [seal(session, place, 3), seal(session, place, 3), seal(session, place, 3)] == [3, 2, 0]
    with database.read() as session:
        assert list(leaves.entries(session, place.owner_id, 0, 5)) == [
            (index, ids[index], contents[index]) for index in range(5)
        ]
        assert [index for index, _, _ in leaves.entries(session, place.owner_id, 1, 3)] == [1, 2]
        assert list(leaves.entries(session, "another", 0, 5)) == []
        assert [leaves.leaf_index(session, leaf_id) for leaf_id in ids] == [0, 1, 2, 3, 4]
        assert leaves.node(session, place.owner_id, 0, 4) == hashlib.sha256(contents[4]).digest()
        with pytest.raises(KeyError):
            leaves.node(session, place.owner_id, 0, 5)
        head = leaves.find_head(session, place.owner_id)
        assert head is not None
        assert (head.size, head.checkpoint, head.sealed_at) == (5, "size 5", NOW)
        assert {row.size: row.note for row in session.query(Checkpoint)} == {3: "size 3", 5: "size 5"}
    assert scalar(database, "SELECT count(*) FROM staged_leaf") == 0


def test_entries_run_over_the_batches_of_an_export(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaves, "EXPORT_BATCH", 2)
    with database.write() as session:
        ids = [stage(session, place, b"x", {"name": ("salt", str(number))}) for number in range(7)]
        seal(session, place, 100)
    with database.read() as session:
        assert [leaf_id for _, leaf_id, _ in leaves.entries(session, place.owner_id, 0, 7)] == ids
        assert [index for index, _, _ in leaves.entries(session, place.owner_id, 1, 6)] == [1, 2, 3, 4, 5]
        assert {key: row["name"][1] for key, row in leaves.disclosures(session, ids).items()} == {
            leaf_id: str(number) for number, leaf_id in enumerate(ids)
        }


def test_a_change_that_fails_stages_nothing(database: Database, place: Place) -> None:
    with pytest.raises(LookupError), database.write() as session:
        stage(session, place, b"x", {"name": ("s", "Kari")})
        raise LookupError
    assert scalar(database, "SELECT count(*) FROM staged_leaf") == 0
    assert scalar(database, "SELECT count(*) FROM disclosure") == 0


def test_a_sealing_that_fails_leaves_everything_staged(database: Database, place: Place) -> None:
    with database.write() as session:
        stage(session, place, b"x")
    with pytest.raises(LookupError), database.write() as session:
        seal(session, place, 10)
        raise LookupError
    assert scalar(database, "SELECT count(*) FROM staged_leaf") == 1
    for table in ("leaf", "tree_node", "checkpoint", "tree_head"):
        assert scalar(database, f"SELECT count(*) FROM {table}") == 0, table


def test_disclosures_are_found_by_leaf_and_can_be_forgotten(database: Database, place: Place) -> None:
    clear = {"name": ("salt-1", "Kari Nordmann ☃"), "contact": ("salt-2", "")}
    with database.write() as session:
        one, two = stage(session, place, b"1", clear), stage(session, place, b"2", clear)
        session.execute(text("DELETE FROM disclosure WHERE leaf_id = :id"), {"id": two})
        assert leaves.disclosures(session, [one, two, "other"]) == {one: clear}


def test_appending_nothing_is_refused(database: Database, place: Place) -> None:
    with pytest.raises(ValueError, match="nothing to append"), database.write() as session:
        leaves.append(session, leaves.lock_head(session, place.owner_id), [], [], "size 0", NOW)
    assert scalar(database, "SELECT count(*) FROM checkpoint") == 0


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_head_that_was_read_before_it_was_held_is_read_anew(database: Database, place: Place) -> None:
    with database.write() as session:
        stage(session, place, b"1")
        stage(session, place, b"2")
        seal(session, place, 1)
    with database.write() as session:
        stale = leaves.find_head(session, place.owner_id)
        assert stale is not None
        with database.write() as other:
            seal(other, place, 1)
        assert leaves.lock_head(session, place.owner_id).size == 2


def test_sealers_that_meet_make_neither_gap_nor_fork(database: Database, place: Place) -> None:
    total = 60
    deadline = time.monotonic() + 30

    def work(number: int) -> int:
        if number >= 2:
            for _ in range(total // 2):
                with database.write() as session:
                    stage(session, place, new_id().encode())
            return 0
        ordered = 0
        while time.monotonic() < deadline:
            with database.write() as session:
                ordered += seal(session, place, 7)
            if scalar(database, "SELECT count(*) FROM leaf") == total:
                break
        return ordered

    assert sum(at_once(4, work)) == total
    with database.read() as session:
        head = leaves.find_head(session, place.owner_id)
        assert head is not None
        assert head.size == total
        assert head.checkpoint == f"size {total}"
        found = list(leaves.entries(session, place.owner_id, 0, total))
        assert [index for index, _, _ in found] == list(range(total))
        assert len({leaf_id for _, leaf_id, _ in found}) == total
        for index, _, entry in found:
            assert leaves.node(session, place.owner_id, 0, index) == hashlib.sha256(entry).digest()
        sizes = sorted(row.size for row in session.query(Checkpoint))
        assert sizes[-1] == total
        assert len(set(sizes)) == len(sizes)
    assert scalar(database, "SELECT count(*) FROM staged_leaf") == 0


def test_two_sealers_that_meet_on_a_log_without_a_head_make_one(database: Database, place: Place) -> None:
    def work(_number: int) -> int:
        with database.write() as session:
            head = leaves.lock_head(session, place.owner_id)
            time.sleep(0.2)  # so that the other one comes while this one has made the head but not committed
            return head.size

    assert at_once(2, work) == [0, 0]
    assert scalar(database, "SELECT count(*) FROM tree_head") == 1


def test_logs_of_two_owners_stand_apart(database: Database, place: Place) -> None:
    from gateway.storage.places import add_place

    with database.write() as session:
        other = add_place(
            session,
            owner_key="alver",
            owner_name="Alver",
            log_origin="example.org/alver",
            site_key="s",
            gateway_key="g",
            interfaces=[],
            now=NOW + HOUR,
        )
        for owner in (place, other, place):
            stage(session, owner, owner.owner_key.encode())
        assert (seal(session, place, 10), seal(session, other, 10)) == (2, 1)
        assert [entry for _, _, entry in leaves.entries(session, other.owner_id, 0, 9)] == [b"alver"]
