"""What must hold after any crash, looked up in the database and the files by other code than the product's."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import text

from gateway.audit.checkpoint import open_checkpoint
from gateway.audit.note import parse_verifiers
from gateway.audit.verify_bundle import verify_bundle
from gateway.context import Services
from gateway.installation import public_key_path
from gateway.lists.reader import current_path, read_snapshot

ONE_LEAF_EACH = {"rules_published": "rules_version", "policy_published": "policy_generation"}


def check(services: Services) -> Counter[str]:
    """Assert every invariant; how many leaves of each type there are, staged and sealed together."""
    with services.database.read() as session:

        def rows(statement: str) -> list[Any]:
            return list(session.execute(text(statement)))

        if services.database.is_sqlite:
            assert rows("PRAGMA integrity_check") == [("ok",)]
            assert rows("PRAGMA foreign_key_check") == []
        sealed = rows("SELECT leaf_index, leaf_id, entry FROM leaf ORDER BY leaf_index")
        waiting = rows("SELECT leaf_id, entry FROM staged_leaf ORDER BY id")
        by_id = {row.leaf_id: json.loads(bytes(row.entry)) for row in [*sealed, *waiting]}
        assert len(by_id) == len(sealed) + len(waiting), "a leaf is both staged and sealed"
        types = Counter(entry["type"] for entry in by_id.values())
        _check_tree(services, rows, [bytes(row.entry) for row in sealed], [row.leaf_index for row in sealed])
        _check_acceptances(rows, by_id)
        for kind, table in ONE_LEAF_EACH.items():
            assert types[kind] == rows(f"SELECT count(*) FROM {table}")[0][0], f"{table} and its leaves differ"
        numbers = [row[0] for row in rows("SELECT generation FROM policy_generation ORDER BY generation")]
        assert numbers == list(range(1, len(numbers) + 1))
        told = sorted(entry["generation"] for entry in by_id.values() if entry["type"] == "policy_published")
        assert told == numbers
        disclosed = {row[0] for row in rows("SELECT DISTINCT leaf_id FROM disclosure")}
        assert disclosed <= by_id.keys(), "there are personal values of a leaf that is not there"
    _check_files(services)
    return types


def check_bundle(services: Services, bundle: Path) -> None:
    """A bundle that stands under its final name is whole; so is its signature, where there is one."""
    beside = bundle.with_name(f"{bundle.name}.note")
    if not bundle.exists():
        assert not beside.exists(), "a signature without its bundle"
        return
    keys = public_key_path(services.settings).read_text()
    signed = beside.read_bytes() if beside.exists() else None
    report = verify_bundle(bundle, keys, sidecar=signed, require_sidecar=signed is not None)
    assert report.ok, report.problems


def _check_tree(services: Services, rows: Any, entries: list[bytes], indexes: list[int]) -> None:
    assert indexes == list(range(len(entries))), "the indexes of the log have a gap"
    leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    expected = {(0, index): leaf for index, leaf in enumerate(leaves)}
    level = 0
    while (below := [expected[level, index] for index in range(len(entries) >> level)]) and len(below) > 1:
        level += 1
        for index in range(len(below) // 2):
            expected[level, index] = hashlib.sha256(b"\1" + below[2 * index] + below[2 * index + 1]).digest()
    stored = {(row[0], row[1]): bytes(row[2]) for row in rows("SELECT level, node_index, hash FROM tree_node")}
    assert stored == expected, "the stored nodes are not those of the leaves"
    head = rows("SELECT size, checkpoint FROM tree_head")
    assert (head[0].size if head else 0) == len(entries)
    keys = parse_verifiers(public_key_path(services.settings).read_text())
    notes = rows("SELECT size, note FROM checkpoint ORDER BY size")
    for size, note in notes:
        signed = open_checkpoint(note.encode(), keys)
        assert (signed.size, signed.root) == (size, _root(leaves[:size])), "a checkpoint is not of this log"
    if entries:
        assert (notes[-1].size, notes[-1].note) == (len(entries), head[0].checkpoint)


def _root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, as it stands there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _check_acceptances(rows: Any, by_id: dict[str, dict[str, Any]]) -> None:
    of_leaves = sorted(leaf_id for leaf_id, entry in by_id.items() if entry["type"] == "acceptance")
    assert sorted(row[0] for row in rows("SELECT leaf_id FROM acceptance")) == of_leaves
    accepted = sorted(row[0] for row in rows("SELECT id FROM acceptance"))
    granted = rows("SELECT acceptance_id, admission_leaf_id FROM access_grant")
    assert sorted(row[0] for row in granted if row[0] is not None) == accepted
    admitted = sorted(leaf_id for leaf_id, entry in by_id.items() if entry["type"] == "device_admitted")
    assert sorted(row[1] for row in granted if row[1] is not None) == admitted
    assert rows("SELECT count(*) FROM visitor")[0][0] == len(accepted)
    for leaf_id in of_leaves:
        named = rows(f"SELECT count(*) FROM disclosure WHERE leaf_id = '{leaf_id}' AND name = 'receipt'")
        assert named[0][0] == 1


def _check_files(services: Services) -> None:
    current = current_path(services.settings.state)
    if current.exists():
        read_snapshot(current)  # verifies every octet
    for kept in current.parent.glob("*.snapshot"):
        read_snapshot(kept)
