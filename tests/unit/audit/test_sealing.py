"""Sealing: batches make the same tree as single appends; oversize entries are refused before anything is made."""

import pytest

from gateway.audit import merkle
from gateway.audit.entry import MAX_ENTRY_BYTES
from gateway.audit.errors import EntryError, ProofError
from gateway.audit.sealing import seal


def test_one_batch_is_the_same_as_many() -> None:
    entries = [b"%d" % number for number in range(37)]
    whole = seal((), 0, entries)
    first = seal((), 0, entries[:20])
    second = seal(first.edge, first.size, entries[20:])
    assert (second.edge, second.size, second.root) == (whole.edge, whole.size, whole.root)
    assert sorted(first.nodes + second.nodes) == sorted(whole.nodes)
    assert whole.checkpoint("log.example").text().startswith(b"log.example\n37\n")
    assert [node.index for node in whole.nodes if node.level == 0] == list(range(37))


def test_nothing_staged_changes_nothing() -> None:
    assert seal((), 0, []).root == merkle.EMPTY_ROOT


def test_refusals() -> None:
    with pytest.raises(ProofError):
        seal((), 5, [b"x"])
    for entry in (b"", bytes(MAX_ENTRY_BYTES + 1)):
        with pytest.raises(EntryError):
            seal((), 0, [entry])
