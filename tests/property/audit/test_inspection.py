"""The shown steps lead where the verifier says, and a change anywhere is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import merkle
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from gateway.audit.entry import build
from gateway.audit.inspection import inspect, path
from gateway.audit.note import SignerKey
from gateway.audit.receipt import Receipt, make_receipt

SIGNER, OTHER = SignerKey("x.test/log", b"1" * 32), SignerKey("x.test/log", b"2" * 32)
SALTS = iter(bytes([n % 256, n // 256 % 256]) * 8 for n in range(10**9))
BUILT = build(
    "staff_login", at=datetime(2026, 1, 1, tzinfo=UTC), owner="o", site="s",
    fields={"method": "password", "result": "ok"}, personal={"staff": "kari", "address": "192.0.2.1"},
    salt=lambda: next(SALTS),
)  # fmt: skip


def receipt_of(index: int, size: int) -> Receipt:
    """The receipt of BUILT's entry as leaf `index` of a tree of `size`."""
    nodes: dict[tuple[int, int], bytes] = {}
    edge: merkle.Edge = ()
    for at in range(size):
        leaf = merkle.leaf_hash(BUILT.entry if at == index else b"%d" % at)
        made, edge = merkle.new_nodes(at, leaf, edge)
        nodes |= {(node.level, node.index): node.hash for node in made}
    checkpoint = sign_checkpoint(Checkpoint("x.test/log", size, merkle.root(edge)), SIGNER)
    return make_receipt(index, size, lambda level, at: nodes[level, at], checkpoint)


@given(st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_the_steps_lead_to_the_root(place: tuple[int, int]) -> None:
    receipt = receipt_of(*place)
    found = inspect(BUILT.entry, receipt, BUILT.disclosures, [SIGNER.verifier], "x.test/log")
    assert found.proved
    assert found.root_matches
    assert len(found.steps) == len(receipt.proof)
    assert (found.signed_by, found.undisclosed) == (SIGNER.verifier, 0)


@given(st.integers(0, 10), st.integers(0, 3), st.integers(0, 31))
def test_a_changed_hash_is_told(index: int, at: int, position: int) -> None:
    receipt = receipt_of(index, 11)
    at %= len(receipt.proof)
    changed = bytearray(receipt.proof[at])
    changed[position] ^= 1
    proof = (*receipt.proof[:at], bytes(changed), *receipt.proof[at + 1 :])
    found = inspect(BUILT.entry, replace(receipt, proof=proof), BUILT.disclosures, [SIGNER.verifier], "x.test/log")
    assert not found.root_matches
    assert not found.proved


def test_another_key_value_or_length_is_told() -> None:
    receipt = receipt_of(3, 8)
    stranger = inspect(BUILT.entry, receipt, BUILT.disclosures, [OTHER.verifier], "x.test/log")
    assert (stranger.signed_by, stranger.root_matches, stranger.proved) == (None, True, False)
    assert inspect(BUILT.entry, receipt, (), [], "x.test/log").signed_by is None
    lied = BUILT.disclosures[0]._replace(value="per")
    found = inspect(BUILT.entry, receipt, [lied, BUILT.disclosures[1]], [SIGNER.verifier], "x.test/log")
    assert [each.matches for each in found.disclosures] == [False, True]
    assert (found.undisclosed, found.proved) == (1, False)
    for proof in ((), receipt.proof[:-1], (*receipt.proof, b"0" * 32)):
        short = inspect(BUILT.entry, replace(receipt, proof=proof), BUILT.disclosures, [SIGNER.verifier], "x.test/log")
        assert not short.proved
    assert path(b"x" * 32, 0, 1, ()) == ()
