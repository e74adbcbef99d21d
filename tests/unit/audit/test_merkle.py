"""The tree against published known answers and hand-made bounds."""

import pytest

from gateway.audit import merkle
from gateway.audit.errors import ProofError

CLASSIC = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip


def test_known_answers_of_leaf_node_and_roots() -> None:
    leaf = merkle.leaf_hash(b"L123456").hex()
    node = merkle.node_hash(b"N123", b"N456").hex()
    assert leaf == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node.startswith("aa217fe8")
    assert node.endswith("6bbb")
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    edge: merkle.Edge = ()
    for size, entry in enumerate(CLASSIC):
        edge = merkle.new_nodes(size, merkle.leaf_hash(entry), edge)[1]
    assert merkle.root(edge).hex().startswith("5dc9da79")
    assert merkle.root(edge).hex().endswith("4328")


def test_an_edge_of_another_size_is_refused() -> None:
    with pytest.raises(ProofError):
        merkle.new_nodes(3, bytes(32), (bytes(32),))


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_inclusion_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_proof(index, size, lambda level, index: bytes(32))


def test_hashes_of_another_length_are_never_accepted() -> None:
    leaf = merkle.leaf_hash(b"x")
    assert merkle.verify_inclusion(leaf, 0, 1, (), leaf)
    assert not merkle.verify_inclusion(leaf[:31], 0, 1, (), leaf[:31])
    assert not merkle.verify_consistency(1, b"", 1, b"", ())


def test_from_the_empty_tree_the_proof_is_empty_and_the_root_is_the_empty_root() -> None:
    leaf = merkle.leaf_hash(b"x")
    assert merkle.verify_consistency(0, merkle.EMPTY_ROOT, 1, leaf, ())
    assert not merkle.verify_consistency(0, leaf, 1, leaf, ())
    assert not merkle.verify_consistency(0, merkle.EMPTY_ROOT, 1, leaf, (leaf,))
